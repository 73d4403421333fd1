"""Numbers that are none, in every field that counts or costs: refused beside the field, and nothing is changed."""

from __future__ import annotations

import pytest

from tests.factories.desk import token_of
from tests.web.attacks.markup import forms_of
from tests.web.attacks.target import Target

NO_NUMBERS = (
    "-1",
    "1e9",
    "1.5",
    "abc",
    "٣",
    "²",
    "1e400",
    "NaN",
    "Infinity",
    "0x10",
    "1_0",
    "1 0",
    "+1",
    "--1",
    "1;2",
    "9" * 400,
    "²³",
    "1,5,0.0",
)
PLACES = ("/staff/seats/{quota}", "size"), ("/staff/tickets/{ticket}", "most_per_order"), ("/staff/refund-rules/{policy}", "days_before")
COSTS = ("/staff/tickets/{ticket}", "price"), ("/staff/refund-rules/{policy}", "fee"), ("/staff/tickets/{ticket}", "early_price")


@pytest.mark.parametrize("typed", NO_NUMBERS, ids=lambda typed: ascii(typed[:12]))
def test_what_is_no_number_of_seats_changes_nothing(target: Target, typed: str) -> None:
    visitor, ids, address = target.app.test_client(), target.ids, f"/events/{target.ids['reference']}"
    token = token_of(visitor, address)
    desk = {"csrf_token": target.token("admin"), "ticket": str(ids["ticket"]), "name": "Anna", "mail": "anna@x.example", "self": "1"}
    before = target.holdings()

    held = visitor.post(f"{address}/hold", data={"csrf_token": token, f"places-{ids['ticket']}": typed})
    placed = target.as_("admin").post(f"/staff/events/{ids['event']}/register", data=desk | {"places": typed})
    kept = [refused(target, path, field, typed) for path, field in PLACES]

    assert (held.status_code, placed.status_code, kept) == (422, 422, [422] * len(PLACES))
    assert "is no number of seats" in held.text and 'role="alert"' in placed.text
    assert target.holdings() == before


@pytest.mark.parametrize(
    "typed",
    [*(one for one in NO_NUMBERS if one != "1.5"), "1190,00", "1.190,00", "1,19", ",5", "5,", "1.555", "$5"],
    ids=lambda typed: ascii(typed[:12]),
)
def test_what_is_no_amount_changes_nothing(target: Target, typed: str) -> None:
    target.token("admin")
    before = target.holdings()

    assert [refused(target, path, field, typed) for path, field in COSTS] == [422] * len(COSTS)
    assert target.holdings() == before


def refused(target: Target, path: str, field: str, typed: str) -> int:
    admin, path = target.as_("admin"), path.format(**target.ids)
    form = next(form for form in forms_of(admin.get(path).text) if form.method == "post" and form.action in ("", path))
    data: dict[str, list[str]] = {}
    for name, value in form.sent:
        data.setdefault(name, []).append(value)
    return int(admin.post(path, data=data | {field: [typed]}).status_code)


def test_a_field_sent_twice_counts_once(target: Target) -> None:
    visitor, ids, address = target.app.test_client(), target.ids, f"/events/{target.ids['reference']}"
    token = token_of(visitor, address)

    visitor.post(f"{address}/hold", data={"csrf_token": token, f"places-{ids['ticket']}": ["1", "20", "-1"]})
    page = visitor.get("/checkout").text

    assert "1 × " in page and "20 ×" not in page


@pytest.mark.parametrize(
    "slipped",
    [{"total": "0"}, {"total": "1"}, {"total": "-119000"}, {"total": "1e400"}, {"total": "٣"}, {"total": ""}],
    ids=lambda slipped: ascii(slipped["total"]),
)
def test_a_total_that_was_not_shown_orders_nothing(target: Target, slipped: dict[str, str]) -> None:
    visitor, data = checkout(target)
    before = target.holdings()

    answer = visitor.post("/checkout", data=data | slipped)

    assert answer.status_code == 409 and "$1,190.00" in answer.text
    assert target.holdings() == before


def test_prices_and_states_in_hidden_fields_are_not_read(target: Target) -> None:
    visitor, data = checkout(target)
    worth_having = {
        "price": "1", "net": "1", "tax": "0", "currency": "JPY", "state": "paid", "paid_at": "2027-01-01", "discount": "118900", "id": "1",
        "comp": "1", "comp_reason": "because", "channel": "desk", "number": "NC-1", "secret": "a" * 26, "cart_id": "1",
    }  # fmt: skip

    placed = visitor.post("/checkout", data=data | worth_having)
    page = visitor.get(placed.headers["Location"]).text

    assert placed.status_code == 303 and "a" * 26 not in placed.headers["Location"]
    assert "$1,190.00" in page and "Waiting for" in page


def checkout(target: Target):  # type: ignore[no-untyped-def]
    visitor, address = target.app.test_client(), f"/events/{target.ids['reference']}"
    visitor.post(f"{address}/hold", data={"csrf_token": token_of(visitor, address), f"places-{target.ids['ticket']}": "1"})
    form = next(form for form in forms_of(visitor.get("/checkout").text) if form.action == "/checkout")
    return visitor, dict(form.sent) | {"name": "Anna", "mail": "anna@x.example", "self": "1", "act": "order"}
