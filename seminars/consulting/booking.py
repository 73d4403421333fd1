"""Choosing a slot: it is held for a cart, kept when the order is placed, given back when the cart gives up or time runs out.

Whoever holds, keeps or moves locks the appointment first and its consultants' time then (`schedule.claims`), so that nobody waits in
a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog.timing import place_in_time
from seminars.consulting import intake
from seminars.consulting.assigning import SlotGone, take_first_free
from seminars.consulting.models import Appointment, Offering, OfferingLength
from seminars.consulting.queries import terms_of
from seminars.consulting.rules import MINUTE, NotOffered, PriceChanged, assert_in_hours, assert_in_reach, assert_offered
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.kit.refusals import BadInput, Conflict
from seminars.schedule import claims
from seminars.schedule.models import TimeClaim

__all__ = ["Client", "HeldLongEnough", "NotOffered", "PriceChanged", "SlotGone", "SlotLapsed", "Unanswered"]

HOLD_LASTS = timedelta(minutes=20)
LONGEST = timedelta(hours=1)
"""So long a cart holds slots of one offering at most, however often it chooses another."""
REST = timedelta(minutes=20)
"""After so long without a hold, a cart begins anew."""


class SlotLapsed(Conflict):
    """Slots that were held went back on offer before the order was placed. Knows which."""

    def __init__(self, appointments: Sequence[Appointment]) -> None:
        self.appointments = list(appointments)
        lost = "; ".join(f"{one.offering.title}, {words.moment(one.starts_at, one.zone)}" for one in self.appointments)
        super().__init__(f"We could hold your time no longer: {lost}. Please choose it again.")


class HeldLongEnough(Conflict):
    """A cart has held slots of an offering as long as one may; others get a chance now."""

    def __init__(self) -> None:
        super().__init__(
            "This time has been held as long as we can. Others may take it now; "
            f"you can choose again in {REST // MINUTE} minutes."
        )  # fmt: skip


class Unanswered(Conflict):
    """Questions about the meeting are open."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = list(labels)
        super().__init__(f"Please answer first: {'; '.join(labels)}")


@dataclass(frozen=True)
class Client:
    """Whom the meeting is for."""

    name: str
    email: str
    organisation: str = ""


def read_start(typed: str, zone: str) -> datetime:
    """The instant that a form names: with its offset, or as the clock in the zone shows it. Raises BadInput, NoSuchTime."""
    try:
        moment = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise BadInput("Please choose a time.", "starts_at") from None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    if not known_zone(zone):
        raise BadInput("Please choose a time zone.", "zone")
    return place_in_time(moment, zone, field="starts_at")


def hold_slot(
    session: Session,
    offering: Offering,
    length: OfferingLength,
    *,
    starts_at: datetime,
    consultant_ids: Collection[int] | None = None,
    holder: str,
    zone: str,
    answers: Sequence[Mapping[str, str]] = (),
    price: Money | None = None,
    instead_of: Appointment | None = None,
    now: datetime,
) -> Appointment:
    """Hold a slot for a cart for twenty minutes, giving up the one it held `instead_of`; chosen twice, it is held once.

    The consultants who are named deliver it, else those who are free and have fewest meetings that week. `price` is the one that was
    shown. Raises NotOffered, PriceChanged, BadInput (length, consultant, zone, time outside of the rules), SlotGone, HeldLongEnough.
    """
    chosen = {*(consultant_ids or ())}
    assert_offered(offering, length, chosen, price)
    if not known_zone(zone):
        raise BadInput("Please choose a time zone.", "zone")
    terms = terms_of(offering, length.minutes, now=now)
    assert_in_reach(terms, offering, starts_at, now=now)
    if twice := _held_already(session, offering, length, starts_at, holder, chosen, now=now):
        return twice
    assert_in_hours(offering, terms, starts_at, chosen)
    since = _held_since(session, offering, holder, now=now)
    until = min(now + HOLD_LASTS, since + LONGEST)
    if until <= now:
        raise HeldLongEnough()
    with session.begin_nested():
        if instead_of is not None:
            _lock(session, [instead_of])
            # In one go, as giving up one person's time and then waiting for another's is how two wait for each other.
            claims.hold_still(session, [one.resource_id for one in (*offering.consultants, *instead_of.consultants)])
            drop(session, instead_of, now=now)
        appointment = _new(offering, length, starts_at, holder=holder, zone=zone, answers=answers, since=since, until=until, now=now)
        session.add(appointment)
        session.flush()
        take_first_free(session, appointment, terms, chosen, lapses_at=until, now=now)
    return appointment


