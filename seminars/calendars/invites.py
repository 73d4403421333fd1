"""Keeping people's calendars: each change of an entry is numbered, written down and posted in the commit that made it.

The rule of when SEQUENCE rises is calendar-mail §9 (RFC 5546 2.1.4, 3.2.2, 3.2.5): always when somebody may have seen the revision
before, never otherwise.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from seminars.calendars import ics
from seminars.calendars.entries import CANCELLED, NEEDS_ACTION, Entry, content_hash, schedule_hash, snapshot
from seminars.calendars.models import CalendarEntry
from seminars.messages import outbox
from seminars.messages.models import Message

TICK = timedelta(seconds=1)
LATEST_WITHDRAWAL = timedelta(hours=24)
"""So long after the end of a session nobody needs to hear that it is off."""


@dataclass(frozen=True, kw_only=True)
class Occasion:
    """What happens when and where, as a calendar shows it. Other rooms know it as `reference` (`session/7`)."""

    reference: str
    summary: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    all_day: bool = False
    location: str = ""
    url: str = ""
    join_url: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Wording:
    """Which letter carries the calendar's bytes, and its facts."""

    kind: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What one person's calendar should show from now on.

    `first` words it while nothing about this entry has been sent, `change` afterwards, `farewell` what goes to an address that was
    invited before in this person's place.
    """

    holder: str
    occasion: Occasion
    recipient: str
    name: str
    organizer: str
    organizer_name: str
    first: Wording
    change: Wording
    farewell: Wording
    references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Withdrawal:
    """One holder's entry that should go, and the letter that says so."""

    holder: str
    occasion: str
    wording: Wording
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Told:
    """What has become of an entry's mails: whether one may have arrived, and the one that still waits."""

    maybe: bool = False
    waiting_kind: str = ""
    waiting_facts: dict[str, Any] = field(default_factory=dict)


NOTHING_TOLD = _Told()


def invite(session: Session, invitation: Invitation, *, now: datetime) -> CalendarEntry:
    """Make or revise one entry and post the invitation when anything changed."""
    return invite_all(session, [invitation], now=now)[0]


def invite_all(session: Session, invitations: Sequence[Invitation], *, now: datetime) -> list[CalendarEntry]:
    """Make or revise entries and post the REQUEST of each that changed, with the same few statements for one as for hundreds."""
    known = _locked(session, [(invitation.holder, invitation.occasion.reference) for invitation in invitations])
    told = _told(session, known.values())
    letters: list[outbox.Letter] = []
    silent: list[str] = []
    entries = []
    for invitation in invitations:
        row = known.get((invitation.holder, invitation.occasion.reference))
        if row is not None and row.state != "cancelled" and row.recipient.casefold() != invitation.recipient.casefold():
            # Another address: the old one must forget its entry, and the new one gets a UID of its own (calendar-mail §9).
            farewell = _withdraw(row, told.get(row.uid, NOTHING_TOLD), invitation.farewell, invitation.references, now=now)
            letters += farewell
            silent += [] if farewell else [row.uid]
        if row is None or row.state == "cancelled":
            row = _new_entry(invitation, generation=row.generation + 1 if row else 1, now=now)
            session.add(row)
            letters.append(_request(row, invitation, NOTHING_TOLD, was=None))
        elif letter := _revise(row, invitation, told.get(row.uid, NOTHING_TOLD), now=now):
            letters.append(letter)
        entries.append(row)
    session.flush()
    _take_back(session, silent)
    outbox.post_all(session, letters, now=now)
    return entries


def withdraw_all(session: Session, withdrawals: Sequence[Withdrawal], *, now: datetime) -> set[str]:
    """Take entries back; the holders to whom a CANCEL goes. Whoever was never told hears nothing from the calendar."""
    known = _locked(session, [(withdrawal.holder, withdrawal.occasion) for withdrawal in withdrawals])
    told = _told(session, known.values())
    letters: list[outbox.Letter] = []
    silent: list[str] = []
    written: set[str] = set()
    for withdrawal in withdrawals:
        row = known.get((withdrawal.holder, withdrawal.occasion))
        if row is None or row.state == "cancelled":
            continue
        posted = _withdraw(row, told.get(row.uid, NOTHING_TOLD), withdrawal.wording, withdrawal.references, now=now)
        letters += posted
        silent += [] if posted else [row.uid]
        written.update(withdrawal.holder for _ in posted)
    session.flush()
    _take_back(session, silent)
    outbox.post_all(session, letters, now=now)
    return written


