"""Appointments that are booked: confirmed, moved, cancelled, approved or declined, and marked when they are over."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.consulting import availability, booking
from seminars.consulting.assigning import SlotGone, nearest_to, spans_of
from seminars.consulting.consultants import CODE, CODE_LETTERS
from seminars.consulting.models import Appointment, Consultant
from seminars.consulting.queries import diary_of, slots_on, terms_of
from seminars.consulting.rules import MINUTE, assert_bookable
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.references import fingerprint, secret
from seminars.kit.refusals import BadInput, Conflict
from seminars.kit.typed import paragraphs
from seminars.schedule import claims
from seminars.schedule.claims import Clash, Span, Taken

APPROVED_LASTS = timedelta(days=2)
"""So long an approved meeting that costs something waits to be paid."""
LIVE = ("requested", "held", "confirmed")


class TooLate(Conflict):
    """The offering's rule lets clients change nothing any more."""

    def __init__(self, until: datetime, zone: str) -> None:
        self.until = until
        super().__init__(f"This could be changed until {words.moment(until, zone)}. Please write to us.")


class Changed(Conflict):
    """The appointment is not what the plan was made for."""

    def __init__(self) -> None:
        super().__init__("This appointment has changed meanwhile. Please look again.")


@dataclass(frozen=True)
class MovePlan:
    """What moving an appointment would do. `version` says what it was when the plan was made; `clashes` is for staff only.

    `late` is set where the client's own time to change it is over, `outside` where nobody would offer the new time.
    """

    appointment_id: int
    version: str
    was_starts_at: datetime
    was_consultants: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    consultant_ids: tuple[int, ...]
    consultants: tuple[str, ...]
    told: tuple[str, ...]
    late: bool
    outside: bool
    clashes: tuple[Clash, ...]


def of_order(session: Session, order_reference: str) -> list[Appointment]:
    """The appointments of an order, locked, oldest first."""
    asked = select(Appointment).where(Appointment.order_reference == order_reference).order_by(Appointment.id)
    return list(session.scalars(asked.with_for_update(of=Appointment, key_share=True).execution_options(populate_existing=True)))


def confirm(session: Session, order_reference: str, *, now: datetime) -> list[Appointment]:
    """Confirm the held appointments of an order; those that were confirmed by this call."""
    held = [one for one in of_order(session, order_reference) if one.state == "held"]
    for appointment in held:
        _confirm(appointment, now=now)
    session.flush()
    return held


def cancel(session: Session, appointments: Sequence[Appointment], *, reason: str, now: datetime) -> list[Appointment]:
    """Give the time back; those that were live until now. What is to be refunded is the order's business."""
    booking.locked(session, appointments)
    live = [one for one in appointments if one.state in LIVE]
    for appointment in live:
        appointment.state, appointment.held_until = "cancelled", None
        appointment.cancelled_at, appointment.cancel_reason = now, reason
    session.flush()
    claims.release(session, [one.reference for one in live])
    return live


def retake(session: Session, appointments: Sequence[Appointment], *, now: datetime) -> list[Appointment]:
    """Take back slots that were given up, with the same people, for money that came late. Raises SlotGone; the caller rolls back."""
    booking.locked(session, appointments)
    gone = [one for one in appointments if one.state == "cancelled"]
    try:
        if any(one.starts_at <= now for one in gone):
            raise Taken([])
        wanted: dict[str, Sequence[Span]] = {one.reference: spans_of(one, one.consultants, kind="appointment") for one in gone}
        claims.take_all(session, wanted, now=now)
    except Taken as taken:
        first = gone[0]
        terms = terms_of(first.offering, first.minutes, now=now)
        raise SlotGone(nearest_to(session, first.offering, terms, max(first.starts_at, now), (), now=now)) from taken
    for appointment in gone:
        appointment.state, appointment.cancelled_at, appointment.cancel_reason = "held", None, ""
    session.flush()
    return gone


def approve(session: Session, appointment: Appointment, *, now: datetime) -> Appointment:
    """Agree to a request: confirmed at once where it costs nothing, else held for two days to be paid. Raises Conflict."""
    booking.locked(session, [appointment])
    _assert_requested(appointment)
    if appointment.starts_at <= now:
        raise Conflict("The time of this request has passed. Decline it, and offer another.")
    if not price_of(appointment).amount:
        _confirm(appointment, now=now)
    else:
        until = min(now + APPROVED_LASTS, appointment.starts_at)
        spans = spans_of(appointment, appointment.consultants, kind="hold")
        claims.take(session, appointment.reference, spans, instead_of=[appointment.reference], lapses_at=until, now=now)
        appointment.state, appointment.held_until, appointment.held_since, appointment.holder = "held", until, None, ""
    session.flush()
    return appointment


