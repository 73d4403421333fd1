"""Choosing a slot: it is held for a cart, kept when the order is placed, given back when the cart gives up or time runs out.

Whoever holds, keeps or moves locks the appointment first and its consultants' time then (`schedule.claims`), so that nobody waits in
a circle.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog.timing import place_in_time
from seminars.consulting import availability, intake
from seminars.consulting.availability import Slot, Terms
from seminars.consulting.models import Appointment, Consultant, Offering, OfferingLength
from seminars.consulting.queries import diary_of, meetings_near, slots_on, terms_of
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.kit.refusals import BadInput, Conflict
from seminars.schedule import claims
from seminars.schedule.claims import Span, Taken
from seminars.schedule.models import TimeClaim

HOLD_LASTS = timedelta(minutes=20)
LONGEST = timedelta(hours=1)
"""So long a cart holds slots of one offering at most, however often it chooses another."""
REST = timedelta(minutes=20)
"""After so long without a hold, a cart begins anew."""
LOOK_AROUND = timedelta(days=14)
NEAREST = 3
MINUTE = timedelta(minutes=1)


class SlotGone(Conflict):
    """Somebody else was faster. Knows the nearest slots that are free."""

    def __init__(self, nearest: Sequence[Slot]) -> None:
        self.nearest = list(nearest)
        super().__init__("This time was just taken. Please choose another.")


class SlotLapsed(Conflict):
    """Slots that were held went back on offer before the order was placed. Knows which."""

    def __init__(self, appointments: Sequence[Appointment]) -> None:
        self.appointments = list(appointments)
        lost = "; ".join(f"{one.offering.title}, {words.moment(one.starts_at, one.zone)}" for one in self.appointments)
        super().__init__(f"We could hold your time no longer: {lost}. Please choose it again.")


class NotOffered(Conflict):
    """The offering is not on sale."""

    def __init__(self) -> None:
        super().__init__("This service cannot be booked at the moment.")


class PriceChanged(Conflict):
    """The price is another than the one that was shown."""

    def __init__(self, was: Money, now: Money) -> None:
        self.was, self.now = was, now
        super().__init__(f"The price has changed meanwhile: it is {words.money(now)} now, not {words.money(was)}. Please look again.")


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
    _assert_offered(offering, length, chosen, price)
    if not known_zone(zone):
        raise BadInput("Please choose a time zone.", "zone")
    terms = terms_of(offering, length.minutes, now=now)
    _assert_in_reach(terms, offering, starts_at, now=now)
    if twice := _held_already(session, offering, length, starts_at, holder, chosen, now=now):
        return twice
    _assert_in_hours(offering, terms, starts_at, chosen)
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
    _assert_in_reach(terms, offering, appointment.starts_at, now=now)
    since = _held_since(session, offering, appointment.holder, now=now)
    until = min(now + HOLD_LASTS, since + LONGEST)
    if until <= now:
        raise HeldLongEnough()
    same = {one.id for one in appointment.consultants}
    with session.begin_nested():
        claims.release(session, [appointment.reference])
        take_first_free(session, appointment, terms, same, lapses_at=until, now=now)
        appointment.state, appointment.held_until, appointment.held_since, appointment.cancelled_at = "held", until, since, None
    return appointment


def extend_holds(session: Session, holder: str, until: datetime, *, now: datetime) -> list[Appointment]:
    """Hold what a cart holds until then, at most an hour after it began; the appointments that it still holds."""
    asked = select(Appointment).where(Appointment.holder == holder, Appointment.state == "held", Appointment.held_until > now)
    held = session.scalars(asked.order_by(Appointment.id).with_for_update(of=Appointment).execution_options(populate_existing=True)).all()
    kept = []
    for appointment in held:
        later = min(until, (appointment.held_since or appointment.created_at) + LONGEST)
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
    """Place them under an order: from here only what becomes of the order gives the slots back.

    Raises SlotLapsed with those that went back on offer, Unanswered, Conflict; then nothing is changed.
    """
    _lock(session, appointments)
    if any(one.order_reference and one.order_reference != order_reference for one in appointments):
        raise Conflict("This appointment is in another order.")
    for appointment in appointments:
        _assert_answered(appointment)
    _keep_all(session, appointments, now=now)
    for appointment in appointments:
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


def take_first_free(
    session: Session, appointment: Appointment, terms: Terms, chosen: Collection[int], *, lapses_at: datetime | None, now: datetime
) -> None:
    """Claim the time of the chosen people, or of the free ones with fewest meetings that week, and write them down. Raises SlotGone.

    Who is free is asked again once their time is locked: the daily cap is no constraint of the database. Who lost the time to another
    goes on to the next who is free.
    """
    offering = appointment.offering
    window = {"since": appointment.starts_at, "until": appointment.starts_at + MINUTE, "now": now}
    for _ in range(len(offering.consultants) + 1):
        free = slots_on(session, offering, terms, chosen or None, ignoring=appointment.reference, **window)
        if not free or free[0].starts_at != appointment.starts_at:
            break
        people = _fewest_meetings(session, offering, free[0], appointment, chosen, terms.together)
        ids = [one.id for one in people]
        try:
            with session.begin_nested():
                claims.hold_still(session, [one.resource_id for one in people])
                still = slots_on(session, offering, terms, ids, ignoring=appointment.reference, **window)
                if not still or still[0].starts_at != appointment.starts_at:
                    # Lets go of their time with the savepoint: whoever waits for the next ones meanwhile may wait for these.
                    raise Taken([])
                spans = spans_of(appointment, people, kind="hold" if lapses_at else "appointment")
                claims.take(session, appointment.reference, spans, lapses_at=lapses_at, now=now)
                appointment.consultants = people
                session.flush()
                return
        except Taken:
            continue
    raise SlotGone(nearest_to(session, offering, terms, appointment.starts_at, chosen, now=now))


def spans_of(appointment: Appointment, people: Sequence[Consultant], *, kind: str, starts_at: datetime | None = None) -> list[Span]:
    """The time that a meeting takes of these people, with the offering's buffers around it."""
    starts = starts_at or appointment.starts_at
    ends = starts + appointment.minutes * MINUTE
    before, after = appointment.offering.buffer_before * MINUTE, appointment.offering.buffer_after * MINUTE
    found = []
    for one in people:
        label = appointment.offering.title
        found.append(Span(one.resource_id, starts, ends, kind, label))
        if before:
            found.append(Span(one.resource_id, starts - before, starts, "buffer", label))
        if after:
            found.append(Span(one.resource_id, ends, ends + after, "buffer", label))
    return found


