"""Who hears what about an appointment, and what their calendars show afterwards."""

import email
from datetime import timedelta
from email.policy import default
from typing import Any

import icalendar
import pytest
from sqlalchemy import select

from seminars.consulting import announcing, appointments, booking, letters
from seminars.consulting.intake import Question
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.jobs import STILL_WANTED
from seminars.kit.money import Money
from seminars.messages import delivery
from seminars.messages.models import Message
from tests.clock import NOON
from tests.conftest import Mailbox
from tests.factories.advice import a_consultant, an_offering
from tests.factories.meetings import ANNA, NINE, a_confirmed_one, a_held_one, a_requested_one
from tests.messages.conftest import LETTERHEAD, PostOffice

HOUR = timedelta(hours=1)
ROSA, TOMAS = "rosa@northfield.example", "tomas@northfield.example"
PURCHASE = {"order": "NC-2027-0041", "order_page": "https://seminars.northfield.example/orders/anna", "paid": True}
GOAL = Question("goal", "What would you like to decide?", required=False)


@pytest.fixture
def office(post_office: PostOffice) -> PostOffice:
    post_office.rooms = delivery.Rooms(STILL_WANTED, lambda session, reference: None)
    return post_office


def offering(office: PostOffice, **facts: Any) -> Offering:
    return an_offering(office.session, a_consultant(office.session), title="Policy review", questions=[GOAL], **facts)


def tell(office: PostOffice, how: Any, *told: Appointment, **given: Any) -> int:
    with office.transaction() as session:
        return int(how(session, told, letterhead=LETTERHEAD, now=office.clock(), **given))


def posted(office: PostOffice) -> list[tuple[str, str, str | None]]:
    office.session.expire_all()
    found = office.session.scalars(select(Message).where(Message.state != "superseded").order_by(Message.id))
    return [
        (message.recipient.partition(".")[0].partition("@")[0], message.kind.partition("/")[2], message.calendar_method)
        for message in found
    ]


def everything(office: PostOffice) -> None:
    for _ in range(4):
        while office.deliver():
            pass
        office.later(minutes=2)


def read(mailbox: Mailbox, recipient: str, number: int = -1) -> tuple[str, str, str]:
    """Subject, text and HTML of a mail to somebody."""
    mail = email.message_from_bytes(mailbox.to(recipient)[number].raw, policy=default)
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and html is not None
    return mail["Subject"], text.get_content().replace("\xa0", " "), html.get_content().replace("&nbsp;", " ").replace("\xa0", " ")


def entry(mailbox: Mailbox, recipient: str, number: int = -1) -> Any:
    mail = email.message_from_bytes(mailbox.to(recipient)[number].raw, policy=default)
    part = next(one for one in mail.walk() if one.get_content_type() == "text/calendar")
    return icalendar.Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")[0]


def move(office: PostOffice, one: Appointment, **to: Any) -> None:
    with office.transaction() as session:
        version = appointments.version_of(one)
        appointments.move(session, one, version=version, by_staff=True, now=office.clock(), **to)


def test_client_and_consultant_each_get_their_own_invitation(office: PostOffice, mailbox: Mailbox) -> None:
    one = a_held_one(office.session, offering(office), answers=[{"key": "goal", "label": GOAL.label, "answer": "Our policy"}])
    booking.keep(office.session, [one], order_reference="order/41", client=ANNA, now=NOON)
    appointments.confirm(office.session, "order/41", now=NOON)

    assert tell(office, announcing.tell_confirmed, one, purchase_facts=PURCHASE) == 1
    tell(office, announcing.tell_confirmed, one, purchase_facts=PURCHASE)
    everything(office)

    assert posted(office) == [("anna", "confirmed", "REQUEST"), ("rosa", "meeting", "REQUEST")]
    subject, text, html = read(mailbox, ANNA.email)
    assert subject == "Confirmed: Policy review"
    assert text.startswith("Your appointment is confirmed, Anna Vestergren.")
    for reading in (text, html):
        assert "with Rosa Castellane" in reading and "9:00 to 10:00 am CST" in reading and one.join_url in reading
        assert "NC-2027-0041" in reading and f"/appointments/{one.secret}" in reading
        assert "You can move or cancel" in reading and "2 March 2027, 9:00 am CST" in reading
        assert "It is paid." in reading
    subject, text, html = read(mailbox, ROSA)
    assert subject == "New appointment: Anna Vestergren"
    for reading in (text, html):
        assert ANNA.email in reading and ANNA.organisation in reading and "Our policy" in reading and one.join_url in reading
        assert one.secret not in reading and "NC-2027" not in reading
    hers, theirs = entry(mailbox, ANNA.email), entry(mailbox, ROSA)
    assert (hers["SUMMARY"], theirs["SUMMARY"]) == ("Policy review, Rosa Castellane", "Policy review, Anna Vestergren")
    assert hers["UID"] != theirs["UID"] and hers["DTSTART"].dt == theirs["DTSTART"].dt == NINE


