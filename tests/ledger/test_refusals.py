"""What the database refuses, as the application's own role and as the owner of the tables."""

from collections.abc import Iterator

import pytest
from psycopg import errors
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from tests.cluster import Database

ENTRY = (
    "INSERT INTO journal_entries (source_kind, source, about, effective_on, posted_at, memo)"
    " VALUES ('t', '{0}', '', '2027-03-01', now(), '') RETURNING id"
)
LINE = "INSERT INTO postings (entry_id, account_number, amount, currency, dimension) VALUES ({0}, {1}, {2}, '{3}', '')"


@pytest.fixture(params=["application", "owner"])
def connection(request: pytest.FixtureRequest, database: Database) -> Iterator[Connection]:
    """A connection of either role."""
    engine = create_engine((database.url if request.param == "application" else database.owner_url).replace("://", "+psycopg://"))
    with engine.connect() as connection:
        yield connection
        connection.rollback()
    engine.dispose()


def begin(connection: Connection, source: str) -> int:
    return int(connection.execute(text(ENTRY.format(source))).scalar_one())


def add(connection: Connection, entry: int, account: int, amount: int, currency: str = "USD") -> None:
    connection.execute(text(LINE.format(entry, account, amount, currency)))


def state_of(refused: pytest.ExceptionInfo[DBAPIError]) -> str | None:
    assert isinstance(refused.value.orig, errors.Error)
    return refused.value.orig.sqlstate


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(1000, 100, "USD")],
        [(1000, 100, "USD"), (1100, -99, "USD")],
        [(1000, 100, "USD"), (1100, -100, "EUR")],
        [(1000, 1, "USD"), (1100, 2, "USD"), (1200, -4, "USD")],
    ],
    ids=["no lines", "one line", "a cent off", "two currencies", "three lines off"],
)
def test_an_entry_that_does_not_balance_is_refused_at_commit(connection: Connection, lines: list[tuple[int, int, str]]) -> None:
    entry = begin(connection, "bad")
    for account, amount, currency in lines:
        add(connection, entry, account, amount, currency)

    with pytest.raises(DBAPIError) as refused:
        connection.commit()
    assert state_of(refused) == "SB001"


def test_checking_early_opens_no_hole(connection: Connection) -> None:
    entry = begin(connection, "early")
    add(connection, entry, 1000, 100)
    add(connection, entry, 1100, -100)
    connection.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    connection.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    add(connection, entry, 1000, 1)

    with pytest.raises(DBAPIError) as refused:
        connection.commit()
    assert state_of(refused) == "SB001"


@pytest.mark.usefixtures("fresh_database")
def test_lines_cannot_be_added_later_even_when_they_balance(connection: Connection) -> None:
    entry = begin(connection, "good")
    add(connection, entry, 1000, 100)
    add(connection, entry, 1100, -100)
    connection.commit()

    with pytest.raises(DBAPIError) as refused:
        add(connection, entry, 1000, 5)
    assert state_of(refused) == "SB002"


@pytest.mark.usefixtures("fresh_database")
def test_lines_may_come_in_a_savepoint_of_the_same_work(connection: Connection) -> None:
    with connection.begin_nested():
        entry = begin(connection, "nested")
    with connection.begin_nested():
        add(connection, entry, 1000, 5)
    add(connection, entry, 1100, -5)

    connection.commit()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE postings SET amount = amount * 2",
        "UPDATE postings SET amount = amount WHERE false",
        "DELETE FROM postings",
        "TRUNCATE postings",
        "TRUNCATE journal_entries CASCADE",
        "UPDATE journal_entries SET memo = 'nicer'",
        "UPDATE journal_entries SET effective_on = '2026-01-01'",
        "DELETE FROM journal_entries",
        "UPDATE accounts SET number = 1001 WHERE number = 1000",
        "UPDATE accounts SET type = 'expense' WHERE number = 1000",
        "DELETE FROM accounts WHERE number = 6900",
        "UPDATE audit_entries SET by = 'somebody else'",
        "DELETE FROM audit_entries",
        "TRUNCATE audit_entries",
        "DELETE FROM invoices",
        "UPDATE invoices SET total = 1",
        "UPDATE invoice_lines SET net = 1",
        "UPDATE revenue_shares SET amount = 1",
        "DELETE FROM revenue_shares",
        "UPDATE credit_notes SET facts = '{}'",
        "DELETE FROM credit_notes",
        "UPDATE documents SET pdf = ''",
        "DELETE FROM documents",
        "TRUNCATE documents",
    ],
)
def test_what_is_kept_cannot_be_changed(connection: Connection, statement: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        connection.execute(text(statement))
    assert state_of(refused) in ("SB002", "42501")


def test_the_application_can_switch_nothing_off(database: Database) -> None:
    engine = create_engine(database.url.replace("://", "+psycopg://"))
    for statement in (
        "ALTER TABLE postings DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "DROP TRIGGER kept ON postings",
        "CREATE OR REPLACE FUNCTION kept_for_good() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TEMP TABLE periods (month date, state text)",
        "CREATE SCHEMA mine",
        "INSERT INTO accounts VALUES (7000, 'Mine', 'asset', 'debit')",
    ):
        with engine.connect() as connection, pytest.raises(DBAPIError) as refused:
            connection.execute(text(statement))
        assert state_of(refused) == "42501", statement
    engine.dispose()


def test_the_reader_writes_nothing(database: Database) -> None:
    engine = create_engine(database.reader_url.replace("://", "+psycopg://"))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM postings")).scalar_one() == 0
        with pytest.raises(DBAPIError) as refused:
            begin(connection, "read")
        assert state_of(refused) == "42501"
    engine.dispose()


def test_a_series_rises_by_one(connection: Connection) -> None:
    connection.execute(text("INSERT INTO series (kind, year, next) VALUES ('invoice', 2027, 5)"))

    with pytest.raises(DBAPIError) as refused:
        connection.execute(text("UPDATE series SET next = 7"))
    assert state_of(refused) == "SB002"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices SET state = 'paid', paid = total, rendered_at = now()",
        "UPDATE revenue_shares SET credited = 0, recognised = amount",
    ],
)
def test_what_becomes_of_a_document_is_written_down_by_the_application(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))
