"""Whatever stands in an address, the answer is a page, a way to sign in, or a refusal; never a failure of ours."""

import random
from typing import Any

import pytest
from werkzeug.routing import IntegerConverter, Rule

from tests.web.attacks.target import Target, broken

HOSTILE = (
    "",
    "garbage",
    "0",
    "-1",
    "1e9",
    "1000000000",
    "9" * 18,
    str(2**63 - 1),
    str(2**63),
    "9" * 40,
    "1.5",
    "٣",
    "²",
    "9999-99-99",
    "9999-12-31",
    "0001-01-01",
    "\x00",
    "a\x00b",
    "\r\nSet-Cookie: a=b",
    "' OR 1=1 --",
    "\\",
    "%",
    "%%%s%d",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "\u202e\u2066",
    "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "a" * 5_000,
    "//evil.example",
    "session/" + "9" * 30,
    "order/٣",
    "event/-1",
    "order/1/../2",
    "()[]{}<>:*&|!'\"",
)
PARAMETERS = (
    "about", "after", "as_of", "before", "currency", "dimension", "first", "from", "kind", "last", "month", "name", "next", "outcome",
    "page", "places", "preview", "price", "q", "refund", "review", "role", "seat", "seminar", "session_id", "state", "ticket", "tz", "view",
    "city", "format", "topic",
)  # fmt: skip


def ask(target: Target, role: str | None, path: str, query: Any) -> list[str]:
    try:
        answer = target.as_(role).get(path, query_string=query)
    except Exception as failure:
        return [f"{path} {str(query)[:200]} as {role}: {type(failure).__name__} {str(failure)[:120]}"]
    return [f"{path} {str(query)[:200]} as {role}: {answer.status_code}"] if broken(answer) else []


READ_THEIR_QUERY = {
    "programme.show", "feeds.programme_ics", "events.show", "feeds.event_ics", "orders.thanks", "staff.today", "staff.search",
    "staff.programme", "staff.new_event", "staff.roster", "staff.roster_csv", "staff.register_people", "staff.orders",
    "staff.plan_cancellation", "staff.messages", "staff.message", "staff.people", "staff.import_run", "staff.finance", "staff.payments",
    "staff.journal", "staff.account", "staff.deferred", "security.login", "security.verify",
}  # fmt: skip


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value[:20]))
def test_no_parameter_breaks_a_page(target: Target, value: str) -> None:
    found: list[str] = []

    for rule in target.pages():
        if rule.endpoint in READ_THEIR_QUERY:
            found += ask(target, reader_of(rule), target.path(rule), dict.fromkeys(PARAMETERS, value))

    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", range(4))
def test_no_mixture_of_parameters_breaks_a_page(target: Target, seed: int) -> None:
    dice, found = random.Random(seed), []

    for rule in target.pages():
        query = [(dice.choice(PARAMETERS), dice.choice(HOSTILE)) for _ in range(12)]
        found += ask(target, dice.choice((reader_of(rule), None)), target.path(rule), query)

    assert not found, "\n".join(found)


NUMBERS = (2**31, 10**18, 2**63)
TEXTS = ("..%2f..%2fetc", "a\x00b", "\u202e", "٣", "a" * 3_000, "'", "%", "invoice/٣", "invoice/" + "9" * 40, "invoice/1 OR 1=1", "//")


def test_no_id_breaks_a_page_or_a_form(target: Target) -> None:
    found: list[str] = []

    for rule in (rule for rule in target.rules if rule.arguments):
        role = reader_of(rule)
        for name in rule.arguments:
            for value in NUMBERS if isinstance(rule._converters[name], IntegerConverter) else TEXTS:
                path = target.path(rule, **{name: value})
                if "GET" in (rule.methods or ()):
                    found += ask(target, role, path, {})
                if "POST" in (rule.methods or ()):
                    found += send(target, role, path)

    assert not found, "\n".join(found)


def test_a_stray_link_to_the_page_of_the_code_signs_nobody_out(target: Target) -> None:
    client = target.as_("front_desk")

    answer = client.get("/staff/sign-in/code")

    assert (answer.status_code, answer.headers["Location"]) == (302, "/staff/")
    assert client.get("/staff/").status_code == 200


def send(target: Target, role: str | None, path: str) -> list[str]:
    try:
        answer = target.as_(role).post(path, data={"csrf_token": tokens(target, role)})
    except Exception as failure:
        return [f"POST {path[:200]} as {role}: {type(failure).__name__} {str(failure)[:120]}"]
    return [f"POST {path[:200]} as {role}: {answer.status_code}"] if broken(answer) else []


def tokens(target: Target, role: str | None) -> str:
    kept: dict[str | None, str] = vars(target).setdefault("_tokens", {})
    if role not in kept:
        kept[role] = target.token(role)
    return kept[role]


def reader_of(rule: Rule) -> str | None:
    if not rule.rule.startswith("/staff"):
        return None
    return "finance" if "/finance" in rule.rule else "admin"
