"""What is attacked: the addresses of the whole application filled in, people signed in, and what the database holds."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from seminars.db import db
from tests.factories.desk import Desk, token_of

SAFE = {"GET", "HEAD", "OPTIONS"}
# What a sign-in and a look at a page may write: who is signed in, since when they were last seen, and that they signed in.
OWN_TRAFFIC = {"browser_sessions"}


class Target:
    """A center under attack."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.app = desk.app
        self.ids = desk.ids
        self._clients: dict[str | None, FlaskClient] = {}

    def as_(self, role: str | None) -> FlaskClient:
        """The browser of somebody of that role; of a visitor where none is named."""
        if role not in self._clients:
            self._clients[role] = self.desk.client(role)
        return self._clients[role]

    def token(self, role: str | None) -> str:
        """A token that this browser's forms carry."""
        return token_of(self.as_(role), "/staff/" if role else f"/events/{self.ids['reference']}")

    @cached_property
    def rules(self) -> list[Rule]:
        """Every address of the application."""
        return sorted(self.app.url_map.iter_rules(), key=lambda rule: (rule.rule, sorted(rule.methods or ())))

    @cached_property
    def values(self) -> dict[str, object]:
        """Values that lead to something that is there, by the name that addresses give them."""
        ids = self.ids
        named = ("event", "code", "order", "policy", "quota", "seminar", "session", "speaker", "venue")
        return {f"{name}_id": ids[name] for name in named} | {
            "ticket_type_id": ids["ticket"],
            "run_id": ids["run"],
            "user_id": ids["consultant"],
            "message_id": self._first("messages"),
            "entry_id": self._first("journal_entries"),
            "payment_id": self._first("payments"),
            "refund_id": self._first("refunds"),
            "number": 2100,
            "kind": "invoice",
            "reference": ids["reference"],
            "secret": ids["order_secret"],
            "slug": ids["slug"],
            "token": "nothing",
            "version": "x",
            "name": "seminars.css",
        }

    def _first(self, table: str) -> int:
        with self.app.app_context(), db.engine.connect() as connection:
            return connection.scalar(text(f"SELECT min(id) FROM {table}")) or 1

    def path(self, rule: Rule, **other: object) -> str:
        """The address with values that lead somewhere, but for those given."""
        with self.app.test_request_context():
            built = rule.build({name: other.get(name, self.values[name]) for name in rule.arguments})
        assert built is not None
        return built[1]

    def pages(self) -> Iterator[Rule]:
        """Every address that can be looked at."""
        return (rule for rule in self.rules if "GET" in (rule.methods or ()))

    def holdings(self) -> dict[str, str]:
        """What every table holds, so that two moments can be compared."""
        with self.app.app_context(), db.engine.connect() as connection:
            tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")).all()
            count = " UNION ALL ".join(
                f"SELECT '{table}', count(*) || ' ' || coalesce(sum(xmin::text::bigint), 0) FROM {table}"
                for table in tables
                if table not in OWN_TRAFFIC
            )
            return {table: held for table, held in connection.execute(text(count))}  # noqa: C416  rows are no pairs to dict()


def broken(answer: TestResponse) -> bool:
    """Whether the answer tells of a mistake of ours."""
    return answer.status_code >= 500
