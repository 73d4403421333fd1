"""Currencies, fees and the rows of the balance."""

from seminars.sandbox.clock import business_days_later
from seminars.sandbox.errors import ApiError
from seminars.sandbox.forms import words
from seminars.sandbox.store import Body
from seminars.sandbox.world import Act

# Stripe documentation, Supported currencies.
ZERO_DECIMAL = frozenset(words("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"))
THREE_DECIMAL = frozenset(words("bhd jod kwd omr tnd"))
WHOLE_ONLY = frozenset(("isk", "ugx"))  # written with two decimals that must be 00
TWO_DECIMAL = frozenset(
    words("""aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc cve czk
    dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd kzt lak lbp lkr
    lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar
    sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx usd uyu uzs wst xcd yer zar zmw""")
)  # fmt: skip
CURRENCIES = ZERO_DECIMAL | THREE_DECIMAL | TWO_DECIMAL
SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥", "cad": "CA$", "aud": "A$"}
MINIMUM = {
    "usd": 50, "eur": 50, "gbp": 30, "cad": 50, "aud": 50, "chf": 50, "jpy": 50, "sek": 300, "nok": 300, "dkk": 250, "nzd": 50,
    "sgd": 50, "pln": 200, "czk": 1500, "mxn": 1000, "hkd": 400,
}  # fmt: skip
MOST = 99_999_999  # eight digits


def written(amount: int, currency: str) -> str:
    """An amount for people: $1,190.00."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    sign = "-" if amount < 0 else ""
    whole, part = divmod(abs(amount), 10**digits)
    number = f"{whole:,}" + (f".{part:0{digits}d}" if digits else "")
    return f"{sign}{SIGNS[currency]}{number}" if currency in SIGNS else f"{sign}{number} {currency.upper()}"


def check_currency(currency: str, param: str) -> str:
    """A known code, in lower case. Raises ApiError."""
    if currency.lower() not in CURRENCIES:
        raise ApiError(f"Invalid currency: {currency}. See the list of supported currencies.", param=param)
    return currency.lower()


def check_step(amount: int, currency: str, param: str) -> None:
    """Some currencies are written with digits that must be zero. Raises ApiError."""
    step = 10 if currency in THREE_DECIMAL else 100 if currency in WHOLE_ONLY else 1
    if amount % step:
        raise ApiError(f"Invalid amount: {amount} {currency} must be a multiple of {step}.", param=param)


def check_total(total: int, currency: str) -> None:
    """What a session may ask for: nothing at all, or between the minimum and eight digits. Raises ApiError."""
    least = MINIMUM.get(currency, 1)
    if 0 < total < least:
        text = f"The Checkout Session's total amount due must add up to at least {written(least, currency)} {currency}"
        raise ApiError(text, code="amount_too_small")
    if total > MOST:
        text = f"The Checkout Session's total amount due must be no more than {written(MOST, currency)} {currency}"
        raise ApiError(text, code="amount_too_large")


def card_fee(amount: int, *, foreign: bool) -> int:
    """2.9 % and 30 cents, 1.5 % more for a foreign card, rounded half up."""
    per_mille = 44 if foreign else 29
    return (amount * per_mille + 500) // 1000 + 30


def debit_fee(amount: int) -> int:
    """0.8 %, at most 5.00."""
    return min((amount * 8 + 500) // 1000, 500)


def book(
    act: Act, *, type_: str, source: str, amount: int, currency: str, fee: int = 0, available_on: int | None = None,
    description: str | None = None, category: str | None = None,
) -> Body:  # fmt: skip
    """A row of the balance. Without `available_on` the money counts at once."""
    details = [{"amount": fee, "application": None, "currency": currency, "description": "Stripe processing fees", "type": "stripe_fee"}]
    row = {
        "id": act.store.mint("txn_3"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on or act.now,
        "balance_type": "payments",
        "created": act.now,
        "currency": currency,
        "description": description,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": category or type_,
        "source": source,
        "status": "pending",
        "type": type_,
    }
    return act.store.add(row)


def funds_arrive(act: Act) -> int:
    """When money of today's charges can be paid out: the second business day."""
    return business_days_later(act.now, 2)


def shown(act: Act, row: Body) -> Body:
    """A row with the status it has by the clock."""
    return {**row, "status": "available" if row["available_on"] <= act.now else "pending"}


def balance(act: Act) -> Body:
    """GET /v1/balance: sums of what is available and what is still on its way, by currency."""
    sums: dict[str, dict[str, int]] = {}
    sources = {"payment": "bank_account", "payment_refund": "bank_account"}
    split: dict[tuple[str, str, str], int] = {}
    for row in act.store.every("balance_transaction"):
        status = shown(act, row)["status"]
        kind = sources.get(row["type"], "card")
        by = sums.setdefault(row["currency"], {"available": 0, "pending": 0})
        by[status] += row["net"]
        split[row["currency"], status, kind] = split.get((row["currency"], status, kind), 0) + row["net"]
    if not sums:
        sums = {"usd": {"available": 0, "pending": 0}}

    def column(status: str) -> list[Body]:
        return [
            {
                "amount": by[status],
                "currency": currency,
                "source_types": {kind: split.get((currency, status, kind), 0) for kind in ("bank_account", "card")},
            }
            for currency, by in sorted(sums.items())
        ]

    return {
        "object": "balance",
        "available": column("available"),
        "connect_reserved": None,
        "instant_available": None,
        "issuing": None,
        "livemode": False,
        "pending": column("pending"),
        "refund_and_dispute_prefunding": None,
    }
