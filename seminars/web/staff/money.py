"""What finance decides about money: a payment that differs from its order, and refunds that no program can finish."""

from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from seminars.desk.naming import names_of
from seminars.finance import queries
from seminars.kit.format import money as as_money
from seminars.kit.refusals import NotFound, Refusal
from seminars.payments import answering, reviewing
from seminars.payments.models import Payment, Refund
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff.door import Typed, acting, again, page, positive, reading, staff

MOST_WORDS, MOST_REFERENCE = 300, 120


@dataclass(frozen=True)
class Waiting:
    """What waits for a decision on a payment: the difference or why it cannot be confirmed, and refunds with what can be done."""

    difference: reviewing.Difference | None
    why_not: str
    cancellable: bool
    stuck: list[Refund]
    by_hand: list[tuple[Refund, answering.Ways]]


@staff.get("/finance/payments/<int:payment_id>")
@needs(may.see_finance)
def payment(payment_id: int) -> ResponseReturnValue:
    """One payment with its fee, documents, refunds and entries, and what is to be decided about it."""
    return page("finance/payment.html", errors={}, typed={}, **_facts(payment_id))


@staff.post("/finance/payments/<int:payment_id>/confirm")
@needs(may.settle_money)
def confirm_payment(payment_id: int) -> ResponseReturnValue:
    """Confirm the order although the amount differs."""
    typed = Typed(request.form)
    try:
        reason = _reason(typed)
        typed.finish()
        with acting(reason) as session:
            found = _payment(session.get(Payment, payment_id))
            reviewing.confirm_differing(session, found, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _again(refusal, payment_id)
    flash("The order is confirmed.")
    return redirect(url_for("staff.payment", payment_id=payment_id), 303)


@staff.post("/finance/payments/<int:payment_id>/send-back")
@needs(may.settle_money)
def send_payment_back(payment_id: int) -> ResponseReturnValue:
    """Give back money that was set aside."""
    typed = Typed(request.form)
    try:
        reason = _reason(typed)
        typed.finish()
        with acting(reason) as session:
            found = _payment(session.get(Payment, payment_id))
            refund = reviewing.send_back(session, found, reason=reason, letterhead=joined().settings.letterhead, now=now())
    except Refusal as refusal:
        return _again(refusal, payment_id)
    flash(f"{as_money(refund.money)} goes back.")
    return redirect(url_for("staff.payment", payment_id=payment_id), 303)


@staff.post("/finance/refunds/<int:refund_id>/otherwise")
@needs(may.settle_money)
def settle_refund_otherwise(refund_id: int) -> ResponseReturnValue:
    """Close a refund that was paid back another way."""
    typed, payment_id = Typed(request.form), _payment_of(refund_id)
    try:
        reason, paper = _reason(typed), " ".join(typed.text("reference").split())[:MOST_REFERENCE]
        if not paper:
            typed.wrong("reference", "Please say where it can be found, such as “bank transfer of 14 May”.")
        typed.finish()
        zone = joined().settings.center.zone
        with acting(reason) as session:
            found = session.get_one(Refund, refund_id)
            answering.settle_otherwise(session, found, reason=reason, reference=paper, zone=zone, now=now())
    except Refusal as refusal:
        return _again(refusal, payment_id)
    flash("The refund is settled.")
    return redirect(url_for("staff.payment", payment_id=payment_id), 303)


@staff.post("/finance/refunds/<int:refund_id>/answer")
@needs(may.settle_money)
def answer_refund(refund_id: int) -> ResponseReturnValue:
    """Say what a refund made at Stripe by hand was for."""
    typed, payment_id = Typed(request.form), _payment_of(refund_id)
    try:
        reason = _reason(typed)
        typed.finish()
        with acting(reason) as session:
            told = _answer(session.get_one(Refund, refund_id), typed.text("way"), reason)
    except Refusal as refusal:
        return _again(refusal, payment_id)
    flash(told)
    return redirect(url_for("staff.payment", payment_id=payment_id), 303)


def _answer(refund: Refund, way: str, reason: str) -> str:
    session, letterhead, instant = reading(), joined().settings.letterhead, now()
    if way == "promise":
        answering.take_the_place(session, refund, reason=reason, letterhead=letterhead, now=instant)
        return "It takes the place of the promised refund."
    if way == "aside":
        answering.gave_back_set_aside(session, refund, reason=reason, zone=letterhead.center.zone, now=instant)
        return "It gave back money that was set aside."
    seats = [number for text in request.form.getlist("seat") if (number := positive(text))]
    cancel = way == "seats"
    note = answering.credit(session, refund, seats, cancel=cancel, reason=reason, letterhead=letterhead, now=instant)
    return f"Credit note {note.number} over {as_money(note.total_money)} is issued."


def _again(refusal: Refusal, payment_id: int) -> ResponseReturnValue:
    reading().expire_all()
    return again("finance/payment.html", refusal, **_facts(payment_id))


def _facts(payment_id: int) -> dict[str, object]:
    found = queries.payment_detail(reading(), payment_id)
    told = {line.dimension for one in found.entries for line in one.lines} | {one.about for one in found.entries}
    waiting = _waiting(payment_id) if may.settle_money(the_user()) else None
    return {"section": "Finance", "found": found, "names": names_of(reading(), told), "waiting": waiting, "most": MOST_WORDS}


def _waiting(payment_id: int) -> Waiting:
    session = reading()
    found = _payment(session.get(Payment, payment_id))
    difference, why_not = None, ""
    if found.role == "unallocated" and found.promised < found.amount:
        try:
            difference = reviewing.difference(found)
        except Refusal as refusal:
            why_not = str(refusal)
    open_by_hand = [one for one in found.refunds if one.external and one.answered_at is None]
    return Waiting(
        difference=difference,
        why_not=why_not,
        cancellable=found.order.state == "placed",
        stuck=[one for one in found.refunds if one.state == "needs_manual" and one not in open_by_hand],
        by_hand=[(one, answering.ways(session, one)) for one in open_by_hand],
    )


def _reason(typed: Typed) -> str:
    reason = " ".join(typed.text("reason").split())[:MOST_WORDS]
    if not reason:
        typed.wrong("reason", "Please say why. It stands in the audit and on the timeline.")
    return reason


def _payment(found: Payment | None) -> Payment:
    if found is None:
        raise NotFound("There is no such payment.")
    return found


def _payment_of(refund_id: int) -> int:
    found = reading().get(Refund, refund_id)
    if found is None:
        raise NotFound("There is no such refund.")
    return found.payment_id