def entries_of(session: Session, holders: Iterable[str], *, occasion: str | None = None) -> Sequence[CalendarEntry]:
    """What these holders' calendars should show: the entries that stand, by holder and start."""
    asked = select(CalendarEntry).where(CalendarEntry.holder.in_(list(holders)), CalendarEntry.state != "cancelled")
    if occasion is not None:
        asked = asked.where(CalendarEntry.occasion == occasion)
    return session.scalars(asked.order_by(CalendarEntry.holder, CalendarEntry.snapshot["start"].astext, CalendarEntry.id)).all()


def as_entry(row: CalendarEntry, *, description: str = "", ask_again: bool = False) -> Entry:
    """The entry as it was last committed, ready to be printed."""
    told = row.snapshot
    return Entry(
        uid=row.uid,
        sequence=row.sequence,
        dtstamp=row.dtstamp,
        summary=told["summary"],
        starts_at=datetime.fromisoformat(told["start"]),
        ends_at=datetime.fromisoformat(told["end"]),
        zone=told["zone"],
        all_day=told["all_day"],
        location=told["location"],
        url=told["url"],
        join_url=told["join_url"],
        description=description,
        organizer_email=row.organizer,
        organizer_name=row.organizer_name,
        attendee_email=row.recipient,
        attendee_name=row.recipient_name,
        partstat=row.partstat,
        ask_again=ask_again,
        status=CANCELLED if row.state == "cancelled" else "CONFIRMED",
    )


