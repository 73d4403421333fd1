"""One appointment at the desk: what the client has answered, what they met about before, and what can be done with it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast, get_args

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.catalog.timing import place_in_time
from seminars.consulting import announcing, queries
from seminars.consulting import appointments as verbs
from seminars.consulting.appointments import MovePlan
from seminars.consulting.letters import place_of
from seminars.consulting.models import Appointment
from seminars.desk import consulting as reads
from seminars.desk import timeline
from seminars.engagements import hours, timesheets
from seminars.engagements import queries as engagements
from seminars.engagements.timesheets import Work
from seminars.finance import recognition
from seminars.kit import format as words
from seminars.kit.refusals import BadInput, Conflict, Refusal
from seminars.payments import meetings
from seminars.payments.meetings import Refunding
from seminars.people import permissions as may
from seminars.schedule import queries as schedule
from seminars.schedule.claims import Taken
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff import whose
from seminars.web.staff.clashing import LONGEST_REASON, reason_typed
from seminars.web.staff.consulting import MODE_WORDS
from seminars.web.staff.door import Typed, acting, again, errors_of, page, positive, reading, staff
from seminars.web.staff.links import address_of

REFUNDING: dict[str, str] = {"by_rule": "By the rule that was agreed", "all": "Everything", "nothing": "Nothing"}
assert tuple(REFUNDING) == get_args(Refunding)


@staff.get("/appointments/<int:appointment_id>")
@needs(may.own_week)
def appointment(appointment_id: int) -> ResponseReturnValue:
    """One appointment."""
    return show(appointment_id)


@staff.post("/appointments/<int:appointment_id>/notes")
@needs(may.own_week)
def keep_notes(appointment_id: int) -> ResponseReturnValue:
    """Keep notes that the client never sees."""
    try:
        with acting() as session:
            verbs.write_notes(session, whose.the_appointment(session, appointment_id), request.form.get("notes", ""))
    except Refusal as refusal:
        return _refused(appointment_id, refusal)
    flash("The notes are kept.")
    return _back(appointment_id)


@staff.post("/appointments/<int:appointment_id>/over")
@needs(may.own_week)
def mark_over(appointment_id: int) -> ResponseReturnValue:
    """Say that it took place, or that nobody came: either way what was paid for it is earned."""
    came = request.form.get("came") == "yes"
    try:
        if request.form.get("came") not in ("yes", "no"):
            raise BadInput("Please say whether the client came.", "came")
        with acting("took place" if came else "did not come") as session:
            found = whose.the_appointment(session, appointment_id)
            recognition.deliver_appointment(session, found, came=came, now=now())
    except Refusal as refusal:
        return _refused(appointment_id, refusal)
    flash("Marked delivered." if found.state == "delivered" else "Marked: did not come.")
    return _back(appointment_id)


@staff.post("/appointments/<int:appointment_id>/time")
@needs(may.log_time)
def log_meeting(appointment_id: int) -> ResponseReturnValue:
    """Log the meeting's time to one of the client's retainers; pressed twice, it is logged once."""
    try:
        with acting("time logged") as session:
            found = whose.the_appointment(session, appointment_id)
            chosen = positive(request.form.get("retainer")) or 0
            retainer = next((one for one in reads.surroundings_of(session, found).retainers if one.id == chosen), None)
            if retainer is None:
                raise Conflict("This client has no such retainer any more.")
            _assert_loggable(session, found)
            log = timesheets.log_time(
                session,
                engagements.retainer_by_id(session, retainer.id),
                _work(session, found),
                letterhead=joined().settings.letterhead,
                now=now(),
            )
    except Refusal as refusal:
        return _refused(appointment_id, refusal)
    beyond = f", {hours.told(log.minutes - log.drawn)} of it beyond the retainer" if log.drawn < log.minutes else ""
    flash(f"{hours.told(log.minutes)} are logged to {log.retainer.number}{beyond}.")
    return _back(appointment_id)


@staff.get("/appointments/<int:appointment_id>/move")
@needs(may.manage_appointments)
def plan_move(appointment_id: int) -> ResponseReturnValue:
    """Ask for the new time; with one, show what moving it there would do. Nothing is changed."""
    found = reads.appointment_by_id(reading(), appointment_id)
    typed = Typed(request.args)
    if "starts" not in request.args:
        return _move_page(found, typed={"starts": f"{words.local(found.starts_at, _zone(found)):%Y-%m-%dT%H:%M}"})
    try:
        starts_at = place_in_time(_wall(typed), _zone(found), field="starts")
        plan = _plan(found, starts_at, [number for text in request.args.getlist("people") if (number := positive(text))])
    except Refusal as refusal:
        return _move_page(found, typed=request.args, errors=errors_of(refusal)), status_of(refusal)
    return _move_page(found, typed=request.args, plan=plan)


@staff.post("/appointments/<int:appointment_id>/move")
@needs(may.manage_appointments)
def move(appointment_id: int) -> ResponseReturnValue:
    """Move it as the plan said, over what is there only with a reason; client and consultants hear of it at once."""
    typed, people = Typed(request.form), [number for text in request.form.getlist("people") if (number := positive(text))]
    starts_at = None
    try:
        starts_at = _instant(typed.text("starts_at"))
        with acting(reason_typed() or "moved at the desk") as session:
            found = reads.appointment_by_id(session, appointment_id)
            verbs.move(
                session,
                found,
                starts_at=starts_at,
                consultant_ids=people,
                version=typed.text("version"),
                by_staff=True,
                override_reason=reason_typed(),
                now=now(),
            )
            announcing.tell_moved(session, [found], letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _planned_again(appointment_id, starts_at, people, refusal)
    flash(f"Moved to {words.moment(found.starts_at, _zone(found))}; everybody hears of it by mail.")
    return _back(appointment_id)


@staff.get("/appointments/<int:appointment_id>/cancel")
@needs(may.manage_appointments)
def plan_cancelling(appointment_id: int) -> ResponseReturnValue:
    """What cancelling it would do, to the cent. Nothing is changed."""
    session, refunding = reading(), _refunding(request.args.get("refund", ""))
    found = reads.appointment_by_id(session, appointment_id)
    try:
        plan = meetings.plan(session, found, refunding=refunding, now=now())
    except Refusal as refusal:
        return _refused(appointment_id, refusal)
    facts = {"section": "Consulting", "appointment": found, "plan": plan, "refunding": refunding, "ways": REFUNDING, "zone": _zone(found)}
    return page("consulting/cancel.html", typed={}, errors={}, **facts)


@staff.post("/appointments/<int:appointment_id>/cancel")
@needs(may.manage_appointments)
def cancel_appointment(appointment_id: int) -> ResponseReturnValue:
    """Carry out the plan that was shown, and no other."""
    typed, refunding = Typed(request.form), _refunding(request.form.get("refund", ""))
    try:
        reason = typed.text("reason").strip()
        if not reason:
            typed.wrong("reason", "Please say why. The client reads it.")
        typed.finish()
        with acting(reason[:300]) as session:
            found = reads.appointment_by_id(session, appointment_id)
            meetings.carry_out(
                session,
                found,
                refunding=refunding,
                version=typed.text("version"),
                reason=reason[:300],
                letterhead=joined().settings.letterhead,
                now=now(),
            )
    except Refusal as refusal:
        reading().expire_all()
        found = reads.appointment_by_id(reading(), appointment_id)
        try:
            plan = meetings.plan(reading(), found, refunding=refunding, now=now())
        except Refusal as gone:
            return _refused(appointment_id, gone)
        facts = {"appointment": found, "plan": plan, "refunding": refunding, "ways": REFUNDING, "zone": _zone(found)}
        return again("consulting/cancel.html", refusal, section="Consulting", **facts)
    flash(f"The meeting with {found.client_name} is cancelled.")
    return _back(appointment_id)


def show(appointment_id: int, *, errors: Mapping[str, str] | None = None) -> str:
    """The page of one appointment, with what was wrong, if something was."""
    session, instant = reading(), now()
    found = whose.the_appointment(session, appointment_id)
    around = reads.surroundings_of(session, found)
    assert found.client_email is not None
    return page(
        "consulting/appointment.html",
        section="Consulting",
        appointment=found,
        zone=_zone(found, mine=True),
        place=place_of(found, for_client=False),
        modes=MODE_WORDS,
        price=verbs.price_of(found),
        around=around,
        told=hours.told,
        begun=found.starts_at <= instant,
        history=[one for one in queries.history(session, found.client_email, before=found.starts_at) if one.id != found.id],
        laid_over=schedule.overridden(session, [found.reference]),
        public=f"{joined().settings.base_url}/appointments/{found.secret}",
        entries=[
            (entry, address_of(entry.reference))
            for entry in timeline.of_appointment(session, found, zone=_zone(found))
            if not entry.machine
        ],
        address_of=address_of,
        errors=errors or {},
        typed=request.form,
    )


def _refused(appointment_id: int, refusal: Refusal) -> ResponseReturnValue:
    reading().expire_all()
    return show(appointment_id, errors=errors_of(refusal)), status_of(refusal)


def _back(appointment_id: int) -> ResponseReturnValue:
    return redirect(url_for("staff.appointment", appointment_id=appointment_id), 303)


def _zone(found: Appointment, *, mine: bool = False) -> str:
    """On whose clock the desk speaks of it: the consultant's who looks at it, else the first one's."""
    people = [one for one in found.consultants if mine and one.user_id == the_user().id] or found.consultants
    return people[0].zone if people else joined().settings.center.zone


def _assert_loggable(session: Session, found: Appointment) -> None:
    """Raises Conflict for time that is paid for in another way, or that lies ahead."""
    around = reads.surroundings_of(session, found)
    if around.log is None and not around.loggable:
        raise Conflict("This meeting is paid for in another way, so that it draws on no retainer.")
    if found.state not in ("confirmed", "delivered", "no_show") or found.starts_at > now():
        raise Conflict("Only a meeting that took place can be logged.")


def _work(session: Session, found: Appointment) -> Work:
    mine = whose.own(session)
    who = mine if mine is not None and mine.id in {one.id for one in found.consultants} else found.consultants[0]
    day = words.local(found.starts_at, joined().settings.center.zone).date()
    return Work(
        key=f"{found.reference}:time",
        consultant=who,
        worked_on=day,
        minutes=found.minutes,
        note=found.offering.title,
        appointment_id=found.id,
    )


def _wall(typed: Typed) -> datetime:
    wall = typed.clock("starts")
    typed.finish()
    return wall


def _instant(text: str) -> datetime:
    """The start that the plan page carried. Raises BadInput."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput("Please choose a time.", "starts") from None
    if found.tzinfo is None:
        raise BadInput("Please choose a time.", "starts")
    return found


