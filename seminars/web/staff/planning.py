"""Planning events: written, dated, copied. A change that people with a seat would notice shows its plan before it is made."""

from datetime import datetime, timedelta
from typing import Any, TypeVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog import events
from seminars.catalog.claims import Clashing
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.models import Event, EventSession, RefundPolicy, Room, Seminar, Speaker, Venue
from seminars.catalog.tickets import MOST_SEATS
from seminars.desk import programme as catalogue
from seminars.kit.refusals import Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.clashing import clash_page, reason_typed, why_typed
from seminars.web.staff.door import Typed, acting, again, page, positive, reading, staff
from seminars.web.staff.programme import FORMAT_WORDS, session_by_id
from seminars.web.staff.telling import Unseen, all_typed, plan_of, tell

ONE_DAY = timedelta(days=1)
Thing = TypeVar("Thing")


@staff.get("/events/new")
@needs(may.change_programme)
def new_event() -> ResponseReturnValue:
    """The form of an event to come."""
    typed: dict[str, Any] = {
        "seminar": positive(request.args.get("seminar")),
        "zone": joined().settings.center.zone,
        "format": "in_person",
        "capacity": 24,
        "listed": True,
    }
    return page("events/edit.html", event=None, typed=typed, errors={}, **_choices(reading()))


@staff.post("/events/new")
@needs(may.change_programme)
def create_event() -> ResponseReturnValue:
    """Plan an event."""
    typed = Typed(request.form)
    try:
        with acting() as session:
            seminar = session.get(Seminar, typed.choice("seminar") or 0)
            if seminar is None:
                typed.wrong("seminar", "Please choose what is taught.")
            capacity = typed.whole("capacity", low=0, high=MOST_SEATS)
            facts = _facts(session, typed, None)
            typed.finish()
            assert seminar is not None
            event = events.create(session, seminar, facts, capacity=capacity, now=now())
    except Refusal as refusal:
        return again("events/edit.html", refusal, event=None, **_choices(reading()))
    flash(f"{event.title} is planned. It needs sessions and ticket types before it can be published.")
    return redirect(url_for("staff.event", event_id=event.id), 303)


@staff.get("/events/<int:event_id>/edit")
@needs(may.change_programme)
def edit_event(event_id: int) -> ResponseReturnValue:
    """The form of an event."""
    event = catalogue.event_by_id(reading(), event_id)
    typed = {
        "title": event.title,
        "zone": event.zone,
        "format": event.format,
        "venue": event.venue_id,
        "join_url": event.join_url,
        "notes": event.notes,
        "policy": event.policy_id,
        "listed": event.listed,
        "speakers": [speaker.id for speaker in event.speakers],
    }
    return page("events/edit.html", event=event, typed=typed, errors={}, **_choices(reading()))


@staff.post("/events/<int:event_id>/edit")
@needs(may.change_programme)
def change_event(event_id: int) -> ResponseReturnValue:
    """Change an event. Where, how and in which zone are told to everybody with a seat, after the plan was seen."""
    typed, told = Typed(request.form), 0
    try:
        with acting(why_typed()) as session:
            event = catalogue.event_by_id(session, event_id)
            before = _whereabouts(event)
            facts = _facts(session, typed, event)
            typed.finish()
            events.change(session, event, facts, override_reason=reason_typed(), now=now())
            parts = [part for part in event.sessions if part.state == "planned"] if _whereabouts(event) != before else []
            plan = plan_of(session, parts)
            if plan.people and not typed.ticked("agreed"):
                raise Unseen(plan)
            told = tell(session, parts)
    except Unseen as unseen:
        return page(
            "events/agree.html", section="Programme", plan=unseen.plan, typed=all_typed(), back=url_for("staff.event", event_id=event_id)
        )
    except Clashing as clashing:
        return clash_page(clashing, back=url_for("staff.event", event_id=event_id))
    except Refusal as refusal:
        return again("events/edit.html", refusal, event=catalogue.event_by_id(reading(), event_id), **_choices(reading()))
    flash(f"{event.title} is changed." + (f" {told} calendar updates are on their way." if told else ""))
    return redirect(url_for("staff.event", event_id=event_id), 303)


