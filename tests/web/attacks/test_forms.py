"""Forms: none works without its token, looking changes nothing, and nothing is changed but what a form is for."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text

from seminars.db import Base, db
from tests.web.attacks.markup import forms_of
from tests.web.attacks.target import SAFE, Target

ROLES = (None, "admin", "finance")
# Signed by its sender instead (test_webhooks.py).
WITHOUT_TOKEN = {"hooks_stripe.receive"}


def unsafe(target: Target) -> Iterator[tuple[str, str, str]]:
    for rule in target.rules:
        for method in sorted((rule.methods or set()) - SAFE):
            yield method, target.path(rule), rule.endpoint


@pytest.mark.parametrize("role", [None, "admin"])
def test_nothing_changes_without_the_token_of_ones_own_session(target: Target, role: str | None) -> None:
    client, strange = target.as_(role), target.token("consultant")
    answers, before = {}, target.holdings()

    for method, path, endpoint in unsafe(target):
        if endpoint not in WITHOUT_TOKEN:
            for sent in ({}, {"csrf_token": strange}, {"csrf_token": "x"}):
                answer = client.open(path, method=method, data={**sent, "_method": "DELETE"})
                answers[f"{method} {path} {sent}"] = answer.status_code

    assert {path: status for path, status in answers.items() if status != 400} == {}
    assert len(answers) > 150
    assert target.holdings() == before


def test_no_method_but_those_of_the_page(target: Target) -> None:
    client, answers = target.as_(None), {}

    for rule in target.rules:
        for method in ("DELETE", "TRACE"):
            answers[f"{method} {rule.rule}"] = client.open(target.path(rule), method=method).status_code

    assert {path: status for path, status in answers.items() if status not in (400, 405)} == {}


@pytest.mark.parametrize("role", ROLES)
def test_looking_changes_nothing(target: Target, role: str | None) -> None:
    client = target.as_(role)
    pages = [rule for rule in target.pages() if rule.endpoint not in ("staff.roster_csv",)]  # taking the roster out is written down
    before, cookie = target.holdings(), client.get_cookie("seminars")

    for rule in pages:
        client.get(target.path(rule))

    assert target.holdings() == before
    if role:
        assert client.get_cookie("seminars") == cookie and client.get("/staff/").status_code == 200


# What follows from any change of an event, and who did what when.
FOLLOWS = {"audit_entries", "browser_sessions", "listings", "time_claims"}
OF_THE_FORM = {"version", "agreed", "act", "why", "csrf_token"}


def contents(target: Target) -> dict[str, list[str]]:
    with target.app.app_context(), db.engine.connect() as connection:
        return {
            table: list(connection.scalars(text(f"SELECT t::text FROM {table} t ORDER BY 1")))
            for table in Base.metadata.tables
            if table not in FOLLOWS
        }


def slipped_in() -> list[tuple[str, str]]:
    """Every column of every table, with a value that would be worth having."""
    columns = {column.name: column for table in Base.metadata.tables.values() for column in table.columns}
    values = {"state": "paid", "currency": "JPY", "starts_at": "2020-01-01T00:00", "ends_at": "2020-01-02T00:00", "currency_code": "JPY"}
    return [(name, values.get(name, "1")) for name in sorted(columns)]


EDITED = (
    ("admin", "/staff/events/{event}/edit"),
    ("admin", "/staff/sessions/{session}"),
    ("admin", "/staff/tickets/{ticket}"),
    ("admin", "/staff/seats/{quota}"),
    ("admin", "/staff/seminars/{seminar}/edit"),
    ("admin", "/staff/venues/{venue}"),
    ("admin", "/staff/speakers/{speaker}"),
    ("admin", "/staff/refund-rules/{policy}"),
    ("admin", "/staff/codes/{code}"),
    ("admin", "/staff/people/{consultant}"),
)


@pytest.mark.parametrize(("role", "path"), EDITED)
def test_a_form_changes_what_it_shows_and_no_other_column(target: Target, role: str, path: str) -> None:
    client, path = target.as_(role), path.format(**target.ids)
    form = next(form for form in forms_of(client.get(path).text) if form.method == "post" and form.action in ("", path))
    client.post(path, data=_many(form.sent))  # what the form itself makes of its own words, such as white space
    before, known = contents(target), {name for name, _ in form.sent} | OF_THE_FORM

    extra = [(name, value) for name, value in slipped_in() if name not in known and not _is_of(form.sent, name)]
    answer = client.post(path, data=_many([*form.sent, *extra]))

    assert answer.status_code == 303, answer.text
    assert contents(target) == before


def _is_of(sent: list[tuple[str, str]], name: str) -> bool:
    """Whether an untouched box of the form has that name: sending it is ticking it."""
    return name in {"all_day", "listed", "on_sale", "active", "self", "early_until", "early_price", "percent", "amount"}


def _many(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = {}
    for name, value in pairs:
        data.setdefault(name, []).append(value)
    return data
