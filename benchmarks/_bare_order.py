"""The same rows as an order through the web writes, by psycopg and nothing else; and how many rows were written."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, cast

import psycopg
from psycopg.types.json import Jsonb

from seminars.kit.references import secret

PRICE = 119_000
ADDRESS = "12 Shore Road\nDuluth, Minnesota 55802"
Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Shop:
    """What is for sale."""

    event_id: int
    ticket_type_id: int
    quota_id: int
    path: str


def open_event(url: str) -> Shop:
    """One event in sixty days, with more seats than will be sold."""
    now = datetime.now(UTC)
    starts, ends = now + timedelta(days=60), now + timedelta(days=60, hours=8)
    title, empty = "Social Media Residency", {"summary": "", "abstract": "", "outcomes": "", "audience": "", "credits": "", "topic": ""}
    with psycopg.connect(url) as connection:
        seminar = put(connection, "seminars", slug="smr", title=title, created_at=now, **empty)
        policy = put(connection, "refund_policies", name="Usual", days_before=14, fee=7_500, currency="USD")
        event = put(connection, "events", seminar_id=seminar, reference="hot", title=title, state="published", format="online",
                    zone="America/Chicago", join_url="https://meet.example/r", notes="", listed=True, policy_id=policy, starts_at=starts,
                    ends_at=ends, preview_secret="p", created_at=now)  # fmt: skip
        put(connection, "event_sessions", event_id=event, title="", agenda="", starts_local=starts.replace(tzinfo=None), room="",
            ends_local=ends.replace(tzinfo=None), all_day=False, starts_at=starts, ends_at=ends, join_url="", state="planned")  # fmt: skip
        quota = put(connection, "quotas", event_id=event, name="Seats", size=1_000_000, taken=0)
        kind = put(connection, "ticket_types", event_id=event, name="Two days", position=0, price=PRICE, currency="USD", on_sale=True,
                   most_per_order=20)  # fmt: skip
        connection.execute("INSERT INTO ticket_type_quotas (ticket_type_id, quota_id) VALUES (%s, %s)", [kind, quota])
    return Shop(event, kind, quota, "/events/hot")


def sample_order(url: str) -> dict[str, Any]:
    """Texts of an order that was placed through the web: the bare loop writes as much."""
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT a.params, m.facts, m.kind, o.policies, e.after FROM orders o JOIN payment_attempts a ON a.order_id = o.id"
            " JOIN messages m ON m.key = 'order.received:' || o.id JOIN audit_entries e ON e.subject = 'order/' || o.id"
            " ORDER BY o.id DESC LIMIT 1"
        ).fetchone()
        assert row is not None
        return dict(zip(("params", "facts", "kind", "policies", "after"), row, strict=True))


def write_orders(barrier: Any, orders: int, url: str, shop: Shop, sample: dict[str, Any]) -> tuple[float, float]:
    """So many orders over one connection; when it began and when it ended."""
    with psycopg.connect(url) as connection:
        barrier.wait()
        began = time.monotonic()
        for number in range(orders):
            write_order(connection, shop, sample, f"maren.holt.{number}@lakeside.example")
        return began, time.monotonic()


def write_order(connection: Connection, shop: Shop, sample: dict[str, Any], mail: str) -> None:
    """The rows of one order in its four commits: held, placed, handing over, handed over."""
    run, now = connection.execute, datetime.now(UTC)
    ends = now + timedelta(minutes=20)
    sold = {"event_id": shop.event_id, "ticket_type_id": shop.ticket_type_id}
    cart = put(connection, "carts", secret=secret(), state="open", created_at=now, ends_at=ends)
    assert run("UPDATE quotas SET taken = taken + 1 WHERE id = %s AND taken < size", [shop.quota_id]).rowcount == 1
    hold = put(connection, "holds", holder=f"cart/{cart}", places=1, state="active", ends_at=ends, created_at=now, **sold)
    put(connection, "cart_lines", cart_id=cart, ticket_type_id=shop.ticket_type_id, places=1, hold_id=hold)
    connection.commit()

    run("UPDATE carts SET state = 'ordered' WHERE id = %s", [cart])
    run("UPDATE holds SET state = 'consumed' WHERE id = %s AND state = 'active'", [hold])
    order = put(connection, "orders", number=secret(), secret=secret(), cart_id=cart, state="placed", channel="web",
                buyer_name="Maren Holt", buyer_email=mail, organisation="Lakeside Hospital", address=ADDRESS, country="US",
                po_number="PO-4711", zone="America/Chicago", currency="USD", net=PRICE, tax=0, total=PRICE,
                policies=Jsonb(sample["policies"]), needs_review="", dispute_open=False, paid_unplaced=False, placed_at=now)  # fmt: skip
    put(connection, "audit_entries", at=now, by="visitor", why="register", request_id=secret(), action="created", subject=f"order/{order}",
        after=Jsonb(sample["after"]))  # fmt: skip
    seat = put(connection, "registrations", secret=secret(), order_reference=f"order/{order}", state="held", attendee_name="Maren Holt",
               attendee_email=mail, organisation="Lakeside Hospital", profession="Nurse educator", needs="", zone="America/Chicago",
               comp=False, comp_reason="", created_at=now, **sold)  # fmt: skip
    put(connection, "order_lines", order_id=order, position=1, registration_id=seat, description="Social Media Residency, Two days",
        list_price=PRICE, early_reduction=0, discount=0, net=PRICE, tax_rate=0, tax=0, **sold)  # fmt: skip
    attempt = put(connection, "payment_attempts", order_id=order, number=1, state="intent", key=f"seminars:127.0.0.1:order:{order}:1",
                  params=Jsonb(sample["params"]), expires_at=ends, decline_reason="", trouble="", created_at=now, found_by="")  # fmt: skip
    put(connection, "messages", key=f"order.received:{order}", kind=sample["kind"], recipient=mail, recipient_name="Maren Holt",
        facts=Jsonb(sample["facts"]), references=[f"order/{order}"], state="pending", reason="", attempts=0, reply="", not_before=ends,
        created_at=now)  # fmt: skip
    connection.commit()

    run("UPDATE payment_attempts SET state = 'submitting', submitted_at = %s WHERE id = %s", [now, attempt])
    connection.commit()

    page = f"cs_test_{secret()}{secret()}"
    run("UPDATE payment_attempts SET state = 'open', session_id = %s, url = %s, expires_at = %s, checked_at = %s WHERE id = %s",
        [page, f"https://checkout.example/c/pay/{page}", ends, now, attempt])  # fmt: skip
    connection.commit()


def put(connection: Connection, table: str, **values: object) -> int:
    """Insert one row; its id."""
    row = connection.execute(_insert(table, tuple(values)), list(values.values())).fetchone()
    assert row is not None
    number: int = row[0]
    return number


@functools.cache
def _insert(table: str, columns: tuple[str, ...]) -> LiteralString:
    names, marks = ", ".join(f'"{column}"' for column in columns), ", ".join("%s" for _ in columns)
    return cast(LiteralString, f"INSERT INTO {table} ({names}) VALUES ({marks}) RETURNING id")


def rows_written(url: str) -> dict[str, int]:
    """Rows inserted and updated so far, by table, as PostgreSQL counts them. What open connections did may be missing."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute("SELECT relname, n_tup_ins + n_tup_upd FROM pg_stat_user_tables").fetchall())


def per_order(before: dict[str, int], after: dict[str, int], orders: int) -> dict[str, float]:
    """How many rows of each table one of so many orders wrote."""
    found = {table: round((after[table] - number) / orders, 1) for table, number in before.items()}
    return {table: number for table, number in found.items() if number}