@staff.get("/events/<int:event_id>/sessions/new")
@needs(may.change_programme)
def new_session(event_id: int) -> ResponseReturnValue:
    """The form of a session to come, a day after the last one."""
    event = catalogue.event_by_id(reading(), event_id)
    return page("events/session.html", event=event, part=None, typed=_next_times(event), errors={})


@staff.post("/events/<int:event_id>/sessions/new")
@needs(may.change_programme)
def create_session(event_id: int) -> ResponseReturnValue:
    """Add a session."""
    typed = Typed(request.form)
    try:
        with acting(why_typed()) as session:
            event = catalogue.event_by_id(session, event_id)
            block = _block(session, typed)
            typed.finish()
            events.add_session(session, event, block, override_reason=reason_typed(), now=now())
    except Clashing as clashing:
        return clash_page(clashing, back=url_for("staff.event", event_id=event_id))
    except Refusal as refusal:
        return again("events/session.html", refusal, event=catalogue.event_by_id(reading(), event_id), part=None)
    flash("The session is added.")
    return redirect(url_for("staff.event", event_id=event_id), 303)


@staff.get("/sessions/<int:session_id>")
@needs(may.change_programme)
def edit_session(session_id: int) -> ResponseReturnValue:
    """The form of a session."""
    part = session_by_id(reading(), session_id)
    typed = {
        "title": part.title,
        "starts": f"{part.starts_local:%Y-%m-%dT%H:%M}",
        "ends": f"{part.ends_local:%Y-%m-%dT%H:%M}",
        "all_day": part.all_day,
        "held_in": part.room_id,
        "room": "" if part.room_id else part.room,
        "join_url": part.join_url,
        "agenda": part.agenda,
    }
    return page("events/session.html", event=part.event, part=part, typed=typed, errors={})


@staff.post("/sessions/<int:session_id>")
@needs(may.change_programme)
def change_session(session_id: int) -> ResponseReturnValue:
    """Change a session. Who is told stands on a plan first; pressing again makes the change and tells them in one commit."""
    typed, told = Typed(request.form), 0
    try:
        with acting(why_typed()) as session:
            part = session_by_id(session, session_id)
            before = _what_calendars_show(part)
            block = _block(session, typed)
            typed.finish()
            events.change_session(session, part, block, override_reason=reason_typed(), now=now())
            parts = [part] if _what_calendars_show(part) != before else []
            plan = plan_of(session, parts)
            if plan.people and not typed.ticked("agreed"):
                raise Unseen(plan)
            told = tell(session, parts)
    except Unseen as unseen:
        part = session_by_id(reading(), session_id)
        back = url_for("staff.event", event_id=part.event_id)
        return page("events/agree.html", section="Programme", plan=unseen.plan, typed=all_typed(), back=back)
    except Clashing as clashing:
        return clash_page(clashing, back=url_for("staff.event", event_id=session_by_id(reading(), session_id).event_id))
    except Refusal as refusal:
        part = session_by_id(reading(), session_id)
        return again("events/session.html", refusal, event=part.event, part=part)
    flash("The session is changed." + (f" {told} calendar updates are on their way." if told else ""))
    return redirect(url_for("staff.event", event_id=part.event_id), 303)


@staff.post("/sessions/<int:session_id>/remove")
@needs(may.change_programme)
def remove_session(session_id: int) -> ResponseReturnValue:
    """Take a session out."""
    with acting() as session:
        part = session_by_id(session, session_id)
        event_id = part.event_id
        events.remove_session(session, part, now=now())
    flash("The session is taken out.")
    return redirect(url_for("staff.event", event_id=event_id), 303)


