"""The demo world is made by the product's own verbs: paid at the sandbox, its books hold, and there is something of everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.app import create_app
from seminars.catalog.models import Speaker
from seminars.cli.demo import SandboxTime, pay
from seminars.config import Settings
from seminars.consulting import queries
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.db import Base, db, transaction
from seminars.demo import staff, world
from seminars.demo.hands import Demo
from seminars.engagements import retainers, timesheets
from seminars.engagements.models import Milestone, Proposal, Retainer
from seminars.finance.checks import run_checks
from seminars.local.postgres import Cluster
from seminars.orders.models import Order
from seminars.payments.models import Refund
from seminars.people.models import User
from seminars.schedule.models import TimeClaim
from tests.cluster import Database
from tests.sandbox.shop import Sandbox, free_port

SECRETS = {
    "appointments.secret", "appointments.join_url", "carts.secret", "consultants.feed_secret", "engagements.secret",
    "events.preview_secret",
    "orders.secret", "proposals.secret", "registrations.secret", "retainers.secret", "time_claims.holder", "users.fs_uniquifier",
    "users.fs_webauthn_user_handle", "payment_attempts.key", "payment_attempts.params", "payment_attempts.url", "refunds.params",
    "calendar_entries.uid", "calendar_entries.thread", "calendar_entries.snapshot", "calendar_entries.content_hash",
    "messages.key", "messages.lane", "messages.facts", "messages.calendar", "audit_entries.subject", "audit_entries.after",
}  # fmt: skip
"""Drawn anew in every world, or made of what is: the addresses of pages, and what names them."""
MACHINE = {"audit_entries.at", "journal_entries.posted_in"}
"""When this machine did it, whatever time it was in the world."""


@contextmanager
def a_world(cluster: Cluster, folder: Path, number: int, today: date) -> Iterator[Flask]:
    """The demo world of that day in a database of its own, paid at a sandbox of its own."""
    with ExitStack() as stack:
        database = Database(cluster, f"demo_{number}_{free_port()}")
        stack.callback(database.drop)
        # Its clock stands weeks ago.
        start = datetime.combine(today - timedelta(weeks=world.WEEKS, days=2), datetime.min.time(), UTC)
        sandbox = Sandbox(folder / f"stripe-{number}", free_port(), ("--seed", "1", "--clock", f"{start:%Y-%m-%dT%H:%M:%SZ}")).start()
        stack.callback(sandbox.stop)
        settings = Settings.from_env(_environment(database, sandbox, folder))
        hands = SandboxTime(sandbox.url)
        app = create_app(settings, now=hands)
        stack.enter_context(app.app_context())
        stack.callback(_let_go)
        demo = Demo(
            work=transaction, gateway=app.extensions["seminars"].stripe, letterhead=settings.letterhead, time=hands, pay=pay,
            hash_password=lambda password: password[::-1],
        )  # fmt: skip
        world.fill(demo, today=today)
        hands.let_run()
        yield app


def _environment(database: Database, sandbox: Sandbox, folder: Path) -> dict[str, str]:
    return {
        "BASE_URL": "http://localhost:1",
        "SECRET_KEY": "a secret key of forty characters or more.",
        "DATABASE_URL": database.url,
        "CELERY_BROKER_URL": "redis://localhost:1/0",
        "SMTP_URL": "smtp://127.0.0.1:1",
        "MAIL_FROM": "calendar@northfield.example",
        "STRIPE_API_BASE": sandbox.url,
        "STRIPE_SECRET_KEY": "sk_test_sandbox",
        "STRIPE_WEBHOOK_SECRET": "whsec_of_the_demo_world_1",
        "VAR_DIR": str(folder),
    }


def _let_go() -> None:
    db.session.remove()
    db.engine.dispose()


def test_the_world_is_whole_its_books_hold_and_another_one_is_equal(cluster: Cluster, tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    with a_world(cluster, tmp_path, 1, today), transaction() as session:
        seats_are_sold(session)
        consulting_is_booked(session)
        larger_work_is_under_way(session)
        assert run_checks(session, now=datetime.now(UTC)) == []
        assert not world.is_empty(session) and world.is_demo(session)
        first = told(session)
    assert len({login.email for login in staff.LOGINS}) == 6
    with a_world(cluster, tmp_path, 2, today), transaction() as session:
        second = told(session)
    assert sorted(name for name in first | second if first.get(name) != second.get(name)) == []


def seats_are_sold(session: Session) -> None:
    states = dict(session.execute(select(Order.state, func.count()).group_by(Order.state)).all())
    assert states == {"paid": 38, "placed": 2, "cancelled": 1}
    assert session.scalars(select(Refund.state)).all() == ["succeeded", "succeeded"]


def consulting_is_booked(session: Session) -> None:
    states = dict(session.execute(select(Appointment.state, func.count()).group_by(Appointment.state)).all())
    assert states == {"confirmed": 7, "delivered": 1, "requested": 1, "cancelled": 1}
    people = session.scalars(select(Consultant)).all()
    assert len({one.zone for one in people}) == 3
    teaching = select(Consultant.name).join(Speaker, Speaker.resource_id == Consultant.resource_id).order_by(Consultant.name)
    assert session.scalars(teaching).all() == ["Rosa Castellane", "Teddy Okonjo-Hale"]
    login = session.scalars(select(User).where(User.email == "consultant@northfield.example")).one()
    assert [one.name for one in people if one.user_id == login.id] == [login.name]
    assert {"session", "appointment", "leave"} <= set(session.scalars(select(TimeClaim.kind).distinct()))
    assert len(queries.offerings_on_sale(session)) == 4
    joint = session.scalars(select(Appointment).join(Offering).where(Offering.together == 2)).one()
    assert len(joint.consultants) == 2


def larger_work_is_under_way(session: Session) -> None:
    assert sorted(session.scalars(select(Proposal.state))) == ["accepted", "draft", "sent"]
    first, *others = session.scalars(select(Milestone).order_by(Milestone.position)).all()
    assert first.state == "accepted" and first.order is not None and first.order.state == "placed"
    assert {one.state for one in others} == {"planned"}
    retainer = session.scalars(select(Retainer)).one()
    assert (retainer.state, retainer.minutes, retainers.left(retainer)) == ("active", 600, 300)
    assert timesheets.unbilled_of(session, retainer) == []


def told(session: Session) -> dict[str, list[Any]]:
    """Every column of every table, in the order of the keys; without the secrets."""
    found = {}
    for table in Base.metadata.sorted_tables:
        rows = session.execute(select(table).order_by(*table.primary_key.columns)).all()
        for at, column in enumerate(table.columns):
            if f"{table.name}.{column.name}" not in SECRETS | MACHINE:
                found[f"{table.name}.{column.name}"] = [row[at] for row in rows]
    return found
