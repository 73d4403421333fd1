"""The programme at the desk: events listed, one event with all that belongs to it, and what moves it to sale and away."""

from collections.abc import Callable
from functools import partial

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.catalog import claims, events
from seminars.catalog.claims import Clashing
from seminars.catalog.models import FORMATS, Event, EventSession
from seminars.catalog.occasions import session_reference
from seminars.desk import programme as catalogue
from seminars.desk import roster as rosters
from seminars.desk import timeline
from seminars.finance import recognition
from seminars.kit.refusals import NotFound
from seminars.ledger import balances
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff.clashing import clash_page, reason_typed
from seminars.web.staff.door import acting, page, positive, reading, staff
from seminars.web.staff.links import address_of

STATES = ("draft", "published", "archived", "cancelled")
FORMAT_WORDS = {"in_person": "In person", "online": "Online", "hybrid": "In person and online"}
ON_EVENT = 25


@staff.get("/events")
@needs(may.see_programme)
def programme() -> ResponseReturnValue:
    """All events, narrowed by what stands in the address."""
    asked = request.args
    wanted = catalogue.Filter(
        when=asked["when"] if asked.get("when") in (catalogue.PAST, catalogue.ALL) else catalogue.COMING,
        state=asked["state"] if asked.get("state") in STATES else "",
        format=asked["format"] if asked.get("format") in FORMATS else "",
        words=asked.get("q", "")[:120],
    )
    found = catalogue.events_page(reading(), wanted, page=positive(asked.get("page")) or 1, now=now())
    held = catalogue.seats_held(reading(), found.events)
    return page("events/list.html", section="Programme", wanted=wanted, found=found, held=held, formats=FORMAT_WORDS, states=STATES)


@staff.get("/events/<int:event_id>")
@needs(may.see_programme)
def event(event_id: int) -> ResponseReturnValue:
    """One event: facts, sessions, ticket types, who comes, and what happened to it."""
    session, user = reading(), the_user()
    found = catalogue.event_by_id(session, event_id)
    roster = rosters.roster_page(session, event_id, rosters.Filter(), most=ON_EVENT) if may.see_people_registered(user) else None
    deferred = [balances.deferred_of(session, session_reference(part)) for part in found.sessions] if may.see_finance(user) else []
    return page(
        "events/show.html",
        section="Programme",
        event=found,
        held=catalogue.seats_held(session, [found]),
        formats=FORMAT_WORDS,
        missing=events.missing(found, now=now()) if found.state in ("draft", "archived") else [],
        in_the_way=claims.in_the_way(session, found, now=now()) if found.state in ("draft", "published") else [],
        laid_over=claims.laid_over(session, found),
        roster=roster,
        wanted=rosters.Filter(),
        deferred=deferred,
        today=now(),
        preview=f"{joined().settings.base_url}/events/{found.reference}?preview={found.preview_secret}",
        entries=[(entry, address_of(entry.reference)) for entry in timeline.of_event(session, found)[:30]],
    )


@staff.post("/events/<int:event_id>/publish")
@needs(may.change_programme)
def publish(event_id: int) -> ResponseReturnValue:
    """Put an event on sale. Who is taken already is shown first, and staff may do it all the same with a reason."""
    try:
        return _move(event_id, partial(events.publish, override_reason=reason_typed()), "{} is on sale.", why=reason_typed())
    except Clashing as clashing:
        return clash_page(clashing, back=url_for("staff.event", event_id=event_id))


@staff.post("/events/<int:event_id>/unpublish")
@needs(may.change_programme)
def unpublish(event_id: int) -> ResponseReturnValue:
    """Take an event back to draft."""
    return _move(event_id, events.unpublish, "{} is a draft again.")


@staff.post("/events/<int:event_id>/archive")
@needs(may.change_programme)
def archive(event_id: int) -> ResponseReturnValue:
    """Put an event away."""
    return _move(event_id, events.archive, "{} is put away.")


@staff.post("/sessions/<int:session_id>/delivered")
@needs(may.mark_delivered)
def delivered(session_id: int) -> ResponseReturnValue:
    """Mark a session delivered: what was paid for it becomes revenue."""
    with acting() as session:
        part = session_by_id(session, session_id)
        recognition.deliver(session, part, now=now())
    flash(f"{part.title or part.event.title} is marked delivered, and its revenue is recognised.")
    return redirect(url_for("staff.event", event_id=part.event_id), 303)


def session_by_id(session: Session, session_id: int) -> EventSession:
    """One session. Raises NotFound."""
    part = session.get(EventSession, session_id)
    if part is None:
        raise NotFound("There is no such session.")
    return part


def _move(event_id: int, verb: Callable[..., Event], told: str, *, why: str = "") -> ResponseReturnValue:
    with acting(why) as session:
        found = catalogue.event_by_id(session, event_id)
        verb(session, found, now=now())
    flash(told.format(found.title))
    return redirect(url_for("staff.event", event_id=event_id), 303)
