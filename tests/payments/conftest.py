"""A center with its sandbox, for stories about money."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from seminars.app import create_app
from seminars.config import Settings
from seminars.db import db
from tests import cluster as clusters
from tests.payments.center import Center, Clock
from tests.sandbox.shop import Sandbox, free_port

WEBHOOK_SECRET = "whsec_of_the_center_0001"


@dataclass
class Ports:
    """Where this worker's web server and its sandbox listen."""

    web: int
    sandbox: Sandbox


@pytest.fixture(scope="session")
def _ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ports]:
    web = free_port()
    options = ("--webhook-url", f"http://127.0.0.1:{web}/hooks/stripe", "--webhook-secret", WEBHOOK_SECRET)
    sandbox = Sandbox(tmp_path_factory.mktemp("stripe"), free_port(), options).start()
    yield Ports(web, sandbox)
    sandbox.stop()


@pytest.fixture
def web_port(_ports: Ports) -> int:
    return _ports.web


@pytest.fixture
def center(fresh_database: clusters.Database, _ports: Ports, tmp_path) -> Iterator[Center]:  # type: ignore[no-untyped-def]
    """A center on its own database whose Stripe is a sandbox that has seen nothing yet."""
    _ports.sandbox.control("reset")
    settings = Settings.from_env(
        {
            "BASE_URL": f"http://127.0.0.1:{_ports.web}",
            "SECRET_KEY": "a secret key of forty characters or more.",
            "DATABASE_URL": fresh_database.url,
            "CELERY_BROKER_URL": "redis://localhost:1/0",
            "SMTP_URL": "smtp://127.0.0.1:1",
            "MAIL_FROM": "calendar@northfield.example",
            "STRIPE_API_BASE": _ports.sandbox.url,
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "VAR_DIR": str(tmp_path),
        }
    )
    clock = Clock()
    app = create_app(settings, now=clock)
    with app.app_context():
        yield Center(app, settings, _ports.sandbox, clock)
        db.session.remove()
        db.engine.dispose()
