"""The demo world is made by the product's own verbs: paid at the sandbox, its books hold, and there is something of everything."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from seminars.app import create_app
from seminars.cli.demo import SandboxTime, pay
from seminars.config import Settings
from seminars.db import db, transaction
from seminars.demo import staff, world
from seminars.finance.checks import run_checks
from seminars.orders.models import Order
from seminars.payments.models import Refund
from tests import cluster as clusters
from tests.sandbox.shop import Sandbox, free_port


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose clock stands weeks ago."""
    start = datetime.now(UTC) - timedelta(weeks=world.WEEKS, days=2)
    running = Sandbox(tmp_path / "stripe", free_port(), ("--seed", "1", "--clock", f"{start:%Y-%m-%dT%H:%M:%SZ}")).start()
    yield running
    running.stop()


def test_the_world_is_whole_and_its_books_hold(sandbox: Sandbox, fresh_database: clusters.Database, tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "BASE_URL": "http://localhost:1",
            "SECRET_KEY": "a secret key of forty characters or more.",
            "DATABASE_URL": fresh_database.url,
            "CELERY_BROKER_URL": "redis://localhost:1/0",
            "SMTP_URL": "smtp://127.0.0.1:1",
            "MAIL_FROM": "calendar@northfield.example",
            "STRIPE_API_BASE": sandbox.url,
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": "whsec_of_the_demo_world_1",
            "VAR_DIR": str(tmp_path),
        }
    )
    hands = SandboxTime(sandbox.url)
    app = create_app(settings, now=hands)
    with app.app_context():
        demo = world.Demo(
            work=transaction, gateway=app.extensions["seminars"].stripe, letterhead=settings.letterhead, time=hands, pay=pay,
            hash_password=lambda password: password[::-1],
        )  # fmt: skip
        world.fill(demo, today=datetime.now(UTC).date())
        hands.let_run()

        with transaction() as session:
            states = dict(session.execute(select(Order.state, func.count()).group_by(Order.state)).all())
            assert states == {"paid": 31, "placed": 1}
            assert session.scalars(select(Refund.state)).all() == ["succeeded"]
            assert run_checks(session, now=hands()) == []
            assert not world.is_empty(session) and world.is_demo(session)
        db.session.remove()
        db.engine.dispose()
    assert len({login.email for login in staff.LOGINS}) == 6
