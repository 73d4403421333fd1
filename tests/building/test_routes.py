"""Every route, every role: what comes back is what `routes.csv` says (reliability-security.md §5, authorisation).

Each POST is sent with a valid token and nothing else, so that what answers is the guard, or the verb behind it. A request that wrote
something is followed by the same world made anew. A new route fails here until somebody has written down who may use it.
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from seminars.app import create_app
from seminars.db import db, transaction
from seminars.invoices.models import Document
from seminars.orders.models import Order
from seminars.payments.models import Refund, StripeEvent
from seminars.people.models import ROLES
from seminars.people.permissions import RIGHTS, Right
from seminars.registration.models import Registration
from tests import cluster as clusters
from tests.factories.advising import advise
from tests.factories.desk import NOON, a_desk, furnish, pay, settings, token_of
from tests.factories.engagements import larger_work
from tests.factories.meetings import some_consulting

FILE = Path(__file__).with_name("routes.csv")
VISITOR = "visitor"
WHO = (VISITOR, *ROLES)
READS_THAT_ARE_NOTED = ("/staff/events/<int:event_id>/roster.csv",)
"""Reads that leave a line in the audit: taking names out of the house is one of the things it is for."""
SECRETS = {
    "registrations": "seat_secret",
    "seats": "seat_secret",
    "proposals": "proposal_secret",
    "engagements": "engagement_secret",
    "retainers": "retainer_secret",
    "appointments": "appointment_secret",
    "consulting": "chosen_secret",
    "calendars": "feed_secret",
}
"""Whose secret opens a page, by the first part of its address; else an order's."""
SLUGS = {"consulting": "offering_slug", "consultants": "consultant_slug"}
"""Whose address by name a page has, by the first part; else a seminar's."""
WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True)
class Row:
    """One line of the file: a method and a route, and the status that each role gets."""

    method: str
    route: str
    expected: Mapping[str, int]

    def __str__(self) -> str:
        return f"{self.method} {self.route}"


def rows() -> list[Row]:
    with FILE.open(encoding="utf-8", newline="") as lines:
        return [Row(line["method"], line["route"], {who: int(line[who]) for who in WHO}) for line in csv.DictReader(lines)]


def routes_of(app: Flask) -> set[tuple[str, str]]:
    return {(method, rule.rule) for rule in app.url_map.iter_rules() for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}


@pytest.fixture(scope="module")
def app() -> Flask:
    """The application, not connected to anything."""
    return create_app(settings("postgresql://nobody@localhost/nothing"))