def test_each_reads_the_time_on_their_own_clock(office: PostOffice, mailbox: Mailbox) -> None:
    one = a_confirmed_one(office.session, offering(office), zone="Europe/Oslo")
    tell(office, announcing.tell_confirmed, one)
    everything(office)

    assert "4:00 to 5:00 pm CET" in read(mailbox, ANNA.email)[1] and "9:00 to 10:00 am CST" in read(mailbox, ROSA)[1]


def test_a_meeting_that_is_near_promises_no_change(office: PostOffice, mailbox: Mailbox) -> None:
    one = a_confirmed_one(office.session, offering(office, change_hours=72))
    tell(office, announcing.tell_confirmed, one)
    everything(office)

    assert not any("You can move or cancel" in reading for reading in read(mailbox, ANNA.email))


def test_a_move_is_told_with_the_time_before(office: PostOffice, mailbox: Mailbox) -> None:
    one = a_confirmed_one(office.session, offering(office))
    tell(office, announcing.tell_confirmed, one)
    everything(office)

    move(office, one, starts_at=NINE + 2 * HOUR)
    tell(office, announcing.tell_moved, one)
    everything(office)

    assert posted(office)[2:] == [("anna", "moved", "REQUEST"), ("rosa", "meeting_moved", "REQUEST")]
    for who in (ANNA.email, ROSA):
        _, text, html = read(mailbox, who)
        for reading in (text, html):
            assert "11:00 am to 12:00 pm CST" in reading and "9:00 to 10:00 am CST" in reading
        assert entry(mailbox, who)["SEQUENCE"] == 1 and entry(mailbox, who)["UID"] == entry(mailbox, who, 0)["UID"]


def test_a_colleague_takes_over_and_the_first_one_forgets_it(office: PostOffice, mailbox: Mailbox) -> None:
    session = office.session
    rosa, tomas = a_consultant(session), a_consultant(session, "Tomas Ibarra")
    one = a_confirmed_one(session, an_offering(session, rosa, tomas), consultant_ids=(rosa.id,))
    tell(office, announcing.tell_confirmed, one)
    everything(office)

    move(office, one, starts_at=NINE, consultant_ids=(tomas.id,))
    tell(office, announcing.tell_moved, one)
    everything(office)

    assert posted(office)[2:] == [("anna", "moved", "REQUEST"), ("tomas", "meeting", "REQUEST"), ("rosa", "meeting_off", "CANCEL")]
    assert read(mailbox, ROSA)[0] == "Off: Anna Vestergren" and "A colleague takes it over." in read(mailbox, ROSA)[1]
    assert entry(mailbox, ROSA)["STATUS"] == "CANCELLED"


def test_a_cancelled_appointment_leaves_both_calendars(office: PostOffice, mailbox: Mailbox) -> None:
    one = a_confirmed_one(office.session, offering(office))
    tell(office, announcing.tell_confirmed, one)
    everything(office)

    appointments.cancel(office.session, [one], reason="Rosa is ill.", now=office.clock())
    told = tell(office, announcing.tell_cancelled, one, refund=Money(28_000, "USD"))
    tell(office, announcing.tell_cancelled, one, refund=Money(28_000, "USD"))
    everything(office)

    assert told == 1
    assert posted(office)[2:] == [("anna", "cancelled", "CANCEL"), ("rosa", "meeting_off", "CANCEL")]
    assert len(mailbox.to(ANNA.email)) == 2
    subject, text, html = read(mailbox, ANNA.email)
    assert subject == "Cancelled: Policy review"
    for reading in (text, html):
        assert "Rosa is ill." in reading and "$280.00 goes back to the person who paid" in reading
    assert entry(mailbox, ANNA.email)["STATUS"] == entry(mailbox, ROSA)["STATUS"] == "CANCELLED"


