"""Sending: claim under a lease · freeze the bytes · hand over, with no transaction open · write down what became of it.

Plain SMTP can't promise that nothing is sent twice (the server's "250" and our commit are two moments). It is promised that nothing is
lost, and that a second copy is the first one byte for byte, under the same Message-ID (reliability-security §3, calendar-mail §0.6).
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import Row, bindparam, case, text, update
from sqlalchemy.orm import Session

from seminars.gateways.smtp import SERVICE_CLOSING, AnswerLost, NotReached, Refused
from seminars.kit.clock import Clock
from seminars.messages.outbox import MESSAGES, NEWER_CAME_FIRST
from seminars.messages.render import Attachment, Mail, Posted, Press

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
"""How long a claim lasts. Whoever finds it lapsed may take the mail over: its sender is dead."""
LAST_START = timedelta(minutes=1)
"""No mail is begun so shortly before the end of its lease: the answer could come after somebody else has begun too."""
OVERTAKING = timedelta(seconds=60)
"""A CANCEL keeps this distance from the REQUEST: some programs believe whichever arrives last (calendar-mail §9)."""
MOST_ATTEMPTS = 80
"""About three days of waiting for a mail server."""
MOST_LOST_ANSWERS = 8
"""After so many tries a mail whose answer was lost waits for a person: it may have arrived each time."""
FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
NOT_READY = timedelta(seconds=30)
SERVER_AWAY = timedelta(seconds=20)

NOBODY_WAITS = "nobody waits for it any more"
NO_DOCUMENT = "waits for its document"
GIVEN_UP = "given up after too many tries"
ANSWER_LOST = "handed over, but the mail server's answer was lost"
FOR_A_PERSON = (ANSWER_LOST, GIVEN_UP)
"""Why a mail that may have arrived waits for a person. One whose senders died, as often as they did, was most likely never handed over:
they held many at a time; it is sent."""

StillWanted = Callable[[Session, Sequence[Posted]], Collection[int]]
Attachments = Callable[[Session, str], bytes | None]
Transaction = Callable[[], AbstractContextManager[Session]]


class Sender(Protocol):
    """Who hands mails over: gateways.smtp.Postman, or another with the same answers."""

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> str:
        """Hand over one mail and return the server's answer. Raises Refused, NotReached, AnswerLost."""

    def hang_up(self) -> None:
        """Close the connection."""


@dataclass(frozen=True)
class Rooms:
    """What other rooms know of letters, by kind: whether one is still wanted, and the documents that go with it."""

    still_wanted: Mapping[str, StillWanted]
    attachments: Attachments


@dataclass(frozen=True)
class InHand:
    """One mail in our hands, with its bytes."""

    id: int
    recipient: str
    attempts: int
    maybe_sent: bool
    raw: bytes


@dataclass(frozen=True)
class Claim:
    """What one sender has taken: how many rows, until when, and the mails among them that are to be sent."""

    count: int
    lease_until: datetime
    mails: list[InHand]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What became of one mail, and whether the mail server is away."""

    state: str
    reply: str = ""
    reason: str = ""
    sent_at: datetime | None = None
    not_before: datetime | None = None
    away: bool = False


# One statement, so that two senders never hold the same row, and never two rows of one lane: a row waits while an earlier one of its
# lane is on its way or may still be sent again, and a CANCEL also until a minute has passed since anything of its lane went out.
# A claim need not survive the database server, so its commit waits for no disk; that of the bytes does, and it takes the claim along.
_CLAIM = text("""
    WITH due AS (
        SELECT m.id, m.state
          FROM messages m
         WHERE m.state IN ('pending', 'sending', 'unknown')
           AND m.not_before <= :now
           AND (m.state <> 'sending' OR m.lease_until < :now)
           AND (m.state <> 'unknown' OR m.attempts < :most_lost OR m.reason <> ALL(:for_a_person))
           AND (m.lane IS NULL OR NOT EXISTS (
                SELECT FROM messages o
                 WHERE o.lane = m.lane AND o.id <> m.id
                   AND (o.state = 'sending'
                        OR o.state IN ('pending', 'unknown') AND (o.revision, o.id) < (m.revision, m.id)
                        OR m.calendar_method = 'CANCEL' AND o.sent_at > :not_overtaking)))
         ORDER BY m.not_before, m.id
         LIMIT :most
           FOR UPDATE SKIP LOCKED)
    UPDATE messages m
       SET state = 'sending', lease_until = :lease_until, attempts = m.attempts + 1,
           sent_at = CASE WHEN due.state = 'sending' THEN coalesce(m.sent_at, :now) ELSE m.sent_at END
      FROM due, (SELECT set_config('synchronous_commit', 'off', true)) AS unhurried
     WHERE m.id = due.id
 RETURNING m.id, m.key, m.kind, m.recipient, m.recipient_name, m.facts, m.references, m.calendar_method, m.calendar, m.thread,
           m.attempts, m.sent_at IS NOT NULL AS maybe_sent, m.raw,
           m.lane IS NOT NULL AND EXISTS (
               SELECT FROM messages n WHERE n.lane = m.lane AND (n.revision, n.id) > (m.revision, m.id)) AS outdated
