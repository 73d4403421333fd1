"""The public site in a real browser: the application on a port of its own, on a database that is made anew."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from seminars.config import Settings
from tests.clock import StandingClock
from tests.cluster import Database
from tests.sandbox.shop import free_port

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def site(settings: Settings, clock: StandingClock, fresh_database: Database) -> Iterator[Flask]:
    """The application as it serves people; `SITE` in its config is the address."""
    from seminars.app import create_app

    port = free_port()
    app = create_app(replace(settings, base_url=f"http://localhost:{port}", port=port), now=clock)
    app.config["SITE"] = f"http://localhost:{port}"
    server = make_server("127.0.0.1", port, app, threaded=True)
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    yield app
    server.shutdown()
    serving.join(10)
    with app.app_context():
        from seminars.db import db

        db.engine.dispose()


@pytest.fixture
def shop(session: Session) -> Session:
    """A session whose commits the site sees (`fresh_database`)."""
    return session
