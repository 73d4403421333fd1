"""The running center and its visitors. All journeys run in one worker (tests/together.py): starting a center takes seconds."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cluster import Database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from seminars.local.postgres import Cluster
    from tests.journeys.center import Center
    from tests.journeys.visitor import Inspector, Visitor

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # First, or whoever skips tests by their marks would not see this one.
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def running_center(cluster: Cluster) -> Iterator[Center]:
    """Web, worker, mailbox, sandbox, broker and database, as they run for people."""
    from tests.journeys.center import a_folder, running

    database = Database(cluster, f"journeys_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}")
    try:
        with a_folder() as folder, running(database, folder) as center:
            yield center
    finally:
        database.drop()


@pytest.fixture(scope="session")
def inspector(running_center: Center) -> Inspector:
    """Looks over each kind of page once."""
    from tests.journeys.visitor import Inspector

    return Inspector(running_center)


@pytest.fixture
def visiting(browser: Browser, running_center: Center, inspector: Inspector) -> Callable[..., AbstractContextManager[Visitor]]:
    """Somebody with a browser of their own: `with visiting() as anna:`."""
    from tests.journeys.visitor import visiting

    return partial(visiting, browser, running_center, inspector)