def decline(session: Session, appointment: Appointment, *, reason: str, now: datetime) -> Appointment:
    """Say no to a request, with a reason that the client reads. Raises Conflict, BadInput."""
    reason = paragraphs(reason, field="reason", most=2_000, required=True)
    booking.locked(session, [appointment])
    _assert_requested(appointment)
    cancel(session, [appointment], reason=reason, now=now)
    return appointment


def adopt(session: Session, appointment: Appointment, holder: str, *, now: datetime) -> Appointment:
    """Lay an approved appointment into a cart, where it is paid. Raises Conflict, SlotLapsed."""
    booking.locked(session, [appointment])
    if appointment.state != "held" or appointment.order_reference or appointment.client_email is None:
        raise Conflict("This appointment is not waiting to be paid.")
    if appointment.held_until is None or appointment.held_until <= now:
        raise booking.SlotLapsed([appointment])
    appointment.holder = holder
    session.flush()
    return appointment


def price_of(appointment: Appointment) -> Money:
    """What such a meeting costs today; a length that was withdrawn keeps its last price."""
    length = next(one for one in appointment.offering.lengths if one.minutes == appointment.minutes)
    return length.list_price


def change_until(appointment: Appointment) -> datetime:
    """Until when the client may move or cancel it."""
    return appointment.starts_at - timedelta(hours=appointment.offering.change_hours)


def move_plan(
    session: Session,
    appointment: Appointment,
    *,
    starts_at: datetime,
    consultant_ids: Collection[int] | None = None,
    by_staff: bool = False,
    now: datetime,
) -> MovePlan:
    """What moving it there would do; nothing is changed. Without names, the same people where they are free, else others.

    Clients move within the rules to what is free: raises TooLate, BadInput, SlotGone. Staff are shown what stands in the way instead.
    """
    if appointment.state not in ("confirmed", "requested"):
        raise Conflict("Only an appointment that stands can be moved.")
    late = now > change_until(appointment)
    if late and not by_staff:
        raise TooLate(change_until(appointment), appointment.zone)
    if starts_at.tzinfo is None or starts_at <= now:
        raise BadInput("This time has passed. Please choose a later one.", "starts_at")
    offering = appointment.offering
    chosen = {*(consultant_ids or ())}
    able = {one.id for one in offering.consultants if one.active} | {one.id for one in appointment.consultants}
    if not able.issuperset(chosen):
        raise BadInput("This consultant does not give this service. Please choose another.", "consultant")
    terms = terms_of(offering, appointment.minutes, now=now)
    window = {"since": starts_at, "until": starts_at + MINUTE}
    free = slots_on(session, offering, terms, chosen or None, ignoring=appointment.reference, now=now, **window)
    slot = free[0] if free and free[0].starts_at == starts_at else None
    if slot is None and not by_staff:
        assert_bookable(offering, terms, starts_at, chosen, now=now)
        raise SlotGone(nearest_to(session, offering, terms, starts_at, chosen, ignoring=appointment.reference, now=now))
    people = _people(appointment, chosen, slot.consultant_ids if slot else ())
    spans = spans_of(appointment, people, kind="appointment", starts_at=starts_at)
    hours = availability.slots(terms, [diary_of(one) for one in people], (), **window)
    return MovePlan(
        appointment_id=appointment.id,
        version=version_of(appointment),
        was_starts_at=appointment.starts_at,
        was_consultants=tuple(one.name for one in appointment.consultants),
        starts_at=starts_at,
        ends_at=starts_at + appointment.minutes * MINUTE,
        consultant_ids=tuple(one.id for one in people),
        consultants=tuple(one.name for one in people),
        told=tuple(filter(None, [appointment.client_name, *{one.name: 0 for one in (*people, *appointment.consultants)}])),
        late=late,
        outside=not any(one.starts_at == starts_at for one in hours),
        clashes=tuple(claims.clashes(session, spans, ignoring=[appointment.reference], now=now)),
    )


