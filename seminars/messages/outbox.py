"""Posting: a letter becomes a row in the same commit as the change that caused it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from seminars.db import ring
from seminars.kit.refusals import Conflict
from seminars.messages.models import Message

MESSAGES = cast(Table, Message.__table__)
OUTBOX = "outbox"
NEWER_CAME_FIRST = "a newer one took its place"
AGAIN = "sent again by hand"


@dataclass(frozen=True, kw_only=True)
class Letter:
    """What is to be written to whom. Facts, not models: all that the wording needs, as JSON can hold it.

    `kind` is where its wording lies (`registration/confirmed`); `key` makes twice the same as once. Letters of one `lane` are revisions
    of one thing: only the newest goes. `thread` is the key of the first letter of a conversation. `facts["attachments"]` may list
    `{"reference": "invoice/12", "name": "invoice-12.pdf"}`.
    """

    kind: str
    key: str
    to: str
    name: str
    facts: dict[str, Any]
    references: tuple[str, ...]
    lane: str | None = None
    revision: int | None = None
    method: str | None = None
    calendar: bytes | None = field(default=None, repr=False)
    thread: str | None = None
    not_before: datetime | None = None


def post(session: Session, letter: Letter, *, now: datetime) -> None:
    """Put one letter into the outbox; the same key posts once."""
    post_all(session, [letter], now=now)


def post_all(session: Session, letters: Sequence[Letter], *, now: datetime) -> None:
    """Put letters into the outbox in a handful of statements, however many they are. Workers hear of what is due at the commit.

    A newer revision takes the place of those of its lane that have not been sent.
    """
    if not letters:
        return
    posted = insert(MESSAGES).on_conflict_do_nothing(index_elements=[MESSAGES.c.key]).returning(MESSAGES.c.id)
    new = session.execute(posted, [_row(letter, now) for letter in letters]).all()
    if not new:
        return
    _supersede(session, [letter.lane for letter in letters if letter.lane is not None])
    if any(letter.not_before is None or letter.not_before <= now for letter in letters):
        ring(session, OUTBOX)


def send_again(session: Session, message: Message, *, now: datetime) -> Message:
    """Send the same mail again, byte for byte. Raises Conflict while it is on its way, and when a newer one has taken its place."""
    session.refresh(message, with_for_update={"key_share": True})
    if message.state in ("pending", "sending"):
        raise Conflict("This message is on its way already.")
    if message.lane is not None and _newer_in_lane(session, message):
        raise Conflict("A newer message about the same appointment has been posted. Send that one instead.")
    message.state, message.reason, message.attempts = "pending", AGAIN, 0
    message.not_before, message.lease_until = now, None
    session.flush()
    ring(session, OUTBOX)
    return message


def _row(letter: Letter, now: datetime) -> dict[str, Any]:
    if letter.lane is not None and letter.revision is None:
        raise ValueError(f"{letter.key} has a lane and no revision. Give it one, so that the newest can be told.")
    return {
        "key": letter.key,
        "kind": letter.kind,
        "recipient": letter.to,
        "recipient_name": letter.name,
        "facts": letter.facts,
        "references": list(letter.references),
        "lane": letter.lane,
        "revision": letter.revision,
        "calendar_method": letter.method,
        "calendar": letter.calendar,
        "thread": letter.thread,
        "state": "pending",
        "reason": "",
        "attempts": 0,
        "reply": "",
        "not_before": letter.not_before or now,
        "created_at": now,
    }


def _supersede(session: Session, lanes: Sequence[str]) -> None:
    """Take back what a newer one of its lane replaces. One that may have arrived is not sent a second time either: it could only bring
    back what is past."""
    if not lanes:
        return
    newer = MESSAGES.alias("newer")
    replaced = select(newer.c.id).where(
        newer.c.lane == MESSAGES.c.lane, tuple_(newer.c.revision, newer.c.id) > tuple_(MESSAGES.c.revision, MESSAGES.c.id)
    )
    session.execute(
        update(MESSAGES)
        .where(MESSAGES.c.lane.in_(lanes), MESSAGES.c.state.in_(("pending", "unknown")), replaced.exists())
        .values(state="superseded", reason=NEWER_CAME_FIRST, lease_until=None)
    )


def _newer_in_lane(session: Session, message: Message) -> bool:
    newer = select(Message.id).where(
        Message.lane == message.lane, tuple_(Message.revision, Message.id) > tuple_(message.revision, message.id)
    )
    return session.scalar(newer.limit(1)) is not None
