"""Cancelling an appointment that was sold: the plan is shown, and pressing carries out that same plan."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting import announcing, appointments
from seminars.consulting.models import Appointment
from seminars.invoices import credit_notes, earning
from seminars.invoices.credit_notes import CreditLine
from seminars.kit.format import local
from seminars.kit.money import Money
from seminars.kit.references import fingerprint
from seminars.kit.refusals import Conflict
from seminars.orders import cancellation, settlement
from seminars.orders.models import Order, OrderLine
from seminars.payments import refunds
from seminars.payments.cancelling import PlanChanged, invoice_of, settling_payment

Refunding = Literal["by_rule", "all", "nothing"]
"""What goes back: what was agreed when it was bought (all that a client may ask for), or what staff decide."""


@dataclass(frozen=True)
class MeetingPlan:
    """What cancelling an appointment will do, to the cent. Amounts in minor units; `until` is the end of the full refund, if any."""

    appointment_id: int
    order_number: str
    title: str
    starts_at: datetime
    price: int
    refund: int
    fee: int
    currency: str
    until: str
    invoice_number: str
    card: str

    @property
    def refund_money(self) -> Money:
        """What goes back to the buyer."""
        return Money(self.refund, self.currency)

    @property
    def kept(self) -> Money:
        """What the center keeps."""
        return Money(self.price - self.refund, self.currency)

    @property
    def version(self) -> str:
        """Equal for equal plans: what the pressed button sends back."""
        return fingerprint(repr(asdict(self)))


def plan(session: Session, appointment: Appointment, *, refunding: Refunding, now: datetime) -> MeetingPlan:
    """What cancelling this appointment will do. Raises Conflict when it cannot be cancelled."""
    line = _line_of(session, appointment)
    order = line.order if line is not None else None
    if appointment.state not in ("confirmed", "requested"):
        raise Conflict(f"This appointment is {appointment.state.replace('_', ' ')} and cannot be cancelled.")
    if now >= appointment.starts_at:
        raise Conflict("This appointment has begun already and cannot be cancelled.")
    payment = settling_payment(session, order) if order is not None else None
    invoice = invoice_of(session, order) if order is not None else None
    price = line.net + line.tax if line is not None else 0
    rule = next((one for one in order.policies if one.get("appointment_id") == appointment.id), {}) if order is not None else {}
    refund, fee = _refund(price, rule, refunding, now) if payment is not None else (0, 0)
    if payment is not None and refund > payment.amount - payment.promised:
        raise refunds.MoreThanPaid(Money(payment.amount - payment.promised, payment.currency))
    return MeetingPlan(
        appointment_id=appointment.id,
        order_number=order.number if order is not None else "",
        title=appointment.offering.title,
        starts_at=appointment.starts_at,
        price=price,
        refund=refund,
        fee=fee,
        currency=appointment.offering.currency,
        until=rule.get("until") or "",
        invoice_number=invoice.number if invoice else "",
        card=f"{payment.brand} {payment.last4}".strip() if payment else "",
    )


def carry_out(
    session: Session,
    appointment: Appointment,
    *,
    refunding: Refunding,
    version: str,
    reason: str,
    letterhead: Letterhead,
    now: datetime,
) -> MeetingPlan:
    """Do what the plan of that version says: time freed, both calendars, credit note, promised refund, kept fee earned.

    Raises PlanChanged.
    """
    line = _line_of(session, appointment)
    order = settlement.lock(session, line.order_id) if line is not None else None
    session.refresh(appointment, with_for_update={"of": Appointment, "key_share": True})
    try:
        made = plan(session, appointment, refunding=refunding, now=now)
    except Conflict as changed:
        raise PlanChanged() from changed
    if made.version != version:
        raise PlanChanged()
    appointments.cancel(session, [appointment], reason=reason, now=now)
    announcing.tell_cancelled(session, [appointment], letterhead=letterhead, refund=made.refund_money if made.refund else None, now=now)
    if order is not None and line is not None:
        _give_back(session, order, line, made, reason=reason, letterhead=letterhead, now=now)
        earning.earn(session, appointment, on=local(now, letterhead.center.zone).date(), kept=True, now=now)
        cancellation.close_if_empty(session, order, now=now)
    return made


def _refund(price: int, rule: dict[str, object], refunding: Refunding, now: datetime) -> tuple[int, int]:
    """What goes back, and the fee that was taken off."""
    if refunding != "by_rule":
        return (price, 0) if refunding == "all" else (0, 0)
    until = rule.get("until")
    if not isinstance(until, str) or now >= datetime.fromisoformat(until):
        return 0, 0
    agreed = rule.get("fee")
    fee = min(price, agreed if isinstance(agreed, int) else 0)
    return price - fee, fee


def _give_back(
    session: Session, order: Order, line: OrderLine, made: MeetingPlan, *, reason: str, letterhead: Letterhead, now: datetime
) -> None:
    invoice, payment = invoice_of(session, order), settling_payment(session, order)
    if not made.refund or invoice is None or payment is None:
        return
    key = f"{line.thing}:cancel"
    credited = CreditLine(line.thing, line.net, line.tax).less(made.refund)
    credit_notes.issue(session, invoice, key=key, lines=[credited], reason=reason, center=letterhead.center, now=now)
    refunds.promise_refund(session, payment, made.refund_money, key=key, reason=reason, letterhead=letterhead, now=now)


def _line_of(session: Session, appointment: Appointment) -> OrderLine | None:
    """The line that sold it; none for what was free of an order, or belongs to an engagement."""
    return session.scalar(select(OrderLine).where(OrderLine.appointment_id == appointment.id))
