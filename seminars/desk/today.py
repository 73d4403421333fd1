"""The work queue: what needs a person now, oldest first, each with the one action that settles it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import EventSession, ImportRun
from seminars.consulting import queries
from seminars.desk import consulting, programme
from seminars.engagements import queries as engagements
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.messages import queries as messages
from seminars.orders import queries as orders
from seminars.payments import capture, refunds
from seminars.payments import queries as payments
from seminars.people import permissions as may
from seminars.people.permissions import Right

_TROUBLE = {"failed": "A mail was refused", "unknown": "A mail may not have arrived"}
LINK_WANTED = timedelta(days=7)
RENEWED_WITHIN = timedelta(days=30)
"""So long after a proposal has expired unanswered it is still worth asking."""
MOST = 60


@dataclass(frozen=True)
class Item:
    """Something that waits for a person since `since`. `reference` is what the action opens.

    `matters` are the sentences that an order holds about it, each with the order's reference.
    """

    since: datetime
    what: str
    detail: str
    action: str
    reference: str
    matters: frozenset[tuple[str, str]] = frozenset()


def waiting(session: Session, *, rights: Callable[[Right], bool], user_id: int | None = None, now: datetime) -> list[Item]:
    """What waits for somebody with these rights, oldest first; of meetings to mark, who manages none is shown those that `user_id` had."""
    found: list[Item] = []
    if rights(may.own_week):
        found += _meetings(session, None if rights(may.manage_appointments) else user_id or 0, now)
    for right, read in _SOURCES:
        if rights(right):
            found += read(session, now)
    # Who can decide about the money itself is led there, and not to the order that only tells of it.
    settled_there = {one for item in found for one in item.matters if not item.reference.startswith("order/")}
    found = [item for item in found if not item.matters or not item.reference.startswith("order/") or item.matters - settled_there]
    return sorted(found, key=lambda item: item.since)[:MOST]


def _orders(session: Session, now: datetime) -> Iterable[Item]:
    for order in orders.waiting(session):
        who = f"Order {order.number}, {order.organisation or order.buyer_name}"
        if order.paid_unplaced:
            what, detail = (
                "Paid, but there is no seat",
                f"{who}: {words.money(order.total_money)} came after the seats were gone.",
            )
        elif order.dispute_open:
            what, detail = "The card holder disputes a payment", f"{who}: {words.money(order.total_money)}."
        else:
            what, detail = "An order needs a look", f"{who}: {' '.join(order.needs_review.splitlines())}"
        told = [] if order.paid_unplaced or order.dispute_open else order.needs_review.splitlines()
        matters = frozenset((order.reference, sentence) for sentence in told)
        yield Item(order.paid_at or order.placed_at, what, detail, f"Open order {order.number}", order.reference, matters)


def _refunds(session: Session, now: datetime) -> Iterable[Item]:
    for refund in payments.refunds_waiting(session, most=MOST):
        amount, order, payment = words.money(refund.money), refund.payment.order, refund.payment.reference
        detail = f"Order {order.number}, {order.buyer_name}: {amount}."
        if refund.external and refund.answered_at is None:
            sentence = f"{detail} No credit note and no promise stands against it."
            matters = frozenset({(order.reference, refunds.by_hand(refund))})
            yield Item(refund.promised_at, "A refund was made at Stripe by hand", sentence, f"Answer {amount}", payment, matters)
        else:
            sentence = f"{detail} {refund.failure_reason or refund.trouble}".strip()
            matters = frozenset({(order.reference, refunds.did_not_go(refund))})
            yield Item(refund.promised_at, "A refund did not go through", sentence, f"Settle {amount}", payment, matters)


def _set_aside(session: Session, now: datetime) -> Iterable[Item]:
    for payment in payments.set_aside(session, most=MOST):
        came, order = words.money(payment.money), payment.order
        detail = f"Order {order.number}, {order.buyer_name}: {came} came and {words.money(order.total_money)} was agreed."
        matters = frozenset({(order.reference, capture.differs(payment, order))})
        yield Item(payment.recorded_at, "A payment differs from its order", detail, f"Decide on {came}", payment.reference, matters)


def _stripe(session: Session, now: datetime) -> Iterable[Item]:
    for trouble in payments.events_trouble(session, now=now):
        yield Item(trouble.since, trouble.what, trouble.detail, "", "")
    for event in payments.given_up(session, most=MOST):
        yield Item(
            event.received_at,
            "A message from Stripe could not be handled",
            f"{event.type}: {event.reason}",
            "Open it",
            f"stripe_event/{event.id}",
        )


def _messages(session: Session, now: datetime) -> Iterable[Item]:
    found = messages.waiting(session, now=now)
    late = [message for message in found if message.state not in _TROUBLE]
    for message in found:
        if message.state in _TROUBLE:
            detail = f"To {message.recipient}: {message.subject or message.kind}. {message.reason or message.reply}".strip()
            yield Item(message.created_at, _TROUBLE[message.state], detail, "Open the mail", reference("message", message.id))
    if late:
        many = f"{len(late)} or more mails are" if len(late) >= messages.PAGE else f"{words.count(len(late), 'mail is', 'mails are')}"
        detail = f"The oldest is to {late[0].recipient}. Settings say whether a worker and the mail server answer."
        yield Item(late[0].created_at, f"{many} late", detail, "Look at what waits", "messages/pending")


def _links(session: Session, now: datetime) -> Iterable[Item]:
    for part in programme.links_missing(session, until=now + LINK_WANTED, now=now):
        since = max(part.starts_at - LINK_WANTED, part.event.published_at or part.event.created_at)
        detail = f"{part.event.title} starts on {words.moment(part.starts_at, part.event.zone)}."
        yield Item(min(since, now), "Join link missing", detail, "Add the link", reference("event", part.event_id))


def _deliveries(session: Session, now: datetime) -> Iterable[Item]:
    for part in programme.sessions_to_deliver(session, now=now):
        detail = f"{name_of(part)} ended on {words.moment(part.ends_at, part.event.zone)}. Its revenue is still deferred."
        yield Item(part.ends_at, "Was it delivered?", detail, "Mark it delivered", reference("event", part.event_id))


def _requests(session: Session, now: datetime) -> Iterable[Item]:
    for one in queries.waiting(session):
        when = words.moment(one.starts_at, one.zone)
        detail = f"{one.client_name}, {one.organisation or one.client_email}: {one.offering.title} on {when}."
        yield Item(one.created_at, "A request waits for an answer", detail, "Answer the request", one.reference)


def _meetings(session: Session, consultant_user: int | None, now: datetime) -> Iterable[Item]:
    for one in consulting.to_mark(session, consultant_user=consultant_user, now=now):
        people = words.listed([each.name for each in one.consultants])
        detail = f"{one.offering.title} with {one.client_name} ended on {words.moment(one.ends_at, one.consultants[0].zone)}. {people}."
        yield Item(one.ends_at, "Did the meeting take place?", detail, "Mark the meeting", one.reference)


def _own_calendars(session: Session, now: datetime) -> Iterable[Item]:
    for one in consulting.unread_calendars(session, now=now):
        copy = f"The last good copy is of {words.moment(one.busy_read_at, one.zone)}." if one.busy_read_at else "It was never read."
        detail = f"{one.name}: {one.busy_trouble or 'nothing new has come for a day.'} {copy}"
        since = one.busy_read_at or one.busy_tried_at or one.created_at
        yield Item(since, "A consultant’s own calendar cannot be read", detail, "Look at the calendar", f"availability/{one.id}")


def _imports(session: Session, now: datetime) -> Iterable[Item]:
    for run in session.scalars(select(ImportRun).where(ImportRun.state == "planned").order_by(ImportRun.id).limit(MOST)):
        yield Item(
            run.created_at,
            "An import waits",
            f"{run.name}: {words.count(run.total, 'row', 'rows')} looked at.",
            "Look at it",
            f"import/{run.id}",
        )


def _unanswered(session: Session, now: datetime) -> Iterable[Item]:
    for proposal in engagements.unanswered(session, since=now - RENEWED_WITHIN, most=MOST):
        detail = (
            f"{proposal.title}, {proposal.organisation or proposal.client_name}: {words.money(Money(proposal.total, proposal.currency))}."
        )
        yield Item(proposal.valid_until, "A proposal expired without an answer", detail, f"Renew {proposal.number}", proposal.reference)


def _overdue(session: Session, now: datetime) -> Iterable[Item]:
    for part in engagements.overdue(session, today=now.date(), most=MOST):
        assert part.due_on is not None
        since = datetime.combine(part.due_on, time(), UTC)
        detail = f"{part.engagement.title}: «{part.title}» was expected by {words.day(part.due_on)}."
        yield Item(since, "A milestone is late", detail, f"Open {part.engagement.number}", part.engagement.reference)


def _unbilled(session: Session, now: datetime) -> Iterable[Item]:
    for retainer, amount, since in engagements.to_be_billed(session, most=MOST):
        due = words.money(Money(amount, retainer.currency))
        detail = f"{retainer.title}, {retainer.organisation or retainer.client_name}: {due} was worked beyond the retainer."
        yield Item(since, "Hours wait to be billed", detail, f"Bill {due}", retainer.reference)


def age(since: datetime, now: datetime, zone: str) -> str:
    """How long something waits: «today», «yesterday», «4 days», counted in days of the center's calendar."""
    days = (words.local(now, zone).date() - words.local(since, zone).date()).days
    return "today" if days <= 0 else "yesterday" if days == 1 else words.count(days, "day", "days")


def name_of(part: EventSession) -> str:
    """A session named with its event."""
    return f"{part.event.title}, {part.title}" if part.title else part.event.title


_SOURCES: tuple[tuple[Right, Callable[[Session, datetime], Iterable[Item]]], ...] = (
    (may.see_orders, _orders),
    (may.settle_money, _set_aside),
    (may.settle_money, _refunds),
    (may.see_finance, _stripe),
    (may.see_messages, _messages),
    (may.change_programme, _links),
    (may.mark_delivered, _deliveries),
    (may.change_programme, _imports),
    (may.manage_appointments, _requests),
    (may.change_consulting, _own_calendars),
    (may.write_proposals, _unanswered),
    (may.run_engagements, _overdue),
    (may.bill_time, _unbilled),
)
