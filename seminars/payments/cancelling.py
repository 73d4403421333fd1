"""Cancelling seats of a paid order: the plan is shown, and pressing carries out that same plan.

`plan` is the one place that says what a cancellation does; `carry_out` makes the plan again and refuses when the order changed in
between. Whether and how much is given back is decided by whoever cancels; what was agreed at purchase is shown beside it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.calendars.models import CalendarEntry
from seminars.config import Letterhead
from seminars.gateways.stripe import Gateway, StripeTrouble
from seminars.invoices import credit_notes
from seminars.invoices.credit_notes import CreditLine
from seminars.invoices.models import Invoice
from seminars.kit.clock import Clock
from seminars.kit.money import Money
from seminars.kit.references import fingerprint
from seminars.kit.refusals import Conflict, NotFound
from seminars.orders import cancellation, settlement
from seminars.orders.models import Order
from seminars.payments import capture, checkout, refunds, resolving
from seminars.payments.checkout import Work
from seminars.payments.models import Payment, PaymentAttempt
from seminars.registration import announcing, places
from seminars.registration.models import Registration


class PlanChanged(Conflict):
    """The order is not as it was when the plan was shown."""

    def __init__(self) -> None:
        super().__init__("This order has changed since the plan was made. Look at the new plan and press again.")


@dataclass(frozen=True)
class SeatPlan:
    """What happens to one seat."""

    registration_id: int
    person: str
    event: str
    price: int
    refund: int
    told: bool


@dataclass(frozen=True)
class Plan:
    """What cancelling these seats will do, to the cent. Amounts in minor units."""

    order_id: int
    seats: tuple[SeatPlan, ...]
    currency: str
    invoice_number: str
    card: str
    owed: int = 0

    @property
    def credited(self) -> Money:
        """What is taken back of the invoice."""
        return Money(sum(seat.refund for seat in self.seats), self.currency)

    @property
    def set_off(self) -> Money:
        """What of that only lowers the debt, because it was never paid."""
        return Money(min(self.owed, self.credited.amount), self.currency)

    @property
    def refund(self) -> Money:
        """What goes back to the buyer, in all."""
        return self.credited - self.set_off

    @property
    def kept(self) -> Money:
        """What the center keeps."""
        return Money(sum(seat.price - seat.refund for seat in self.seats), self.currency)

    @property
    def version(self) -> str:
        """Equal for equal plans: what the pressed button sends back."""
        return fingerprint(repr(asdict(self)))


def plan(session: Session, order: Order, registration_ids: Sequence[int], *, refund: bool) -> Plan:
    """What cancelling these seats of the order will do. Raises Conflict when a seat cannot be cancelled."""
    lines = [line for line in order.seat_lines if line.seat.id in set(registration_ids)]
    if not lines or len(lines) != len(set(registration_ids)):
        raise Conflict("Choose seats of this order.")
    if order.state != "paid":
        raise Conflict("Only seats of a settled order are cancelled one by one; an unpaid order is cancelled whole.")
    payment, invoice = settling_payment(session, order), invoice_of(session, order)
    invited = _with_entry(session, [line.seat.reference for line in lines])
    seats = tuple(
        SeatPlan(
            registration_id=line.seat.id,
            person=line.seat.attendee_name or "Seat without a name",
            event=line.seat.event.title,
            price=line.net + line.tax,
            refund=line.net + line.tax if refund and payment is not None else 0,
            told=line.seat.reference in invited,
        )
        for line in lines
    )
    for line in lines:
        if line.seat.state != "confirmed":
            person, state = line.seat.attendee_name or "nobody", line.seat.state.replace("_", " ")
            raise Conflict(f"The seat of {person} is {state} and cannot be cancelled.")
    made = Plan(
        order_id=order.id,
        seats=seats,
        currency=order.currency,
        invoice_number=invoice.number if invoice else "",
        card=f"{payment.brand} {payment.last4}".strip() if payment else "",
        owed=credit_notes.still_owed(session, invoice).amount if invoice else 0,
    )
    if payment is not None and made.refund.amount > payment.amount - payment.promised:
        raise refunds.MoreThanPaid(Money(payment.amount - payment.promised, payment.currency))
    return made


def carry_out(
    session: Session,
    order: Order,
    registration_ids: Sequence[int],
    *,
    refund: bool,
    version: str,
    reason: str,
    letterhead: Letterhead,
    now: datetime,
) -> Plan:
    """Do what the plan of that version says: seats freed, CANCEL and letters, credit note, promised refund. Raises PlanChanged."""
    order = settlement.lock(session, order.id)
    registrations = [r for r in places.of_order(session, order.reference) if r.id in set(registration_ids)]
    try:
        made = plan(session, order, registration_ids, refund=refund)
    except Conflict as changed:
        raise PlanChanged() from changed
    if made.version != version:
        raise PlanChanged()
    if made.credited:
        _give_back(session, order, made, reason=reason, letterhead=letterhead, now=now)
    free_seats(session, order, registrations, refund=_refund_each(made), letterhead=letterhead, now=now)
    return made


def free_seats(
    session: Session, order: Order, registrations: Sequence[Registration], *, refund: Money | None, letterhead: Letterhead, now: datetime
) -> None:
    """Put seats of a locked order back on sale and tell who sat there; with its last seat the order is cancelled."""
    places.cancel(session, registrations, now=now)
    announcing.tell_cancelled(session, registrations, letterhead=letterhead, refund=refund, now=now)
    cancellation.close_if_empty(session, order, now=now)


def _refund_each(made: Plan) -> Money | None:
    """What goes back for each seat, where it is the same for all."""
    each = {seat.refund for seat in made.seats}
    if made.set_off:
        return None
    return Money(each.pop(), made.currency) if len(each) == 1 else None


def _give_back(session: Session, order: Order, made: Plan, *, reason: str, letterhead: Letterhead, now: datetime) -> None:
    invoice, payment = invoice_of(session, order), settling_payment(session, order)
    assert invoice is not None and payment is not None
    ids = {seat.registration_id for seat in made.seats}
    # A seat of a paid order is cancelled once: the first of those that go together names what is done for them.
    key = f"{order.reference}:cancel:{min(ids)}"
    lines = [CreditLine(line.thing, line.net, line.tax) for line in order.seat_lines if line.seat.id in ids]
    credit_notes.issue(session, invoice, key=key, lines=lines, reason=reason, center=letterhead.center, now=now)
    if made.refund:
        refunds.promise_refund(session, payment, made.refund, key=key, reason=reason, letterhead=letterhead, now=now)


def settling_payment(session: Session, order: Order) -> Payment | None:
    """The payment that settled the order, if money did."""
    return session.scalar(select(Payment).where(Payment.order_id == order.id, Payment.role == "settles"))


def invoice_of(session: Session, order: Order) -> Invoice | None:
    """The order's invoice; a free order has none."""
    return session.scalar(select(Invoice).where(Invoice.order_id == order.id).order_by(Invoice.id))


