"""A center with a little of everything, which attacks leave as it was: so many of them share it."""

from collections.abc import Iterator

import pytest

from tests import cluster as clusters
from tests.factories.desk import Desk, a_desk, furnish
from tests.factories.engagements import larger_work
from tests.factories.meetings import some_consulting
from tests.web.attacks.target import Target


@pytest.fixture(scope="module")
def furnished_once(database: clusters.Database) -> Iterator[Desk]:
    """The center of one module of attacks; the database is made anew after it."""
    from seminars.db import db, transaction

    made = furnish(a_desk(database.url))
    with made.app.app_context(), transaction() as session:
        made.ids |= some_consulting(session) | {"larger": larger_work(session)}
    yield made
    with made.app.app_context():
        db.session.remove()
        db.engine.dispose()
    database.renew()


@pytest.fixture(scope="module")
def target(furnished_once: Desk) -> Target:
    """The center with somebody of each role signed in."""
    return Target(furnished_once)
