"""When an entry is told anew, under which number, and to whom (calendar-mail §9)."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import icalendar
import pytest
from sqlalchemy import select

from seminars.calendars import invites
from seminars.calendars.invites import Invitation, Occasion, Withdrawal, Wording
from seminars.calendars.models import CalendarEntry
from seminars.gateways.smtp import AnswerLost
from seminars.messages.models import Message
from tests.messages.conftest import PostOffice

START = datetime.fromisoformat("2027-03-22T14:00:00+00:00")
RECEIPT = {
    "number": "1",
    "order": "1",
    "buyer": "A",
    "total": {"amount": 1, "currency": "USD"},
    "page": "https://x.example",
    "paid_on": "",
    "po_number": "",
}
SAMIR = Invitation(
    holder="registration/118",
    occasion=Occasion(
        reference="session/7",
        summary="Social Media Residency",
        starts_at=START,
        ends_at=START + timedelta(hours=8),
        zone="America/Chicago",
        location="Alder Hall, Rochester",
        url="https://seminars.northfield.example/seats/abc",
    ),
    recipient="samir@quillhaven.example",
    name="Samir Belhadj-Roux",
    organizer="seminars@northfield.example",
    organizer_name="Center for Social Media",
    first=Wording(kind="invoices/receipt", facts=RECEIPT),
    change=Wording(kind="orders/received", facts={}),
    farewell=Wording(kind="invoices/receipt", facts=RECEIPT),
    references=("order/41",),
)
GONE = Withdrawal(holder="registration/118", occasion="session/7", wording=Wording(kind="invoices/receipt", facts=RECEIPT))


def moved(hours: int = 1, **changes: Any) -> Invitation:
    span = {"starts_at": START + timedelta(hours=hours), "ends_at": START + timedelta(hours=hours + 8)}
    return replace(SAMIR, occasion=replace(SAMIR.occasion, **{**span, **changes}), change=Wording(kind="invoices/receipt", facts=RECEIPT))


@pytest.fixture
def office(post_office: PostOffice) -> PostOffice:
    return post_office


def invite(office: PostOffice, invitation: Invitation) -> CalendarEntry:
    with office.transaction() as session:
        return invites.invite(session, invitation, now=office.clock())


def withdraw(office: PostOffice, withdrawal: Withdrawal = GONE) -> set[str]:
    with office.transaction() as session:
        return invites.withdraw_all(session, [withdrawal], now=office.clock())


def letters(office: PostOffice) -> list[tuple[int | None, str | None, str]]:
    office.session.expire_all()
    return [(m.revision, m.calendar_method, m.state) for m in office.session.scalars(select(Message).order_by(Message.id))]


def printed(message: Message) -> Any:
    assert message.calendar is not None
    return icalendar.Calendar.from_ical(message.calendar).events[0]


def newest(office: PostOffice) -> Message:
    message = office.session.scalar(select(Message).order_by(Message.id.desc()).limit(1))
    assert message is not None
    return message


def test_an_invitation_is_posted_once_however_often_it_is_asked_for(office: PostOffice) -> None:
    first = invite(office, SAMIR)
    again = invite(office, SAMIR)

    assert (first.uid, again.sequence) == (again.uid, 0)
    assert letters(office) == [(0, "REQUEST", "pending")]
    message = newest(office)
    assert (message.recipient, message.lane, message.references) == (
        "samir@quillhaven.example", first.uid, ["registration/118", "session/7", "order/41"],
    )  # fmt: skip


def test_a_uid_tells_nobody_anything(office: PostOffice) -> None:
    uid = invite(office, SAMIR).uid

    local, _, domain = uid.partition("@")
    assert domain == "northfield.example"
    assert len(local) == 36 and "118" not in uid.split("@")[0].split("-")


def test_a_change_before_anything_was_sent_keeps_the_number_and_the_words(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.later(seconds=5)
    entry = invite(office, replace(moved(), change=Wording(kind="people/never")))

    assert entry.sequence == 0
    assert letters(office) == [(0, "REQUEST", "superseded"), (0, "REQUEST", "pending")]
    assert (newest(office).kind, printed(newest(office)).start.hour) == ("invoices/receipt", 10)


def test_a_change_after_it_was_sent_takes_the_next_number_and_asks_again(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    office.session.scalars(select(CalendarEntry)).one().partstat = "ACCEPTED"
    office.later(minutes=5)
    entry = invite(office, moved())

    event = printed(newest(office))
    assert (entry.sequence, event.sequence, event["attendee"].params["PARTSTAT"], event["attendee"].params["RSVP"]) == (
        1,
        1,
        "NEEDS-ACTION",
        "TRUE",
    )
    assert newest(office).facts["was"]["start"] == START.isoformat()


def test_a_new_room_keeps_the_answer(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    office.session.scalars(select(CalendarEntry)).one().partstat = "ACCEPTED"
    invite(office, moved(0, location="Room 4, Alder Hall, Rochester"))

    event = printed(newest(office))
    assert (event.sequence, event["attendee"].params["PARTSTAT"], event["attendee"].params["RSVP"]) == (1, "ACCEPTED", "FALSE")


def test_a_lost_answer_counts_as_sent(office: PostOffice) -> None:
    invite(office, SAMIR)

    class Losing:
        def send(self, *arguments: Any) -> str:
            raise AnswerLost("timed out")

        def hang_up(self) -> None: ...

    office.postman = Losing()
    office.deliver()
    entry = invite(office, moved())

    assert entry.sequence == 1
    assert letters(office) == [(0, "REQUEST", "superseded"), (1, "REQUEST", "pending")]


def test_prose_never_raises_the_number(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    invite(office, replace(SAMIR, occasion=replace(SAMIR.occasion, description="A new text")))

    assert letters(office) == [(0, "REQUEST", "sent")]


def test_a_person_is_told_what_they_last_read_not_what_was_skipped(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    invite(office, moved(1))
    invite(office, moved(3))

    assert letters(office)[1:] == [(1, "REQUEST", "superseded"), (2, "REQUEST", "pending")]
    assert newest(office).facts["was"]["start"] == START.isoformat()


def test_a_clock_that_goes_back_does_not_take_the_stamp_along(office: PostOffice) -> None:
    first = invite(office, SAMIR).dtstamp
    office.deliver()
    office.later(days=-2)

    assert invite(office, moved()).dtstamp == first + timedelta(seconds=1)


def test_what_was_never_sent_is_withdrawn_in_silence(office: PostOffice) -> None:
    invite(office, SAMIR)

    assert withdraw(office) == set()
    assert letters(office) == [(0, "REQUEST", "superseded")]


def test_a_withdrawal_takes_the_next_number(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    office.later(hours=1)

    assert withdraw(office) == {"registration/118"}
    event = printed(newest(office))
    assert (event.sequence, str(event["status"]), event["dtstamp"].dt) == (1, "CANCELLED", office.clock())
    assert newest(office).thread == office.session.scalars(select(Message.key).order_by(Message.id)).first()


def test_withdrawing_twice_says_it_once(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    withdraw(office)
    withdraw(office)

    assert letters(office) == [(0, "REQUEST", "sent"), (1, "CANCEL", "pending")]


def test_a_withdrawal_takes_the_place_of_an_update_that_waits(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    invite(office, moved())
    withdraw(office)

    assert letters(office) == [(0, "REQUEST", "sent"), (1, "REQUEST", "superseded"), (2, "CANCEL", "pending")]


def test_a_session_long_over_is_withdrawn_in_silence(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    office.later(days=40)

    assert withdraw(office) == set()


def test_who_comes_back_gets_a_new_uid(office: PostOffice) -> None:
    first = invite(office, SAMIR)
    office.deliver()
    withdraw(office)
    second = invite(office, SAMIR)

    assert (second.generation, second.sequence, second.uid == first.uid) == (2, 0, False)
    assert letters(office) == [(0, "REQUEST", "sent"), (1, "CANCEL", "pending"), (0, "REQUEST", "pending")]


def test_another_address_gets_a_new_uid_and_the_old_one_a_farewell(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    invite(office, replace(SAMIR, recipient="mette@quillhaven.example", name="Mette Roux"))

    office.session.expire_all()
    told = [(m.recipient, m.calendar_method) for m in office.session.scalars(select(Message).order_by(Message.id))]
    assert told == [
        ("samir@quillhaven.example", "REQUEST"),
        ("samir@quillhaven.example", "CANCEL"),
        ("mette@quillhaven.example", "REQUEST"),
    ]


def test_the_organizer_stays_who_it_was(office: PostOffice) -> None:
    invite(office, SAMIR)
    office.deliver()
    invite(office, replace(moved(), organizer="new@other.example", organizer_name="Other"))

    assert str(printed(newest(office))["organizer"]) == "mailto:seminars@northfield.example"


def test_hundreds_cost_as_many_statements_as_a_few(office: PostOffice, statements: Any) -> None:
    def everybody(prefix: str, count: int) -> list[Invitation]:
        return [replace(SAMIR, holder=f"{prefix}/{n}", recipient=f"{prefix}{n}@quillhaven.example") for n in range(count)]

    counts = []
    for prefix, number in (("few", 3), ("many", 120)):
        with statements() as heard:
            invites.invite_all(office.session, everybody(prefix, number), now=office.clock())
        counts.append(len(heard))
    assert counts[0] == counts[1]
