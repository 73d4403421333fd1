"""How the facts of a document are written on the page: amounts, dates and sentences as text. Pure."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from babel import Locale

from seminars.kit import format as fmt
from seminars.kit.money import Money

LETTER_COUNTRIES = frozenset(("US", "CA", "MX", "PH", "CL", "CO", ""))
"""Where paper is Letter (an order without a country is the seller's own); everywhere else it is A4."""
BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def invoice_words(facts: dict[str, Any]) -> dict[str, Any]:
    """What `templates/documents/invoice.typ` shows."""
    currency = facts["currency"]
    return addressed_page(facts) | {
        "title": "Invoice",
        "subject": f"Invoice {facts['number']} for order {facts['order']['number']}",
        "about": [
            ["Invoice number", facts["number"]],
            ["Date", _day(facts["issued_on"])],
            ["Order", facts["order"]["number"]],
            *([["Your PO number", facts["buyer"]["po_number"]]] if facts["buyer"]["po_number"] else []),
            *([["Our tax number", facts["seller"]["tax_id"]]] if facts["seller"]["tax_id"] else []),
        ],
        "lines": [_invoice_line(line, currency) for line in facts["lines"]],
        "sums": _invoice_sums(facts),
        "closing": [sentence for sentence in (_paid(facts), facts["note"]) if sentence],
    }


def credit_note_words(facts: dict[str, Any]) -> dict[str, Any]:
    """What `templates/documents/credit_note.typ` shows."""
    currency = facts["currency"]
    return addressed_page(facts) | {
        "title": "Credit note",
        "subject": f"Credit note {facts['number']} on invoice {facts['invoice']['number']}",
        "about": [
            ["Credit note number", facts["number"]],
            ["Date", _day(facts["issued_on"])],
            ["On invoice", f"{facts['invoice']['number']} of {_day(facts['invoice']['issued_on'])}"],
            ["Order", facts["order"]["number"]],
            *([["Your PO number", facts["buyer"]["po_number"]]] if facts["buyer"]["po_number"] else []),
            *([["Our tax number", facts["seller"]["tax_id"]]] if facts["seller"]["tax_id"] else []),
        ],
        "lines": [
            {
                "title": line["description"],
                "details": line["details"],
                "people": f"For {line['person']}" if line["person"] else "",
                "amount": fmt.amount(Money(line["net"], currency)),
            }
            for line in facts["lines"]
        ],
        "sums": [
            *([["Net", _money(facts["net"], currency), False], ["Tax", _money(facts["tax"], currency), False]] if facts["tax"] else []),
            ["Total credited", _money(facts["total"], currency), True],
        ],
        "closing": [
            *([f"Reason: {facts['reason']}."] if facts["reason"] else []),
            "What was paid by card goes back to the same card. Banks take 5 to 10 business days to show it.",
        ],
    }


def paid_on(facts: dict[str, Any]) -> str:
    """The day on which it was paid, or nothing while some of it is still to be paid."""
    return _day(facts["paid"]["on"]) if not still_to_pay(facts) else ""


def still_to_pay(facts: dict[str, Any]) -> int:
    """What was to be paid when the invoice was issued, in minor units."""
    return int(facts["total"]) - _received(facts)


def addressed_page(facts: dict[str, Any]) -> dict[str, Any]:
    """What every document says: number, paper, who writes, to whom."""
    seller, buyer = facts["seller"], facts["buyer"]
    to = [part for part in (buyer["organisation"], buyer["name"], *buyer["address"], _country(buyer["country"])) if part]
    own = (seller["name"], seller["parent"])
    return {
        "number": facts["number"],
        "currency": facts["currency"],
        "language": "en",
        "paper": "us-letter" if buyer["country"] in LETTER_COUNTRIES else "a4",
        "accent": seller["accent"],
        "seller": {
            "name": seller["name"],
            "parent": seller["parent"],
            "contact": [*(line for line in seller["address"] if line not in own), seller["phone"], seller["email"]],
        },
        "addressed": "For",
        "buyer": to,
        "colophon": [part for part in (*own, seller["email"], seller["phone"]) if part],
    }


def _invoice_line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    reductions = (("Early price", line["early_reduction"]), ("Discount", line["discount"]))
    return {
        "title": line["description"],
        "details": line["details"],
        "people": _people(line["people"], line["unnamed"]),
        "quantity": line["quantity"],
        "price": fmt.amount(Money(line["unit_price"], currency)),
        "amount": fmt.amount(Money(line["list_price"], currency)),
        "reductions": [[name, fmt.amount(Money(-amount, currency))] for name, amount in reductions if amount],
    }


def _people(names: Sequence[str], unnamed: int) -> str:
    if not names:
        return ""
    others = f" and {fmt.count(unnamed, 'seat', 'seats')} not yet named" if unnamed else ""
    return f"For {', '.join(names)}{others}"


def _invoice_sums(facts: dict[str, Any]) -> list[list[Any]]:
    currency = facts["currency"]
    taxes = [
        [f"Tax {tax['rate']}{fmt.NBSP}% of {_money(tax['base'], currency)}", _money(tax["tax"], currency), False] for tax in facts["taxes"]
    ]
    net = [["Net", _money(facts["net"], currency), False]] if taxes else []
    total = [["Total", _money(facts["total"], currency), True]]
    if not facts["paid"]:
        return net + taxes + total
    paid = [["Paid", _money(-_received(facts), currency), False], ["Still to pay", _money(still_to_pay(facts), currency), False]]
    return net + taxes + total + paid


def _received(facts: dict[str, Any]) -> int:
    """What had come when the invoice was issued: the whole, unless the facts say how much of it."""
    return int(facts["paid"].get("amount", facts["total"])) if facts["paid"] else 0


def _paid(facts: dict[str, Any]) -> str:
    paid = facts["paid"]
    if not paid:
        return "Please pay within 30 days and name the invoice number."
    brand = BRANDS.get(paid["brand"], paid["brand"].title()) or paid["method"].replace("_", " ")
    ending = f" ending in {paid['last4']}" if paid["last4"] else ""
    if still_to_pay(facts):
        came, rest = _money(_received(facts), facts["currency"]), _money(still_to_pay(facts), facts["currency"])
        return f"{came} came on {_day(paid['on'])} with {brand}{ending}. Please pay {rest} within 30 days and name the invoice number."
    return f"Paid on {_day(paid['on'])} with {brand}{ending}."


def _money(minor: int, currency: str) -> str:
    return fmt.money(Money(minor, currency))


def _day(text: str) -> str:
    return fmt.day(date.fromisoformat(text))


def _country(code: str) -> str:
    return str(Locale("en").territories.get(code, code)) if code else ""
