"""The chart of accounts (ledger.md §3): the only place that knows an account's number.

The rows of the table `accounts` are written by migrations; a test holds them against this list.
"""

from dataclasses import dataclass
from typing import Literal

Type = Literal["asset", "liability", "equity", "revenue", "expense"]
Side = Literal["debit", "credit"]


@dataclass(frozen=True, slots=True)
class Row:
    """One account as the chart prints it."""

    number: int
    name: str
    type: Type
    normal_side: Side


BANK = 1000
STRIPE_CLEARING = 1050
PAYOUTS_IN_TRANSIT = 1060
RECEIVABLE = 1100
UNBILLED_SERVICES = 1110
DOUBTFUL_DEBTS = 1190
DISPUTED_FUNDS = 1200
FX_POSITION = 1990
UNAPPLIED_RECEIPTS = 2000
REFUNDS_PAYABLE = 2050
DEFERRED_SEMINARS = 2100
DEFERRED_MEMBERSHIPS = 2110
DEFERRED_CONSULTING = 2120
SALES_TAX = 2200
CUSTOMER_CREDIT = 2300
POINTS_LIABILITY = 2320
OPENING_BALANCES = 3000
SEMINAR_REVENUE = 4000
MEMBERSHIP_REVENUE = 4010
CONSULTING_REVENUE = 4020
CANCELLATION_FEES = 4030
BREAKAGE = 4040
REFUNDS_AFTER_DELIVERY = 4095
CARD_FEES = 5000
DISPUTE_FEES = 5010
DISPUTE_LOSSES = 5020
BAD_DEBT = 5030
FX_RESULT = 6800
ROUNDING = 6900

CHART = (
    Row(BANK, "Bank, operating", "asset", "debit"),
    Row(STRIPE_CLEARING, "Stripe clearing", "asset", "debit"),
    Row(PAYOUTS_IN_TRANSIT, "Payouts in transit", "asset", "debit"),
    Row(RECEIVABLE, "Accounts receivable", "asset", "debit"),
    Row(UNBILLED_SERVICES, "Unbilled services", "asset", "debit"),
    Row(DOUBTFUL_DEBTS, "Allowance for doubtful debts", "asset", "credit"),
    Row(DISPUTED_FUNDS, "Disputed funds held by the card scheme", "asset", "debit"),
    Row(FX_POSITION, "FX position", "asset", "debit"),
    Row(UNAPPLIED_RECEIPTS, "Unapplied receipts", "liability", "credit"),
    Row(REFUNDS_PAYABLE, "Refunds payable", "liability", "credit"),
    Row(DEFERRED_SEMINARS, "Deferred revenue, seminars", "liability", "credit"),
    Row(DEFERRED_MEMBERSHIPS, "Deferred revenue, memberships", "liability", "credit"),
    Row(DEFERRED_CONSULTING, "Deferred revenue, consulting", "liability", "credit"),
    Row(SALES_TAX, "Sales tax / VAT payable", "liability", "credit"),
    Row(CUSTOMER_CREDIT, "Customer credit", "liability", "credit"),
    Row(POINTS_LIABILITY, "Points liability, members", "liability", "credit"),
    Row(OPENING_BALANCES, "Opening balances / retained earnings", "equity", "credit"),
    Row(SEMINAR_REVENUE, "Seminar revenue", "revenue", "credit"),
    Row(MEMBERSHIP_REVENUE, "Membership revenue", "revenue", "credit"),
    Row(CONSULTING_REVENUE, "Consulting revenue", "revenue", "credit"),
    Row(CANCELLATION_FEES, "Cancellation fees", "revenue", "credit"),
    Row(BREAKAGE, "Breakage", "revenue", "credit"),
    Row(REFUNDS_AFTER_DELIVERY, "Refunds after delivery", "revenue", "debit"),
    Row(CARD_FEES, "Card processing fees", "expense", "debit"),
    Row(DISPUTE_FEES, "Dispute fees", "expense", "debit"),
    Row(DISPUTE_LOSSES, "Dispute losses", "expense", "debit"),
    Row(BAD_DEBT, "Bad debt", "expense", "debit"),
    Row(FX_RESULT, "FX result", "expense", "debit"),
    Row(ROUNDING, "Rounding and small differences", "expense", "debit"),
)
