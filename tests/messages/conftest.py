"""An outbox with a press and a postman, for stories about mail."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from seminars.config import Center, Letterhead
from seminars.gateways.smtp import Postman
from seminars.messages import delivery, outbox
from seminars.messages.models import Message
from seminars.messages.outbox import Letter
from seminars.messages.render import Press
from tests.clock import StandingClock
from tests.conftest import Mailbox

LETTERHEAD = Letterhead(Center(), "https://seminars.northfield.example", "seminars@northfield.example")
ANNA = "anna@fjordview.example"
ORDER = {
    "number": "NC-2027-0001",
    "order": "NC-2027-0001",
    "buyer": "Anna Vestergren",
    "total": {"amount": 119_000, "currency": "USD"},
    "page": "https://seminars.northfield.example/orders/secret",
    "paid_on": "1 March 2027",
    "po_number": "",
}


LETTER = Letter(kind="invoices/receipt", key="one", to=ANNA, name="Anna Vestergren", facts=ORDER, references=("order/1",))


@dataclass
class PostOffice:
    """Posts and delivers, each time in a transaction of its own."""

    session: Session
    clock: StandingClock
    postman: Any
    press: Press = field(default_factory=lambda: Press(LETTERHEAD, "a secret of this test"))
    rooms: delivery.Rooms = field(default_factory=lambda: delivery.Rooms({}, lambda session, reference: None))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        yield self.session
        self.session.commit()

    def post(self, **given: Any) -> Message:
        letter = replace(LETTER, **given)
        with self.transaction() as session:
            outbox.post(session, letter, now=self.clock())
        return self.message(letter.key)

    def deliver(self, most: int = 50) -> int:
        return delivery.deliver_due(self.transaction, self.transaction, self.postman, self.press, self.rooms, clock=self.clock, most=most)

    def message(self, key: str) -> Message:
        self.session.expire_all()
        return self.session.query(Message).filter_by(key=key).one()

    def state(self, key: str) -> str:
        return self.message(key).state

    def later(self, **span: float) -> None:
        self.clock.at += timedelta(**span)


@pytest.fixture
def post_office(session: Session, clock: StandingClock, mailbox: Mailbox) -> Iterator[PostOffice]:
    postman = Postman(mailbox.url)
    yield PostOffice(session, clock, postman)
    postman.hang_up()


@pytest.fixture
def statements(session: Session) -> Callable[[], AbstractContextManager[list[str]]]:
    """A way to listen to what is asked of the database."""

    @contextmanager
    def listening() -> Iterator[list[str]]:
        heard: list[str] = []

        def hear(*arguments: Any) -> None:
            heard.append(arguments[2])

        event.listen(session.connection(), "before_cursor_execute", hear)
        yield heard
        event.remove(session.connection(), "before_cursor_execute", hear)

    return listening
