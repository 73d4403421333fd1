"""Who hears what about a seat, and what their calendar shows afterwards."""

import email
from collections.abc import Sequence
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default
from typing import Any

import icalendar
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event
from seminars.jobs import STILL_WANTED
from seminars.kit.money import Money
from seminars.kit.references import secret
from seminars.messages import delivery
from seminars.messages.models import Message
from seminars.registration import announcing, changes, letters
from seminars.registration.letters import Purchase
from seminars.registration.models import Registration
from tests.clock import NOON
from tests.conftest import Mailbox
from tests.factories.programme import a_venue, an_event
from tests.messages.conftest import LETTERHEAD, PostOffice

ANNA, SAMIR = "anna@quillhaven.example", "samir@quillhaven.example"
PURCHASE = Purchase(
    number="NC-2027-0041",
    buyer_name="Anna Vestergren",
    buyer_email=ANNA,
    page="https://seminars.northfield.example/orders/anna",
    paid=True,
    refunds={},
)


@pytest.fixture
def office(post_office: PostOffice) -> PostOffice:
    post_office.rooms = delivery.Rooms(STILL_WANTED, lambda session, reference: None)
    return post_office


def seats(session: Session, event: Event, *people: tuple[str, str] | None, zone: str = "") -> list[Registration]:
    made = [
        Registration(
            secret=secret(), event=event, ticket_type=event.ticket_types[0], order_reference="order/41", state="confirmed", zone=zone,
            attendee_name=person and person[0], attendee_email=person and person[1], created_at=NOON, confirmed_at=NOON,
        )
        for person in people
    ]  # fmt: skip
    session.add_all(made)
    session.flush()
    return made


def confirm(office: PostOffice, registrations: Sequence[Registration]) -> int:
    with office.transaction() as session:
        return announcing.tell_confirmed(session, registrations, letterhead=LETTERHEAD, purchase=PURCHASE, now=office.clock())


def cancel(office: PostOffice, registrations: Sequence[Registration], **given: Any) -> int:
    with office.transaction() as session:
        for registration in registrations:
            registration.state, registration.cancelled_at = "cancelled", office.clock()
        return announcing.tell_cancelled(session, registrations, letterhead=LETTERHEAD, now=office.clock(), **given)


def posted(office: PostOffice) -> list[tuple[str, str, str | None]]:
    office.session.expire_all()
    found = office.session.scalars(select(Message).where(Message.state != "superseded").order_by(Message.id))
    return [(message.recipient.partition("@")[0], message.kind.partition("/")[2], message.calendar_method) for message in found]


def everything(office: PostOffice) -> None:
    """Deliver until nothing is left, whatever has to be waited for."""
    for _ in range(4):
        while office.deliver():
            pass
        office.later(minutes=2)


def mails(mailbox: Mailbox, person: str) -> list[EmailMessage]:
    found = [email.message_from_bytes(mail.raw, policy=default) for mail in mailbox.to(person)]
    return [mail for mail in found if isinstance(mail, EmailMessage)]


def calendar_of(mails: list[EmailMessage]) -> dict[str, Any]:
    """What a calendar shows that believes every mail in the order of arrival."""
    shown: dict[str, Any] = {}
    for mail in mails:
        for part in mail.walk():
            if part.get_content_type() == "text/calendar":
                calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
                (event,) = calendar.events
                assert part.get_param("method") == calendar["method"]
                assert event["attendee"] == f"mailto:{mail['To'].addresses[0].addr_spec}"
                if calendar["method"] == "CANCEL":
                    shown.pop(str(event["uid"]), None)
                else:
                    shown[str(event["uid"])] = event
    return shown


def test_one_session_comes_as_one_mail_with_the_invitation(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, venue=a_venue(office.session))
    confirm(office, seats(office.session, event, ("Samir Belhadj-Roux", SAMIR)))

    everything(office)

    (mail,) = mails(mailbox, SAMIR)
    (entry,) = calendar_of([mail]).values()
    assert mail["Subject"] == "You are registered: Social Media Residency"
    assert (entry.start.isoformat(), str(entry["location"])) == (
        "2027-03-22T09:00:00-05:00",
        "Alder Hall, 210 Second Street, Rochester, Minnesota",
    )
    body = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Anna Vestergren took a seat for you" in body and "NC-2027-0041" in body
    assert PURCHASE.page not in body, "the order's page belongs to the buyer alone"


def test_several_sessions_come_as_a_confirmation_and_one_invitation_each(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, days=3)
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))

    everything(office)

    assert posted(office) == [("samir", "confirmed", None), *[("samir", "invitation", "REQUEST")] * 3]
    assert len(calendar_of(mails(mailbox, SAMIR))) == 3


def test_many_sessions_fill_no_mailbox(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, days=announcing.MOST_INVITATIONS + 1)
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))

    everything(office)

    (mail,) = mails(mailbox, SAMIR)
    assert "one file with all of them" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_a_ticket_for_some_sessions_invites_to_those(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, days=3)
    event.ticket_types[0].sessions = [event.sessions[1]]
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))

    everything(office)

    (entry,) = calendar_of(mails(mailbox, SAMIR)).values()
    assert entry.start == event.sessions[1].starts_at


def test_a_seat_without_a_name_tells_nobody_until_it_has_one(office: PostOffice) -> None:
    event = an_event(office.session)
    (seat,) = seats(office.session, event, None)

    assert confirm(office, [seat]) == 0
    seat.attendee_name, seat.attendee_email = "Samir", SAMIR
    assert confirm(office, [seat]) == 1
    assert posted(office) == [("samir", "confirmed", "REQUEST")]


