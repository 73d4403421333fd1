"""A registrant's own page, which the link in the confirmation opens: when, where, how to join, and the calendar."""

from dataclasses import replace

from flask import Blueprint, Response, make_response, render_template
from sqlalchemy.orm import Session

from seminars.calendars import ics
from seminars.calendars.invites import entries_of
from seminars.catalog.models import EventSession
from seminars.catalog.occasions import join_address, occasion_of, place
from seminars.catalog.policies import refund_sentence
from seminars.db import db
from seminars.kit import format as words
from seminars.kit.refusals import NotFound
from seminars.registration import queries
from seminars.registration.announcing import sessions_of
from seminars.registration.models import Registration
from seminars.web.public.feeds import calendar, entry_of
from seminars.web.public.summary import when_and_where
from seminars.web.shared import joined, now

blueprint = Blueprint("seats", __name__)


def the_registration(session: Session, secret: str) -> Registration:
    """The registration that this link opens. Raises NotFound."""
    registration = queries.registration_by_secret(session, secret[:40])
    if registration is None:
        raise NotFound("There is no registration at this address. Open the link in our mail once more.")
    return registration


@blueprint.get("/registrations/<secret>")
def show(secret: str) -> Response:
    """The person's page. The joining address stands here and nowhere in public."""
    registration = the_registration(db.session(), secret)
    event = registration.event
    sessions = sessions_of(registration)
    return make_response(
        render_template(
            "public/registration.html",
            registration=registration,
            event=event,
            lead=when_and_where(event),
            sessions=[_told(one) for one in sessions],
            join=registration.state in ("confirmed", "attended") and event.state != "cancelled",
            refund=refund_sentence(event.policy, event.starts_at, event.zone, now=now())
            if event.starts_at and registration.ticket_type.price and not registration.comp
            else "",
        )
    )


def _told(one: EventSession) -> dict[str, str]:
    zone = one.event.zone
    return {
        "title": one.title,
        "day": words.weekday(words.local(one.starts_at, zone)),
        "at": one.starts_at.isoformat(),
        "times": f"all day ({words.zone_name(one.starts_at, zone)})" if one.all_day else words.time_range(one.starts_at, one.ends_at, zone),
        "place": place(one) or "Online",
        "join": join_address(one),
    }


@blueprint.get("/registrations/<secret>/calendar.ics")
def own_ics(secret: str) -> Response:
    """The person's sessions, under the UIDs of the invitations that were sent: importing it beside them shows nothing twice."""
    registration = the_registration(db.session(), secret)
    letterhead = joined().settings.letterhead
    page = f"{letterhead.base_url}/registrations/{registration.secret}"
    sessions = sessions_of(registration)
    invited = {entry.occasion: entry for entry in entries_of(db.session(), [registration.reference])}
    standing = registration.state in ("confirmed", "attended")
    entries = []
    for one in sessions:
        occasion = occasion_of(one, page=page, of=len(sessions), joinable=standing)
        entry = entry_of(occasion, letterhead, stamp=registration.confirmed_at or registration.created_at, cancelled=not standing)
        known = invited.get(occasion.reference)
        entries.append(replace(entry, uid=known.uid, sequence=known.sequence, dtstamp=known.dtstamp) if known else entry)
    return calendar(entries, ics.Feed(name=registration.event.title, url=page), f"{registration.event.reference}.ics")