def _with_entry(session: Session, registrations: Sequence[str]) -> set[str]:
    """Which of these registrations have a calendar entry that stands."""
    query = select(CalendarEntry.holder).where(CalendarEntry.holder.in_(registrations), CalendarEntry.state != "cancelled")
    return set(session.scalars(query))


def call_off(work: Work, gateway: Gateway, order_id: int, *, letterhead: Letterhead, clock: Clock) -> Order:
    """Cancel an order that waits for its payment. Its page at Stripe is closed first: if it was paid in that second, paid wins.

    An attempt without a page is looked for first. Money that was set aside because it did not agree goes back with the order.
    Raises NotFound, and Conflict when Stripe does not say how the page stands.
    """
    with work() as session:
        found = session.get(Order, order_id)
        if found is None:
            raise NotFound("There is no such order.")
        attempt = checkout.live_attempt(session, found)
    if attempt is not None:
        try:
            _close(work, gateway, attempt, letterhead=letterhead, clock=clock)
        except StripeTrouble as trouble:
            raise Conflict("Stripe does not say whether this order was just paid, so it stays. Try again in a minute.") from trouble
    with work() as session:
        order = settlement.lock(session, order_id)
        if order.state == "expired":
            order.state = "cancelled"
        elif order.state == "placed":
            if checkout.live_attempt(session, order) is not None:
                raise Conflict("A payment for this order is under way. Wait until it is known, then cancel.")
            cancellation.cancel_unpaid(session, order, now=clock())
        if order.state == "cancelled":
            _send_back_unallocated(session, order, letterhead=letterhead, now=clock())
        return order


def _close(work: Work, gateway: Gateway, attempt: PaymentAttempt, *, letterhead: Letterhead, clock: Clock) -> None:
    """Let nothing more be paid by this attempt, and settle what was. Raises StripeTrouble; no transaction is open while Stripe is asked."""
    session_id = attempt.session_id
    if session_id is None:
        if attempt.submitted_at is not None and clock() - attempt.submitted_at < resolving.STUCK_AFTER:
            return  # it may be made at this very moment
        found = resolving.look_for(gateway, attempt)
        if isinstance(found, StripeTrouble):
            raise found
        with work() as session:
            if isinstance(found, resolving.Absent):
                resolving.give_up(session, attempt.id, now=clock())
                return
            session_id = checkout.answered(session, attempt.id, found, now=clock()).session_id
    if session_id is None:
        return
    gateway.expire_session(session_id)
    seen = capture.look(gateway, session_id)
    with work() as session:
        capture.apply(session, seen, letterhead=letterhead, found_by="call off", now=clock())


def _send_back_unallocated(session: Session, order: Order, *, letterhead: Letterhead, now: datetime) -> None:
    """Money that came for an order and could not settle it belongs to the payer once the order is off (payments.md §6 row 23)."""
    waiting = select(Payment).where(Payment.order_id == order.id, Payment.role == "unallocated", Payment.promised < Payment.amount)
    for payment in session.scalars(waiting.order_by(Payment.id)).all():
        refunds.promise_unapplied(session, payment, reason="The order was cancelled", letterhead=letterhead, now=now)
