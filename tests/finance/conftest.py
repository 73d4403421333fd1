"""A session of the application's own role, undone after each test."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from tests.factories.books import rolled_back


@pytest.fixture
def session(database_url: str) -> Iterator[Session]:
    with rolled_back(database_url) as session:
        yield session
