"""What tests of the public pages ask for."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.public.visitor import Visitor


@pytest.fixture
def anna(client: FlaskClient) -> Visitor:
    """A visitor."""
    return Visitor(client)
