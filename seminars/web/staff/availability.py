"""When a consultant can be booked: weekly hours, other hours of one day, leave, their own calendar, and the slots that all of it yields."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog.timing import place_in_time
from seminars.consulting import consultants, queries
from seminars.consulting.consultants import MIDNIGHT, WEEKDAYS, Stretch
from seminars.consulting.models import Consultant, Offering
from seminars.kit import format as words
from seminars.kit.refusals import Refusal
from seminars.people import permissions as may
from seminars.schedule.claims import Taken
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff import rows, whose
from seminars.web.staff.clashing import reason_typed, taken_page, why_typed
from seminars.web.staff.door import Typed, acting, errors_of, page, positive, reading, staff
from seminars.web.staff.week import WEEK, bounds, monday_asked

HOURS = rows.Kind("hours", ("weekday", "starts", "ends", "zone"), idle=("weekday",))
FAR = datetime(2101, 1, 1, tzinfo=UTC)


@staff.get("/consulting/consultants/<int:consultant_id>/availability")
@needs(may.keep_hours)
def availability(consultant_id: int) -> ResponseReturnValue:
    """Hours, exceptions, leave and own calendar of one consultant, with a preview."""
    return _page(_consultant(reading(), consultant_id))


@staff.post("/consulting/consultants/<int:consultant_id>/availability")
@needs(may.keep_hours)
def set_hours(consultant_id: int) -> ResponseReturnValue:
    """Say anew in which hours of the week somebody works."""
    typed = Typed(request.form)
    if rows.changing():
        return _page(_consultant(reading(), consultant_id), hours=HOURS.as_changed(request.form, {"weekday": "0"}))
    shown = HOURS.typed(request.form)

    def keep(session: Session, mine: Consultant) -> None:
        stretches = [_stretch(typed, number, row) for number, row in enumerate(shown, start=1)]
        typed.finish()
        consultants.set_hours(session, mine, stretches)

    return _act(consultant_id, keep, "The weekly hours are kept.", hours=shown)


@staff.post("/consulting/consultants/<int:consultant_id>/exceptions")
@needs(may.keep_hours)
def add_exception(consultant_id: int) -> ResponseReturnValue:
    """Other hours on one day, or none."""
    typed = Typed(request.form)

    def keep(session: Session, mine: Consultant) -> None:
        day = typed.day("day")
        starts = _clock(typed, "starts", typed.text("starts")) if typed.text("starts").strip() else None
        ends = _clock(typed, "ends", typed.text("ends")) if typed.text("ends").strip() else None
        typed.finish()
        consultants.add_exception(session, mine, day, starts=starts, ends=ends, note=typed.text("note"))

    return _act(consultant_id, keep, "These hours hold on that day.", part="exceptions")


@staff.post("/consulting/consultants/<int:consultant_id>/exceptions/<int:exception_id>/remove")
@needs(may.keep_hours)
def remove_exception(consultant_id: int, exception_id: int) -> ResponseReturnValue:
    """Let the weekly hours hold on that day again."""

    def keep(session: Session, mine: Consultant) -> None:
        consultants.remove_exception(session, mine, exception_id)

    return _act(consultant_id, keep, "The weekly hours hold on that day again.", part="exceptions")


@staff.post("/consulting/consultants/<int:consultant_id>/leave")
@needs(may.keep_hours)
def take_leave(consultant_id: int) -> ResponseReturnValue:
    """Take time off. What stands in that time is shown first, and one may do it all the same with a reason."""
    typed = Typed(request.form)

    def keep(session: Session, mine: Consultant) -> None:
        starts, ends = typed.clock("leave_from"), typed.clock("leave_until")
        typed.finish()
        consultants.take_leave(
            session,
            mine,
            starts_at=place_in_time(starts, mine.zone, field="leave_from"),
            ends_at=place_in_time(ends, mine.zone, field="leave_until"),
            label=typed.text("label"),
            override_reason=reason_typed(),
            now=now(),
        )

    try:
        return _act(consultant_id, keep, "The leave is taken.", part="leave", why=why_typed())
    except Taken as taken:
        reading().expire_all()
        mine = _consultant(reading(), consultant_id)
        return taken_page(
            [one.sentence(mine.zone) for one in taken.clashes],
            section="Consulting",
            back=url_for("staff.availability", consultant_id=consultant_id),
            hint="Stands beside the leave. What is in the way stays: move or cancel it yourself.",
        )


@staff.post("/consulting/consultants/<int:consultant_id>/leave/end")
@needs(may.keep_hours)
def end_leave(consultant_id: int) -> ResponseReturnValue:
    """Give the time of a leave back."""

    def keep(session: Session, mine: Consultant) -> None:
        consultants.end_leave(session, mine, request.form.get("holder", "")[:80])

    return _act(consultant_id, keep, "The leave is given back.", part="leave")


@staff.post("/consulting/consultants/<int:consultant_id>/calendar")
@needs(may.keep_hours)
def set_calendar(consultant_id: int) -> ResponseReturnValue:
    """Subscribe to the consultant's own calendar, or give it up."""
    url = request.form.get("busy_url", "")

    def keep(session: Session, mine: Consultant) -> None:
        consultants.set_busy_url(session, mine, url, now=now())

    told = "The calendar is read within a few minutes." if url.strip() else "No calendar is read any more."
    return _act(consultant_id, keep, told, part="calendar")


