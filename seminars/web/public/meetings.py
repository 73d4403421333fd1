"""An appointment's own page, which the link in its mails opens: how to join, and moving or cancelling it, with the plan shown first."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from seminars.calendars import ics
from seminars.calendars.invites import entries_of
from seminars.catalog.occasions import occasion_of
from seminars.consulting import announcing, appointments, booking, queries
from seminars.consulting.busy_times import feed_uid
from seminars.consulting.letters import week_page
from seminars.consulting.models import Appointment
from seminars.db import db, transaction
from seminars.kit import format as words
from seminars.kit.refusals import Conflict, NotFound, Refusal
from seminars.orders import cart as verbs
from seminars.orders.buyers import Checker
from seminars.orders.wording import meeting_people, meeting_when
from seminars.payments import meetings as selling
from seminars.web.public import carts, slotgrid
from seminars.web.public.buying import errors_of
from seminars.web.public.consulting import MODES, near, on_day, price_of, read_instant, read_week
from seminars.web.public.feeds import calendar, entry_of
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of
from seminars.web.shared.preferences import visitor_zone

blueprint = Blueprint("meetings", __name__)

PAST, FUTURE = timedelta(days=30), timedelta(days=400)
"""How far a consultant's own feed reaches."""


def the_appointment(session: Session, secret: str) -> Appointment:
    """The appointment that this link opens, once it has a client. Raises NotFound."""
    appointment = queries.appointment_by_secret(session, secret[:40])
    if appointment is None or appointment.client_email is None:
        raise NotFound("There is no appointment at this address. Open the link in our mail once more.")
    return appointment


@blueprint.get("/appointments/<secret>")
def show(secret: str) -> Response:
    """The client's page. The joining address stands here and nowhere in public."""
    return _page(the_appointment(db.session(), secret))


def _page(appointment: Appointment, *, refused: str = "", status: int = 200) -> Response:
    instant = now()
    theirs = {one.zone for one in appointment.consultants}
    other = [words.time_in(appointment.starts_at, zone) for zone in sorted(theirs) if _differs(appointment, zone)]
    ahead = appointment.state in ("requested", "confirmed") and appointment.starts_at > instant
    page = render_template(
        "public/appointment.html",
        appointment=appointment,
        offering=appointment.offering,
        when=meeting_when(appointment),
        other=other,
        people=meeting_people(appointment),
        mode=MODES[appointment.offering.mode],
        ahead=ahead,
        movable=ahead and instant <= appointments.change_until(appointment),
        payable=_payable(appointment),
        price=appointments.price_of(appointment),
        held_until=words.moment(appointment.held_until, appointment.zone) if appointment.held_until else "",
        until=words.moment(appointments.change_until(appointment), appointment.zone),
        refused=refused,
    )
    return make_response(page, status)


def _payable(appointment: Appointment) -> bool:
    """Whether it was agreed to and waits to be paid."""
    return appointment.state == "held" and not appointment.order_reference and (appointment.held_until or now()) > now()


@blueprint.post("/appointments/<secret>/pay")
def pay(secret: str) -> Response:
    """Lay what staff agreed to into the cart, and on to the checkout."""
    try:
        with transaction(by="visitor", why="pay what was agreed", request_id=request_id()) as session:
            appointment = the_appointment(session, secret)
            cart = carts.held(session) or verbs.open_cart(session, client=carts.client(), now=now())
            verbs.adopt_meeting(session, cart, appointment, now=now())
    except Conflict as refusal:
        db.session().expire_all()
        return _page(the_appointment(db.session(), secret), refused=str(refusal), status=status_of(refusal))
    return carts.remember(make_response(redirect("/checkout", 303)), cart)


def _differs(appointment: Appointment, zone: str) -> bool:
    here, there = words.local(appointment.starts_at, appointment.zone), words.local(appointment.starts_at, zone)
    return here.utcoffset() != there.utcoffset()


@blueprint.get("/appointments/<secret>/move")
def other_times(secret: str) -> Response:
    """A week of the times to which it can be moved, with its own time among them."""
    appointment = the_appointment(db.session(), secret)
    if refusal := _unmovable(appointment):
        return _page(appointment, refused=str(refusal), status=status_of(refusal))
    return _times(appointment)


def _unmovable(appointment: Appointment) -> Refusal | None:
    """Why the client cannot move it at all, if that is so."""
    if appointment.state not in ("requested", "confirmed"):
        return Conflict("Only an appointment that stands can be moved.")
    until = appointments.change_until(appointment)
    return appointments.TooLate(until, appointment.zone) if now() > until else None


