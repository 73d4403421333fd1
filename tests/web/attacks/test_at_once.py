"""The same button pressed many times at the same moment has the effect of one press."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from seminars.catalog.models import Quota
from seminars.db import db
from seminars.ledger.models import JournalEntry
from seminars.messages.models import Message
from seminars.orders.models import Order
from seminars.payments.models import PaymentAttempt, Refund
from seminars.registration.models import Registration
from tests.factories import desk as factory
from tests.web.attacks.markup import forms_of
from tests.web.attacks.target import Target

TOGETHER = 10
ANNA = {"name": "Anna Vestergren", "mail": "anna@quillhaven.example", "self": "1", "act": "order"}


def press_together(clients: list[FlaskClient], path: str, data: dict[str, str]) -> list[TestResponse]:
    ready = Barrier(len(clients))

    def press(client: FlaskClient) -> TestResponse:
        ready.wait()
        return client.post(path, data=data)

    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(press, clients))


def same_browser(target: Target, client: FlaskClient, *names: str) -> list[FlaskClient]:
    """The same browser's tabs, each with its own connection."""
    tabs = []
    for _ in range(TOGETHER):
        tab = target.app.test_client()
        for name in names:
            cookie = client.get_cookie(name)
            assert cookie is not None
            tab.set_cookie(name, cookie.value)
        tabs.append(tab)
    return tabs


def counted(target: Target, *models: type) -> list[int]:
    with target.app.app_context():
        found = [db.session.scalar(select(func.count()).select_from(model)) or 0 for model in models]
        db.session.remove()
    return found


@pytest.mark.parametrize("ticket", ["ticket", "free"])
def test_ten_presses_of_register_place_one_order(target: Target, ticket: str) -> None:
    number = target.ids["ticket"] + (ticket == "free")
    visitor, address = target.app.test_client(), f"/events/{target.ids['reference']}"
    token = factory.token_of(visitor, address)
    visitor.post(f"{address}/hold", data={"csrf_token": token, f"places-{number}": "2"})
    page = visitor.get("/checkout").text
    form = next(form for form in forms_of(page) if form.action == "/checkout")
    data = dict(form.sent) | ANNA | {"p2-later": "1"}
    orders, seats, attempts = counted(target, Order, Registration, PaymentAttempt)

    answers = press_together(same_browser(target, visitor, "cart", "seminars"), "/checkout", data)

    assert {answer.status_code for answer in answers} == {303}, [answer.text for answer in answers if answer.status_code != 303][:1]
    assert len({answer.headers["Location"].split("?")[0] for answer in answers}) == 1
    assert counted(target, Order, Registration, PaymentAttempt) == [orders + 1, seats + 2, attempts + (ticket == "ticket")]


def test_ten_presses_of_cancel_cancel_once_and_promise_one_refund(target: Target) -> None:
    with target.app.app_context():
        from seminars.catalog.models import Event

        event = db.session.get_one(Event, target.ids["event"])
        order = factory.an_order(target.desk, event, ("Ben", "ben@ostervik.example"), ("Cleo", "cleo@ostervik.example"), ticket=0)
        factory.pay(target.desk, db.session.get_one(Order, order.id))
        seat, quota = order.lines[0].registration_id, db.session.get_one(Quota, target.ids["quota"])
        number, taken = order.id, quota.taken
        db.session.remove()
    desk = target.as_("front_desk")
    plan = desk.get(f"/staff/orders/{number}/cancel?seat={seat}&refund=1").text
    form = next(form for form in forms_of(plan) if form.method == "post" and "cancel" in form.action)
    refunds, entries, mails = counted(target, Refund, JournalEntry, Message)

    answers = press_together(same_browser(target, desk, "seminars"), f"/staff/orders/{number}/cancel", dict(form.sent) | {"reason": "ill"})

    # Who comes too late is led to the order, which says that nothing was cancelled by this press.
    assert {answer.status_code for answer in answers} == {303}
    assert counted(target, Refund)[0] == refunds + 1 and counted(target, JournalEntry)[0] > entries
    with target.app.app_context():
        assert db.session.scalar(select(Quota.taken).where(Quota.id == target.ids["quota"])) == taken - 1
        db.session.remove()
    assert counted(target, Message)[0] - mails <= 4


def test_ten_presses_of_call_off_free_the_seats_once(target: Target) -> None:
    with target.app.app_context():
        from seminars.catalog.models import Event

        taken = db.session.scalars(select(Quota.taken).where(Quota.id == target.ids["quota"])).one()
        order = factory.an_order(target.desk, db.session.get_one(Event, target.ids["event"]), ("Dag", "dag@ostervik.example"), ticket=0)
        number = order.id
        db.session.remove()
    desk = target.as_("front_desk")
    token = target.token("front_desk")

    answers = press_together(same_browser(target, desk, "seminars"), f"/staff/orders/{number}/call-off", {"csrf_token": token})

    assert all(answer.status_code in (303, 409) for answer in answers)
    with target.app.app_context():
        state = db.session.get_one(Order, number).state
        left = db.session.scalar(select(Quota.taken).where(Quota.id == target.ids["quota"]))
        db.session.remove()
    assert (state, left) in (("cancelled", taken), ("placed", taken + 1))


def test_a_hundred_wrong_passwords_at_once_pause_the_name(target: Target) -> None:
    clients = [target.app.test_client() for _ in range(12)]
    tokens = [factory.token_of(client, "/staff/sign-in") for client in clients]
    data = {"email": "consultant@northfield.example", "password": "not the right phrase"}

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda pair: pair[0].post("/staff/sign-in", data=data | {"csrf_token": pair[1]}), zip(clients, tokens, strict=True)))
    right = factory.sign_in(target.app.test_client(), "consultant@northfield.example")

    assert right.status_code == 200 and "pause" in right.text