@staff.get("/events/<int:event_id>/copy")
@needs(may.change_programme)
def copy_event(event_id: int) -> ResponseReturnValue:
    """Ask for the first day of the copy."""
    return page("events/copy.html", event=catalogue.event_by_id(reading(), event_id), typed={}, errors={})


@staff.post("/events/<int:event_id>/copy")
@needs(may.change_programme)
def clone_event(event_id: int) -> ResponseReturnValue:
    """Plan the same event again from another day on."""
    typed = Typed(request.form)
    try:
        with acting() as session:
            event = catalogue.event_by_id(session, event_id)
            first_day = typed.day("first_day")
            typed.finish()
            copy = events.clone(session, event, first_day=first_day, now=now())
    except Refusal as refusal:
        return again("events/copy.html", refusal, event=catalogue.event_by_id(reading(), event_id))
    flash("Copied as a draft. Look it over, then publish it.")
    return redirect(url_for("staff.event", event_id=copy.id), 303)


def _what_calendars_show(part: EventSession) -> tuple[object, ...]:
    return (part.starts_at, part.ends_at, part.all_day, part.room, part.join_url, part.title)


def _whereabouts(event: Event) -> tuple[object, ...]:
    return (event.title, event.zone, event.format, event.venue_id, event.join_url)


def _facts(session: Session, typed: Typed, event: Event | None) -> EventFacts:
    speakers = {speaker.id: speaker for speaker in catalogue.speakers(session)}
    chosen = [positive(text) or 0 for text in request.form.getlist("speakers")]
    if any(number not in speakers for number in chosen):
        typed.wrong("speakers", "Please choose from the list.")
    return EventFacts(
        title=typed.text("title"),
        zone=typed.text("zone"),
        format=typed.text("format"),
        venue=_chosen(session, Venue, typed, "venue"),
        join_url=typed.text("join_url"),
        notes=typed.text("notes"),
        policy=_chosen(session, RefundPolicy, typed, "policy"),
        listed=typed.ticked("listed"),
        speakers=_in_order(event, [speakers[number] for number in chosen if number in speakers]),
    )


def _in_order(event: Event | None, chosen: list[Speaker]) -> list[Speaker]:
    """Those who taught already keep their place; new ones follow."""
    kept = [speaker for speaker in event.speakers if speaker in chosen] if event else []
    return [*kept, *(speaker for speaker in chosen if speaker not in kept)]


def _chosen(session: Session, kind: type[Thing], typed: Typed, name: str) -> Thing | None:
    number = typed.choice(name)
    found = session.get(kind, number) if number else None
    if number and found is None:
        typed.wrong(name, "Please choose from the list.")
    return found


def _block(session: Session, typed: Typed) -> Block:
    return Block(
        starts=typed.clock("starts"),
        ends=typed.clock("ends"),
        title=typed.text("title"),
        agenda=typed.text("agenda"),
        room=typed.text("room"),
        join_url=typed.text("join_url"),
        all_day=typed.ticked("all_day"),
        held_in=_chosen(session, Room, typed, "held_in"),
    )


def _next_times(event: Event) -> dict[str, str]:
    if not event.sessions:
        return {}
    last = event.sessions[-1]
    days = last.ends_local - last.starts_local
    starts: datetime = last.starts_local + (days if last.all_day else ONE_DAY)
    return {"starts": f"{starts:%Y-%m-%dT%H:%M}", "ends": f"{starts + days:%Y-%m-%dT%H:%M}"}


def _choices(session: Session) -> dict[str, Any]:
    return {
        "section": "Programme",
        "seminars": [(one.id, one.title) for one in catalogue.seminars(session)],
        "venues": [(one.id, ", ".join(part for part in (one.name, one.city) if part)) for one in catalogue.venues(session)],
        "policies": [(one.id, one.name) for one in catalogue.policies(session)],
        "teachers": catalogue.speakers(session),
        "zones": sorted(zone_names()),
        "formats": FORMAT_WORDS,
    }