class World:
    """A furnished installation with everybody signed in, that can be put back to how it was."""

    def __init__(self, database: clusters.Database) -> None:
        self.database = database
        self.template = f"{database.name}_routes"
        database.renew()
        self.desk = furnish(a_desk(database.url))
        self._add_what_money_leaves()
        self.clients = {who: self.desk.client(None if who == VISITOR else who) for who in WHO}
        self.tokens = {who: token_of(client, "/staff/" if who != VISITOR else "/staff/sign-in") for who, client in self.clients.items()}
        self.cookies = {who: client.get_cookie("seminars") for who, client in self.clients.items()}
        with self.desk.app.app_context():
            event.listen(db.engine, "before_cursor_execute", self._note_writing)
        self.written = False
        self._let_go()
        database.cluster.drop_database(self.template)
        database.cluster.create_database(self.template, template=database.name)

    def _note_writing(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        # What a page tells on the next one is kept in the browser's session: that alone is no change.
        if statement.lstrip().startswith(WRITES) and not statement.startswith("UPDATE browser_sessions"):
            self.written = True

    def _add_what_money_leaves(self) -> None:
        with self.desk.app.app_context():
            order = db.session.get_one(Order, self.desk.ids["unpaid"])
            pay(self.desk, order)
            with transaction() as session:
                session.add(
                    StripeEvent(
                        id="evt_given_up", type="charge.updated", state="dead", payload={}, created=NOON, received_at=NOON, not_before=NOON
                    )
                )
                amounts = {"amount": 1, "currency": "USD", "reason": "by hand", "params": {}, "external": True}
                session.add(Refund(payment_id=1, key="external:re_1", refund_id="re_1", state="succeeded", promised_at=NOON, **amounts))
                session.add(Document(subject="invoice/1", sha256="0" * 64, pdf=b"%PDF-1.7", rendered_at=NOON))
            seat = db.session.scalars(select(Registration).where(Registration.order_reference == order.reference)).one()
            self.desk.ids |= {"paid_secret": order.secret, "paid_seat": seat.id, "seat_secret": seat.secret}
            with transaction() as session:
                self.desk.ids |= larger_work(session)
                self.desk.ids |= some_consulting(session)
        advise(self.desk)

    def _let_go(self) -> None:
        with self.desk.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def renew(self) -> None:
        """Put everything back, if anything was written."""
        if not self.written:
            return
        self._let_go()
        self.database.cluster.drop_database(self.database.name)
        self.database.cluster.create_database(self.database.name, template=self.template)
        for who, client in self.clients.items():
            kept = self.cookies[who]
            assert kept is not None
            client.set_cookie("seminars", kept.value)
        self.written = False

    def close(self) -> None:
        self._let_go()
        self.database.cluster.drop_database(self.template)
        self.database.renew()

    def path(self, route: str) -> str:
        """The route with values that exist."""
        ids = self.desk.ids
        values = {
            "<int:event_id>": ids["event"],
            "<int:session_id>": ids["session"],
            "<int:ticket_type_id>": ids["ticket"],
            "<int:quota_id>": ids["quota"],
            "<int:seminar_id>": ids["seminar"],
            "<int:venue_id>": ids["venue"],
            "<int:room_id>": ids["room"],
            "<int:speaker_id>": ids["speaker"],
            "<int:policy_id>": ids["policy"],
            "<int:code_id>": ids["code"],
            "<int:run_id>": ids["run"],
            "<int:order_id>": ids["order"],
            "<int:message_id>": 1,
            "<int:entry_id>": 1,
            "<int:payment_id>": 1,
            "<int:refund_id>": 1,
            "<int:user_id>": ids["consultant"],
            "<int:proposal_id>": ids["proposal_draft"],
            "<int:engagement_id>": ids["engagement"],
            "<int:milestone_id>": ids["milestone"],
            "<int:document_id>": ids["document"],
            "<int:retainer_id>": ids["retainer"],
            "<int:consultant_id>": ids["teddy"],
            "<int:offering_id>": ids["offering"],
            "<int:appointment_id>": ids["asked"],
            "<int:exception_id>": ids["exception"],
            "<event_id>": "evt_given_up",
            "<path:reference>": "invoice/1",
            "<reference>": ids["reference"],
            "<slug>": ids[SLUGS.get(route.split("/")[1], "slug")],
            "<kind>": "invoice",
            "<token>": "forged",
            "<version>": "0",
            "<name>": "seminars.css",
        }
        number = 2100 if "accounts" in route else 1 if "documents" in route else ids["paid_seat"]
        secret = ids[SECRETS.get(route.split("/")[1], "paid_secret")]
        for mark, value in (*values.items(), ("<int:number>", number), ("<secret>", secret)):
            route = route.replace(mark, str(value))
        assert "<" not in route, f"{route}: give this part a value in tests/building/test_routes.py"
        return route

    def ask(self, row_method: str, route: str, who: str) -> int:
        """The status of one request."""
        client = self.clients[who]
        data = {"csrf_token": self.tokens[who]} if row_method != "GET" else None
        status: int = client.open(self.path(route), method=row_method, data=data).status_code
        return status


@pytest.fixture(scope="module")
def world(database: clusters.Database) -> Iterator[World]:
    made = World(database)
    yield made
    made.close()


def test_every_route_is_in_the_file_and_the_file_names_no_other(app: Flask) -> None:
    written = [(row.method, row.route) for row in rows()]

    assert sorted(routes_of(app) - set(written)) == [], "write down in tests/building/routes.csv who may use these"
    assert sorted(set(written) - routes_of(app)) == [], "these are gone: take them out of tests/building/routes.csv"
    assert len(written) == len(set(written))


@pytest.mark.parametrize("row", rows(), ids=str)
def test_each_role_gets_what_the_file_says(world: World, row: Row) -> None:
    got = {}

    for who in WHO:
        got[who] = world.ask(row.method, row.route, who)
        assert row.method != "GET" or not world.written or row.route in READS_THAT_ARE_NOTED, f"{row} writes"
        world.renew()

    assert got == dict(row.expected)


def right_of(app: Flask, endpoint: str) -> Right | None:
    return vars(app.view_functions[endpoint]).get("right")


def test_every_page_of_the_desk_has_a_guard(app: Flask) -> None:
    unguarded = [
        rule.endpoint for rule in app.url_map.iter_rules() if rule.endpoint.startswith("staff.") and right_of(app, rule.endpoint) is None
    ]

    assert unguarded == []


def test_the_file_shuts_out_exactly_who_lacks_the_right(app: Flask) -> None:
    endpoints = {(method, rule.rule): rule.endpoint for rule in app.url_map.iter_rules() for method in rule.methods or set()}
    wrong = []

    for row in rows():
        right = right_of(app, endpoints[row.method, row.route])
        if right is not None:
            shut_out = {role for role in ROLES if row.expected[role] == 403}
            if shut_out != set(ROLES) - right.roles or row.expected[VISITOR] != 302:
                wrong.append((str(row), right.name))

    assert wrong == []


def test_every_right_is_used_by_a_page_or_asked_by_a_view(app: Flask) -> None:
    used = {right.name for endpoint in app.view_functions if (right := right_of(app, endpoint))}

    assert set(RIGHTS) - used == {"comp_seats"}, "comp_seats is asked within a form; the others guard pages"
