"""The order beside the form: line by line as it will stand on the invoice, and until when the seats are held."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from seminars.catalog.models import Event
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.orders import cart as carts
from seminars.orders.models import Cart
from seminars.orders.pricing import Priced, SummaryLine
from seminars.orders.pricing import summary as grouped
from seminars.orders.wording import things


@dataclass(frozen=True)
class Line:
    """One line of the sum."""

    label: str
    note: str
    amount: str


@dataclass(frozen=True)
class Summary:
    """All that the panel shows. `total` is in minor units, for the form to say what the buyer agreed to."""

    lines: tuple[Line, ...]
    total: int
    total_text: str
    currency: str
    places: int
    meetings: int
    things: str
    held_until: str
    held_at: str
    minutes: int
    lapsed: bool


def summary_of(cart: Cart, *, currency: str, visitor: str, now: datetime) -> Summary:
    """The cart, priced at that instant; the end of the hold in the visitor's zone, or in that of the first event when it is not known."""
    priced = carts.price(cart, currency=currency, now=now)
    until = carts.held_until(cart)
    lapsed = until is None or until <= now
    zone = visitor or (cart.seat_lines[0].kind.event.zone if cart.seat_lines else cart.meeting_lines[0].meeting.zone)
    seats, meetings = len(priced.lines) - len(cart.meeting_lines), len(cart.meeting_lines)
    return Summary(
        lines=tuple(lines_of(grouped(priced.lines), priced.currency, _code(priced), _early_until(cart))),
        total=priced.total.amount,
        total_text=words.money(priced.total),
        currency=priced.currency,
        places=seats,
        meetings=meetings,
        things=things(seats, meetings),
        held_until=words.time_in(until, zone) if until and not lapsed else "",
        held_at=until.isoformat() if until else "",
        minutes=max(0, int((until - now).total_seconds() // 60)) if until else 0,
        lapsed=lapsed,
    )


def lines_of(alike: Iterable[SummaryLine], currency: str, code: str, early_until: str = "") -> list[Line]:
    """Seats and appointments at list price, then what comes off, then tax where there is any."""
    lines: list[Line] = []
    tax = 0
    for line in alike:
        each = words.money(Money(line.list_price, currency))
        lines.append(
            Line(f"{line.places} × {line.description}", f"{each} each", words.money(Money(line.list_price * line.places, currency)))
        )
        if line.early_reduction:
            lines.append(_off(f"Early{early_until}", line.places, line.early_reduction, currency))
        if line.discount:
            lines.append(_off(f"Code {code}" if code else "Reduction", line.places, line.discount, currency))
        tax += line.tax * line.places
    if tax:
        lines.append(Line("Sales tax", "", words.money(Money(tax, currency))))
    return lines


def _off(label: str, places: int, each: int, currency: str) -> Line:
    return Line(label, f"{places} × {words.money(Money(each, currency))}", words.money(Money(-each * places, currency)))


def _code(priced: Priced) -> str:
    return priced.reduction.code if priced.reduction else ""


def _early_until(cart: Cart) -> str:
    ends = {line.kind.early_until for line in cart.seat_lines if line.kind.early_until}
    if len(ends) != 1:
        return ""
    end, event = ends.pop(), cart.seat_lines[0].kind.event
    return f", until {words.day(words.local(end, event.zone).date())}"


def when_and_where(event: Event) -> str:
    """«22 and 23 March 2027, Rochester, Minnesota»."""
    if event.starts_at is None or event.ends_at is None:
        return ""
    first, last = words.local(event.starts_at, event.zone).date(), words.local(event.ends_at, event.zone).date()
    place = "Online"
    if event.format != "online" and event.venue:
        place = ", ".join(part for part in (event.venue.city or event.venue.name, event.venue.region) if part)
    return f"{words.day_span(first, last)}, {place}"
