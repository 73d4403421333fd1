"""What a document shows, as data: built once when it is issued, hashed, and never built again. Amounts are minor units."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from seminars.config import Center
from seminars.kit import format as fmt
from seminars.kit.references import fingerprint
from seminars.orders.models import Order


@dataclass(frozen=True, slots=True)
class Seat:
    """One line of the order as the document needs it: what, when and where, for whom, at what price per seat."""

    description: str
    details: str
    person: str | None
    list_price: int
    early_reduction: int
    discount: int
    net: int
    tax_rate: str
    tax: int


@dataclass(frozen=True, slots=True)
class CreditedSeat:
    """One line of a credit note: what is taken back of a seat."""

    description: str
    details: str
    person: str | None
    net: int
    tax: int


def invoice_facts(
    order: Order, seats: Sequence[Seat], *, number: str, issued_on: date, center: Center, paid: Mapping[str, str] | None
) -> dict[str, Any]:
    """All that an invoice shows."""
    return {
        "document": "invoice",
        "number": number,
        "issued_on": issued_on.isoformat(),
        "seller": seller(center),
        "buyer": buyer(order),
        "order": {"number": order.number, "placed_on": fmt.local(order.placed_at, center.zone).date().isoformat()},
        "currency": order.currency,
        "lines": _grouped(seats),
        "taxes": _taxes(seats),
        "net": order.net,
        "tax": order.tax,
        "total": order.total,
        "paid": _paid(paid, center.zone),
        "note": center.invoice_note,
    }


def credit_note_facts(
    invoice: dict[str, Any], seats: Sequence[CreditedSeat], *, number: str, issued_on: date, center: Center, reason: str
) -> dict[str, Any]:
    """All that a credit note shows; who bought is taken from the invoice as it was."""
    net, tax = sum(seat.net for seat in seats), sum(seat.tax for seat in seats)
    return {
        "document": "credit_note",
        "number": number,
        "issued_on": issued_on.isoformat(),
        "invoice": {"number": invoice["number"], "issued_on": invoice["issued_on"]},
        "seller": seller(center),
        "buyer": invoice["buyer"],
        "order": invoice["order"],
        "currency": invoice["currency"],
        "lines": [asdict(seat) for seat in seats],
        "net": net,
        "tax": tax,
        "total": net + tax,
        "reason": reason,
    }


def seller(center: Center) -> dict[str, Any]:
    """Who sells, with the look of the printed page."""
    return {
        "name": center.name,
        "parent": center.parent,
        "address": list(center.address),
        "email": center.email,
        "phone": center.phone,
        "tax_id": center.tax_id,
        "accent": center.accent,
        "logo": center.logo,
    }


def buyer(order: Order) -> dict[str, Any]:
    """Who buys, as typed at the checkout."""
    return {
        "name": order.buyer_name,
        "email": order.buyer_email,
        "organisation": order.organisation,
        "address": [line.strip() for line in order.address.splitlines() if line.strip()],
        "country": order.country,
        "po_number": order.po_number,
    }


def hash_of(facts: dict[str, Any]) -> str:
    """SHA-256 of the facts in one fixed spelling, so that a changed letter is found."""
    return fingerprint(json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False))


def _grouped(seats: Sequence[Seat]) -> list[dict[str, Any]]:
    """Seats of one kind and price on one line, with the people named so far; amounts are of the whole line."""
    groups: dict[tuple[Any, ...], list[Seat]] = {}
    for seat in seats:
        alike = (seat.description, seat.details, seat.list_price, seat.early_reduction, seat.discount, seat.net, seat.tax_rate, seat.tax)
        groups.setdefault(alike, []).append(seat)
    return [
        {
            "description": first.description,
            "details": first.details,
            "people": [seat.person for seat in group if seat.person],
            "unnamed": sum(seat.person is None for seat in group),
            "quantity": len(group),
            "unit_price": first.list_price,
            "list_price": first.list_price * len(group),
            "early_reduction": first.early_reduction * len(group),
            "discount": first.discount * len(group),
            "net": first.net * len(group),
            "tax_rate": first.tax_rate,
            "tax": first.tax * len(group),
        }
        for group in groups.values()
        for first in group[:1]
    ]


def _taxes(seats: Sequence[Seat]) -> list[dict[str, Any]]:
    """Tax by rate with its base; none where no tax is charged."""
    rates = sorted({seat.tax_rate for seat in seats if seat.tax})
    return [
        {
            "rate": rate,
            "base": sum(seat.net for seat in seats if seat.tax_rate == rate),
            "tax": sum(seat.tax for seat in seats if seat.tax_rate == rate),
        }
        for rate in rates
    ]


def _paid(paid: Mapping[str, str] | None, zone: str) -> dict[str, Any] | None:
    if paid is None:
        return None
    on = fmt.local(datetime.fromisoformat(paid["on"]), zone).date()
    in_part = {"amount": int(paid["amount"])} if "amount" in paid else {}
    return {"on": on.isoformat(), "method": paid["method"], "brand": paid["brand"], "last4": paid["last4"]} | in_part
