"""Reads the book: balances as of a date, an account line by line, an entry with all its postings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.orm import Session, selectinload

from seminars.kit.money import Money
from seminars.kit.refusals import NotFound
from seminars.ledger import chart
from seminars.ledger.models import Account, JournalEntry, Posting

LAST_NUMBER = 9_999
"""The chart's accounts have four digits."""


@dataclass(frozen=True, slots=True)
class Balance:
    """One account in one currency on a trial balance. `balance` is positive on the debit side; one of `debit` and `credit` is zero."""

    number: int
    name: str
    type: str
    balance: Money

    @property
    def debit(self) -> Money:
        """What stands in the debit column."""
        return Money(max(self.balance.amount, 0), self.balance.currency)

    @property
    def credit(self) -> Money:
        """What stands in the credit column."""
        return Money(max(-self.balance.amount, 0), self.balance.currency)


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """All accounts with a balance as of the end of a day, by currency and number. `totals` per currency: the sum of each column."""

    as_of: date
    lines: Sequence[Balance]
    totals: Sequence[tuple[Money, Money]]


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One posting with the name of its account."""

    account: int
    account_name: str
    amount: Money
    dimension: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry with all its lines. `reverses` and `reversed_by` are the ids of other entries."""

    id: int
    effective_on: date
    posted_at: datetime
    source_kind: str
    source: str
    about: str
    memo: str
    reverses: int | None
    reversed_by: int | None
    lines: Sequence[EntryLine]


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One posting of an account with the account's balance after it."""

    entry_id: int
    effective_on: date
    source_kind: str
    source: str
    about: str
    memo: str
    dimension: str
    amount: Money
    balance: Money


@dataclass(frozen=True, slots=True)
class AccountPage:
    """A page of one account in one currency, oldest first. `opening` is the balance before it, `closing` that of the whole account."""

    number: int
    name: str
    as_of: date
    opening: Money
    lines: Sequence[AccountLine]
    closing: Money
    total_lines: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class JournalPage:
    """A page of the journal, newest first."""

    entries: Sequence[Entry]
    total: int
    page: int
    pages: int


def trial_balance(session: Session, as_of: date) -> TrialBalance:
    """Every account's balance of all that is dated up to that day."""
    found = session.execute(
        select(Account.number, Account.name, Account.type, Posting.currency, func.sum(Posting.amount))
        .join(Posting, Posting.account_number == Account.number)
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(JournalEntry.effective_on <= as_of)
        .group_by(Account.number, Posting.currency)
        .order_by(Posting.currency, Account.number)
    )
    lines = [Balance(number, name, kind, Money(int(amount), currency)) for number, name, kind, currency, amount in found if amount]
    totals: dict[str, tuple[Money, Money]] = {}
    for line in lines:
        nothing = Money(0, line.balance.currency)
        debit, credit = totals.get(line.balance.currency, (nothing, nothing))
        totals[line.balance.currency] = debit + line.debit, credit + line.credit
    return TrialBalance(as_of, lines, list(totals.values()))


def account_page(
    session: Session, number: int, *, currency: str, as_of: date, dimension: str | None = None, page: int = 1, per_page: int = 100
) -> AccountPage:
    """One account line by line with its running balance, all of it or one dimension. Raises NotFound for an unknown account."""
    account = session.get(Account, number) if number <= LAST_NUMBER else None
    if account is None:
        raise NotFound(f"There is no account {number} in the chart.")
    order = (JournalEntry.effective_on, Posting.entry_id, Posting.id)
    query = (
        select(JournalEntry, Posting.dimension, Posting.amount, func.sum(Posting.amount).over(order_by=order).label("balance"))
        .join(JournalEntry, JournalEntry.id == Posting.entry_id)
        .where(Posting.account_number == number, Posting.currency == currency, JournalEntry.effective_on <= as_of)
    )
    if dimension is not None:
        query = query.where(Posting.dimension == dimension)
    total, closing = _count_and_sum(session, query)
    page, pages = _page(page, total, per_page)
    lines = [
        AccountLine(
            entry_id=entry.id,
            effective_on=entry.effective_on,
            source_kind=entry.source_kind,
            source=entry.source,
            about=entry.about,
            memo=entry.memo,
            dimension=of,
            amount=Money(amount, currency),
            balance=Money(int(running), currency),
        )
        for entry, of, amount, running in session.execute(query.order_by(*order).limit(per_page).offset((page - 1) * per_page))
    ]
    opening = lines[0].balance - lines[0].amount if lines else Money(0, currency)
    return AccountPage(account.number, account.name, as_of, opening, lines, Money(closing, currency), total, page, pages)


