"""Anna finds a residency, registers herself and a colleague, pays by card, and both have it in their calendars."""

from __future__ import annotations

import io

from icalendar import Calendar
from pypdf import PdfReader

from seminars.kit.format import NBSP
from tests.journeys import buying
from tests.journeys.people import person

ANNA, SAMIR = person("Anna Vestergren", "registers"), person("Samir Belhadj-Roux", "registers")
HOSPITAL, PO = "Quillhaven Regional Hospital", "QRH-2211"


def test_anna_registers_herself_and_a_colleague_and_both_are_invited(running_center, visiting):
    event = running_center.residency("rochester", early_for=30)
    with visiting() as anna:
        buying.find_event(anna, "social media rochester", "Social Media Residency", city="Rochester")
        the_day_can_be_saved(anna, event)
        buying.hold(anna, "Two days", 2)
        buying.say_who(anna, ANNA, [SAMIR], organisation=HOSPITAL, po=PO)
        buying.go_to_payment(anna, "$2,190.00")
        buying.pay(anna, "$2,190.00")

        anna.sees("Your people are registered")
        anna.reads("2 seats. Paid $2,190.00", SAMIR.name, f"Purchase order {PO}")
        both_are_invited(running_center, event)
        the_receipt_carries_the_invoice(running_center, anna)
        what_was_booked_can_be_saved(anna, event)


def the_day_can_be_saved(anna, event):
    saved = Calendar.from_ical(anna.fetch("Add to calendar"))

    assert [entry["DTSTART"].dt for entry in saved.walk("VEVENT")] == [at for at, _ in days_of(event)]


def both_are_invited(center, event):
    invited = {}
    for who in (ANNA, SAMIR):
        welcome = center.post.wait_for_subject(who.email, "You are registered")
        invited[who] = center.post.wait_for_calendar(who.email, "REQUEST", times=2)

        assert welcome.has_html
        assert "210 Second Street" in welcome.text
        assert {one.attendee for one in invited[who]} == {who.email}
        assert sorted((one.event["DTSTART"].dt, one.event["DTEND"].dt) for one in invited[who]) == days_of(event)
        assert {zone for one in invited[who] for zone in one.zones} == {"America/Chicago"}
        assert all(one.zones for one in invited[who])
    uids = [one.uid for entries in invited.values() for one in entries]
    assert len(set(uids)) == 4


def the_receipt_carries_the_invoice(center, anna):
    receipt = center.post.wait_for_subject(ANNA.email, "Receipt: invoice")
    ((name, document),) = receipt.pdfs().items()
    text = read(document)

    assert f"PO number: {PO}" in receipt.text
    assert PO in text and HOSPITAL in text and ANNA.name in text
    assert "$2,190.00" in text.replace(NBSP, " ")

    anna.page.reload()
    assert anna.fetch(f"Invoice {number_in(name)}") == document


def number_in(name: str) -> str:
    """«2027-0001» of «invoice-2027-0001.pdf»."""
    return name.removeprefix("invoice-").removesuffix(".pdf")


def what_was_booked_can_be_saved(anna, event):
    saved = Calendar.from_ical(anna.fetch("Add to calendar"))

    assert sorted((entry["DTSTART"].dt, entry["DTEND"].dt) for entry in saved.walk("VEVENT")) == days_of(event)


def days_of(event):
    """Beginning and end of each of its days."""
    return sorted((one.starts_at, one.ends_at) for one in event.sessions)


def read(document: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages).split())