""")


# The one statement that each mail costs. Its commit does not wait for the disk: should the database server itself be lost in that
# half second, the mail is sent once more, byte for byte, which is what happens anyway to a sender that dies at this point.
_WRITE_DOWN = """
    UPDATE messages
       SET state = %(state)s, reply = %(reply)s, reason = %(reason)s, lease_until = NULL,
           sent_at = coalesce(%(sent_at)s, sent_at), not_before = coalesce(%(not_before)s, not_before)
      FROM (SELECT set_config('synchronous_commit', 'off', true)) AS unhurried
     WHERE id = %(id)s AND state = 'sending' AND lease_until = %(lease_until)s
"""


def deliver_due(
    transaction: Transaction, at_once: Transaction, postman: Sender, press: Press, rooms: Rooms, *, clock: Clock, most: int = 50
) -> int:
    """Send what is due, at most so many mails; how many were taken on. Fewer than `most` means that there is no more to do now.

    `transaction` is opened several times and committed each time. While a mail is handed over none is open: what became of it is
    noted in a session of `at_once`, where each statement is a transaction of its own.
    """
    claimed = claim(transaction, press, rooms, clock=clock, most=most)
    with at_once() as notebook:
        left = _send_all(notebook, postman, press, claimed, clock=clock)
    if left:
        _put_back(transaction, left, claimed.lease_until, until=clock() + SERVER_AWAY)
    if left is not None or claimed.count < most:
        postman.hang_up()
    return claimed.count if left is None else 0


def claim(transaction: Transaction, press: Press, rooms: Rooms, *, clock: Clock, most: int) -> Claim:
    """Take mails that are due and freeze their bytes. What a sender that died has claimed is sent by another, unchanged."""
    now = clock()
    lease_until = now + LEASE
    times = {"now": now, "lease_until": lease_until, "not_overtaking": now - OVERTAKING}
    with transaction() as session:
        rows = session.execute(_CLAIM, {**times, "most": most, "most_lost": MOST_LOST_ANSWERS, "for_a_person": list(FOR_A_PERSON)}).all()
        kept = _sort_out(session, rows, rooms)
        documents = {row.id: _documents(session, row.facts, rooms) for row in kept if row.raw is None}
        waiting = [id_ for id_, found in documents.items() if found is None]
        _set(session, waiting, state=_waiting_state(), reason=NO_DOCUMENT, not_before=now + NOT_READY)
    bytes_of = {row.id: bytes(row.raw) for row in kept if row.raw is not None}
    bytes_of |= _freeze(transaction, press, [(row, found) for row in kept if (found := documents.get(row.id)) is not None], now=now)
    mails = [InHand(row.id, row.recipient, row.attempts, row.maybe_sent, bytes_of[row.id]) for row in kept if row.id in bytes_of]
    return Claim(len(rows), lease_until, mails)


def _sort_out(session: Session, rows: Sequence[Row[Any]], rooms: Rooms) -> list[Row[Any]]:
    """Those that are to be sent, oldest first; the others are put to rest with the reason why."""
    outdated = [row.id for row in rows if row.outdated]
    _set(session, outdated, state="superseded", reason=NEWER_CAME_FIRST)
    tired = [row for row in rows if not row.outdated and row.attempts > MOST_ATTEMPTS]
    _set(session, [row.id for row in tired if row.maybe_sent], state="unknown", reason=GIVEN_UP)
    _set(session, [row.id for row in tired if not row.maybe_sent], state="failed", reason=GIVEN_UP)
    fresh = [row for row in rows if not row.outdated and row.attempts <= MOST_ATTEMPTS]
    unwanted = _unwanted(session, fresh, rooms)
    _set(session, list(unwanted), state="suppressed", reason=NOBODY_WAITS)
    return sorted((row for row in fresh if row.id not in unwanted), key=lambda row: int(row.id))


def _unwanted(session: Session, rows: Sequence[Row[Any]], rooms: Rooms) -> set[int]:
    asked: dict[StillWanted, list[Posted]] = {}
    for row in rows:
        if (ask := rooms.still_wanted.get(row.kind)) is not None:
            asked.setdefault(ask, []).append(_posted(row))
    unwanted: set[int] = set()
    for ask, those in asked.items():
        unwanted.update({posted.id for posted in those} - set(ask(session, those)))
    return unwanted


def _documents(session: Session, facts: dict[str, Any], rooms: Rooms) -> list[Attachment] | None:
    """The documents that go with a letter; None when one of them is not there yet."""
    found = []
    for named in facts.get("attachments", ()):
        data = rooms.attachments(session, named["reference"])
        if data is None:
            return None
        found.append(Attachment(named["name"], data))
    return found


def _freeze(
    transaction: Transaction, press: Press, rows: Sequence[tuple[Row[Any], list[Attachment]]], *, now: datetime
) -> dict[int, bytes]:
    """Make mails of letters and keep their bytes for good; what can't be made into a mail fails alone."""
    made: dict[int, Mail] = {}
    failed: dict[int, str] = {}
    for row, attachments in rows:
        try:
            made[row.id] = press.mail(_posted(row), attachments, now=now)
        except Exception as wrong:  # whatever is wrong with one letter must not keep the others waiting
            log.exception("message %s (%s) cannot be made into a mail", row.id, row.kind)
            failed[row.id] = f"{type(wrong).__name__}: {wrong}"
    if not rows:
        return {}
    with transaction() as session:
        if made:
            frozen = update(MESSAGES).where(MESSAGES.c.id == bindparam("of_id"), MESSAGES.c.raw.is_(None))
            session.connection().execute(
                frozen.values(raw=bindparam("bytes_"), subject=bindparam("subject_"), message_id=bindparam("message_id_")),
                [
                    {"of_id": id_, "bytes_": mail.raw, "subject_": mail.subject, "message_id_": mail.message_id}
                    for id_, mail in made.items()
                ],
            )
        for id_, reason in failed.items():
            _set(session, [id_], state="failed", reason=reason)
    return {id_: mail.raw for id_, mail in made.items()}