@blueprint.post("/appointments/<secret>/move")
def move(secret: str) -> Response:
    """Show what moving it does; with the version of that plan, do it."""
    appointment = the_appointment(db.session(), secret)
    version = request.form.get("version", "")
    if refusal := _unmovable(appointment):
        return _page(appointment, refused=str(refusal), status=status_of(refusal))
    try:
        starts_at = read_instant(request.form.get("slot", ""))
        if not version:
            plan = appointments.move_plan(db.session(), appointment, starts_at=starts_at, now=now())
            was = on_day(plan.was_starts_at, appointment.zone)
            will = on_day(plan.starts_at, appointment.zone)
            page = render_template("public/appointment_moved.html", appointment=appointment, plan=plan, was=was, will=will)
            return make_response(page)
        with transaction(by=f"client/{appointment.reference}", why="move", request_id=request_id()) as session:
            mine = the_appointment(session, secret)
            appointments.move(session, mine, starts_at=starts_at, version=version, now=now())
            announcing.tell_moved(session, [mine], letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        db.session().expire_all()
        return _times(the_appointment(db.session(), secret), refused=refusal)
    return make_response(redirect(f"/appointments/{secret}", 303))


def _times(appointment: Appointment, *, refused: Refusal | None = None) -> Response:
    instant, zone = now(), visitor_zone(request) or appointment.zone
    first = words.local(instant, zone).date()
    last = words.local(instant + timedelta(days=appointment.offering.horizon_days), zone).date()
    wanted = read_week(request.values.get("week", "")) or slotgrid.monday_of(words.local(appointment.starts_at, zone).date())
    monday = min(max(wanted, slotgrid.monday_of(first)), slotgrid.monday_of(last))
    since, until = slotgrid.span(monday, zone)
    terms = queries.terms_of(appointment.offering, appointment.minutes, now=instant)
    slots = queries.slots_on(
        db.session(), appointment.offering, terms, since=since, until=until, ignoring=appointment.reference, now=instant
    )
    zones = {one.id: one.zone for one in appointment.offering.consultants}
    page = render_template(
        "public/appointment_times.html",
        appointment=appointment,
        when=meeting_when(appointment),
        week=slotgrid.week(slots, monday, zone=zone, zones=zones, first=first, last=last),
        monday=monday.isoformat(),
        zone=zone,
        refused=str(refused) if refused else "",
        nearest=near(refused, zone),
    )
    return make_response(page, status_of(refused) if refused else 200)


@blueprint.get("/appointments/<secret>/cancel")
def cancelling(secret: str) -> Response:
    """What cancelling does, to the cent, before anything happens."""
    appointment = the_appointment(db.session(), secret)
    try:
        plan = selling.plan(db.session(), appointment, refunding="by_rule", now=now())
    except Conflict as refusal:
        return _page(appointment, refused=str(refusal), status=status_of(refusal))
    return _plan_page(appointment, plan)


@blueprint.post("/appointments/<secret>/cancel")
def cancel(secret: str) -> Response:
    """Do what the plan said; a plan that does not hold any more is shown anew."""
    found = the_appointment(db.session(), secret)
    try:
        with transaction(by=f"client/{found.reference}", why="cancel", request_id=request_id()) as session:
            appointment = the_appointment(session, secret)
            selling.carry_out(
                session, appointment, refunding="by_rule", version=request.form.get("version", ""),
                reason="Cancelled by the client", letterhead=joined().settings.letterhead, now=now(),
            )  # fmt: skip
    except Conflict as refusal:
        db.session().expire_all()
        appointment = the_appointment(db.session(), secret)
        try:
            plan = selling.plan(db.session(), appointment, refunding="by_rule", now=now())
        except Conflict as other:
            return _page(appointment, refused=str(other), status=status_of(other))
        return _plan_page(appointment, plan, refused=str(refusal), status=status_of(refusal))
    return make_response(redirect(f"/appointments/{secret}", 303))


def _plan_page(appointment: Appointment, plan: selling.MeetingPlan, *, refused: str = "", status: int = 200) -> Response:
    until = words.moment(datetime.fromisoformat(plan.until), appointment.zone) if plan.until else ""
    page = render_template(
        "public/appointment_cancel.html", appointment=appointment, plan=plan, when=meeting_when(appointment), until=until, refused=refused
    )
    return make_response(page, status)


@blueprint.get("/appointments/<secret>/calendar.ics")
def own_ics(secret: str) -> Response:
    """The meeting, under the UID of the invitation that was sent: importing it beside that shows nothing twice."""
    appointment = the_appointment(db.session(), secret)
    letterhead = joined().settings.letterhead
    page = f"{letterhead.base_url}/appointments/{secret}"
    occasion = announcing.occasion_of(appointment, zone=appointment.zone, page=page, for_client=True)
    standing = appointment.state in ("confirmed", "delivered", "no_show")
    entry = entry_of(occasion, letterhead, stamp=appointment.confirmed_at or appointment.created_at, cancelled=not standing)
    known = next(iter(entries_of(db.session(), [appointment.reference])), None)
    entry = replace(entry, uid=known.uid, sequence=known.sequence, dtstamp=known.dtstamp) if known else entry
    feed = ics.Feed(name=appointment.offering.title, url=page)
    return calendar([entry], feed, "appointment.ics")


@blueprint.get("/consulting/request/<secret>")
def asking(secret: str) -> Response:
    """Who asks for a meeting that staff have to agree to."""
    return _request_page(_chosen(db.session(), secret))


@blueprint.post("/consulting/request/<secret>")
def ask(secret: str) -> Response:
    """Ask for it: the slot stays held until staff have answered."""
    check = Checker(request.form)
    client = booking.Client(
        check.line("name", called="your name", required=True), check.email("mail"), check.line("org", called="your organisation")
    )
    try:
        check.finish()
        with transaction(by="visitor", why="request", request_id=request_id()) as session:
            appointment = booking.request(session, _chosen(session, secret), client=client, now=now())
            cart = carts.held(session)
            if cart is not None:
                verbs.hand_over_meeting(session, cart, appointment.id)
            announcing.tell_requested(session, [appointment], letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        db.session().expire_all()
        return _request_page(_chosen(db.session(), secret), errors=errors_of(refusal), status=status_of(refusal))
    return make_response(redirect(f"/appointments/{secret}", 303))


def _chosen(session: Session, secret: str) -> Appointment:
    """An appointment that was chosen and needs agreement. Raises NotFound."""
    appointment = queries.appointment_by_secret(session, secret[:40])
    if appointment is None or appointment.state not in ("held", "requested") or not appointment.offering.needs_approval:
        raise NotFound("This time is not held any more. Choose one again.")
    return appointment


def _request_page(appointment: Appointment, *, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    page = render_template(
        "public/appointment_request.html",
        appointment=appointment,
        offering=appointment.offering,
        when=meeting_when(appointment),
        people=meeting_people(appointment),
        price=appointments.price_of(appointment),
        typed=request.form,
        errors=errors or {},
        labels={"name": "Your name", "mail": "Email", "org": "Organisation"},
    )
    return make_response(page, status)


@blueprint.get("/consultants/<slug>")
def consultant(slug: str) -> Response:
    """Who advises: bio, and what can be booked with them."""
    found = queries.consultant_by_slug(db.session(), slug)
    if found is None or not found.listed or not found.active:
        raise NotFound("There is nobody at this address.")
    offerings = [one for one in queries.offerings_on_sale(db.session()) if found.id in {other.id for other in one.consultants}]
    page = render_template("public/consultant.html", consultant=found, offerings=[(one, price_of(one)) for one in offerings])
    return make_response(page)


@blueprint.get("/calendars/consultants/<secret>.ics")
def own_feed(secret: str) -> Response:
    """A consultant's private calendar: what they teach and whom they meet. Renewing the address closes the old one.

    Its UIDs are told from others, so that a calendar that subscribes to it does not come back as busy time.
    """
    found = queries.consultant_by_feed(db.session(), secret[:40])
    if found is None:
        raise NotFound("There is no calendar at this address.")
    instant, letterhead = now(), joined().settings.letterhead
    week = queries.my_week(db.session(), found, instant - PAST, instant + FUTURE, instant)
    holders = [announcing.holder_of(one.appointment, found) for one in week if one.appointment is not None]
    known = {entry.occasion: entry for entry in entries_of(db.session(), holders)}
    entries = []
    for one in week:
        if one.appointment is not None and one.appointment.state == "confirmed":
            occasion = announcing.occasion_of(one.appointment, zone=found.zone, page=week_page(letterhead), for_client=False)
            entry = entry_of(occasion, letterhead, stamp=one.appointment.confirmed_at or instant)
            told = known.get(one.appointment.reference)
            entries.append(replace(entry, uid=told.uid, sequence=told.sequence, dtstamp=told.dtstamp) if told else entry)
        elif one.session is not None:
            page = f"{letterhead.base_url}/events/{one.session.event.reference}"
            occasion = occasion_of(one.session, page=page)
            entry = entry_of(occasion, letterhead, stamp=instant.replace(microsecond=0))
            entries.append(replace(entry, uid=feed_uid(occasion.reference)))
    feed = ics.Feed(name=f"{found.name}, {letterhead.center.name}", source=f"{letterhead.base_url}/calendars/consultants/{secret}.ics")
    response = calendar(entries, feed, "my-week.ics")
    response.headers["Cache-Control"] = "private, max-age=60"
    return response