def entry(session: Session, entry_id: int) -> Entry:
    """One entry with its postings. Raises NotFound."""
    found = _entries(session, select(JournalEntry).where(JournalEntry.id == entry_id))
    if not found:
        raise NotFound(f"There is no journal entry {entry_id}.")
    return found[0]


def entries_about(session: Session, references: Sequence[str]) -> list[Entry]:
    """All entries about these things (`order/118`), oldest first."""
    query = select(JournalEntry).where(JournalEntry.about.in_(references))
    return _entries(session, query.order_by(JournalEntry.effective_on, JournalEntry.id))


def entries_from(session: Session, sources: Sequence[tuple[str, str]]) -> list[Entry]:
    """The entries of these sources, each a kind and a source (`stripe.charge`, `ch_…`), oldest first."""
    query = select(JournalEntry).where(tuple_(JournalEntry.source_kind, JournalEntry.source).in_(sources))
    return _entries(session, query.order_by(JournalEntry.effective_on, JournalEntry.id))


def journal_page(
    session: Session,
    *,
    first: date | None = None,
    last: date | None = None,
    source_kind: str = "",
    about: str = "",
    page: int = 1,
    per_page: int = 50,
) -> JournalPage:
    """The journal, newest first, within dates and of one kind of source or about one thing."""
    query = select(JournalEntry)
    if first is not None:
        query = query.where(JournalEntry.effective_on >= first)
    if last is not None:
        query = query.where(JournalEntry.effective_on <= last)
    if source_kind:
        query = query.where(JournalEntry.source_kind == source_kind)
    if about:
        query = query.where(JournalEntry.about == about)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    page, pages = _page(page, total, per_page)
    newest_first = query.order_by(JournalEntry.effective_on.desc(), JournalEntry.id.desc())
    return JournalPage(_entries(session, newest_first.limit(per_page).offset((page - 1) * per_page)), total, page, pages)


def deferred_of(session: Session, dimension: str, *, account: int = chart.DEFERRED_SEMINARS, as_of: date | None = None) -> list[Money]:
    """What stands on an account for one dimension (`session/7`), by currency; liabilities as positive amounts."""
    query = select(Posting.currency, -func.sum(Posting.amount)).where(Posting.account_number == account, Posting.dimension == dimension)
    if as_of is not None:
        query = query.join(JournalEntry, JournalEntry.id == Posting.entry_id).where(JournalEntry.effective_on <= as_of)
    found = session.execute(query.group_by(Posting.currency).order_by(Posting.currency))
    return [Money(int(amount), currency) for currency, amount in found if amount]


def _entries(session: Session, query: Select[JournalEntry]) -> list[Entry]:
    rows = session.scalars(query.options(selectinload(JournalEntry.postings))).all()
    names = dict(session.execute(select(Account.number, Account.name)).all())
    ids = [row.id for row in rows]
    mirrors = dict(session.execute(select(JournalEntry.reverses_id, JournalEntry.id).where(JournalEntry.reverses_id.in_(ids))).all())
    return [
        Entry(
            id=row.id,
            effective_on=row.effective_on,
            posted_at=row.posted_at,
            source_kind=row.source_kind,
            source=row.source,
            about=row.about,
            memo=row.memo,
            reverses=row.reverses_id,
            reversed_by=mirrors.get(row.id),
            lines=[_line(posting, names[posting.account_number]) for posting in row.postings],
        )
        for row in rows
    ]


def _line(posting: Posting, account_name: str) -> EntryLine:
    return EntryLine(posting.account_number, account_name, Money(posting.amount, posting.currency), posting.dimension)


def _count_and_sum(session: Session, query: Select[JournalEntry, str, int, int]) -> tuple[int, int]:
    inner = query.with_only_columns(Posting.amount).subquery()
    count, total = session.execute(select(func.count(), func.coalesce(func.sum(inner.c.amount), 0))).one()
    return int(count), int(total)


def _page(wanted: int, total: int, per_page: int) -> tuple[int, int]:
    pages = max(1, -(-total // per_page))
    return min(max(wanted, 1), pages), pages
