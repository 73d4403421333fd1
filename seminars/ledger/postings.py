"""The posting rules: for each business fact, which accounts it debits (+) and credits (−). Numbers are the rows of ledger.md §4.

Dimensions: receivables, unapplied receipts and refunds payable name the order (`order/118`), deferred and earned revenue what it is for
(`session/7`, `appointment/3`, `retainer/2`, `milestone/4`), so that an account's balance can be split by what it is made of.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from seminars.kit.money import Money
from seminars.ledger import chart

# Kinds of source: with the source itself they make a fact post once (`stripe.charge` + `ch_…`).
INVOICE = "invoice"
CREDIT_NOTE = "creditnote"
CHARGE = "stripe.charge"
BALANCE_TRANSACTION = "stripe.bt"
BALANCE_TRANSACTION_FEE = "stripe.bt.fee"
MATCH = "match"
REFUND = "refund"
REFUND_OTHERWISE = "refund.otherwise"
DELIVERY = "deliver"
TIMESHEET = "timesheet"
EXPIRY = "expire"
ACCEPTANCE = "accept"
REVERSAL = "reverse"


@dataclass(frozen=True, slots=True)
class Line:
    """One posting to be made: positive is debit, negative credit."""

    account: int
    amount: Money
    dimension: str = ""


DEFERRED = {
    "session": chart.DEFERRED_SEMINARS,
    "appointment": chart.DEFERRED_CONSULTING,
    "retainer": chart.DEFERRED_CONSULTING,
    "milestone": chart.UNBILLED_SERVICES,
    "timesheet": chart.UNBILLED_SERVICES,
}
"""Where the net of an invoice goes, by what it is for: deferred until delivery, or against work that was earned before it was billed."""


def deferred_account(dimension: str) -> int:
    """The account that the invoice of such a thing credits."""
    return DEFERRED[dimension.partition("/")[0]]


def revenue_account(dimension: str) -> int:
    """The account in which such a thing is earned."""
    return chart.SEMINAR_REVENUE if dimension.startswith("session/") else chart.CONSULTING_REVENUE


def invoice_issued(by_dimension: Mapping[str, Money], tax: Money, *, owed_by: str) -> list[Line]:
    """Rules 1, 5, 13, 41, 44 and 54: the customer owes the invoice; its net is deferred for what it is for, at the transaction price."""
    total = sum(by_dimension.values(), tax)
    return _without_zeros(
        [
            Line(chart.RECEIVABLE, total, owed_by),
            *(Line(deferred_account(dimension), -net, dimension) for dimension, net in by_dimension.items()),
            Line(chart.SALES_TAX, -tax),
        ]
    )


def card_paid(gross: Money, *, owed_by: str) -> list[Line]:
    """Rule 2: Stripe owes us the gross, the customer owes nothing."""
    return [Line(chart.STRIPE_CLEARING, gross), Line(chart.RECEIVABLE, -gross, owed_by)]


def card_fee(fee: Money) -> list[Line]:
    """Rules 3 and 4: known only with the balance transaction, often seconds later. A fee of nothing posts nothing."""
    return _without_zeros([Line(chart.CARD_FEES, fee), Line(chart.STRIPE_CLEARING, -fee)])


def unallocated_received(gross: Money, *, paid_for: str) -> list[Line]:
    """Rule 12, and money of a wrong amount: what settles nothing leaves the order as it is and waits as unapplied."""
    return [Line(chart.STRIPE_CLEARING, gross), Line(chart.UNAPPLIED_RECEIPTS, -gross, paid_for)]


def credited(deferred: Mapping[str, Money], delivered_part: Money, tax: Money, order: str, *, owed: Money) -> list[Line]:
    """Rules 16, 19 and 20: the deferred part becomes owed to the customer, the earned part goes to contra revenue.

    Rule 14, note: what the customer still owes of the invoice is lowered first.
    """
    total = sum(deferred.values(), delivered_part + tax)
    set_off = min(owed, total)
    return _without_zeros(
        [
            *(Line(deferred_account(dimension), net, dimension) for dimension, net in deferred.items()),
            Line(chart.REFUNDS_AFTER_DELIVERY, delivered_part, order),
            Line(chart.SALES_TAX, tax),
            Line(chart.RECEIVABLE, -set_off, order),
            Line(chart.REFUNDS_PAYABLE, set_off - total, order),
        ]
    )


def refund_executed(amount: Money, *, owed_to: str) -> list[Line]:
    """Rule 17: Stripe has paid back what we owed."""
    return [Line(chart.REFUNDS_PAYABLE, amount, owed_to), Line(chart.STRIPE_CLEARING, -amount)]


def refund_failed(amount: Money, *, owed_to: str) -> list[Line]:
    """Rule 18: the bank sent it back; we owe it again."""
    return [Line(chart.STRIPE_CLEARING, amount), Line(chart.REFUNDS_PAYABLE, -amount, owed_to)]


def delivered(amount: Money, *, dimension: str) -> list[Line]:
    """Rules 35 to 37 and 55: what was deferred for this session or appointment is earned."""
    return [Line(deferred_account(dimension), amount, dimension), Line(revenue_account(dimension), -amount, dimension)]


def fee_kept(amount: Money, *, dimension: str) -> list[Line]:
    """What was not given back of something cancelled is a cancellation fee (rule 21): of a seat it is earned when the session is
    delivered, of an appointment, which will never be, at once."""
    return [Line(deferred_account(dimension), amount, dimension), Line(chart.CANCELLATION_FEES, -amount, dimension)]


def identified(amount: Money, *, order: str) -> list[Line]:
    """Rule 9: unapplied money turns out to be for the order's invoice."""
    return [Line(chart.UNAPPLIED_RECEIPTS, amount, order), Line(chart.RECEIVABLE, -amount, order)]


