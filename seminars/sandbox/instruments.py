"""The cards and bank accounts of the test tables (Stripe documentation, Testing), and what each does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """Why a card or an account was not charged: the API's code, the issuer's reason, the sentence."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    number: str
    note: str
    brand: str = "visa"
    country: str = "US"
    refusal: Refusal | None = None
    asks: bool = False  # 3-D Secure
    at_once: bool = False  # straight to the available balance
    refunds: str = "succeeded"  # "pending": succeeds later; "failing": succeeds, then fails
    method = "card"

    @property
    def last4(self) -> str:
        return self.number[-4:]


@dataclass(frozen=True)
class Debit:
    """A bank account. Its payment is processing for days, then ends."""

    method: str
    number: str
    note: str
    routing: str = ""
    refusal: Refusal | None = None
    stays: bool = False
    refunds = "succeeded"
    at_once = False

    @property
    def last4(self) -> str:
        return self.number[-4:]


Instrument = Card | Debit

DECLINED = "Your card was declined."


def _declined(reason: str) -> Refusal:
    return Refusal("card_declined", reason, DECLINED)


def _bank(code: str, message: str) -> Refusal:
    return Refusal(code, None, message)


CARDS = [
    Card("4242424242424242", "Succeeds"),
    Card("5555555555554444", "Succeeds", brand="mastercard"),
    Card("378282246310005", "Succeeds", brand="amex"),
    Card("4000002760000016", "Succeeds; issued in Germany, so the fee is higher", country="DE"),
    Card("4000000000000077", "Succeeds; the money is available at once", at_once=True),
    Card("4000000000000002", "Declined", refusal=_declined("generic_decline")),
    Card("4000000000009995", "Declined: insufficient funds", refusal=Refusal(
        "card_declined", "insufficient_funds", "Your card has insufficient funds.")),
    Card("4000000000009987", "Declined: lost card", refusal=_declined("lost_card")),
    Card("4000000000009979", "Declined: stolen card", refusal=_declined("stolen_card")),
    Card("4000000000000069", "Declined: expired card", refusal=Refusal(
        "expired_card", "expired_card", "Your card has expired.")),
    Card("4000000000000127", "Declined: wrong CVC", refusal=Refusal(
        "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")),
    Card("4000000000000119", "Declined: processing error", refusal=Refusal(
        "processing_error", "processing_error",
        "An error occurred while processing your card. Try again in a little bit.")),
    Card("4000002760003184", "Asks for 3-D Secure", country="DE", asks=True),
    Card("4000000000003220", "Asks for 3-D Secure", asks=True),
    Card("4000008400001629", "Asks for 3-D Secure, then declined", asks=True, refusal=_declined("generic_decline")),
    Card("4000000000007726", "Succeeds; a refund is pending first", refunds="pending"),
    Card("4000000000005126", "Succeeds; a refund succeeds, then fails", refunds="failing"),
    Card("4000000000000259", "Succeeds; the dispute that follows at Stripe does not follow here"),
    Card("4000000000002685", "Succeeds; the dispute that follows at Stripe does not follow here"),
    Card("4000000000001976", "Succeeds; the inquiry that follows at Stripe does not follow here"),
    Card("4000000000005423", "Succeeds; the fraud warning that follows at Stripe does not follow here"),
]  # fmt: skip

CLOSED = _bank("bank_account_unusable", "The customer's bank account has been closed.")
NO_ACCOUNT = _bank("bank_account_unusable", "The customer's bank account could not be located.")
NO_FUNDS = _bank("insufficient_funds", "The customer's account has insufficient funds to cover this payment.")
NOT_ALLOWED = _bank("debit_not_authorized", "The customer has notified their bank that this payment was unauthorized.")
ROUTING = "110000000"

DEBITS = [
    Debit("us_bank_account", "000123456789", "Processing, then succeeds", ROUTING),
    Debit("us_bank_account", "000111111113", "Processing, then fails: account closed", ROUTING, CLOSED),
    Debit("us_bank_account", "000111111116", "Processing, then fails: no such account", ROUTING, NO_ACCOUNT),
    Debit("us_bank_account", "000222222227", "Processing, then fails: insufficient funds", ROUTING, NO_FUNDS),
    Debit("us_bank_account", "000333333335", "Processing, then fails: debit not authorized", ROUTING, NOT_ALLOWED),
    Debit("us_bank_account", "000555555559", "Processing, then succeeds; no dispute follows here", ROUTING),
    Debit("us_bank_account", "000000000009", "Stays processing", ROUTING, stays=True),
    Debit("sepa_debit", "AT321904300235473204", "Processing, then succeeds"),
    Debit("sepa_debit", "AT861904300235473202", "Processing, then fails", refusal=NO_FUNDS),
]
BUSINESS_DAYS = {"us_bank_account": 4, "sepa_debit": 5}


def card(number: str) -> Card | None:
    """The test card with this number, however it is spaced."""
    digits = "".join(number.split()).replace("-", "")
    return next((one for one in CARDS if one.number == digits), None)


def debit(method: str, number: str, routing: str = "") -> Debit | None:
    """The test bank account with this number (and, in the US, routing number)."""
    plain = "".join(number.split()).upper()
    for one in DEBITS:
        if one.method == method and one.number == plain and one.routing in ("", routing.strip()):
            return one
    return None


def spaced(number: str) -> str:
    """A number as people read it: in fours (American Express 4-6-5)."""
    if len(number) == 15 and number.isdecimal():
        return f"{number[:4]} {number[4:10]} {number[10:]}"
    if number.isdecimal() and len(number) == 12:
        return number
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