def test_what_was_cancelled_before_it_was_told_is_told_once_without_a_calendar(office: PostOffice, mailbox: Mailbox) -> None:
    one = a_confirmed_one(office.session, offering(office))
    tell(office, announcing.tell_confirmed, one)

    appointments.cancel(office.session, [one], reason="", now=office.clock())
    tell(office, announcing.tell_cancelled, one)
    everything(office)

    assert (len(mailbox.mails), len(mailbox.to(ANNA.email))) == (1, 1)
    assert read(mailbox, ANNA.email)[0] == "Cancelled: Policy review"


def test_a_request_is_told_to_both_and_its_answer_to_the_client(office: PostOffice, mailbox: Mailbox) -> None:
    asked = a_requested_one(office.session, offering(office, needs_approval=True))
    tell(office, announcing.tell_requested, asked)
    tell(office, announcing.tell_requested, asked)
    everything(office)
    with office.transaction() as session:
        appointments.approve(session, asked, now=office.clock())
    tell(office, announcing.tell_approved, asked)
    everything(office)

    assert posted(office) == [("anna", "requested", None), ("rosa", "request_waits", None), ("anna", "approved", None)]
    assert [read(mailbox, ANNA.email, number)[0] for number in (0, 1)] == [
        "We have your request: Policy review", "Approved, to be paid: Policy review",
    ]  # fmt: skip
    _, text, html = read(mailbox, ANNA.email)
    assert "as soon as $280.00 is paid" in text and ">Pay $280.00</a>" in html
    assert read(mailbox, ROSA)[0] == "A request waits: Anna Vestergren"


def test_a_free_request_that_is_granted_brings_the_invitations(office: PostOffice) -> None:
    asked = a_requested_one(office.session, offering(office, needs_approval=True, lengths={30: 0}))
    with office.transaction() as session:
        appointments.approve(session, asked, now=office.clock())

    tell(office, announcing.tell_approved, asked)

    assert posted(office) == [("anna", "confirmed", "REQUEST"), ("rosa", "meeting", "REQUEST")]


def test_a_declined_request_says_why(office: PostOffice, mailbox: Mailbox) -> None:
    asked = a_requested_one(office.session, offering(office, needs_approval=True))
    tell(office, announcing.tell_requested, asked)
    with office.transaction() as session:
        appointments.decline(session, asked, reason="Rosa is at a hearing.", now=office.clock())
    tell(office, announcing.tell_declined, asked)
    everything(office)

    assert [mail.subject for mail in mailbox.mails] == ["About your request: Policy review"]
    _, text, html = read(mailbox, ANNA.email)
    assert "Rosa is at a hearing." in text and "Rosa is at a hearing." in html and "Nothing was charged." in text


@pytest.mark.parametrize("mode", ["in_person", "client_site"])
def test_a_meeting_in_a_place_says_where(office: PostOffice, mailbox: Mailbox, mode: str) -> None:
    one = a_confirmed_one(office.session, offering(office, mode=mode, place="Alder Hall" if mode == "in_person" else ""))
    tell(office, announcing.tell_confirmed, one)
    everything(office)

    places = ("Alder Hall", "Alder Hall") if mode == "in_person" else ("At your site", "At the client’s site")
    assert tuple(entry(mailbox, who)["LOCATION"] for who in (ANNA.email, ROSA)) == places
    assert tuple(place in read(mailbox, who)[1] for place, who in zip(places, (ANNA.email, ROSA), strict=True)) == (True, True)


def test_names_read_as_a_sentence() -> None:
    people = [Consultant(name=name) for name in "ABC"]

    assert [letters.names(people[:number]) for number in range(4)] == ["", "A", "A and B", "A, B and C"]
