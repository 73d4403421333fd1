"""The fixtures around the application."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from seminars.catalog.models import Venue
from seminars.db import db, transaction


def a_venue(name="Siebens Building"):
    return Venue(name=name, city="Rochester", country="US", zone="America/Chicago")


def venues(session):
    return session.scalar(select(func.count()).select_from(Venue))


@pytest.mark.parametrize("time", ["first", "second"])
def test_what_the_application_commits_is_seen_by_the_session_and_undone_after_the_test(app, session, time):
    with app.app_context(), transaction() as inner:
        inner.add(a_venue())

    assert venues(session) == 1


def test_what_the_session_commits_is_seen_by_the_application(app, session):
    session.add(a_venue())
    session.commit()

    with app.app_context():
        assert venues(db.session) == 1


def test_a_rollback_of_the_application_takes_back_its_own_work_only(app, session):
    session.add(a_venue())
    session.commit()
    with app.app_context(), pytest.raises(ZeroDivisionError), transaction() as inner:
        inner.add(a_venue("Other"))
        inner.flush()
        1 / 0  # noqa: B018

    assert session.scalars(select(Venue.name)).all() == ["Siebens Building"]


@pytest.mark.parametrize("time", ["first", "second"])
def test_with_a_fresh_database_commits_are_true(fresh_database, app, session, time):
    def elsewhere():
        with app.app_context(), transaction() as inner:
            inner.add(a_venue())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()

    assert venues(session) == 1


def test_the_client_reaches_the_pages(client):
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200


def test_the_sandbox_is_where_the_settings_say(settings, stripe_sandbox):
    assert stripe_sandbox.url == settings.stripe_api_base


def test_the_clock_stands_until_it_is_moved(clock):
    before = clock()

    assert clock() == before
    assert (clock.move(days=1) - before).days == 1