def test_telling_twice_tells_once(office: PostOffice) -> None:
    event = an_event(office.session, days=2)
    people = seats(office.session, event, ("Samir", SAMIR), ("Anna", ANNA))

    confirm(office, people)
    before = posted(office)
    confirm(office, people)

    assert posted(office) == before
    assert len(before) == 6


def test_who_is_cancelled_before_the_mail_goes_gets_no_confirmation(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, days=2)
    (seat,) = seats(office.session, event, ("Samir", SAMIR))
    confirm(office, [seat])
    cancel(office, [seat])

    everything(office)

    assert [mail["Subject"] for mail in mails(mailbox, SAMIR)] == ["Cancelled: Social Media Residency"]


@pytest.mark.parametrize("days", [1, 2])
def test_a_cancellation_empties_the_calendar(office: PostOffice, mailbox: Mailbox, days: int) -> None:
    event = an_event(office.session, days=days)
    (seat,) = seats(office.session, event, ("Samir", SAMIR))
    confirm(office, [seat])
    everything(office)

    cancel(office, [seat], refund=Money(111_500, "USD"))
    everything(office)

    found = mails(mailbox, SAMIR)
    assert calendar_of(found) == {}
    texts = [mail.get_body(("plain",)).get_content() for mail in found]  # type: ignore[union-attr]
    assert [text for text in texts if "$1,115.00 goes back" in text]


def test_a_held_seat_that_lapses_tells_nobody(office: PostOffice) -> None:
    (seat,) = seats(office.session, an_event(office.session), ("Samir", SAMIR))
    seat.state, seat.confirmed_at = "held", None

    assert cancel(office, [seat]) == 0
    assert posted(office) == []


def test_a_session_that_moves_moves_in_every_calendar(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, days=2)
    confirm(office, seats(office.session, event, ("Samir", SAMIR), ("Anna", ANNA), None))
    everything(office)

    part = event.sessions[0]
    part.starts_at += timedelta(hours=2)
    with office.transaction() as session:
        assert changes.tell_everyone(session, part, letterhead=LETTERHEAD, now=office.clock()) == 2
    everything(office)

    for person in (SAMIR, ANNA):
        shown = calendar_of(mails(mailbox, person))
        assert sorted((entry.start, entry.sequence) for entry in shown.values()) == [(part.starts_at, 1), (event.sessions[1].starts_at, 0)]
        last = mails(mailbox, person)[-1]
        assert last["Subject"] == "Updated: Social Media Residency"
        assert "9:00" in last.get_body(("plain",)).get_content(), "what was is said too"  # type: ignore[union-attr]
        assert last["References"] is not None


def test_telling_of_no_change_tells_nobody(office: PostOffice) -> None:
    event = an_event(office.session)
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))
    everything(office)

    with office.transaction() as session:
        changes.tell_everyone(session, event.sessions[0], letterhead=LETTERHEAD, now=office.clock())

    assert posted(office) == [("samir", "confirmed", "REQUEST")]


def test_a_move_before_the_confirmation_went_out_goes_into_it(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session)
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))
    event.sessions[0].starts_at += timedelta(hours=2)
    with office.transaction() as session:
        changes.tell_everyone(session, event.sessions[0], letterhead=LETTERHEAD, now=office.clock())

    everything(office)

    (mail,) = mails(mailbox, SAMIR)
    (entry,) = calendar_of([mail]).values()
    body = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert (entry.start, entry.sequence) == (event.sessions[0].starts_at, 0)
    assert "11:00" in body and "NC-2027-0041" in body


def test_a_session_that_is_called_off_leaves_every_calendar(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, days=2)
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))
    everything(office)

    event.sessions[0].state = "cancelled"
    with office.transaction() as session:
        changes.tell_everyone(session, event.sessions[0], letterhead=LETTERHEAD, now=office.clock())
    everything(office)

    (left,) = calendar_of(mails(mailbox, SAMIR)).values()
    assert left.start == event.sessions[1].starts_at


def test_online_people_get_the_address_and_a_link_that_changes(office: PostOffice, mailbox: Mailbox) -> None:
    event = an_event(office.session, format="online")
    confirm(office, seats(office.session, event, ("Samir", SAMIR)))
    everything(office)
    event.sessions[0].join_url = "https://meet.example/another-room"
    with office.transaction() as session:
        changes.tell_everyone(session, event.sessions[0], letterhead=LETTERHEAD, now=office.clock())
    everything(office)

    first, second = mails(mailbox, SAMIR)
    assert "https://meet.example/private-room" in first.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    (entry,) = calendar_of([first, second]).values()
    assert (str(entry["location"]), entry.sequence) == ("https://meet.example/another-room", 1)


def test_three_hundred_people_cost_as_many_statements_as_three(office: PostOffice, statements: Any) -> None:
    counts = []
    for number in (3, 100):
        event = an_event(office.session)
        people = seats(office.session, event, *[(f"Person {n}", f"p{n}@quillhaven.example") for n in range(number)])
        with statements() as told:
            announcing.tell_confirmed(office.session, people, letterhead=LETTERHEAD, now=office.clock())
        event.sessions[0].starts_at += timedelta(hours=2)
        office.session.flush()
        with statements() as moved:
            changes.tell_everyone(office.session, event.sessions[0], letterhead=LETTERHEAD, now=office.clock())
        counts.append((len(told), len(moved)))

    assert counts[0] == counts[1]


def test_only_live_seats_want_their_letters(office: PostOffice) -> None:
    event = an_event(office.session)
    live, gone = seats(office.session, event, ("Samir", SAMIR), ("Anna", ANNA))
    gone.state = "cancelled"
    office.session.flush()
    asked: Any = [type("P", (), {"id": n, "references": letters.references_of(r)})() for n, r in enumerate((live, gone))]

    assert letters.still_wanted(office.session, asked) == [0]
