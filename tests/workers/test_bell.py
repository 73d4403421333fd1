"""A real worker with a real broker: what a commit rings is done at once, without the broker, and a lost bell is hung up again."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from seminars.config import Settings
from seminars.db import transaction
from seminars.joined import join
from seminars.kit import clock
from seminars.local.valkey import Broker
from seminars.messages import outbox
from tests import cluster as clusters
from tests.conftest import Mailbox
from tests.messages.conftest import LETTER

LISTENS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'seminars bell' AND datname = current_database()"


class Worker:
    """One worker of this database."""

    def __init__(self, env: dict[str, str], url: str, broker: Broker, log: Path) -> None:
        self.env, self.url, self.broker = env, url, broker
        words = ["workers", "worker", "--pool", "threads", "--concurrency", "1"]
        with open(log, "wb") as output:
            self.process = subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=output, stderr=output)

    def listener(self, *, besides: int = 0) -> int:
        """The process number of the bell's connection, once it hangs."""
        deadline = time.monotonic() + 90
        with psycopg.connect(self.url, autocommit=True) as connection:
            while time.monotonic() < deadline:
                found = connection.execute(f"{LISTENS} AND pid <> %s AND query LIKE 'LISTEN%%'", [besides]).fetchone()
                if found:
                    return int(found[0])
                time.sleep(0.1)
        raise AssertionError("no worker listens")

    def post(self, key: str) -> None:
        from dataclasses import replace

        app = join(Settings.from_env(self.env))
        with app.app_context(), transaction() as session:
            outbox.post(session, replace(LETTER, key=key, to=f"{key}@fjordview.example"), now=clock.now())


@pytest.fixture
def worker(fresh_database: clusters.Database, mailbox: Mailbox, settings: Settings, tmp_path: Path) -> Iterator[Worker]:
    broker = Broker(tmp_path / "valkey").start()
    env = {
        **os.environ,
        "BASE_URL": settings.base_url,
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": fresh_database.url,
        "CELERY_BROKER_URL": broker.url,
        "SMTP_URL": mailbox.url,
        "MAIL_FROM": settings.mail_from,
        "STRIPE_API_BASE": settings.stripe_api_base,
        "STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secrets[0],
        "VAR_DIR": str(tmp_path),
    }
    started = Worker(env, fresh_database.url, broker, tmp_path / "worker.log")
    yield started
    started.process.kill()
    started.process.wait()
    broker.stop()


def arrived(mailbox: Mailbox, key: str, *, within: float = 20) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if mailbox.to(f"{key}@fjordview.example"):
            return True
        time.sleep(0.02)
    return False


def test_a_commit_is_heard_with_and_without_a_broker_and_after_a_lost_connection(worker: Worker, mailbox: Mailbox) -> None:
    worker.post("before")
    listener = worker.listener()
    assert arrived(mailbox, "before"), "what was posted while nobody listened is found when listening begins"

    worker.post("heard")
    assert arrived(mailbox, "heard")

    worker.broker.stop()
    worker.post("brokerless")
    assert arrived(mailbox, "brokerless")

    with psycopg.connect(worker.url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", [listener])
    worker.listener(besides=listener)
    worker.post("again")
    assert arrived(mailbox, "again")

    assert [len(mailbox.to(f"{key}@fjordview.example")) for key in ("before", "heard", "brokerless", "again")] == [1, 1, 1, 1]
