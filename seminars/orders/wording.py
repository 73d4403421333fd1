"""How what an order is about is said: in letters, at the checkout, on the order's page. Pure."""

from seminars.consulting.models import Appointment
from seminars.kit.format import listed, time_range, weekday
from seminars.kit.format import local as on_the_clock


def things(seats: int, meetings: int) -> str:
    """«seat», «2 seats», «appointment», «2 seats and one appointment»: after «your» or «the»."""
    if seats + meetings == 1:
        return "seat" if seats else "appointment"
    return " and ".join(
        f"{'one' if number == 1 else number} {one if number == 1 else many}"
        for number, one, many in ((seats, "seat", "seats"), (meetings, "appointment", "appointments"))
        if number
    )


def meeting_when(appointment: Appointment, zone: str = "") -> str:
    """«Monday 22 March 2027, 9:00 to 10:00 am CDT», on the client's clock or another."""
    zone = zone or appointment.zone
    return f"{weekday(on_the_clock(appointment.starts_at, zone))}, {time_range(appointment.starts_at, appointment.ends_at, zone)}"


def meeting_people(appointment: Appointment) -> str:
    """«Rosa Castellane and Ben Ode»."""
    return listed([one.name for one in appointment.consultants])
