"""Discount codes at the desk."""

from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.catalog.models import TicketType
from seminars.catalog.timing import place_in_time
from seminars.desk import programme as catalogue
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import Refusal
from seminars.orders import codes as verbs
from seminars.orders.codes import CodeFacts
from seminars.orders.models import DiscountCode
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import Typed, acting, again, page, positive, reading, staff


@staff.get("/codes")
@needs(may.change_programme)
def codes() -> ResponseReturnValue:
    """All codes and how often they were used."""
    return page("codes/list.html", section="Programme", codes=verbs.all_codes(reading()))


@staff.route("/codes/new", methods=["GET", "POST"])
@needs(may.change_programme)
def new_code() -> ResponseReturnValue:
    """Make a code."""
    return _edit(None)


@staff.route("/codes/<int:code_id>", methods=["GET", "POST"])
@needs(may.change_programme)
def edit_code(code_id: int) -> ResponseReturnValue:
    """Change a code for orders to come."""
    return _edit(verbs.code_by_id(reading(), code_id))


def _edit(code: DiscountCode | None) -> ResponseReturnValue:
    currency = joined().settings.center.currency
    facts = {
        "section": "Programme",
        "code": code,
        "currency": currency,
        "kinds": catalogue.ticket_types_coming(reading(), now=now()),
    }
    if request.method == "GET":
        return page("codes/edit.html", typed=_as_typed(code), errors={}, **facts)
    typed = Typed(request.form)
    try:
        with acting() as session:
            read = _facts(session, typed, currency)
            typed.finish()
            verbs.change(session, code, read) if code else verbs.create(session, read, currency=currency, now=now())
    except Refusal as refusal:
        return again("codes/edit.html", refusal, **facts)
    flash("Kept.")
    return redirect(url_for("staff.codes"), 303)


def _facts(session: Session, typed: Typed, currency: str) -> CodeFacts:
    zone = joined().settings.center.zone
    chosen = [session.get(TicketType, number) for text in request.form.getlist("ticket_types") if (number := positive(text))]
    if any(one is None for one in chosen):
        typed.wrong("ticket_types", "Please choose from the list.")
    return CodeFacts(
        code=typed.text("code"),
        percent=typed.whole("percent", low=1, high=100) if typed.text("percent").strip() else None,
        amount=typed.some_money("amount", currency),
        most=typed.whole("most", low=1, high=verbs.MOST_USES) if typed.text("most").strip() else verbs.MOST_USES,
        starts_at=place_in_time(typed.clock("starts_at"), zone, field="starts_at") if typed.text("starts_at").strip() else None,
        ends_at=place_in_time(typed.clock("ends_at"), zone, field="ends_at") if typed.text("ends_at").strip() else None,
        active=typed.ticked("active"),
        ticket_types=[one for one in chosen if one is not None],
    )


def _as_typed(code: DiscountCode | None) -> dict[str, Any]:
    if code is None:
        return {"active": True, "ticket_types": []}
    zone = joined().settings.center.zone
    return {
        "code": code.code,
        "percent": code.percent,
        "amount": words.amount(Money(code.amount, code.currency)) if code.amount else "",
        "most": code.most if code.most < verbs.MOST_USES else "",
        "starts_at": f"{words.local(code.starts_at, zone):%Y-%m-%dT%H:%M}" if code.starts_at else "",
        "ends_at": f"{words.local(code.ends_at, zone):%Y-%m-%dT%H:%M}" if code.ends_at else "",
        "active": code.active,
        "ticket_types": [one.id for one in code.ticket_types],
    }
