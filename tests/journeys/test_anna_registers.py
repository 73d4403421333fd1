"""Anna finds a residency, registers herself and a colleague, pays by card, and both have it in their calendars."""

from __future__ import annotations

import io

import pytest
from icalendar import Calendar
from pypdf import PdfReader

from seminars.kit.format import NBSP
from tests.journeys import buying
from tests.journeys.people import person

HOSPITAL, PO = "Quillhaven Regional Hospital", "QRH-2211"


@pytest.mark.parametrize(("city", "javascript"), [("Rochester", True), ("Jacksonville", False)], ids=["with scripts", "without scripts"])
def test_anna_registers_herself_and_a_colleague_and_both_are_invited(running_center, visiting, city, javascript):
    event = running_center.residency(city.lower(), early_for=30)
    people = person("Anna Vestergren", city), person("Samir Belhadj-Roux", city)
    with visiting(javascript=javascript) as anna:
        buying.find_event(anna, f"social media {city}", "Social Media Residency", city=city)
        the_day_can_be_saved(anna, event)
        buying.hold(anna, "Two days", 2)
        buying.say_who(anna, people[0], people[1:], organisation=HOSPITAL, po=PO)
        buying.go_to_payment(anna, "$2,190.00")
        buying.pay(anna, "$2,190.00")

        anna.sees("Everybody is registered")
        anna.reads("2 seats. Paid $2,190.00", people[1].name, f"Purchase order {PO}")
        both_are_invited(running_center, people, event)
        the_receipt_carries_the_invoice(running_center, people[0], anna)
        what_was_booked_can_be_saved(anna, event)


def the_day_can_be_saved(anna, event):
    saved = Calendar.from_ical(anna.fetch("Add to calendar"))

    assert [entry["DTSTART"].dt for entry in saved.walk("VEVENT")] == [at for at, _ in days_of(event)]


def both_are_invited(center, people, event):
    invited = {}
    for who in people:
        welcome = center.post.wait_for_subject(who.email, "You are registered")
        invited[who] = center.post.wait_for_calendar(who.email, "REQUEST", times=2)

        assert welcome.has_html
        assert event.venue.address in welcome.text
        assert {one.attendee for one in invited[who]} == {who.email}
        assert sorted((one.event["DTSTART"].dt, one.event["DTEND"].dt) for one in invited[who]) == days_of(event)
        assert {zone for one in invited[who] for zone in one.zones} == {event.zone}
        assert all(one.zones for one in invited[who])
    uids = [one.uid for entries in invited.values() for one in entries]
    assert len(set(uids)) == 4


def the_receipt_carries_the_invoice(center, buyer, anna):
    receipt = center.post.wait_for_subject(buyer.email, "Receipt: invoice")
    ((name, document),) = receipt.pdfs().items()
    text = read(document)

    assert f"PO number: {PO}" in receipt.text
    assert PO in text and HOSPITAL in text and buyer.name in text
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