def move(
    session: Session,
    appointment: Appointment,
    *,
    starts_at: datetime,
    consultant_ids: Collection[int] | None = None,
    version: str,
    by_staff: bool = False,
    override_reason: str = "",
    now: datetime,
) -> MovePlan:
    """Move it as the plan said; the plan that was carried out, made anew under lock by the same function.

    Raises Changed where the appointment is not what it was when the plan was shown, and all that the plan raises; for staff schedule's
    Taken, unless they give a reason to lay it over what is there.
    """
    booking.locked(session, [appointment])
    if version_of(appointment) != version:
        raise Changed()
    people = {*(consultant_ids or ()), *(one.id for one in appointment.consultants)}
    claims.hold_still(session, _resources(session, appointment, people))
    plan = move_plan(session, appointment, starts_at=starts_at, consultant_ids=consultant_ids, by_staff=by_staff, now=now)
    named = {one.id: one for one in (*appointment.offering.consultants, *appointment.consultants)}
    chosen = [named[number] for number in plan.consultant_ids]
    spans = spans_of(appointment, chosen, kind="appointment", starts_at=starts_at)
    try:
        claims.take(
            session, appointment.reference, spans, instead_of=[appointment.reference],
            override_reason=override_reason if by_staff else "", now=now,
        )  # fmt: skip
    except Taken as taken:
        if by_staff:
            raise
        terms = terms_of(appointment.offering, appointment.minutes, now=now)
        raise SlotGone(nearest_to(session, appointment.offering, terms, starts_at, (), now=now)) from taken
    appointment.starts_at, appointment.ends_at = plan.starts_at, plan.ends_at
    appointment.consultants = chosen
    session.flush()
    return plan


def version_of(appointment: Appointment) -> str:
    """What a plan was made for, as a word that a form can carry."""
    ids = sorted(one.id for one in appointment.consultants)
    return fingerprint(f"{appointment.state}|{appointment.starts_at.isoformat()}|{appointment.minutes}|{ids}")[:20]


def write_notes(session: Session, appointment: Appointment, text: str) -> Appointment:
    """Keep what the consultants wrote down for themselves; the client never sees it. Raises BadInput."""
    appointment.notes = paragraphs(text, field="notes")
    session.flush()
    return appointment


def mark_delivered(session: Session, appointment: Appointment, *, now: datetime) -> Appointment:
    """Note that the meeting took place. Raises Conflict before it began, and unless it was confirmed."""
    return _mark(session, appointment, "delivered", now=now)


def mark_no_show(session: Session, appointment: Appointment, *, now: datetime) -> Appointment:
    """Note that the client did not come. Raises Conflict before it began, and unless it was confirmed."""
    return _mark(session, appointment, "no_show", now=now)


def _mark(session: Session, appointment: Appointment, state: str, *, now: datetime) -> Appointment:
    booking.locked(session, [appointment])
    if appointment.state == state:
        return appointment
    if appointment.state != "confirmed":
        raise Conflict("Only a confirmed appointment can be marked.")
    if now < appointment.starts_at:
        raise Conflict(f"This appointment begins on {words.moment(appointment.starts_at, appointment.zone)}. Mark it afterwards.")
    appointment.state, appointment.delivered_at = state, now
    session.flush()
    return appointment


def _confirm(appointment: Appointment, *, now: datetime) -> None:
    appointment.state, appointment.held_until, appointment.confirmed_at = "confirmed", None, now
    if appointment.offering.mode == "video" and not appointment.join_url:
        template = next((one.video_link for one in appointment.consultants if one.video_link), "")
        appointment.join_url = template.replace(CODE, secret()[:CODE_LETTERS])


def _assert_requested(appointment: Appointment) -> None:
    if appointment.state != "requested":
        raise Conflict("This request has been answered already.")


def _people(appointment: Appointment, chosen: Collection[int], free: Collection[int]) -> list[Consultant]:
    """Who would be there: the chosen, then those who are there now, then whoever is free; of the free as long as there are enough."""
    now_there = {one.id for one in appointment.consultants}
    every = {one.id: one for one in (*appointment.consultants, *(one for one in appointment.offering.consultants if one.active))}
    wanted = max(appointment.offering.together, 1)
    able = [one for one in every.values() if not free or one.id in free or one.id in chosen]
    if not free and not chosen:
        able = list(appointment.consultants)
    return sorted(able, key=lambda one: (one.id not in chosen, one.id not in now_there, one.id))[:wanted]


def _resources(session: Session, appointment: Appointment, consultant_ids: Collection[int]) -> list[int]:
    offered = [one.resource_id for one in appointment.offering.consultants]
    asked = select(Consultant.resource_id).where(Consultant.id.in_(consultant_ids))
    return [*offered, *session.scalars(asked)]