def nearest_to(
    session: Session, offering: Offering, terms: Terms, starts_at: datetime, chosen: Collection[int], *, ignoring: str = "", now: datetime
) -> list[Slot]:
    """The free slots that are nearest to that time, earliest first."""
    around = slots_on(
        session, offering, terms, chosen or None, since=starts_at - LOOK_AROUND, until=starts_at + LOOK_AROUND, ignoring=ignoring, now=now
    )
    return sorted(sorted(around, key=lambda slot: abs(slot.starts_at - starts_at))[:NEAREST], key=lambda slot: slot.starts_at)


def assert_bookable(offering: Offering, terms: Terms, starts_at: datetime, chosen: Collection[int], *, now: datetime) -> None:
    """Raises BadInput for a time that the rules do not give, whoever is free."""
    _assert_in_reach(terms, offering, starts_at, now=now)
    _assert_in_hours(offering, terms, starts_at, chosen)


def locked(session: Session, appointments: Sequence[Appointment]) -> None:
    """Lock these appointments until the end of the transaction, as they are by now, in the order of their ids."""
    _lock(session, appointments)


def _lock(session: Session, appointments: Sequence[Appointment]) -> None:
    asked = select(Appointment).where(Appointment.id.in_([one.id for one in appointments])).order_by(Appointment.id)
    session.flush()
    session.scalars(asked.with_for_update(of=Appointment, key_share=True).execution_options(populate_existing=True)).all()


def _assert_offered(offering: Offering, length: OfferingLength, chosen: Collection[int], price: Money | None) -> None:
    if offering.state != "published":
        raise NotOffered()
    if length.offering_id != offering.id or not length.offered:
        raise BadInput("This length is not offered. Please choose one of those that are shown.", "length")
    if price is not None and price != length.list_price:
        raise PriceChanged(price, length.list_price)
    if not {one.id for one in offering.consultants if one.active}.issuperset(chosen):
        raise BadInput("This consultant does not give this service. Please choose another.", "consultant")
    if len(chosen) > offering.together:
        raise BadInput(f"Please choose {words.count(offering.together, 'consultant', 'consultants')} at most.", "consultant")


def _assert_in_reach(terms: Terms, offering: Offering, starts_at: datetime, *, now: datetime) -> None:
    """Raises BadInput for a time that has passed, or is too near or too far."""
    if starts_at.tzinfo is None:
        raise BadInput("Please choose a time.", "starts_at")
    if starts_at <= now:
        raise BadInput("This time has passed. Please choose a later one.", "starts_at")
    if starts_at < terms.earliest:
        raise BadInput(f"Please choose a time at least {words.count(offering.notice_hours, 'hour', 'hours')} ahead.", "starts_at")
    if starts_at >= terms.latest:
        raise BadInput(f"Please choose a time within the next {words.count(offering.horizon_days, 'day', 'days')}.", "starts_at")


def _assert_in_hours(offering: Offering, terms: Terms, starts_at: datetime, chosen: Collection[int]) -> None:
    """Raises BadInput for a time at which nobody would be there even if nothing were taken."""
    people = [one for one in offering.consultants if one.active]
    possible = availability.slots(terms, [diary_of(one) for one in people], (), since=starts_at, until=starts_at + MINUTE)
    if not any(slot.starts_at == starts_at and set(chosen) <= set(slot.consultant_ids) for slot in possible):
        raise BadInput("Nobody can meet you at this time. Please choose one of the times that are shown.", "starts_at")


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


def _fewest_meetings(
    session: Session, offering: Offering, slot: Slot, appointment: Appointment, chosen: Collection[int], together: int
) -> list[Consultant]:
    """Those who are chosen and, until there are enough, the free ones who have fewest meetings in that week of theirs."""
    free = [one for one in offering.consultants if one.id in slot.consultant_ids]
    held = {one.id: 0 for one in free}
    zones = {one.id: ZoneInfo(one.zone) for one in free}
    for consultant_id, starts_at in meetings_near(session, held, appointment.starts_at) if len(free) > together else ():
        zone = zones[consultant_id]
        held[consultant_id] += _week(starts_at, zone) == _week(appointment.starts_at, zone)
    return sorted(free, key=lambda one: (one.id not in chosen, held[one.id], one.id))[:together]


def _week(instant: datetime, zone: ZoneInfo) -> tuple[int, int]:
    return instant.astimezone(zone).isocalendar()[:2]


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