def hold_again(session: Session, appointment: Appointment, *, now: datetime) -> Appointment:
    """Hold the same slot once more after its time ran out, with the same people. Raises SlotGone, NotOffered, HeldLongEnough, BadInput."""
    _lock(session, [appointment])
    if appointment.state == "held" and (appointment.held_until is None or appointment.held_until > now):
        return appointment
    if appointment.state not in ("held", "cancelled") or appointment.order_reference or not appointment.holder:
        raise Conflict("This appointment cannot be held again.")
    offering = appointment.offering
    length = next((one for one in offering.lengths if one.minutes == appointment.minutes and one.offered), None)
    if offering.state != "published" or length is None:
        raise NotOffered()
    terms = terms_of(offering, appointment.minutes, now=now)
    assert_in_reach(terms, offering, appointment.starts_at, now=now)
    since = _held_since(session, offering, appointment.holder, now=now)
    until = min(now + HOLD_LASTS, since + LONGEST)
    if until <= now:
        raise HeldLongEnough()
    same = {one.id for one in appointment.consultants}
    with session.begin_nested():
        _hold_people_still(session, [appointment])
        claims.release(session, [appointment.reference])
        take_first_free(session, appointment, terms, same, lapses_at=until, now=now)
        appointment.state, appointment.held_until, appointment.held_since, appointment.cancelled_at = "held", until, since, None
    return appointment


def hold_all_again(session: Session, appointments: Sequence[Appointment], *, now: datetime) -> None:
    """The same for all that a cart has chosen; everything is locked before the first is held. Raises the same."""
    _lock(session, appointments)
    _hold_people_still(session, appointments)
    for appointment in appointments:
        hold_again(session, appointment, now=now)


def _hold_people_still(session: Session, appointments: Sequence[Appointment]) -> None:
    """Lock the time of everybody who could deliver these, in one go: who gives up a claim first and waits then is waited for."""
    people = [one.resource_id for each in appointments for one in (*each.offering.consultants, *each.consultants)]
    claims.hold_still(session, people)


def extend_holds(session: Session, holder: str, until: datetime, *, now: datetime) -> list[Appointment]:
    """Hold what a cart holds until then, at most an hour after it began; the appointments that it still holds."""
    asked = select(Appointment).where(Appointment.holder == holder, Appointment.state == "held", Appointment.held_until > now)
    held = session.scalars(asked.order_by(Appointment.id).with_for_update(of=Appointment).execution_options(populate_existing=True)).all()
    claims.hold_still(session, [one.resource_id for appointment in held for one in appointment.consultants])
    kept = []
    for appointment in held:
        longest = min(until, (appointment.held_since or appointment.created_at) + LONGEST)
        # What staff agreed to is held for days already: nothing is shortened.
        later = max(longest, appointment.held_until or longest)
        if claims.hold_until(session, [appointment.reference], later):
            appointment.held_until = later
            kept.append(appointment)
    session.flush()
    return kept


def answer(session: Session, appointment: Appointment, typed: Mapping[str, str]) -> Appointment:
    """Keep what the client typed for the questions (by their keys). Raises BadInputs at the fields, Conflict once it is over."""
    _lock(session, [appointment])
    if appointment.state not in ("held", "requested", "confirmed"):
        raise Conflict("This appointment is not open any more.")
    appointment.answers = [dict(one) for one in intake.read(intake.questions_of(appointment.offering.questions), typed)]
    session.flush()
    return appointment


def drop(session: Session, appointment: Appointment, *, now: datetime) -> Appointment:
    """Give a slot back that was only chosen. One that was ordered stays; it is to be cancelled. Raises Conflict."""
    _lock(session, [appointment])
    if appointment.state == "cancelled":
        return appointment
    if appointment.state != "held" or appointment.order_reference:
        raise Conflict("This appointment is booked. Cancel it instead.")
    _give_up(session, [appointment], now=now)
    return appointment


def keep(session: Session, appointments: Sequence[Appointment], *, order_reference: str, client: Client, now: datetime) -> None:
    """Place them under an order: from here only what becomes of the order gives the slots back. Twice is once.

    Raises SlotLapsed with those that went back on offer, Unanswered, Conflict; then nothing is changed.
    """
    _lock(session, appointments)
    if any(one.order_reference and one.order_reference != order_reference for one in appointments):
        raise Conflict("This appointment is in another order.")
    new = [one for one in appointments if not one.order_reference]
    for appointment in new:
        _assert_answered(appointment)
    _keep_all(session, new, now=now)
    for appointment in new:
        appointment.held_until, appointment.order_reference = None, order_reference
        _name(appointment, client)
    session.flush()


def request(session: Session, appointment: Appointment, *, client: Client, now: datetime) -> Appointment:
    """Ask for a meeting that staff have to approve; its slot is held meanwhile, without an end. Raises SlotLapsed, Unanswered, Conflict."""
    _lock(session, [appointment])
    if appointment.state == "requested":
        return appointment
    if not appointment.offering.needs_approval or appointment.order_reference:
        raise Conflict("This service is booked without a request.")
    _assert_answered(appointment)
    _keep_all(session, [appointment], now=now)
    appointment.state, appointment.held_until = "requested", None
    _name(appointment, client)
    session.flush()
    return appointment


