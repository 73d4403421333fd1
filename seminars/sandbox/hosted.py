"""The hosted payment page: what the payer sees between the shop and the thank-you page."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from seminars.sandbox import instruments, money, sessions, upcoming
from seminars.sandbox.delivery import PATIENCE, Courier
from seminars.sandbox.instruments import Instrument
from seminars.sandbox.intents import Payer
from seminars.sandbox.sessions import Outcome
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act, World

METHOD_NAMES = {"card": "Card", "us_bank_account": "US bank account", "sepa_debit": "SEPA direct debit"}
SUBMIT = {"book": "Book", "donate": "Donate", "subscribe": "Subscribe"}
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
UNKNOWN_CARD = "This card number is not one of the test cards. Choose one from the list of test cards."
UNKNOWN_ACCOUNT = "This account is not one of the test accounts. Choose one from the list of test accounts."


@dataclass
class Form:
    """What was typed, and what is wrong with it by field."""

    values: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)
    payer: Payer | None = None
    instrument: Instrument | None = None


def pages(world: World, courier: Courier) -> Blueprint:
    """The blueprint of the payer's pages."""
    door = Blueprint("hosted", __name__)

    @door.after_request
    def harden(response: Response) -> Response:
        # No form-action here: Chromium would apply it to the redirect to the shop as well.
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        return response

    @door.get("/c/pay/<id_>")
    def show(id_: str) -> str | AnyResponse:
        session, _ = _look(world, id_)
        return _page(world, session, Form(_blank(session)))

    @door.post("/c/pay/<id_>")
    def pay(id_: str) -> str | AnyResponse | tuple[str, int]:
        session, act = _look(world, id_)
        if session["status"] != "open":
            return _page(world, session, Form(_blank(session)))
        form = read_form(session, dict(request.form.items()), now=act.now)
        if form.faults or form.payer is None:
            return _page(world, session, form), 422
        with world.acting() as now:
            fresh = now.store.get(id_)
            assert fresh is not None
            if fresh["status"] != "open":
                outcome = Outcome(fresh)
            elif form.instrument is None:
                outcome = sessions.take_nothing(now, fresh, form.payer)
            else:
                outcome = sessions.pay(now, fresh, form.instrument, form.payer)
            _reserve(world, outcome.session)
        if outcome.asked:
            return redirect(f"/c/pay/{id_}/authenticate", 303)
        return _after(world, courier, outcome, form)

    @door.get("/c/pay/<id_>/authenticate")
    def question(id_: str) -> str | AnyResponse:
        session, act = _look(world, id_)
        if session["status"] != "open" or not sessions.asked(act, session):
            return redirect(f"/c/pay/{id_}", 303)
        return render_template("authenticate.html", session=session, total=_total(session), shop=_shop(session))

    @door.post("/c/pay/<id_>/authenticate")
    def answer(id_: str) -> str | AnyResponse | tuple[str, int]:
        passed = request.form.get("answer") == "complete"
        with world.acting() as now:
            session = now.store.get(id_, "checkout.session") or abort(404)
            if session["status"] != "open" or not sessions.asked(now, session):
                return redirect(f"/c/pay/{id_}", 303)
            outcome = sessions.authenticate(now, session, passed=passed)
            payer = now.store.hidden(id_)["payer"]
            _reserve(world, outcome.session)
        known = {name: payer[name] for name in ("email", "name")}
        return _after(world, courier, outcome, Form(_blank(outcome.session) | known))

    @door.get("/receipts/<id_>")
    def receipt(id_: str) -> str:
        charge = world.store.get(id_, "charge") or abort(404)
        return render_template("receipt.html", charge=charge, total=money.written(charge["amount"], charge["currency"]))

    return door


