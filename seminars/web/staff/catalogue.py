"""What events are made of: seminars, places, people who teach, refund rules."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog import rooms, seminars, speakers, terms, venues
from seminars.catalog.models import EventSession, RefundPolicy, Room, Seminar, Speaker, Venue
from seminars.catalog.rooms import RoomFacts
from seminars.catalog.seminars import SeminarFacts
from seminars.catalog.speakers import SpeakerFacts
from seminars.catalog.venues import VenueFacts
from seminars.desk import programme as reads
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import NotFound, Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import Typed, acting, again, page, reading, staff
from seminars.web.staff.telling import Unseen, all_typed, plan_of, tell

Thing = TypeVar("Thing")
Facts = TypeVar("Facts")


@staff.get("/seminars")
@needs(may.see_programme)
def seminars_list() -> ResponseReturnValue:
    """What is taught."""
    return page("catalogue/seminars.html", section="Programme", seminars=reads.seminars(reading()), topics=dict(_topics()))


@staff.get("/seminars/<int:seminar_id>")
@needs(may.see_programme)
def seminar(seminar_id: int) -> ResponseReturnValue:
    """One seminar and its runs."""
    found = _get(reading(), Seminar, seminar_id)
    events = reads.events_of(reading(), found)
    return page("catalogue/seminar.html", section="Programme", seminar=found, events=events, topics=dict(_topics()))


@staff.route("/seminars/new", methods=["GET", "POST"])
@needs(may.change_programme)
def new_seminar() -> ResponseReturnValue:
    """Describe a new seminar."""
    return _edit("seminar", None, SeminarFacts, lambda session, _none, facts: seminars.create(session, facts, now=now()))


@staff.route("/seminars/<int:seminar_id>/edit", methods=["GET", "POST"])
@needs(may.change_programme)
def edit_seminar(seminar_id: int) -> ResponseReturnValue:
    """Describe a seminar anew."""
    found = _get(reading(), Seminar, seminar_id)
    return _edit("seminar", found, SeminarFacts, lambda session, it, facts: seminars.change(session, it, facts, now=now()))


@staff.get("/speakers")
@needs(may.see_programme)
def speakers_list() -> ResponseReturnValue:
    """Who teaches."""
    return page("catalogue/speakers.html", section="Programme", speakers=reads.speakers(reading()))


@staff.route("/speakers/new", methods=["GET", "POST"])
@needs(may.change_programme)
def new_speaker() -> ResponseReturnValue:
    """Introduce somebody who teaches."""
    return _edit("speaker", None, SpeakerFacts, lambda session, _none, facts: speakers.create(session, facts))


@staff.route("/speakers/<int:speaker_id>", methods=["GET", "POST"])
@needs(may.change_programme)
def edit_speaker(speaker_id: int) -> ResponseReturnValue:
    """Introduce somebody anew."""
    found = _get(reading(), Speaker, speaker_id)
    return _edit("speaker", found, SpeakerFacts, lambda session, it, facts: speakers.change(session, it, facts, now=now()))


@staff.get("/venues")
@needs(may.see_programme)
def venues_list() -> ResponseReturnValue:
    """Where events are held."""
    return page("catalogue/venues.html", section="Programme", venues=reads.venues(reading()))


@staff.route("/venues/new", methods=["GET", "POST"])
@needs(may.change_programme)
def new_venue() -> ResponseReturnValue:
    """Enter a place."""
    return _edit("venue", None, VenueFacts, lambda session, _none, facts: venues.create(session, facts))


@staff.route("/venues/<int:venue_id>", methods=["GET", "POST"])
@needs(may.change_programme)
def edit_venue(venue_id: int) -> ResponseReturnValue:
    """Describe a place anew. People with a seat there hear of another name or address, after the plan was seen."""
    return _edit("venue", _get(reading(), Venue, venue_id), VenueFacts, _change_venue)


@staff.route("/venues/<int:venue_id>/rooms/new", methods=["GET", "POST"])
@needs(may.change_programme)
def new_room(venue_id: int) -> ResponseReturnValue:
    """Enter a room of a place."""
    venue = _get(reading(), Venue, venue_id)
    return _edit_room(venue, None, lambda session, facts: rooms.create(session, venue, facts))


@staff.route("/rooms/<int:room_id>", methods=["GET", "POST"])
@needs(may.change_programme)
def edit_room(room_id: int) -> ResponseReturnValue:
    """Call a room something else. People with a seat in it hear of it, after the plan was seen."""
    room = _get(reading(), Room, room_id)
    return _edit_room(room.venue, room, lambda session, facts: _change_room(session, room, facts))


@staff.get("/refund-rules")
@needs(may.see_programme)
def policies_list() -> ResponseReturnValue:
    """The refund rules that events can be sold under."""
    rules = [(rule, words.money(Money(rule.fee, rule.currency))) for rule in reads.policies(reading())]
    return page("catalogue/policies.html", section="Programme", rules=rules)


@staff.route("/refund-rules/new", methods=["GET", "POST"])
@needs(may.change_programme)
def new_policy() -> ResponseReturnValue:
    """Set up a refund rule."""
    return _edit_policy(None)


@staff.route("/refund-rules/<int:policy_id>", methods=["GET", "POST"])
@needs(may.change_programme)
def edit_policy(policy_id: int) -> ResponseReturnValue:
    """Change a refund rule for orders to come."""
    return _edit_policy(_get(reading(), RefundPolicy, policy_id))


def _edit(name: str, thing: Thing | None, kind: type[Facts], act: Callable[[Session, Any, Facts], Any]) -> ResponseReturnValue:
    """The form of one thing, shown and taken."""
    template, listed = f"catalogue/{name}_edit.html", url_for(f"staff.{name}s_list")
    facts = {"section": "Programme", "thing": thing, "zones": sorted(zone_names()), "topics": _topics(), "back": listed}
    columns = [column.name for column in fields(kind)]  # type: ignore[arg-type]
    if request.method == "GET":
        start = {"zone": joined().settings.center.zone, "country": "US"}
        return page(template, typed={one: getattr(thing, one) for one in columns} if thing else start, errors={}, **facts)
    try:
        with acting(request.form.get("why", "")) as session:
            kept = act(session, thing, kind(**{one: request.form.get(one, "") for one in columns}))
            onward = url_for("staff.seminar", seminar_id=kept.id) if isinstance(kept, Seminar) else listed
    except Unseen as unseen:
        return page("events/agree.html", section="Programme", plan=unseen.plan, typed=all_typed(), back=listed)
    except Refusal as refusal:
        return again(template, refusal, **facts)
    flash("Kept.")
    return redirect(onward, 303)


def _change_venue(session: Session, venue: Venue, facts: VenueFacts) -> None:
    before = _where(venue)
    venues.change(session, venue, facts, now=now())
    parts: list[EventSession] = list(reads.sessions_at(session, venue, now=now())) if _where(venue) != before else []
    plan = plan_of(session, parts)
    if plan.people and not request.form.get("agreed"):
        raise Unseen(plan)
    tell(session, parts)


def _edit_room(venue: Venue, room: Room | None, act: Callable[[Session, RoomFacts], object]) -> ResponseReturnValue:
    back = url_for("staff.edit_venue", venue_id=venue.id)
    facts = {"section": "Programme", "thing": room, "venue": venue, "back": back}
    if request.method == "GET":
        return page("catalogue/room_edit.html", typed={"name": room.name} if room else {}, errors={}, **facts)
    try:
        with acting() as session:
            act(session, RoomFacts(request.form.get("name", "")))
    except Unseen as unseen:
        return page("events/agree.html", section="Programme", plan=unseen.plan, typed=all_typed(), back=back)
    except Refusal as refusal:
        return again("catalogue/room_edit.html", refusal, **facts)
    flash("Kept.")
    return redirect(back, 303)


def _change_room(session: Session, room: Room, facts: RoomFacts) -> None:
    before = room.name
    rooms.change(session, room, facts)
    here = [part for part in reads.sessions_at(session, room.venue, now=now()) if part.room_id == room.id]
    parts = here if room.name != before else []
    plan = plan_of(session, parts)
    if plan.people and not request.form.get("agreed"):
        raise Unseen(plan)
    tell(session, parts)


def _where(venue: Venue) -> tuple[str, ...]:
    return (venue.name, venue.address, venue.city, venue.region)


def _edit_policy(rule: RefundPolicy | None) -> ResponseReturnValue:
    currency = rule.currency if rule else joined().settings.center.currency
    facts = {"section": "Programme", "thing": rule, "currency": currency}
    if request.method == "GET":
        typed = {"name": rule.name, "days_before": rule.days_before, "fee": words.amount(Money(rule.fee, currency))} if rule else {}
        return page("catalogue/policy_edit.html", typed=typed, errors={}, **facts)
    typed_ = Typed(request.form)
    try:
        with acting() as session:
            name, fee = typed_.text("name"), typed_.money("fee", currency)
            days_before = typed_.whole("days_before", low=0, high=terms.LONGEST)
            typed_.finish()
            if rule is None:
                terms.create(session, name=name, days_before=days_before, fee=fee)
            else:
                terms.change(session, rule, name=name, days_before=days_before, fee=fee)
    except Refusal as refusal:
        return again("catalogue/policy_edit.html", refusal, **facts)
    flash("Kept. Orders that were placed keep the rule they were placed under.")
    return redirect(url_for("staff.policies_list"), 303)


def _topics() -> tuple[tuple[str, str], ...]:
    return joined().settings.center.topics


def _get(session: Session, kind: type[Thing], number: int) -> Thing:
    found = session.get(kind, number)
    if found is None:
        raise NotFound("There is no such thing in the catalogue.")
    return found
