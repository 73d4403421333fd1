"""Every page opens for who may see it, with a little of everything behind it."""

import re
from pathlib import Path

from seminars.web.staff.messages import LETTERS
from tests.factories.desk import Desk

TEMPLATES = Path(__file__).resolve().parents[3] / "templates"

PAGES = (
    "/staff/",
    "/staff/search?q=residency",
    "/staff/search?q=NC",
    "/staff/search",
    "/staff/sign-ins",
    "/staff/second-factor",
    "/staff/password",
    "/staff/events",
    "/staff/events?when=all&q=resid",
    "/staff/events/new",
    "/staff/events/{event}",
    "/staff/events/{draft}",
    "/staff/events/{event}/edit",
    "/staff/events/{event}/copy",
    "/staff/events/{event}/sessions/new",
    "/staff/sessions/{session}",
    "/staff/events/{event}/tickets/new",
    "/staff/tickets/{ticket}",
    "/staff/events/{event}/seats/new",
    "/staff/seats/{quota}",
    "/staff/events/{event}/roster",
    "/staff/events/{event}/roster?state=all&q=arden",
    "/staff/events/{event}/register?places=2",
    "/staff/seminars",
    "/staff/seminars/{seminar}",
    "/staff/seminars/{seminar}/edit",
    "/staff/seminars/new",
    "/staff/speakers",
    "/staff/speakers/new",
    "/staff/speakers/{speaker}",
    "/staff/venues",
    "/staff/venues/new",
    "/staff/venues/{venue}",
    "/staff/refund-rules",
    "/staff/refund-rules/new",
    "/staff/refund-rules/{policy}",
    "/staff/codes",
    "/staff/codes/new",
    "/staff/codes/{code}",
    "/staff/import",
    "/staff/import/{run}",
    "/staff/orders",
    "/staff/orders?q=philippa&state=paid",
    "/staff/orders/{order}",
    "/staff/orders/{unpaid}",
    "/staff/orders/{order}/cancel?seat={seat}",
    "/staff/messages",
    "/staff/messages/{message}",
    "/staff/messages/{message}?view=text",
    "/staff/messages/{message}/letter",
    "/staff/people",
    "/staff/people/new",
    "/staff/people/{program}",
    "/staff/settings",
)
FINANCE = (
    "/staff/finance",
    "/staff/finance/payments",
    "/staff/finance/journal",
    "/staff/finance/accounts/2100",
    "/staff/finance/deferred",
    "/staff/finance?as_of=2027-01-01",
    "/staff/finance/payments?first=2027-01-01&role=surplus",
    "/staff/events/{event}",
    "/staff/orders/{order}",
)


def test_every_page_of_the_desk_opens(furnished: Desk) -> None:
    admin, finance = furnished.client("admin"), furnished.client("finance")
    wrong = []

    for client, paths in ((admin, PAGES), (finance, FINANCE)):
        for path in paths:
            answer = client.get(path.format(**furnished.ids))
            if answer.status_code != 200:
                wrong.append((path, answer.status_code, answer.headers.get("Location")))

    assert wrong == []


def test_every_kind_of_letter_has_a_name_at_the_desk() -> None:
    written = {str(folder.relative_to(TEMPLATES / "mail")) for folder in (TEMPLATES / "mail").glob("*/*")}

    assert set(LETTERS) == written
    assert len(set(LETTERS.values())) == len(LETTERS)


def test_what_is_wrong_with_a_form_is_said_by_us_beside_the_field_and_not_by_the_browser(furnished: Desk) -> None:
    admin = furnished.client("admin")

    by_the_browser = [
        (path, form[:120])
        for path in PAGES
        for form in re.findall(r"<form[^>]*>.*?</form>", admin.get(path.format(**furnished.ids)).text, re.DOTALL)
        if 'method="post"' in form and re.search(r"<(?:input|textarea|select)[^>]*(?: required|type=\"(?:email|url|number)\")", form)
        if "novalidate" not in form.partition(">")[0]
    ]

    assert by_the_browser == []
