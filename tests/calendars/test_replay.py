"""Whatever happens, everybody's calendar ends as ours: any order of changes, lost answers and second copies (calendar-mail §0.15)."""

import email
import random
from dataclasses import replace
from datetime import datetime, timedelta
from email.policy import default
from typing import Any

import icalendar
import pytest

from seminars.calendars import invites
from seminars.calendars.entries import snapshot
from seminars.gateways.smtp import AnswerLost, NotReached, Refused
from tests.calendars.test_invites import GONE, SAMIR
from tests.messages.conftest import PostOffice

SESSIONS = ("session/7", "session/8")


class Relay:
    """Takes mails as they come, and sometimes loses its answer, the connection, or its patience."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.arrived: list[bytes] = []
        self.reliable = False

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> str:
        fate = 1.0 if self.reliable else self.chance.random()
        if fate < 0.1:
            raise NotReached("no route")
        if fate < 0.2:
            raise Refused(451, "later", permanent=False)
        self.arrived.append(raw)
        if fate < 0.4:
            raise AnswerLost("timed out")
        return "250 kept"

    def hang_up(self) -> None: ...


def shown(arrived: list[bytes], *, careful: bool) -> set[tuple[str, datetime, str]]:
    """A calendar program's view: the careful kind ignores an older SEQUENCE, the other believes whatever came last.

    Both drop an entry at a CANCEL, and neither takes up what has been cancelled under the same UID.
    """
    entries: dict[str, Any] = {}
    numbers: dict[str, int] = {}
    for raw in arrived:
        for part in email.message_from_bytes(raw, policy=default).walk():
            if part.get_content_type() != "text/calendar":
                continue
            calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
            (event,) = calendar.events
            uid = str(event["uid"])
            if careful and event.sequence < numbers.get(uid, 0):
                continue
            numbers[uid] = event.sequence
            if calendar["method"] == "CANCEL":
                entries.pop(uid, None)
            else:
                entries[uid] = (uid, event.start, str(event.get("location", "")))
    return set(entries.values())


@pytest.mark.parametrize("seed", range(8))
def test_every_calendar_ends_as_ours(post_office: PostOffice, seed: int) -> None:
    chance = random.Random(seed)
    relay = post_office.postman = Relay(chance)
    for _ in range(40):
        _something(post_office, chance)
    relay.reliable = True
    for _ in range(12):
        post_office.later(hours=2)
        while post_office.deliver():
            pass

    with post_office.transaction() as session:
        ours = {
            (one.uid, one.starts_at, one.location)
            for one in (invites.as_entry(row) for row in invites.entries_of(session, ["registration/118"]))
        }
    assert shown(relay.arrived, careful=True) == ours
    assert shown(relay.arrived, careful=False) == ours


def test_an_entry_is_printed_as_it_was_written_down(post_office: PostOffice) -> None:
    with post_office.transaction() as session:
        row = invites.invite(session, SAMIR, now=post_office.clock())

    assert snapshot(invites.as_entry(row)) == row.snapshot


def _something(office: PostOffice, chance: random.Random) -> None:
    occasion = chance.choice(SESSIONS)
    act = chance.random()
    with office.transaction() as session:
        if act < 0.35:
            start = SAMIR.occasion.starts_at + timedelta(hours=chance.randrange(5))
            room = chance.choice(("Alder Hall", "Birch Hall"))
            changed = replace(SAMIR.occasion, reference=occasion, starts_at=start, ends_at=start + timedelta(hours=1), location=room)
            invites.invite(session, replace(SAMIR, occasion=changed, change=SAMIR.first), now=office.clock())
        elif act < 0.5:
            invites.withdraw_all(session, [replace(GONE, occasion=occasion)], now=office.clock())
    if act >= 0.5:
        office.later(seconds=chance.choice((1, 20, 70, 300)))
        office.deliver()
