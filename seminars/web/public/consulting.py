"""Consulting in public: what can be booked, the week of slots of one offering, and holding one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask import Blueprint, Response, make_response, redirect, render_template, request
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog.policies import rule_sentence
from seminars.consulting import booking, intake, queries
from seminars.consulting.models import Appointment, Offering, OfferingLength
from seminars.db import db, transaction
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, NotFound, Refusal
from seminars.orders import cart as verbs
from seminars.orders.models import Cart
from seminars.web.public import carts, slotgrid
from seminars.web.public.buying import errors_of
from seminars.web.shared import joined, now, request_id
from seminars.web.shared.errors import status_of
from seminars.web.shared.preferences import keep_zone, visitor_zone

blueprint = Blueprint("consulting", __name__)

MODES = {"video": "By video", "in_person": "In person", "client_site": "At your place"}


@dataclass(frozen=True)
class Choice:
    """One link among several that exclude each other."""

    label: str
    path: str
    chosen: bool


@dataclass(frozen=True)
class Asked:
    """What the address says of the page: how long, with whom (anyone when nobody is named), which week (the first with a slot)."""

    length: OfferingLength
    consultant: str
    monday: date | None


@blueprint.get("/consulting")
def listed() -> Response:
    """Everything that can be booked by the hour, and who delivers it."""
    offerings = queries.offerings_on_sale(db.session())
    return make_response(render_template("public/consulting.html", offerings=[(one, price_of(one)) for one in offerings]))


@blueprint.get("/consulting/<slug>")
def show(slug: str) -> Response:
    """One offering with a week of its slots."""
    return keep_zone(_page(_offering(db.session(), slug)))


@blueprint.post("/consulting/<slug>/hold")
def hold(slug: str) -> Response:
    """Hold a slot, then its questions, then the checkout; or the same page with what is free nearby, when somebody was quicker."""
    offering = _offering(db.session(), slug)
    try:
        asked, starts_at = _chosen(offering), read_instant(request.form.get("slot", ""))
        with transaction(by="visitor", why="hold a slot", request_id=request_id()) as session:
            cart, appointment = _hold(session, _offering(session, slug), asked, starts_at)
    except Refusal as refusal:
        db.session().expire_all()
        return _page(_offering(db.session(), slug), refused=refusal, status=status_of(refusal))
    onward = "/checkout"
    if offering.questions:
        onward = f"/consulting/answers/{appointment.secret}"
    elif offering.needs_approval:
        onward = f"/consulting/request/{appointment.secret}"
    return carts.remember(make_response(redirect(onward, 303)), cart)


def _hold(session: Session, offering: Offering, asked: Asked, starts_at: datetime) -> tuple[Cart, Appointment]:
    instant = now()
    length = next(one for one in offering.lengths if one.minutes == asked.length.minutes)
    cart = carts.held(session) or verbs.open_cart(session, client=carts.client(), now=instant)
    meeting = verbs.Meeting(offering, length, starts_at, _ids(offering, asked.consultant), _zone(offering), [])
    return cart, verbs.add_meeting(session, cart, meeting, now=instant)


@blueprint.get("/consulting/answers/<secret>")
def questions(secret: str) -> Response:
    """What the consultant wants to know before: step 2 of 3."""
    return _questions(_held(db.session(), secret))


@blueprint.post("/consulting/answers/<secret>")
def answer(secret: str) -> Response:
    """Keep the answers with the appointment and go on; what is missing is said beside it."""
    try:
        with transaction(by="visitor", why="answer questions", request_id=request_id()) as session:
            appointment = _held(session, secret)
            asked = intake.questions_of(appointment.offering.questions)
            booking.answer(session, appointment, {one.key: request.form.get(one.field, "") for one in asked})
    except Refusal as refusal:
        db.session().expire_all()
        return _questions(_held(db.session(), secret), typed=request.form, errors=errors_of(refusal), status=status_of(refusal))
    if appointment.offering.needs_approval:
        return make_response(redirect(f"/consulting/request/{appointment.secret}", 303))
    return make_response(redirect("/checkout", 303))


def _held(session: Session, secret: str) -> Appointment:
    """An appointment that this visitor is still choosing. Raises NotFound."""
    appointment = queries.appointment_by_secret(session, secret[:40])
    if appointment is None or appointment.state != "held" or appointment.order_reference:
        raise NotFound("This time is not held any more. Choose one again.")
    return appointment


def _questions(
    appointment: Appointment, *, typed: Mapping[str, str] | None = None, errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    asked = intake.questions_of(appointment.offering.questions)
    given = {one.get("key", ""): one["answer"] for one in appointment.answers}
    page = render_template(
        "public/questions.html",
        appointment=appointment,
        offering=appointment.offering,
        questions=asked,
        when=words.moment(appointment.starts_at, appointment.zone),
        typed=typed if typed is not None else {one.field: given.get(one.key, "") for one in asked},
        errors=errors or {},
        labels={one.field: one.label for one in asked},
    )
    return make_response(page, status)


def _offering(session: Session, slug: str) -> Offering:
    """The offering at this address, if it is on sale. Raises NotFound."""
    offering = queries.offering_by_slug(session, slug)
    if offering is None or offering.state != "published":
        raise NotFound("There is nothing to book at this address.")
    return offering


def _zone(offering: Offering) -> str:
    """The visitor's zone, else that of the first consultant."""
    return visitor_zone(request) or (offering.consultants[0].zone if offering.consultants else joined().settings.center.zone)