def refund_by_bank(amount: Money, *, owed_to: str) -> list[Line]:
    """Rule 17 with the bank in Stripe's place: what we owed went back by a transfer or a check of our own."""
    return [Line(chart.REFUNDS_PAYABLE, amount, owed_to), Line(chart.BANK, -amount)]


def unapplied_sent_back(amount: Money, *, paid_for: str) -> list[Line]:
    """Rule 53: unapplied money is promised back; rule 17 follows."""
    return [Line(chart.UNAPPLIED_RECEIPTS, amount, paid_for), Line(chart.REFUNDS_PAYABLE, -amount, paid_for)]


def time_worked(drawn: Money, beyond: Money, *, retainer: str, timesheet: str) -> list[Line]:
    """Rules 42 and 43: hours of a retainer are earned as they are worked; what goes beyond them is earned too and waits to be billed."""
    return _without_zeros(
        [
            Line(chart.DEFERRED_CONSULTING, drawn, retainer),
            Line(chart.UNBILLED_SERVICES, beyond, timesheet),
            Line(chart.CONSULTING_REVENUE, -(drawn + beyond), retainer),
        ]
    )


def retainer_expired(left: Money, *, retainer: str) -> list[Line]:
    """Rule 45: what the client did not use until the agreed day is earned (breakage, told apart by its source)."""
    return _without_zeros([Line(chart.DEFERRED_CONSULTING, left, retainer), Line(chart.CONSULTING_REVENUE, -left, retainer)])


def milestone_accepted(amount: Money, *, milestone: str) -> list[Line]:
    """Rule 56: the client has accepted a part of the work, so it is earned; its invoice (rule 44) follows."""
    return [Line(chart.UNBILLED_SERVICES, amount, milestone), Line(chart.CONSULTING_REVENUE, -amount, milestone)]


def _without_zeros(lines: list[Line]) -> list[Line]:
    """The database refuses a posting of nothing."""
    return [line for line in lines if line.amount]