@staff.post("/consulting/consultants/<int:consultant_id>/feed")
@needs(may.keep_hours)
def renew_feed(consultant_id: int) -> ResponseReturnValue:
    """Give the private feed another address; the old one shows nothing from now on."""

    def keep(session: Session, mine: Consultant) -> None:
        consultants.renew_feed_secret(session, mine)

    return _act(consultant_id, keep, "The feed has a new address. The old one shows nothing any more.", part="feed")


def _act(
    consultant_id: int,
    keep: Callable[[Session, Consultant], None],
    told: str,
    *,
    part: str = "hours",
    hours: Sequence[Mapping[str, str]] | None = None,
    why: str = "",
) -> ResponseReturnValue:
    """One change, told; or the page with what was wrong. Lets Taken through: only leave can clash."""
    try:
        with acting(why) as session:
            keep(session, _consultant(session, consultant_id))
    except Taken:
        raise
    except Refusal as refusal:
        reading().expire_all()
        errors = rows.named(errors_of(refusal), HOURS, "hours", ("starts",))
        errors = {"leave_until" if name == "ends_at" else name: sentence for name, sentence in errors.items()}
        mine = _consultant(reading(), consultant_id)
        return _page(mine, hours=hours, errors=errors, typed=request.form), status_of(refusal)
    flash(told)
    return redirect(url_for("staff.availability", consultant_id=consultant_id) + f"#{part}", 303)


def _consultant(session: Session, consultant_id: int) -> Consultant:
    return whose.the_consultant(session, consultant_id, others=may.change_consulting)


def _stretch(typed: Typed, number: int, row: Mapping[str, str]) -> Stretch:
    weekday = row["weekday"]
    if weekday not in {str(one) for one in range(7)}:
        typed.wrong(f"hours-{number}-weekday", "Please choose a day of the week.")
    starts = _clock(typed, f"hours-{number}-starts", row["starts"])
    ends = _clock(typed, f"hours-{number}-ends", row["ends"])
    zone = row["zone"].strip()
    if zone and zone not in zone_names():
        typed.wrong(f"hours-{number}-zone", "Please choose a time zone from the list, or leave this empty.")
    return Stretch(int(weekday) if weekday.isdecimal() else 0, starts, ends, zone)


def _clock(typed: Typed, name: str, text: str) -> time:
    """A time of day as browsers send it; 24:00 is the end of the day."""
    text = text.strip()
    if text == "24:00":
        return MIDNIGHT
    try:
        return datetime.strptime(text[:5], "%H:%M").time()
    except ValueError:
        typed.wrong(name, "Please give a time such as 09:00.")
        return MIDNIGHT


def _page(
    mine: Consultant,
    *,
    hours: Sequence[Mapping[str, str]] | None = None,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> str:
    session, instant = reading(), now()
    if hours is None:
        hours = [
            {"weekday": str(one.weekday), "starts": f"{one.starts:%H:%M}", "ends": f"{one.ends:%H:%M}", "zone": one.zone}
            for one in mine.hours
        ]
    today = words.local(instant, mine.zone).date()
    leaves = queries.leaves(session, mine, since=instant, until=FAR, now=instant)
    return page(
        "consulting/availability.html",
        section="Consulting",
        consultant=mine,
        own=mine.user_id == the_user().id,
        hours=hours,
        weekdays=[(str(number), name) for number, name in enumerate(WEEKDAYS)],
        zones=sorted(zone_names()),
        exceptions=[(one, _hours_in_words(one.starts, one.ends)) for one in mine.exceptions if one.day >= today],
        leaves=leaves,
        feed=f"{joined().settings.base_url}/calendars/consultants/{mine.feed_secret}.ics",
        errors=errors or {},
        typed=typed or {},
        **_preview(session, mine, instant),
    )


def _preview(session: Session, mine: Consultant, instant: datetime) -> dict[str, Any]:
    """A week of the slots of the offering that the address names, else of the first that this consultant delivers."""
    theirs: list[Offering] = [
        one
        for one in queries.every_offering(session)
        if one.state != "archived" and any(length.offered for length in one.lengths) and mine.id in {each.id for each in one.consultants}
    ]
    wanted = positive(request.args.get("offering"))
    chosen = next((one for one in theirs if one.id == wanted), theirs[0] if theirs else None)
    monday = monday_asked(mine.zone)
    first, last = bounds(monday, mine.zone)
    lengths = [one for one in chosen.lengths if one.offered] if chosen else []
    length = next((one for one in lengths if one.minutes == positive(request.args.get("length"))), lengths[0] if lengths else None)
    days: dict[date, list[str]] = {}
    if chosen is not None and length is not None:
        for slot in queries.slots_of(session, chosen, length, consultants=[mine.id], since=first, until=last, now=instant):
            here = words.local(slot.starts_at, mine.zone)
            days.setdefault(here.date(), []).append(words.clock_time(here))
    return {
        "previewed": chosen,
        "length": length,
        "offered": theirs,
        "days": days,
        "monday": monday,
        "before": monday - WEEK,
        "after": monday + WEEK,
    }


def _hours_in_words(starts: time | None, ends: time | None) -> str:
    if starts is None or ends is None:
        return "Not at work"
    return f"{starts:%H:%M} to midnight" if ends == MIDNIGHT else f"{starts:%H:%M} to {ends:%H:%M}"