def _asked(offering: Offering) -> Asked:
    """What the visitor asked for; what does not exist is the first there is. Raises NotFound where nothing can be booked at all."""
    lengths = [one for one in offering.lengths if one.offered]
    if not lengths or not offering.consultants:
        raise NotFound("There is nothing to book at this address.")
    minutes, who = request.values.get("minutes", ""), request.values.get("with", "")
    length = next((one for one in lengths if str(one.minutes) == minutes), lengths[0])
    consultant = next((one.slug for one in offering.consultants if one.slug == who and offering.together == 1), "")
    return Asked(length, consultant, read_week(request.values.get("week", "")))


def _chosen(offering: Offering) -> Asked:
    """The same of a pressed button, which gets what stood beside it or nothing. Raises BadInput where that is not offered any more."""
    asked = _asked(offering)
    if request.form.get("minutes", "") != str(asked.length.minutes):
        raise BadInput("This length is not offered any more. Choose one of those below.", "minutes")
    if request.form.get("with", "") != asked.consultant:
        raise BadInput("This consultant does not give this service any more. Choose another.", "with")
    return asked


def read_week(text: str) -> date | None:
    """The Monday of the week that the address names; none where it names no day."""
    try:
        return slotgrid.monday_of(date.fromisoformat(text))
    except ValueError:
        return None


def read_instant(text: str) -> datetime:
    """The instant that a slot's button sends. Raises BadInput."""
    try:
        found = datetime.fromisoformat(text)
        instant = found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInput("This is no time that can be booked. Choose one of those below.", "slot") from None
    if found.tzinfo is None:
        raise BadInput("This is no time that can be booked. Choose one of those below.", "slot")
    return instant


def _ids(offering: Offering, slug: str) -> tuple[int, ...] | None:
    return tuple(one.id for one in offering.consultants if one.slug == slug) or None


def _page(offering: Offering, *, refused: Refusal | None = None, status: int = 200) -> Response:
    asked, instant, zone = _asked(offering), now(), _zone(offering)
    first = words.local(instant, zone).date()
    last = words.local(instant + timedelta(days=offering.horizon_days), zone).date()
    chosen = _ids(offering, asked.consultant)
    wanted = asked.monday or _first_free(offering, asked, chosen, instant, zone, instant) or first
    monday = min(max(slotgrid.monday_of(wanted), slotgrid.monday_of(first)), slotgrid.monday_of(last))
    since, until = slotgrid.span(monday, zone)
    slots = queries.slots_of(db.session(), offering, asked.length, consultants=chosen, since=since, until=until, now=instant)
    later = None if slots else _first_free(offering, asked, chosen, until, zone, instant)
    week = slotgrid.week(slots, monday, zone=zone, zones={one.id: one.zone for one in offering.consultants}, first=first, last=last)
    page = render_template(
        "public/offering.html",
        offering=offering,
        topic=dict(joined().settings.center.topics).get(offering.topic, ""),
        asked=asked,
        week=week,
        monday=monday.isoformat(),
        next_free=_path(offering, asked.length.minutes, asked.consultant, slotgrid.monday_of(later)) if later else "",
        lengths=[
            Choice(f"{one.minutes} minutes, {words.money(Money(one.price, offering.currency)) if one.price else 'free'}",
                   _path(offering, one.minutes, asked.consultant, monday), one is asked.length)
            for one in offering.lengths
            if one.offered
        ],
        people=[
            Choice("Whoever is free", _path(offering, asked.length.minutes, "", monday), not asked.consultant),
            *(Choice(one.name, _path(offering, asked.length.minutes, one.slug, monday), one.slug == asked.consultant)
              for one in offering.consultants),
        ] if len(offering.consultants) > offering.together == 1 else [],
        price=price_of(offering),
        mode=MODES[offering.mode],
        zone=zone,
        zones=sorted(zone_names()),
        rule=rule_sentence(offering.policy, each="") if offering.policy and any(one.price for one in offering.lengths) else "",
        refused=str(refused) if refused else "",
        nearest=near(refused, zone),
    )  # fmt: skip
    return make_response(page, status)


def on_day(instant: datetime, zone: str) -> str:
    """«Monday 22 March 2027, 9:00 am CDT»."""
    return f"{words.weekday(words.local(instant, zone))}, {words.time_in(instant, zone)}"


def near(refused: Refusal | None, zone: str) -> list[tuple[str, str]]:
    """What is free near a slot that somebody else was quicker to take: what a button sends, and what it says."""
    slots = refused.nearest if isinstance(refused, booking.SlotGone) else []
    return [(slot.starts_at.isoformat(), on_day(slot.starts_at, zone)) for slot in slots]


def _first_free(
    offering: Offering, asked: Asked, chosen: tuple[int, ...] | None, since: datetime, zone: str, instant: datetime
) -> date | None:
    """The first day from then on that has a slot."""
    horizon = instant + timedelta(days=offering.horizon_days + 1)
    found = queries.slots_of(db.session(), offering, asked.length, consultants=chosen, since=since, until=horizon, now=instant)
    return words.local(found[0].starts_at, zone).date() if found else None


def _path(offering: Offering, minutes: int, consultant: str, monday: date) -> str:
    who = f"&with={consultant}" if consultant else ""
    return f"/consulting/{offering.slug}?minutes={minutes}{who}&week={monday.isoformat()}"


def price_of(offering: Offering) -> str:
    """«$280.00», «from $150.00», «Free»."""
    prices = sorted({one.price for one in offering.lengths if one.offered})
    if not prices:
        return ""
    if prices == [0]:
        return "Free"
    lowest = words.money(Money(prices[0], offering.currency)) if prices[0] else "free"
    return f"from {lowest}" if len(prices) > 1 else lowest