def lost_of(session: Session, appointments: Sequence[Appointment]) -> list[Appointment]:
    """Those of these that are not held any more. The others stay locked, so that they are held until the transaction ends."""
    _lock(session, appointments)
    _hold_people_still(session, appointments)
    names = [one.reference for one in appointments]
    standing = set(session.scalars(select(TimeClaim.holder).where(TimeClaim.holder.in_(names)).with_for_update(key_share=True)))
    return [one for one in appointments if one.state != "held" or one.reference not in standing]


def check_open(appointment: Appointment, *, now: datetime, desk: bool = False) -> None:
    """Raises Conflict unless this appointment can still be ordered: the offering is on sale and the time has not come; the desk may sell
    what is off the list."""
    if appointment.starts_at <= now:
        raise Conflict(f"{appointment.offering.title} on {words.moment(appointment.starts_at, appointment.zone)} has begun already.")
    if appointment.offering.state != "published" and not desk:
        raise NotOffered()


def sweep_lapsed(session: Session, *, now: datetime, most: int = 500) -> int:
    """Put slots back on offer whose time in a cart is over; how many. Two sweeps at once take different ones."""
    asked = select(Appointment).where(Appointment.held_until <= now).order_by(Appointment.id).limit(most)
    lapsed = session.scalars(
        asked.with_for_update(of=Appointment, skip_locked=True).execution_options(populate_existing=True)
    ).all()  # fmt: skip
    _give_up(session, lapsed, now=now)
    return len(lapsed)


def locked(session: Session, appointments: Sequence[Appointment]) -> None:
    """Lock these appointments until the end of the transaction, as they are by now, in the order of their ids."""
    _lock(session, appointments)


def _lock(session: Session, appointments: Sequence[Appointment]) -> None:
    asked = select(Appointment).where(Appointment.id.in_([one.id for one in appointments])).order_by(Appointment.id)
    session.flush()
    session.scalars(asked.with_for_update(of=Appointment, key_share=True).execution_options(populate_existing=True)).all()


def _new(
    offering: Offering,
    length: OfferingLength,
    starts_at: datetime,
    *,
    holder: str,
    zone: str,
    answers: Sequence[Mapping[str, str]],
    since: datetime,
    until: datetime,
    now: datetime,
) -> Appointment:
    return Appointment(
        secret=secret(),
        offering=offering,
        minutes=length.minutes,
        starts_at=starts_at,
        ends_at=starts_at + length.minutes * MINUTE,
        zone=zone,
        state="held",
        held_until=until,
        held_since=since,
        holder=holder,
        answers=[dict(one) for one in answers],
        place=offering.place if offering.mode == "in_person" else "",
        created_at=now,
    )


def _keep_all(session: Session, appointments: Sequence[Appointment], *, now: datetime) -> None:
    """Turn their holds into time that is taken, all or none. Raises SlotLapsed with those whose time is not theirs any more."""
    with session.begin_nested():
        kept = claims.keep(session, [one.reference for one in appointments if one.state == "held"], kind="appointment")
        lost = [one for one in appointments if one.reference not in kept or one.starts_at <= now]
        if lost:
            raise SlotLapsed(lost)


def _held_already(
    session: Session,
    offering: Offering,
    length: OfferingLength,
    starts_at: datetime,
    holder: str,
    chosen: Collection[int],
    *,
    now: datetime,
) -> Appointment | None:
    """The same slot in the same cart: another tab, or the back button."""
    found = session.scalar(
        select(Appointment)
        .where(
            Appointment.holder == holder,
            Appointment.offering_id == offering.id,
            Appointment.minutes == length.minutes,
            Appointment.starts_at == starts_at,
            Appointment.state == "held",
            Appointment.held_until > now,
        )
        .with_for_update(of=Appointment)
    )
    return found if found is not None and {one.id for one in found.consultants}.issuperset(chosen) else None


def _held_since(session: Session, offering: Offering, holder: str, *, now: datetime) -> datetime:
    """Since when this cart has held slots of the offering without a rest."""
    recent = or_(Appointment.held_until.is_not(None), Appointment.cancelled_at > now - REST)
    asked = select(func.min(Appointment.held_since)).where(
        Appointment.holder == holder, Appointment.offering_id == offering.id, Appointment.order_reference == "", recent
    )
    return session.scalar(asked) or now


def _give_up(session: Session, appointments: Sequence[Appointment], *, now: datetime) -> None:
    for appointment in appointments:
        appointment.state, appointment.held_until, appointment.cancelled_at = "cancelled", None, now
    session.flush()
    claims.release(session, [one.reference for one in appointments])


def _assert_answered(appointment: Appointment) -> None:
    open_ones = intake.unanswered(intake.questions_of(appointment.offering.questions), appointment.answers)
    if open_ones:
        raise Unanswered([question.label for question in open_ones])


def _name(appointment: Appointment, client: Client) -> None:
    appointment.client_name, appointment.client_email, appointment.organisation = client.name, client.email, client.organisation