def read_form(session: Body, values: dict[str, str], *, now: int) -> Form:
    """The typed form, checked: who pays and with what, or what is wrong."""
    form = Form({**_blank(session), **values})
    email = session["customer_email"] or values.get("email", "").strip()
    name = values.get("name", "").strip()
    if not EMAIL.fullmatch(email):
        form.faults["email"] = "Enter an e-mail address, such as anna@example.org."
    if session["amount_total"] == 0:
        form.payer = Payer(email=email, name=name)
        return form
    if not name:
        form.faults["name"] = "Enter the name on the card or account."
    month, year = 12, 2034
    method = form.values["method"]
    if method not in session["payment_method_types"]:
        form.faults["method"] = "Choose one of the ways to pay."
    elif method == "card":
        form.instrument = instruments.card(values.get("card_number", ""))
        if form.instrument is None:
            form.faults["card_number"] = UNKNOWN_CARD
        month, year = _expiry(form, now)
        if not re.fullmatch(r"\d{3,4}", values.get("card_cvc", "").strip()):
            form.faults["card_cvc"] = "Enter the three or four digits of the security code; any will do."
    else:
        number = "account_number" if method == "us_bank_account" else "iban"
        form.instrument = instruments.debit(method, values.get(number, ""), values.get("routing_number", ""))
        if form.instrument is None:
            form.faults[number] = UNKNOWN_ACCOUNT
    form.payer = Payer(email=email, name=name, exp_month=month, exp_year=year)
    return form


def _expiry(form: Form, now: int) -> tuple[int, int]:
    matched = re.fullmatch(r"\s*(\d{1,2})\s*/\s*(?:20)?(\d{2})\s*", form.values.get("card_expiry", ""))
    today = datetime.fromtimestamp(now, UTC)
    if matched:
        month, year = int(matched[1]), 2000 + int(matched[2])
        if 1 <= month <= 12 and (year, month) >= (today.year, today.month):
            return month, year
    form.faults["card_expiry"] = "Enter a month and a year to come, such as 12 / 34."
    return 12, 2034


def _blank(session: Body) -> dict[str, str]:
    return {"email": session["customer_email"] or "", "method": session["payment_method_types"][0]}


def _look(world: World, id_: str) -> tuple[Body, Act]:
    with world.acting() as act:
        session = act.store.get(id_, "checkout.session") or abort(404)
        if session["status"] == "open" and session["expires_at"] <= act.now:
            sessions.lapse(act, id_)
            session = act.store.get(id_) or abort(404)
        return session, act


def _reserve(world: World, session: Body) -> None:
    """This request books the charge itself, after the shop was told; a killed process leaves it to the timekeeper."""
    if (charge := _charge_of(world, session)) is not None:
        world.reserved.add(charge)


def _charge_of(world: World, session: Body) -> str | None:
    intent = world.store.get(session["payment_intent"]) if session["payment_intent"] else None
    charge: str | None = intent["latest_charge"] if intent else None
    return charge


def _after(world: World, courier: Courier, outcome: Outcome, form: Form) -> str | AnyResponse | tuple[str, int]:
    """Tell the shop, wait for it ten seconds at most, book the fee, send the payer on. A refused payer may try again."""
    session = outcome.session
    if outcome.refusal is not None:
        form.faults["payment"] = outcome.refusal.message
        return _page(world, session, form), 402
    told = world.store.rows(
        "SELECT id FROM objects WHERE kind = 'event' AND json_extract(body, '$.type') = 'checkout.session.completed' "
        "AND json_extract(body, '$.data.object.id') = ?", (session["id"],),
    )  # fmt: skip
    courier.wait_for([row[0] for row in told], timeout=PATIENCE)
    if (charge := _charge_of(world, session)) is not None:
        world.reserved.discard(charge)
        upcoming.carry_out(world, charge)
    if session["status"] != "complete":
        return redirect(f"/c/pay/{session['id']}", 303)
    return redirect(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]), 303)


def _page(world: World, session: Body, form: Form) -> str:
    if session["status"] != "open":
        return render_template("closed.html", session=session, shop=_shop(session), total=_total(session))
    return render_template(
        "pay.html",
        session=session,
        shop=_shop(session),
        lines=[
            (
                item["description"],
                item["price"]["unit_amount"],
                item["quantity"],
                money.written(item["amount_total"], item["currency"]),
            )
            for item in sessions.lines(world.store, session["id"])
        ],
        total=_total(session),
        each=lambda amount: money.written(amount, session["currency"]),
        methods=[(name, METHOD_NAMES[name]) for name in session["payment_method_types"]],
        verb=SUBMIT.get(session["submit_type"] or "", "Pay"),
        form=form,
        cards=instruments.CARDS,
        debits=[one for one in instruments.DEBITS if one.method in session["payment_method_types"]],
        spaced=instruments.spaced,
        ends=datetime.fromtimestamp(session["expires_at"], UTC),
    )


def _shop(session: Body) -> str:
    name: str = session["branding_settings"]["display_name"]
    return name


def _total(session: Body) -> str:
    return money.written(session["amount_total"], session["currency"])
