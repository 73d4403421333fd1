"""Retainers at the desk: hours sold, logged, billed beyond."""

import re
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.consulting.models import Consultant
from seminars.engagements import hours, queries, statement, timesheets
from seminars.engagements import retainers as verbs
from seminars.engagements.models import Retainer
from seminars.engagements.retainers import RetainerFacts
from seminars.engagements.timesheets import Work
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.kit.refusals import Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff.door import Typed, acting, again, errors_of, page, positive, reading, staff

SPANS = re.compile(r"(?:(\d{1,5})(?::([0-5]\d))?|(\d{0,5})\.(\d{1,2}))\s*h?", re.ASCII)
HOURS = "Please type hours such as 2, 1:30 or 1.5."


@staff.get("/retainers")
@needs(may.see_engagements)
def retainers() -> ResponseReturnValue:
    """Retainers, newest first."""
    before = positive(request.args.get("before"))
    rows = queries.retainers_page(reading(), before=before)
    return page(
        "retainers/list.html",
        section="Engagements",
        rows=rows[: queries.PAGE],
        more=len(rows) > queries.PAGE,
        first=before is None,
        told=hours.told,
        left=verbs.left,
    )


@staff.get("/retainers/new")
@needs(may.write_proposals)
def new_retainer() -> ResponseReturnValue:
    """The form of a retainer to come."""
    typed = {"zone": joined().settings.center.zone, "hours": "10", "low_hours": "2"}
    return page("retainers/edit.html", typed=typed, errors={}, **_choices())


@staff.post("/retainers/new")
@needs(may.write_proposals)
def sell_retainer() -> ResponseReturnValue:
    """Sell hours; the way to pay goes out by mail."""
    typed, settings = Typed(request.form), joined().settings
    try:
        with acting("sold at the desk") as session:
            facts = _facts(typed, settings.center.currency)
            typed.finish()
            made = verbs.sell(session, facts, currency=settings.center.currency, letterhead=settings.letterhead, now=now())
    except Refusal as refusal:
        return again("retainers/edit.html", refusal, **_choices())
    flash(f"{made.number} is sold; the way to pay it goes out to {made.client_email}.")
    return redirect(url_for("staff.retainer", retainer_id=made.id), 303)


@staff.get("/retainers/<int:retainer_id>")
@needs(may.see_engagements)
def retainer(retainer_id: int) -> ResponseReturnValue:
    """One retainer with its statement, and the form to log time."""
    return _page(retainer_id, typed=_today())


@staff.post("/retainers/<int:retainer_id>/time")
@needs(may.log_time)
def log_time(retainer_id: int) -> ResponseReturnValue:
    """Log hours; the same form sent twice logs once."""
    typed = Typed(request.form)
    try:
        with acting("time logged") as session:
            found = queries.retainer_by_id(session, retainer_id)
            work = _work(session, typed, retainer_id)
            entry = timesheets.log_time(session, found, work, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        reading().expire_all()
        return _page(retainer_id, typed=request.form, errors=errors_of(refusal)), status_of(refusal)
    beyond = f", {hours.told(entry.minutes - entry.drawn)} of it beyond the retainer" if entry.drawn < entry.minutes else ""
    flash(f"{hours.told(entry.minutes)} are logged{beyond}.")
    return redirect(url_for("staff.retainer", retainer_id=retainer_id), 303)


@staff.post("/retainers/<int:retainer_id>/bill")
@needs(may.bill_time)
def bill_retainer(retainer_id: int) -> ResponseReturnValue:
    """Bill what was worked beyond the retainer."""
    try:
        with acting("billed beyond the retainer") as session:
            found = queries.retainer_by_id(session, retainer_id)
            order = timesheets.bill_unbilled(session, found, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        reading().expire_all()
        return _page(retainer_id, typed=_today(), errors=errors_of(refusal)), status_of(refusal)
    flash(f"Order {order.number} over {words.money(order.total_money)} is placed; its invoice goes out by mail.")
    return redirect(url_for("staff.retainer", retainer_id=retainer_id), 303)


@staff.get("/retainers/<int:retainer_id>/statement.csv")
@needs(may.see_engagements)
def retainer_csv(retainer_id: int) -> ResponseReturnValue:
    """The statement for a spreadsheet."""
    found = queries.retainer_by_id(reading(), retainer_id)
    lines = statement.csv_of(statement.entries_of(found, queries.logs_of(reading(), found)))
    return Response(lines, mimetype="text/csv", headers={"Content-Disposition": f'attachment; filename="{found.number}.csv"'})


def minutes_of(typed: Typed, name: str) -> int:
    """Hours as people type them: 2, 1:30, 1.5, 0.25 h; in minutes."""
    found = SPANS.fullmatch(typed.text(name).strip())
    if found is None:
        typed.wrong(name, HOURS)
        return 0
    whole, clock, of_point, hundredths = found.groups()
    if hundredths is None:
        return int(whole) * 60 + int(clock or 0)
    exact = int(of_point or 0) * 6000 + int(hundredths.ljust(2, "0")) * 60
    if exact % 100:
        typed.wrong(name, "This is no whole number of minutes. Please type it like 1:20.")
    return exact // 100


def _facts(typed: Typed, currency: str) -> RetainerFacts:
    return RetainerFacts(
        title=typed.text("title"),
        client_name=typed.text("client_name"),
        client_email=typed.text("client_email"),
        zone=typed.text("zone"),
        minutes=minutes_of(typed, "hours"),
        rate=typed.money("rate", currency).amount,
        low_minutes=minutes_of(typed, "low_hours") if typed.text("low_hours").strip() else 0,
        expires_on=typed.day("expires_on") if typed.text("expires_on").strip() else None,
        organisation=typed.text("organisation"),
        address=typed.text("address"),
        country=typed.text("country"),
        po_number=typed.text("po_number"),
    )


def _work(session: Session, typed: Typed, retainer_id: int) -> Work:
    """What the form says was worked. A consultant logs their own time only."""
    own = queries.consultant_of_user(session, the_user().id)
    consultant = own or session.get(Consultant, typed.choice("consultant") or 0)
    if consultant is None:
        typed.wrong("consultant", "Please choose who worked.")
    minutes, worked_on = minutes_of(typed, "hours"), typed.day("worked_on")
    typed.finish()
    assert consultant is not None
    key = f"retainer/{retainer_id}:{typed.text('key')[:40] or secret()}"
    return Work(key=key, consultant=consultant, worked_on=worked_on, minutes=minutes, note=typed.text("note"))


def _today() -> dict[str, Any]:
    return {"worked_on": words.local(now(), joined().settings.center.zone).date().isoformat()}


def _choices() -> dict[str, Any]:
    return {"section": "Engagements", "zones": sorted(zone_names()), "currency": joined().settings.center.currency}


def _page(retainer_id: int, *, typed: Any, errors: dict[str, str] | None = None) -> str:
    session = reading()
    found: Retainer = queries.retainer_by_id(session, retainer_id)
    entries = statement.entries_of(found, queries.logs_of(session, found))
    return page(
        "retainers/show.html",
        section="Engagements",
        retainer=found,
        entries=entries,
        left=verbs.left(found),
        told=hours.told,
        total=Money(verbs.price_of(found), found.currency),
        rate=Money(found.rate, found.currency),
        unbilled=Money(sum(one.amount.amount for one in entries if not one.billed), found.currency),
        own=queries.consultant_of_user(session, the_user().id),
        consultants=queries.choices(session).consultants,
        key=secret(),
        public=f"{joined().settings.base_url}/retainers/{found.secret}",
        typed=typed,
        errors=errors or {},
    )