def _plan(found: Appointment, starts_at: datetime, people: list[int]) -> MovePlan:
    try:
        return verbs.move_plan(reading(), found, starts_at=starts_at, consultant_ids=people, by_staff=True, now=now())
    except BadInput as wrong:
        raise BadInput(str(wrong), {"starts_at": "starts", "consultant": "people"}.get(wrong.field or "", wrong.field)) from wrong


def _planned_again(appointment_id: int, starts_at: datetime | None, people: list[int], refusal: Refusal) -> ResponseReturnValue:
    """The plan as it is now, with what was wrong."""
    reading().expire_all()
    found = reads.appointment_by_id(reading(), appointment_id)
    errors = errors_of(refusal)
    if isinstance(refusal, Taken):
        errors = {"override_reason": "Please say why it is to be done all the same, or choose another time."}
    if starts_at is None:
        return _move_page(found, typed=request.form, errors=errors), status_of(refusal)
    typed = {"starts": f"{words.local(starts_at, _zone(found)):%Y-%m-%dT%H:%M}"}
    try:
        plan = _plan(found, starts_at, people)
    except Refusal as gone:
        return _move_page(found, typed=typed, errors=errors_of(gone)), status_of(gone)
    return _move_page(found, typed=typed, plan=plan, errors=errors), status_of(refusal)


def _move_page(found: Appointment, *, typed: Any, plan: MovePlan | None = None, errors: Mapping[str, str] | None = None) -> str:
    zone, able = _zone(found), {one.id: one for one in (*found.offering.consultants, *found.consultants) if one.active}
    chosen = set(plan.consultant_ids) if plan else {one.id for one in found.consultants}
    return page(
        "consulting/move.html",
        section="Consulting",
        appointment=found,
        zone=zone,
        plan=plan,
        clashes=[clash.sentence(zone) for clash in plan.clashes] if plan else [],
        consultants=sorted(able.values(), key=lambda one: one.name),
        chosen=chosen,
        typed=typed,
        errors=errors or {},
        most=LONGEST_REASON,
    )


def _refunding(text: str) -> Refunding:
    return cast(Refunding, text) if text in REFUNDING else "by_rule"
