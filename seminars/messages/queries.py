"""Reading the outbox."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session, undefer

from seminars.messages.delivery import FOR_A_PERSON, MOST_LOST_ANSWERS
from seminars.messages.models import STATES, Message
from seminars.messages.render import Press, Words

LATE = timedelta(minutes=10)
"""After so long in the outbox a mail is worth a look."""
PAGE = 50


@dataclass(frozen=True)
class Filter:
    """What staff look for: a state, a kind, part of an address or name, and what it is about."""

    state: str = ""
    kind: str = ""
    recipient: str = ""
    reference: str = ""


@dataclass(frozen=True)
class Page:
    """Some messages, newest first; `before` begins the next page, where there is one."""

    messages: Sequence[Message]
    before: int | None


@dataclass(frozen=True)
class View:
    """One message as its reader sees it. `frozen` says whether these are the bytes that are sent, or what they would be now."""

    words: Words
    calendar: str
    attachments: tuple[str, ...]
    frozen: bool


def waiting(session: Session, *, now: datetime) -> Sequence[Message]:
    """What needs a person: refused for good, perhaps lost on the way, or late; oldest first."""
    late = and_(Message.state.in_(("pending", "sending")), Message.not_before < now - LATE)
    unclear = and_(Message.state == "unknown", Message.attempts >= MOST_LOST_ANSWERS, Message.reason.in_(FOR_A_PERSON))
    return session.scalars(select(Message).where(or_(Message.state == "failed", unclear, late)).order_by(Message.id).limit(PAGE)).all()


def find(session: Session, words: str, *, most: int = 10) -> Sequence[Message]:
    """Messages to an address or name, or with a subject, that holds these words; newest first."""
    if not words.strip():
        return []
    return session.scalars(_named(select(Message), words).order_by(Message.id.desc()).limit(most)).all()


def history(session: Session, references: Collection[str]) -> Sequence[Message]:
    """All messages about these things (`order/118`, `registration/7`), oldest first."""
    if not references:
        return []
    return session.scalars(select(Message).where(Message.references.overlap(list(references))).order_by(Message.id)).all()


def messages_page(session: Session, wanted: Filter, *, before: int | None = None, most: int = PAGE) -> Page:
    """One page of what the filter lets through."""
    asked = _narrowed(select(Message), wanted)
    if before is not None:
        asked = asked.where(Message.id < before)
    found = session.scalars(asked.order_by(Message.id.desc()).limit(most + 1)).all()
    return Page(found[:most], found[most - 1].id if len(found) > most else None)


def counts(session: Session) -> dict[str, int]:
    """How many messages are in each state."""
    found = dict.fromkeys(STATES, 0)
    for state, number in session.execute(select(Message.state, func.count()).group_by(Message.state)):
        found[state] = number
    return found


def kinds(session: Session) -> Sequence[str]:
    """The kinds of letters that have ever been posted."""
    return session.scalars(select(Message.kind).distinct().order_by(Message.kind)).all()


def message(session: Session, message_id: int) -> Message | None:
    """One message with its bytes."""
    return session.scalar(select(Message).where(Message.id == message_id).options(undefer(Message.raw)))


def view(message: Message, press: Press) -> View:
    """How one message looks: as it was frozen, or as it would be written now."""
    if message.raw is None:
        words = press.words(message.kind, message.facts, message.recipient_name)
        names = tuple(one["name"] for one in message.facts.get("attachments", ()))
        calendar = bytes(message.calendar).decode() if message.calendar is not None else ""
        return View(words, calendar, names, frozen=False)
    mail = message_from_bytes(message.raw, policy=default)
    words = Words(str(mail["Subject"]), _part(mail, "plain"), _part(mail, "html"))
    names = tuple(part.get_filename() or "" for part in mail.iter_attachments())
    return View(words, bytes(message.calendar).decode() if message.calendar is not None else "", names, frozen=True)


def _part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    return str(found.get_content()) if found is not None else ""


def _narrowed(asked: Select[Message], wanted: Filter) -> Select[Message]:
    if wanted.state:
        asked = asked.where(Message.state == wanted.state)
    if wanted.kind:
        asked = asked.where(Message.kind == wanted.kind)
    if wanted.reference:
        asked = asked.where(Message.references.contains([wanted.reference]))
    return _named(asked, wanted.recipient) if wanted.recipient.strip() else asked


def _named(asked: Select[Message], words: str) -> Select[Message]:
    plain = words.strip()
    columns = (Message.recipient, Message.recipient_name, Message.subject)
    return asked.where(or_(*(column.icontains(plain, autoescape=True) for column in columns)))
