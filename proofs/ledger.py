"""Try to break the book as the application's own role: bad postings of many kinds, between good ones, all of which must be refused.

    python -m proofs.ledger [--attempts 1500] [--seed 1] [--full]

`--full` makes 10,000 attempts and then times the check of the whole book over 1,000,000 postings (under 1 second is wanted).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import psycopg
from psycopg import Cursor

from seminars.finance.checks import CHECKS
from seminars.ledger.chart import CHART
from seminars.local.postgres import APPLICATION, FORGETFUL, OWNER, Cluster
from seminars.migrations.run import upgrade

FULL, LINES, WANTED_SECONDS = 10_000, 1_000_000, 1.0
CLOSED = date(2026, 12, 1)
ACCOUNTS = [row.number for row in CHART]
CURRENCIES = ("USD", "EUR", "JPY")
Draw = random.Random
Bad = Callable[["Cursor[tuple[object, ...]]", Draw, str], None]


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    asked.add_argument("--attempts", type=int, default=1_500)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--full", action="store_true")
    given = asked.parse_args()
    with database() as (application, superuser):
        violations = attack(application, FULL if given.full else given.attempts, given.seed)
        slow = given.full and whole_book(superuser) > WANTED_SECONDS
    sys.exit(bool(violations) or slow)


def attack(url: str, attempts: int, seed: int) -> int:
    """Make the attempts, with a good entry after every tenth, and hold the book against what it must be."""
    draw, began = Draw(seed), time.monotonic()
    kinds, refusals, accepted = Counter[str](), Counter[str](), list[str]()
    with psycopg.connect(url) as connection:
        close_a_month(connection)
        for number in range(attempts):
            if number % 10 == 0:
                good(connection, draw, f"good-{number}")
            name, bad = draw.choice(list(BAD.items()))
            kinds[name] += 1
            try:
                with connection.transaction(), connection.cursor() as cursor:
                    bad(cursor, draw, f"bad-{number}")
                accepted.append(f"{name} (attempt {number})")
            except psycopg.Error as refused:
                refusals[refused.sqlstate or "?"] += 1
        wrong = [*accepted, *unsound(connection, goods=-(-attempts // 10))]
    for name, count in sorted(kinds.items()):
        print(f"  {count:>6}  {name}")
    print("refused with", ", ".join(f"{state} {count}" for state, count in refusals.most_common()))
    for one in wrong[:20]:
        print("VIOLATION:", one)
    print(f"attempts {attempts}  violations {len(wrong)}  seconds {time.monotonic() - began:.1f}  seed {seed}")
    return len(wrong)


def unsound(connection: psycopg.Connection[tuple[object, ...]], *, goods: int) -> Iterator[str]:
    """What is wrong with the book after the attack: it must hold the good entries, whole, and nothing else."""
    counts = connection.execute(
        "SELECT (SELECT count(*) FROM journal_entries), (SELECT count(*) FROM journal_entries WHERE source LIKE 'good-%'),"
        " (SELECT count(*) FROM postings), (SELECT count(*) FROM accounts)"
    ).fetchone()
    if counts != (goods, goods, 2 * goods, len(CHART)):
        yield f"the book holds {counts}, it should hold {goods} entries of two lines"
    for row in connection.execute("SELECT entry_id, currency, sum(amount) FROM postings GROUP BY 1, 2 HAVING sum(amount) <> 0"):
        yield f"entry {row[0]} is out by {row[2]} {row[1]}"


def enter(cursor: Cursor[tuple[object, ...]], source: str, on: date = date(2027, 3, 1)) -> int:
    row = cursor.execute(
        "INSERT INTO journal_entries (source_kind, source, about, effective_on, posted_at, memo) VALUES ('proof', %s, '', %s, now(), '')"
        " RETURNING id",
        [source, on],
    ).fetchone()
    assert row is not None and isinstance(row[0], int)
    return row[0]


def line(cursor: Cursor[tuple[object, ...]], entry: int, account: int, amount: int, currency: str = "USD") -> None:
    cursor.execute(
        "INSERT INTO postings (entry_id, account_number, amount, currency, dimension) VALUES (%s, %s, %s, %s, '')",
        [entry, account, amount, currency],
    )


def balanced(cursor: Cursor[tuple[object, ...]], draw: Draw, entry: int) -> None:
    amount, currency = draw.randint(1, 10**9), draw.choice(CURRENCIES)
    line(cursor, entry, draw.choice(ACCOUNTS), amount, currency)
    line(cursor, entry, draw.choice(ACCOUNTS), -amount, currency)


def good(connection: psycopg.Connection[tuple[object, ...]], draw: Draw, source: str) -> None:
    with connection.transaction(), connection.cursor() as cursor:
        balanced(cursor, draw, enter(cursor, source))


def close_a_month(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    with connection.transaction():
        connection.execute("INSERT INTO periods (month, state, closed_at) VALUES (%s, 'closed', now())", [CLOSED])


def off_by_some(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry, amount = enter(cursor, source), draw.randint(1, 10**9)
    line(cursor, entry, draw.choice(ACCOUNTS), amount)
    line(cursor, entry, draw.choice(ACCOUNTS), -amount + draw.choice((-1, 1)) * draw.randint(1, 1000))


def many_lines_off(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry = enter(cursor, source)
    amounts = [draw.randint(-(10**6), 10**6) or 1 for _ in range(draw.randint(2, 12))]
    for amount in amounts:
        line(cursor, entry, draw.choice(ACCOUNTS), amount)
    if not sum(amounts):
        line(cursor, entry, draw.choice(ACCOUNTS), 1)


def one_line(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    line(cursor, enter(cursor, source), draw.choice(ACCOUNTS), draw.randint(1, 10**6))


def no_line(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    enter(cursor, source)


def two_currencies(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry, amount = enter(cursor, source), draw.randint(1, 10**6)
    mine, other = draw.sample(CURRENCIES, 2)
    line(cursor, entry, draw.choice(ACCOUNTS), amount, mine)
    line(cursor, entry, draw.choice(ACCOUNTS), -amount, other)


def a_line_of_nothing(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry = enter(cursor, source)
    balanced(cursor, draw, entry)
    line(cursor, entry, draw.choice(ACCOUNTS), 0)


def unknown_account(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry, amount = enter(cursor, source), draw.randint(1, 10**6)
    line(cursor, entry, draw.choice(ACCOUNTS), amount)
    line(cursor, entry, draw.choice([n for n in range(1, 10_000) if n not in ACCOUNTS]), -amount)


def no_currency(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry, name = enter(cursor, source), draw.choice(("usd", "", "US", "Usd"))
    line(cursor, entry, 1000, 5, name)
    line(cursor, entry, 1100, -5, name)


def too_large(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry = enter(cursor, source)
    line(cursor, entry, 1000, 2**63)
    line(cursor, entry, 1100, -(2**63))


def two_wrongs(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    amount = draw.randint(1, 10**6)
    for sign in (1, -1):
        entry = enter(cursor, f"{source}{sign}")
        line(cursor, entry, 1000, sign * 2 * amount)
        line(cursor, entry, 1100, sign * -amount)


def added_later(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    balanced(cursor, draw, an_entry(cursor, draw))


def added_after_an_early_check(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry = enter(cursor, source)
    balanced(cursor, draw, entry)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    line(cursor, entry, draw.choice(ACCOUNTS), draw.randint(1, 10**6))


def half_rolled_back(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry, amount = enter(cursor, source), draw.randint(1, 10**6)
    line(cursor, entry, 1000, amount)
    cursor.execute("SAVEPOINT half")
    line(cursor, entry, 1100, -amount)
    cursor.execute("ROLLBACK TO half")
    line(cursor, entry, 1100, -amount + 1)


def by_copy(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    entry = enter(cursor, source)
    with cursor.copy("COPY postings (entry_id, account_number, amount, currency, dimension) FROM STDIN") as copy:
        copy.write_row((entry, 1000, draw.randint(2, 10**6), "USD", ""))
        copy.write_row((entry, 1100, -1, "USD", ""))


def in_a_closed_month(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    balanced(cursor, draw, enter(cursor, source, CLOSED + timedelta(days=draw.randint(0, 30))))


def the_same_source(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    cursor.execute("SELECT source FROM journal_entries WHERE id = %s", [an_entry(cursor, draw)])
    known = cursor.fetchone()
    assert known is not None
    balanced(cursor, draw, enter(cursor, str(known[0])))


def reversed_twice(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    of = an_entry(cursor, draw)
    for number in range(2):
        cursor.execute(
            "INSERT INTO journal_entries (source_kind, source, about, effective_on, posted_at, memo, reverses_id)"
            " VALUES ('proof', %s, '', '2027-03-01', now(), '', %s) RETURNING id",
            [f"{source}-{number}", of],
        )
        balanced(cursor, draw, int(str(cursor.fetchall()[0][0])))


def written_over(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    cursor.execute(
        "INSERT INTO journal_entries (id, source_kind, source, about, effective_on, posted_at, memo)"
        " OVERRIDING SYSTEM VALUE VALUES (%s, 'proof', %s, '', '2027-01-01', now(), '') ON CONFLICT (id) DO UPDATE SET memo = 'edited'",
        [an_entry(cursor, draw), source],
    )


def edited(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    cursor.execute(draw.choice(EDITS), [an_entry(cursor, draw)])


def switched_off(cursor: Cursor[tuple[object, ...]], draw: Draw, source: str) -> None:
    cursor.execute(draw.choice(SWITCHES))
    off_by_some(cursor, draw, source)


def an_entry(cursor: Cursor[tuple[object, ...]], draw: Draw) -> int:
    cursor.execute("SELECT id FROM journal_entries ORDER BY id")
    return int(str(draw.choice(cursor.fetchall())[0]))


EDITS = (
    b"UPDATE postings SET amount = amount * 2 WHERE entry_id = %s",
    b"UPDATE postings SET account_number = 6900 WHERE entry_id = %s",
    b"UPDATE postings SET dimension = 'order/1' WHERE entry_id = %s",
    b"DELETE FROM postings WHERE entry_id = %s",
    b"DELETE FROM journal_entries WHERE id = %s",
    b"UPDATE journal_entries SET effective_on = '2020-01-01' WHERE id = %s",
    b"UPDATE journal_entries SET source = source || 'x' WHERE id = %s",
    b"WITH gone AS (DELETE FROM postings WHERE entry_id = %s RETURNING 1) SELECT count(*) FROM gone",
    b"MERGE INTO postings p USING (SELECT %s::bigint AS id) e ON p.entry_id = e.id WHEN MATCHED THEN DELETE",
)
SWITCHES = (
    b"ALTER TABLE postings DISABLE TRIGGER ALL",
    b"ALTER TABLE journal_entries DISABLE TRIGGER entry_balances",
    b"SET session_replication_role = replica",
    b"DROP TRIGGER posting_balances ON postings",
    b"TRUNCATE postings, journal_entries CASCADE",
    b"CREATE TEMP TABLE postings (entry_id bigint, currency text, amount bigint)",
    b"CREATE OR REPLACE FUNCTION entry_must_balance(entry bigint) RETURNS void LANGUAGE sql AS ''",
    b"DELETE FROM periods",
    b"INSERT INTO accounts VALUES (9999, 'Mine', 'asset', 'debit')",
)
BAD: dict[str, Bad] = {
    bad.__name__.replace("_", " "): bad
    for bad in (
        off_by_some, many_lines_off, one_line, no_line, two_currencies, a_line_of_nothing, unknown_account, no_currency, too_large,
        two_wrongs, added_later, added_after_an_early_check, half_rolled_back, by_copy, in_a_closed_month, the_same_source,
        reversed_twice, written_over, edited, switched_off,
    )
}  # fmt: skip


def whole_book(superuser: str) -> float:
    """Seconds that the product's check of every entry (I1) takes over a book of a million postings."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "INSERT INTO journal_entries (source_kind, source, about, effective_on, posted_at, memo)"
            " SELECT 'load', n::text, '', date '2027-01-01' + n %% 365, now(), '' FROM generate_series(1, %s) n",
            [LINES // 2],
        )
        connection.execute(
            "INSERT INTO postings (entry_id, account_number, amount, currency, dimension)"
            " SELECT e.id, s.account, s.sign * (1 + e.id % 90000), 'USD', '' FROM journal_entries e,"
            " (VALUES (1050, 1), (1100, -1)) s(account, sign) WHERE e.source_kind = 'load'"
        )
        connection.execute("VACUUM ANALYZE postings, journal_entries")
        began = time.monotonic()
        off = connection.execute(CHECKS[0].query.encode()).fetchall()
        seconds = time.monotonic() - began
    assert not off, off[:3]
    print(f"whole book of {LINES} postings checked in {seconds:.2f} s (wanted: under {WANTED_SECONDS:.0f} s)")
    return seconds


@contextmanager
def database() -> Iterator[tuple[str, str]]:
    """A migrated database of its own: the addresses for the application's role and for the superuser."""
    with tempfile.TemporaryDirectory(prefix="seminars-proof-") as home:
        cluster = Cluster(Path(home, "pg"), settings=FORGETFUL).start()
        try:
            cluster.create_roles()
            cluster.create_database("proof")
            upgrade(cluster.url(OWNER, "proof"))
            yield cluster.url(APPLICATION, "proof"), cluster.url("postgres", "proof")
        finally:
            cluster.stop()


if __name__ == "__main__":
    main()
