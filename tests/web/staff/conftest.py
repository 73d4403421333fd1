"""An installation per test, and one that many tests only look at."""

from collections.abc import Iterator

import pytest

from tests import cluster as clusters
from tests.factories.desk import Desk, a_desk, furnish


@pytest.fixture
def desk(fresh_database: clusters.Database) -> Iterator[Desk]:
    """An installation with one login per role."""
    made = a_desk(fresh_database.url)
    yield made
    close(made)


@pytest.fixture
def furnished(desk: Desk) -> Desk:
    """The same with a little of everything in it."""
    return furnish(desk)


def close(desk: Desk) -> None:
    """Let go of the database."""
    from seminars.db import db

    with desk.app.app_context():
        db.session.remove()
        db.engine.dispose()
