"""Links with secrets: long enough, each for its own thing, and for nothing that can be counted."""

from __future__ import annotations

import math

import pytest
from sqlalchemy import select

from seminars.db import db
from seminars.invoices.models import Invoice
from seminars.kit import references
from seminars.orders.models import Order
from seminars.registration.models import Registration
from tests.factories import desk as factory
from tests.web.attacks.target import Target


@pytest.fixture(scope="module")
def two_orders(target: Target) -> dict[str, str]:
    """Two paid orders, their registrations and invoices."""
    found: dict[str, str] = {}
    with target.app.app_context():
        from seminars.catalog.models import Event

        event = db.session.get_one(Event, target.ids["event"])
        for whose, mail in (("anna", "anna@quillhaven.example"), ("ben", "ben@ostervik.example")):
            order = factory.an_order(target.desk, event, (whose.title(), mail), ticket=0)
            factory.pay(target.desk, db.session.get_one(Order, order.id))
            seat = db.session.scalars(select(Registration).where(Registration.order_reference == order.reference)).one()
            paper = db.session.scalars(select(Invoice).where(Invoice.order_id == order.id)).one()
            found |= {
                whose: order.secret,
                f"{whose}s seat": seat.secret,
                f"{whose}s invoice": str(paper.id),
                f"{whose}s order": str(order.id),
            }
        db.session.remove()
    return found


def test_a_secret_has_128_bits_of_chance_and_no_two_are_alike() -> None:
    made = [references.secret() for _ in range(2_000)]

    signs = set("".join(made))
    assert len(set(made)) == 2_000
    assert {len(one) for one in made} == {26} and 26 * math.log2(len(signs)) >= 128


def test_a_secret_opens_its_own_thing_and_nothing_else(target: Target, two_orders: dict[str, str]) -> None:
    anna, ben, seat = two_orders["anna"], two_orders["ben"], two_orders["annas seat"]
    paper = two_orders["bens invoice"]
    paths = {
        f"/orders/{seat}", f"/orders/{seat}/calendar.ics", f"/registrations/{anna}", f"/registrations/{anna}/calendar.ics",
        f"/registrations/{ben}", f"/orders/{anna}/documents/invoice/{paper}", f"/orders/{anna}/documents/credit_note/{paper}",
        f"/orders/{anna}/documents/order/{paper}", f"/orders/{anna}/documents/invoice/0", f"/orders/{two_orders['annas order']}",
        f"/registrations/{two_orders['annas order']}", f"/staff/documents/invoice/{paper}",
    }  # fmt: skip

    answers = {path: target.as_(None).get(path).status_code for path in paths}

    assert {path: status for path, status in answers.items() if status != 404} == {f"/staff/documents/invoice/{paper}": 302}
    assert target.as_(None).get(f"/orders/{anna}").status_code == target.as_(None).get(f"/registrations/{seat}").status_code == 200


def test_a_secret_that_is_a_sign_off_opens_nothing(target: Target, two_orders: dict[str, str]) -> None:
    secret, visitor = two_orders["anna"], target.as_(None)
    near = {secret[:at] + ("a" if secret[at] != "a" else "b") + secret[at + 1 :] for at in range(len(secret))}
    near |= {
        secret[:-1],
        secret + "a",
        secret.upper(),
        secret + "%20",
        "%20" + secret,
        secret + "%00",
        "%",
        "_" * 26,
        "%25" * 26,
        secret + "a" * 40,
    }

    assert {visitor.get(f"/orders/{one}").status_code for one in near} <= {400, 404}


def test_forms_of_an_order_belong_to_its_secret(target: Target, two_orders: dict[str, str]) -> None:
    visitor, token = target.as_(None), target.token(None)
    before = target.holdings()

    answers = [
        visitor.post(f"/orders/{secret}/{what}", data={"csrf_token": token, "name": "Eve", "mail": "eve@evil.example"}).status_code
        for secret in (two_orders["annas seat"], "a" * 26)
        for what in ("pay", "seats/1", "seats/0", "seats/99")
    ]
    taken = visitor.post(f"/orders/{two_orders['anna']}/seats/1", data={"csrf_token": token, "name": "Eve", "mail": "eve@evil.example"})
    paid = visitor.post(f"/orders/{two_orders['anna']}/pay", data={"csrf_token": token})

    assert answers == [404] * 8
    assert (taken.status_code, paid.status_code) == (409, 409)
    assert target.holdings() == before


def test_another_orders_payment_page_settles_nothing(target: Target, two_orders: dict[str, str]) -> None:
    before = target.holdings()
    with target.app.app_context():
        unpaid = db.session.get_one(Order, target.ids["unpaid"]).secret
        db.session.remove()

    answers = [
        target.as_(None).get(f"/orders/{unpaid}/thanks", query_string=query).status_code
        for query in (
            {"session_id": f"cs_test_{two_orders['annas order']}"},
            {"session_id": ["", "cs_test_x"]},
            {"session_id": "../" * 9},
            {},
        )
    ]

    assert answers == [200] * 4 and target.holdings() == before


def test_a_draft_stays_shut_to_other_previews(target: Target) -> None:
    from seminars.catalog.models import Event

    with target.app.app_context():
        draft, other = db.session.get_one(Event, target.ids["draft"]), db.session.get_one(Event, target.ids["event"])
        address, right, wrong = draft.reference, draft.preview_secret, other.preview_secret
        db.session.remove()
    visitor = target.as_(None)

    shut = [
        visitor.get(f"/events/{address}{end}").status_code for end in (".ics", f"?preview={wrong}", f".ics?preview={wrong}", "?preview=é")
    ]
    held = visitor.post(
        f"/events/{address}/hold?preview={right}", data={"csrf_token": target.token(None), f"places-{target.ids['draft_ticket']}": "1"}
    )

    assert shut == [404] * 4 and visitor.get(f"/events/{address}?preview={right}").status_code == 200
    assert held.status_code == 409
