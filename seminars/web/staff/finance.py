"""Finance: payments, the journal, accounts, the trial balance and deferred revenue; every figure leads to what it is made of."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from flask import request
from flask.typing import ResponseReturnValue

from seminars.desk.naming import names_of
from seminars.finance import queries
from seminars.kit.format import local
from seminars.kit.money import Money
from seminars.ledger import balances
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import page, positive, reading, sensible, staff
from seminars.web.staff.links import address_of

ROLES = ("settles", "surplus", "unallocated")


@staff.get("/finance")
@needs(may.see_finance)
def finance() -> ResponseReturnValue:
    """The trial balance as of a day."""
    as_of = _day("as_of") or _today()
    return page("finance/trial_balance.html", section="Finance", trial=balances.trial_balance(reading(), as_of), as_of=as_of)


@staff.get("/finance/payments")
@needs(may.see_finance)
def payments() -> ResponseReturnValue:
    """Payments, newest first, with totals of all that the filter lets through."""
    role = request.args.get("role", "")
    wanted = queries.PaymentFilter(
        zone=joined().settings.center.zone,
        first=_day("first"),
        last=_day("last"),
        words=request.args.get("q", "")[:120],
        role=role if role in ROLES else "",
    )
    found = queries.payments_page(reading(), wanted, page=positive(request.args.get("page")) or 1)
    return page("finance/payments.html", section="Finance", wanted=wanted, found=found, roles=ROLES)


@staff.get("/finance/journal")
@needs(may.see_finance)
def journal() -> ResponseReturnValue:
    """The journal, newest first."""
    first, last, about = _day("first"), _day("last"), request.args.get("about", "")[:80]
    found = balances.journal_page(reading(), first=first, last=last, about=about, page=positive(request.args.get("page")) or 1)
    return page("finance/journal.html", section="Finance", found=found, first=first, last=last, about=about)


@staff.get("/finance/entries/<int:entry_id>")
@needs(may.see_finance)
def entry(entry_id: int) -> ResponseReturnValue:
    """One entry with its postings and its cause."""
    found = balances.entry(reading(), entry_id)
    behind = queries.payment_behind(reading(), found)
    facts = {"entry": found, "cause": address_of(found.about), "payment_id": behind, "names": _names([found])}
    return page("finance/entry.html", section="Finance", **facts)


@staff.get("/finance/accounts/<int:number>")
@needs(may.see_finance)
def account(number: int) -> ResponseReturnValue:
    """One account line by line with its running balance; all of it, or one dimension."""
    as_of, dimension = _day("as_of") or _today(), request.args.get("dimension")
    currency = request.args.get("currency", joined().settings.center.currency)[:3].upper()
    found = balances.account_page(
        reading(),
        number,
        currency=currency,
        as_of=as_of,
        dimension=dimension or None,
        page=positive(request.args.get("page")) or 1,
    )
    told = {line.dimension for line in found.lines} | {line.about for line in found.lines} | {dimension or ""}
    facts = {"found": found, "currency": currency, "dimension": dimension or "", "as_of": as_of, "names": names_of(reading(), told)}
    return page("finance/account.html", section="Finance", address_of=address_of, **facts)


@staff.get("/finance/deferred")
@needs(may.see_finance)
def deferred() -> ResponseReturnValue:
    """What is paid and not delivered: session by session, then appointments and retainers."""
    as_of = _day("as_of") or _today()
    rows, things = queries.deferred_by_session(reading(), as_of=as_of), queries.deferred_consulting(reading(), as_of=as_of)
    return page(
        "finance/deferred.html",
        section="Finance",
        rows=rows,
        things=things,
        names=names_of(reading(), {one.dimension for one in things}),
        seminars=_totals(one.deferred for one in rows),
        consulting=_totals(one.deferred for one in things),
        totals=_totals([*(one.deferred for one in rows), *(one.deferred for one in things)]),
        as_of=as_of,
        address_of=address_of,
    )


def _totals(amounts: Iterable[Money]) -> dict[str, int]:
    """So much of each currency, in minor units."""
    found: dict[str, int] = {}
    for one in amounts:
        found[one.currency] = found.get(one.currency, 0) + one.amount
    return found


def _names(entries: Sequence[balances.Entry]) -> dict[str, str]:
    """What the entries are about, and of what their lines are, in words."""
    lines = {line.dimension for one in entries for line in one.lines}
    return names_of(reading(), lines | {one.about for one in entries})


def _day(name: str) -> date | None:
    """A day out of the address; what is none counts as none."""
    try:
        return sensible(datetime.strptime(request.args.get(name, ""), "%Y-%m-%d")).date()
    except ValueError:
        return None


def _today() -> date:
    return local(now(), joined().settings.center.zone).date()
