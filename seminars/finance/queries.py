"""What finance looks at: payments and what they are made of, and deferred revenue by session, appointment and retainer.

The journal, accounts and the trial balance are read in `ledger/balances.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, ScalarSelect, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, EventSession
from seminars.invoices.models import CreditNote, Invoice, InvoiceLine, RevenueShare
from seminars.kit.money import Money
from seminars.kit.references import reference
from seminars.kit.refusals import NotFound
from seminars.ledger import balances, chart, postings
from seminars.ledger.models import JournalEntry, Posting
from seminars.orders.models import Order
from seminars.payments.models import Payment, Refund

GIVEN_UP = ("failed", "canceled")


@dataclass(frozen=True, slots=True)
class PaymentFilter:
    """Which payments are wanted. Days are days in `zone`, both included; `words` is part of an order number, a buyer or a charge."""

    zone: str
    first: date | None = None
    last: date | None = None
    words: str = ""
    method: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """One payment. `fee` and `net` are None until Stripe has told its balance transaction."""

    id: int
    paid_at: datetime
    order_id: int
    order_number: str
    buyer: str
    organisation: str
    role: str
    method: str
    brand: str
    last4: str
    gross: Money
    fee: Money | None
    refunded: Money
    charge_id: str
    balance_transaction_id: str | None

    @property
    def net(self) -> Money | None:
        """What Stripe owes us for it, before refunds."""
        return None if self.fee is None else self.gross - self.fee


@dataclass(frozen=True, slots=True)
class PaymentTotals:
    """All payments that the filter lets through, in one currency. `without_fee` have no balance transaction yet."""

    count: int
    gross: Money
    fees: Money
    refunded: Money
    without_fee: int


@dataclass(frozen=True, slots=True)
class PaymentsPage:
    """A page of payments, newest first, with totals of all that the filter lets through."""

    rows: Sequence[PaymentRow]
    totals: Sequence[PaymentTotals]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """An invoice or a credit note; `ready` once its PDF is there."""

    reference: str
    kind: str
    number: str
    issued_on: date
    total: Money
    state: str
    ready: bool


@dataclass(frozen=True, slots=True)
class RefundRow:
    """One refund of a payment."""

    id: int
    amount: Money
    state: str
    reason: str
    promised_at: datetime
    settled_at: datetime | None
    refund_id: str | None
    external: bool
    answer: str
    answer_reference: str


@dataclass(frozen=True, slots=True)
class PaymentDetail:
    """One payment with all it is made of: documents of its order, refunds, and every entry that it caused."""

    payment: PaymentRow
    payment_intent_id: str
    documents: Sequence[DocumentRow]
    refunds: Sequence[RefundRow]
    entries: Sequence[balances.Entry]


@dataclass(frozen=True, slots=True)
class DeferredSession:
    """What was deferred for one session, and what became of it: opening nothing, invoiced − credited − recognised = deferred."""

    session_id: int
    event_id: int
    event_title: str
    event_reference: str
    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    state: str
    seats: int
    invoiced: Money
    credited: Money
    recognised: Money
    deferred: Money

    @property
    def dimension(self) -> str:
        """Under which its postings stand in account 2100."""
        return reference("session", self.session_id)


def payments_page(session: Session, wanted: PaymentFilter, *, page: int = 1, per_page: int = 50) -> PaymentsPage:
    """Payments that the filter lets through, newest first, with their totals."""
    where = _let_through(wanted)
    totals = _totals(session, where)
    total = sum(one.count for one in totals)
    pages = max(1, -(-total // per_page))
    page = min(max(page, 1), pages)
    query = _rows().where(*where).order_by(Payment.paid_at.desc(), Payment.id.desc()).limit(per_page).offset((page - 1) * per_page)
    return PaymentsPage([_row(*found) for found in session.execute(query)], totals, total, page, pages)


def payment_detail(session: Session, payment_id: int) -> PaymentDetail:
    """One payment and what it is made of. Raises NotFound."""
    found = session.execute(_rows().where(Payment.id == payment_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such payment.")
    payment: Payment = found[0]
    given_back = session.scalars(select(Refund).where(Refund.payment_id == payment_id).order_by(Refund.id)).all()
    documents = documents_of(session, payment.order_id)
    return PaymentDetail(
        payment=_row(*found),
        payment_intent_id=payment.payment_intent_id,
        documents=documents,
        refunds=[_refund_row(one) for one in given_back],
        entries=balances.entries_from(session, _sources(payment, given_back, documents)),
    )


def payment_behind(session: Session, entry: balances.Entry) -> int | None:
    """The payment whose charge, fee or refund an entry books; None where a document or a delivery is behind it."""
    source = entry.source
    refund = select(Refund.payment_id)
    match entry.source_kind:
        case postings.CHARGE:
            return session.scalar(select(Payment.id).where(Payment.charge_id == source))
        case postings.BALANCE_TRANSACTION_FEE:
            return session.scalar(select(Payment.id).where(Payment.balance_transaction_id == source))
        case postings.BALANCE_TRANSACTION:
            moved = or_(Refund.balance_transaction_id == source, Refund.failure_balance_transaction_id == source)
            return session.scalar(refund.where(moved))
        case postings.REFUND | postings.REFUND_OTHERWISE:
            return session.scalar(refund.where(Refund.id == int(source)))
        case postings.MATCH:
            return int(source.partition("/")[2])
        case _:
            return None


def documents_of(session: Session, order_id: int) -> list[DocumentRow]:
    """The invoices and credit notes of an order, oldest first."""
    invoices = session.scalars(select(Invoice).where(Invoice.order_id == order_id).order_by(Invoice.id)).all()
    notes = session.scalars(select(CreditNote).join(Invoice).where(Invoice.order_id == order_id).order_by(CreditNote.id)).all()
    return [
        *(_document_row(one, "invoice", one.state) for one in invoices),
        *(_document_row(one, "credit_note", "issued") for one in notes),
    ]


@dataclass(frozen=True, slots=True)
class DeferredThing:
    """What was deferred for an appointment or a retainer, and what became of it: invoiced − credited − recognised = deferred."""

    dimension: str
    invoiced: Money
    credited: Money
    recognised: Money
    deferred: Money


def deferred_consulting(session: Session, *, as_of: date) -> list[DeferredThing]:
    """Account 2120 by appointment and retainer as of the end of a day, oldest first; what is settled is left out."""

    def of(*kinds: str) -> Any:
        return func.coalesce(func.sum(case((JournalEntry.source_kind.in_(kinds), Posting.amount), else_=0)), 0)

    everything = func.sum(Posting.amount)
    invoiced, credited = of(postings.INVOICE), of(postings.CREDIT_NOTE)
    found = session.execute(
        select(Posting.dimension, Posting.currency, invoiced, credited, everything)
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(Posting.account_number == chart.DEFERRED_CONSULTING, JournalEntry.effective_on <= as_of)
        .group_by(Posting.dimension, Posting.currency)
        .having(everything != 0)
        .order_by(func.min(JournalEntry.id), Posting.currency)
    )
    return [
        DeferredThing(
            dimension,
            invoiced=Money(-int(billed), currency),
            credited=Money(int(given_back), currency),
            recognised=Money(int(left) - int(billed) - int(given_back), currency),
            deferred=Money(-int(left), currency),
        )
        for dimension, currency, billed, given_back, left in found
    ]


def deferred_by_session(session: Session, *, as_of: date) -> list[DeferredSession]:
    """Deferred revenue by session as of the end of a day, in order of time; sessions of which all is settled are left out."""
    booked = _roll_forward(as_of)
    seats = (
        select(RevenueShare.session_id, InvoiceLine.currency, func.count().label("seats"))
        .join(InvoiceLine, InvoiceLine.id == RevenueShare.line_id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.issued_on <= as_of, RevenueShare.credited < RevenueShare.amount)
        .group_by(RevenueShare.session_id, InvoiceLine.currency)
        .subquery()
    )
    found = session.execute(
        select(EventSession, Event, booked, func.coalesce(seats.c.seats, 0))
        .join(Event, Event.id == EventSession.event_id)
        .join(booked, booked.c.session_id == EventSession.id)
        .outerjoin(seats, and_(seats.c.session_id == EventSession.id, seats.c.currency == booked.c.currency))
        .where(booked.c.deferred != 0)
        .order_by(EventSession.starts_at, EventSession.id, booked.c.currency)
    )
    return [_deferred(*row) for row in found]


def _rows() -> Select[Payment, Order, int]:
    return select(Payment, Order, _refunded()).join(Order, Order.id == Payment.order_id)


def _refunded() -> ScalarSelect[int]:
    """What goes back or went back of a payment."""
    given_back = select(func.coalesce(func.sum(Refund.amount), 0)).where(Refund.payment_id == Payment.id, Refund.state.not_in(GIVEN_UP))
    return given_back.correlate(Payment).scalar_subquery()


def _row(payment: Payment, order: Order, refunded: int) -> PaymentRow:
    return PaymentRow(
        id=payment.id,
        paid_at=payment.paid_at,
        order_id=order.id,
        order_number=order.number,
        buyer=order.buyer_name,
        organisation=order.organisation,
        role=payment.role,
        method=payment.method,
        brand=payment.brand,
        last4=payment.last4,
        gross=payment.money,
        fee=None if payment.fee is None else Money(payment.fee, payment.currency),
        refunded=Money(int(refunded), payment.currency),
        charge_id=payment.charge_id,
        balance_transaction_id=payment.balance_transaction_id,
    )


def _let_through(wanted: PaymentFilter) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if wanted.first is not None:
        where.append(Payment.paid_at >= _begin(wanted.first, wanted.zone))
    if wanted.last is not None:
        where.append(Payment.paid_at < _begin(wanted.last + timedelta(days=1), wanted.zone))
    if wanted.method:
        where.append(Payment.method == wanted.method)
    if wanted.role:
        where.append(Payment.role == wanted.role)
    if words := wanted.words.strip():
        places = (Order.number, Order.buyer_name, Order.organisation, Payment.charge_id)
        where.append(or_(*(place.icontains(words, autoescape=True) for place in places)))
    return where


def _begin(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _totals(session: Session, where: Sequence[ColumnElement[bool]]) -> list[PaymentTotals]:
    each = select(Payment.currency, Payment.amount, Payment.fee, _refunded().label("refunded")).join(Order, Order.id == Payment.order_id)
    some = each.where(*where).subquery()
    found = session.execute(
        select(
            some.c.currency,
            func.count(),
            func.sum(some.c.amount),
            func.coalesce(func.sum(some.c.fee), 0),
            func.sum(some.c.refunded),
            func.count() - func.count(some.c.fee),
        )
        .group_by(some.c.currency)
        .order_by(some.c.currency)
    )
    return [
        PaymentTotals(count, Money(int(gross), currency), Money(int(fees), currency), Money(int(refunded), currency), without_fee)
        for currency, count, gross, fees, refunded, without_fee in found
    ]


def _sources(payment: Payment, given_back: Sequence[Refund], documents: Sequence[DocumentRow]) -> list[tuple[str, str]]:
    kinds = {"invoice": postings.INVOICE, "credit_note": postings.CREDIT_NOTE}
    moved = [one for refund in given_back for one in (refund.balance_transaction_id, refund.failure_balance_transaction_id)]
    return [
        (postings.CHARGE, payment.charge_id),
        *((postings.BALANCE_TRANSACTION_FEE, one) for one in (payment.balance_transaction_id, *moved) if one),
        *((postings.BALANCE_TRANSACTION, one) for one in moved if one),
        (postings.MATCH, payment.reference),
        *((kind, str(refund.id)) for refund in given_back for kind in (postings.REFUND, postings.REFUND_OTHERWISE)),
        *((kinds[one.kind], one.number) for one in documents if payment.role == "settles"),
    ]


def _refund_row(refund: Refund) -> RefundRow:
    return RefundRow(
        id=refund.id,
        amount=refund.money,
        state=refund.state,
        reason=refund.reason,
        promised_at=refund.promised_at,
        settled_at=refund.settled_at,
        refund_id=refund.refund_id,
        external=refund.external,
        answer=refund.answer,
        answer_reference=refund.answer_reference,
    )


def _document_row(one: Invoice | CreditNote, kind: str, state: str) -> DocumentRow:
    return DocumentRow(one.reference, kind, one.number, one.issued_on, one.total_money, state, one.rendered_at is not None)


def _roll_forward(as_of: date) -> Any:
    """Account 2100 by session and currency: what documents, credit notes and deliveries did to it, and what is left."""

    def of(*kinds: str) -> Any:
        return func.coalesce(func.sum(case((JournalEntry.source_kind.in_(kinds), Posting.amount), else_=0)), 0)

    return (
        select(
            func.substr(Posting.dimension, 9).cast(EventSession.id.type).label("session_id"),
            Posting.currency.label("currency"),
            (-of(postings.INVOICE)).label("invoiced"),
            of(postings.CREDIT_NOTE).label("credited"),
            of(postings.DELIVERY).label("recognised"),
            (-func.sum(Posting.amount)).label("deferred"),
        )
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(
            Posting.account_number == chart.DEFERRED_SEMINARS, Posting.dimension.startswith("session/"), JournalEntry.effective_on <= as_of
        )
        .group_by(Posting.dimension, Posting.currency)
        .subquery()
    )


def _deferred(
    part: EventSession,
    event: Event,
    session_id: int,
    currency: str,
    invoiced: int,
    credited: int,
    recognised: int,
    deferred: int,
    seats: int,
) -> DeferredSession:
    return DeferredSession(
        session_id=session_id,
        event_id=event.id,
        event_title=event.title,
        event_reference=event.reference,
        title=part.title,
        starts_at=part.starts_at,
        ends_at=part.ends_at,
        zone=event.zone,
        state=part.state,
        seats=seats,
        invoiced=Money(int(invoiced), currency),
        credited=Money(int(credited), currency),
        recognised=Money(int(recognised), currency),
        deferred=Money(int(deferred), currency),
    )