def _send_all(notebook: Session, postman: Sender, press: Press, claimed: Claim, *, clock: Clock) -> list[InHand] | None:
    """Hand over one mail after the other. Those that are left when the mail server or the lease is gone; None when all had their turn."""
    connection = notebook.connection()
    for number, mail in enumerate(claimed.mails):
        if clock() + LAST_START >= claimed.lease_until:
            return claimed.mails[number:]
        answer = _hand_over(postman, press, mail, clock=clock)
        connection.exec_driver_sql(_WRITE_DOWN, {"id": mail.id, "lease_until": claimed.lease_until, **_columns(answer)})
        if answer.away:
            return claimed.mails[number + 1 :]
    return None


def _columns(answer: Answer) -> dict[str, Any]:
    return {
        "state": answer.state,
        "reply": answer.reply,
        "reason": answer.reason,
        "sent_at": answer.sent_at,
        "not_before": answer.not_before,
    }


def _hand_over(postman: Sender, press: Press, mail: InHand, *, clock: Clock) -> Answer:
    again = "unknown" if mail.maybe_sent else "pending"
    pause = _pause(mail.attempts)
    try:
        reply = postman.send(press.envelope_from(mail.id), mail.recipient, mail.raw)
    except AnswerLost as lost:
        now = clock()
        return Answer(state="unknown", reply=str(lost), reason=ANSWER_LOST, sent_at=now, not_before=now + pause)
    except Refused as refused:
        reason = refused.text or str(refused.code)
        if refused.permanent:
            return Answer(state="failed", reply=str(refused), reason=reason)
        return Answer(state=again, reply=str(refused), reason=reason, not_before=clock() + pause, away=refused.code == SERVICE_CLOSING)
    except NotReached as unreached:
        reason = f"the mail server could not be reached: {unreached}"
        return Answer(state=again, reason=reason, not_before=clock() + pause, away=True)
    return Answer(state="sent", reply=reply, sent_at=clock())


def _put_back(transaction: Transaction, mails: Sequence[InHand], lease_until: datetime, *, until: datetime) -> None:
    """Let others have what we can't send now; an attempt that was not made is not counted."""
    if mails:
        with transaction() as session:
            ours = (MESSAGES.c.id.in_([mail.id for mail in mails]), MESSAGES.c.state == "sending", MESSAGES.c.lease_until == lease_until)
            waiting = {"state": _waiting_state(), "not_before": until, "lease_until": None, "attempts": MESSAGES.c.attempts - 1}
            session.execute(update(MESSAGES).where(*ours).values(**waiting))


def _waiting_state() -> Any:
    return case((MESSAGES.c.sent_at.is_not(None), "unknown"), else_="pending")


def _set(session: Session, ids: Sequence[int], **values: Any) -> None:
    if ids:
        session.execute(update(MESSAGES).where(MESSAGES.c.id.in_(ids)).values(lease_until=None, **values))


def _pause(attempts: int) -> timedelta:
    """Twice as long each time."""
    doubled: timedelta = FIRST_PAUSE * 2 ** min(attempts - 1, 10)
    return min(doubled, LONGEST_PAUSE)


def _posted(row: Row[Any]) -> Posted:
    return Posted(
        id=row.id,
        key=row.key,
        kind=row.kind,
        recipient=row.recipient,
        recipient_name=row.recipient_name,
        facts=row.facts,
        references=tuple(row.references),
        calendar_method=row.calendar_method,
        calendar=None if row.calendar is None else bytes(row.calendar),
        thread=row.thread,
    )