def _locked(session: Session, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], CalendarEntry]:
    """The newest generation of each entry, locked until the commit; always in the order of ids, so that two who lock never cross."""
    rows = session.scalars(
        select(CalendarEntry)
        .where(tuple_(CalendarEntry.holder, CalendarEntry.occasion).in_(pairs))
        .order_by(CalendarEntry.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    newest: dict[tuple[str, str], CalendarEntry] = {}
    for row in rows:
        earlier = newest.get((row.holder, row.occasion))
        if earlier is None or row.generation > earlier.generation:
            newest[row.holder, row.occasion] = row
    return newest


def _told(session: Session, rows: Iterable[CalendarEntry]) -> dict[str, _Told]:
    """What has become of the mails of these entries.

    Waiting ones are locked first: a sender passes over them until we commit, and one that it took before is seen as being sent.
    """
    lanes = [row.uid for row in rows if row.state != "cancelled"]
    if not lanes:
        return {}
    held = (
        select(Message.lane, Message.kind, Message.facts)
        .where(Message.lane.in_(lanes), Message.state == "pending")
        .order_by(Message.id)
        .with_for_update(key_share=True)
    )
    waiting: dict[str, Row[Any]] = {row.lane: row for row in session.execute(held)}
    may_have_arrived = or_(Message.sent_at.is_not(None), Message.state.in_(("sending", "unknown", "sent")))
    seen = set(
        session.scalars(select(Message.lane).where(Message.lane.in_(lanes)).group_by(Message.lane).having(func.bool_or(may_have_arrived)))
    )
    found = {}
    for lane in lanes:
        row = waiting.get(lane)
        found[lane] = _Told(lane in seen, row.kind if row else "", row.facts if row else {})
    return found


def _new_entry(invitation: Invitation, *, generation: int, now: datetime) -> CalendarEntry:
    row = CalendarEntry(
        uid=f"{uuid4()}@{invitation.organizer.rpartition('@')[2]}",
        holder=invitation.holder,
        occasion=invitation.occasion.reference,
        generation=generation,
        recipient=invitation.recipient,
        recipient_name=invitation.name,
        organizer=invitation.organizer,
        organizer_name=invitation.organizer_name,
        state="active",
        sequence=0,
        dtstamp=now.replace(microsecond=0),
        partstat=NEEDS_ACTION,
    )
    _write_down(row, _entry(row, invitation.occasion))
    row.thread = _key(row, "REQUEST")
    return row


def _revise(row: CalendarEntry, invitation: Invitation, told: _Told, *, now: datetime) -> outbox.Letter | None:
    """The letter about a change, or None when the entry already says what it should."""
    row.recipient_name = invitation.name
    entry = _entry(row, invitation.occasion)
    if content_hash(entry) == row.content_hash:
        return None
    was = told.waiting_facts.get("was") or row.snapshot
    if told.maybe:
        row.sequence += 1
    row.dtstamp = max(now.replace(microsecond=0), row.dtstamp + TICK)
    if schedule_hash(entry) != row.schedule_hash:
        row.partstat = NEEDS_ACTION
    _write_down(row, entry)
    return _request(row, invitation, told, was=was)


def _request(row: CalendarEntry, invitation: Invitation, told: _Told, *, was: dict[str, Any] | None) -> outbox.Letter:
    if was is None or not told.maybe:
        # What waits has never been read: it goes out with the new times, and with whatever else it had to say.
        carried = told.waiting_facts if told.waiting_kind == invitation.first.kind else {}
        wording = replace(invitation.first, facts={**carried, **invitation.first.facts})
    else:
        wording = replace(invitation.change, facts={**invitation.change.facts, "was": was})
    entry = as_entry(row, description=invitation.occasion.description)
    return _letter(row, wording, "REQUEST", ics.request_bytes(entry), invitation.references)


def _withdraw(row: CalendarEntry, told: _Told, wording: Wording, references: tuple[str, ...], *, now: datetime) -> list[outbox.Letter]:
    row.state = "cancelled"
    ended = datetime.fromisoformat(row.snapshot["end"])
    if not told.maybe or now > ended + LATEST_WITHDRAWAL:
        return []
    row.sequence += 1
    row.dtstamp = max(now.replace(microsecond=0), row.dtstamp + TICK)
    return [_letter(row, wording, "CANCEL", ics.cancel_bytes(as_entry(row)), references)]


def _take_back(session: Session, lanes: Sequence[str]) -> None:
    """What still waits in the lanes of entries that were withdrawn in silence is not sent."""
    if lanes:
        waiting = update(Message).where(Message.lane.in_(lanes), Message.state == "pending")
        session.execute(
            waiting.values(state="superseded", reason="withdrawn before it was sent").execution_options(synchronize_session=False)
        )


def _letter(row: CalendarEntry, wording: Wording, method: str, calendar: bytes, references: tuple[str, ...]) -> outbox.Letter:
    key = _key(row, method)
    return outbox.Letter(
        kind=wording.kind,
        key=key,
        to=row.recipient,
        name=row.recipient_name,
        facts=wording.facts,
        references=(row.holder, row.occasion, *references),
        lane=row.uid,
        revision=row.sequence,
        method=method,
        calendar=calendar,
        thread=None if key == row.thread else row.thread,
    )


def _key(row: CalendarEntry, method: str) -> str:
    # DTSTAMP rises even where SEQUENCE may stay (nothing had been sent yet), so each revision has a key of its own.
    return f"cal:{row.uid}:{row.sequence}:{method}:{row.dtstamp:%Y%m%dT%H%M%SZ}"


def _entry(row: CalendarEntry, occasion: Occasion) -> Entry:
    return Entry(
        uid=row.uid,
        sequence=row.sequence,
        dtstamp=row.dtstamp,
        summary=occasion.summary,
        starts_at=occasion.starts_at,
        ends_at=occasion.ends_at,
        zone=occasion.zone,
        all_day=occasion.all_day,
        location=occasion.location,
        url=occasion.url,
        join_url=occasion.join_url,
        organizer_email=row.organizer,
        organizer_name=row.organizer_name,
    )


def _write_down(row: CalendarEntry, entry: Entry) -> None:
    row.snapshot = snapshot(entry)
    row.content_hash = content_hash(entry)
    row.schedule_hash = schedule_hash(entry)
