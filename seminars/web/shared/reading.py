"""Reading one statement's worth for a page that is asked for very often."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from seminars.db import db


@contextmanager
def single_statement() -> Iterator[Connection]:
    """A connection for one statement, which needs no transaction around it: that saves two of four trips to the database.

    Where the session is bound to a connection that somebody else opened, that one is used as it is.
    """
    bind = db.session.get_bind()
    if isinstance(bind, Connection):
        yield bind
        return
    with bind.connect() as connection:
        yield connection.execution_options(isolation_level="AUTOCOMMIT")
