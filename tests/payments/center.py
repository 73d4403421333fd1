"""A whole center for a test: its application on a real database, its Stripe sandbox, and the clock they share."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from seminars.catalog.models import Event, EventSession, Quota, Seminar, TicketType
from seminars.config import Settings
from seminars.db import db, transaction
from seminars.gateways.stripe import Gateway
from seminars.kit.references import secret
from seminars.ledger.models import Posting
from seminars.messages.models import Message
from seminars.orders import cart as carts
from seminars.orders import checkout as placing
from seminars.orders import settlement
from seminars.orders.buyers import Buyer, Party
from seminars.orders.models import Order
from seminars.payments import checkout, events, polling, refunds, resolving
from seminars.payments.models import Payment, PaymentAttempt, Refund
from seminars.registration.models import Registration
from seminars.registration.places import Attendee
from tests import payer
from tests.sandbox.shop import Sandbox

ANNA = Attendee("Anna Vestergren", "anna.vestergren@quillhaven.example")
SAMIR = Attendee("Samir Belhadj-Roux", "samir.belhadj@quillhaven.example")
BUYER = Buyer(ANNA.name, ANNA.email, organisation="Quillhaven Regional Hospital", po_number="PO-4711")


@dataclass
class Clock:
    """The center's clock: this machine's, moved forward by the test."""

    ahead: timedelta = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Center:
    """Everything a story about money needs, with the verbs of the product and none of our own inventions."""

    app: Flask
    settings: Settings
    sandbox: Sandbox
    clock: Clock

    @property
    def gateway(self) -> Gateway:
        joined: Gateway = self.app.extensions["seminars"].stripe
        return joined

    def later(self, **span: float) -> None:
        """Time passes, here and at Stripe."""
        self.clock.ahead += timedelta(**span)
        self.sandbox.advance(**span)

    def an_event(self, *, seats: int = 10, price: int = 119_000, starts_in: timedelta = timedelta(days=60), days: int = 2) -> Event:
        """A published event with one ticket type."""
        first = (self.clock() + starts_in).replace(microsecond=0)
        with transaction() as session:
            event = Event(
                seminar=Seminar(slug=secret(), title="Social Media Residency", created_at=self.clock()),
                reference=secret(), title="Social Media Residency", state="published", format="online", zone="America/Chicago",
                preview_secret=secret(), created_at=self.clock(), starts_at=first, ends_at=first + timedelta(days=days - 1, hours=8),
            )  # fmt: skip
            for day in range(days):
                starts = first + timedelta(days=day)
                local, lasts = starts.replace(tzinfo=None), timedelta(hours=8)
                event.sessions.append(
                    EventSession(starts_local=local, ends_local=local + lasts, starts_at=starts, ends_at=starts + lasts)
                )
            quota = Quota(size=seats)
            event.quotas.append(quota)
            event.ticket_types.append(TicketType(name="Two days", price=price, currency="USD", quotas=[quota]))
            session.add(event)
        return event

    def order(self, event: Event, attendees: Sequence[Attendee | None] = (ANNA,), *, begin: bool = True) -> Order:
        """Anna orders seats; the attempt to be paid is written down in the same commit, as the checkout page does."""
        secret_of_cart = self.cart(event, places=len(attendees))
        with transaction(by="visitor") as session:
            return self.place(session, secret_of_cart, attendees, begin=begin)

    def cart(self, event: Event, *, places: int = 1) -> str:
        """A cart with seats of the event, held; its secret."""
        with transaction(by="visitor") as session:
            cart = carts.open_cart(session, now=self.clock())
            carts.add_places(session, cart, {event.ticket_types[0].id: places}, now=self.clock())
            return cart.secret

    def place(self, session: Session, cart_secret: str, attendees: Sequence[Attendee | None] = (ANNA,), *, begin: bool = True) -> Order:
        found = carts.cart_by_secret(session, cart_secret)
        assert found is not None
        order = placing.place_order(session, found, Party(BUYER, tuple(attendees)), terms=placing.Terms("NC"), now=self.clock())
        if begin:
            checkout.begin(session, order, letterhead=self.settings.letterhead, now=self.clock())
        return order

    def begin(self, order: Order) -> PaymentAttempt:
        with transaction() as session:
            return checkout.begin(session, settlement.lock(session, order.id), letterhead=self.settings.letterhead, now=self.clock())

    def hand_over(self, order: Order) -> PaymentAttempt:
        """What the pay button does."""
        return checkout.hand_over(transaction, self.gateway, self.attempts(order)[-1].id, clock=self.clock)

    def page_of(self, order: Order) -> str:
        url = self.hand_over(order).url
        assert url is not None
        return url

    def pay(self, order: Order, card: str = "4242 4242 4242 4242", **typed: Any) -> str:
        """Anna opens the payment page and pays; where Stripe sends her."""
        return payer.pay(self.page_of(order), card, **typed)

    def look(self, order: Order, found_by: str = "thanks") -> None:
        """What the thank-you page does."""
        session_id = self.attempts(order)[-1].session_id
        assert session_id is not None
        polling.ask_about(transaction, self.gateway, session_id, letterhead=self.settings.letterhead, found_by=found_by, clock=self.clock)

    def handle_events(self) -> int:
        return events.handle_due(transaction, self.gateway, letterhead=self.settings.letterhead, clock=self.clock)

    def backfill(self) -> int:
        return polling.backfill(transaction, self.gateway, clock=self.clock)

    def poll(self) -> int:
        return polling.poll(transaction, self.gateway, letterhead=self.settings.letterhead, clock=self.clock)

    def resolve(self) -> int:
        return resolving.resolve_stuck(transaction, self.gateway, letterhead=self.settings.letterhead, clock=self.clock)

    def pay_refunds(self) -> None:
        with transaction() as session:
            ids = refunds.due(session, now=self.clock())
        for refund_id in ids:
            refunds.pay_out(transaction, self.gateway, refund_id, letterhead=self.settings.letterhead, clock=self.clock)

    def attempts(self, order: Order) -> list[PaymentAttempt]:
        with transaction() as session:
            found = select(PaymentAttempt).where(PaymentAttempt.order_id == order.id).order_by(PaymentAttempt.number)
            return list(session.scalars(found.execution_options(populate_existing=True)))

    def now_is(self, order: Order) -> Order:
        """The order as the database has it now."""
        with transaction() as session:
            return session.get_one(Order, order.id, populate_existing=True)

    def payments(self, order: Order) -> list[Payment]:
        return self._all(select(Payment).where(Payment.order_id == order.id).order_by(Payment.id))

    def refunds(self, order: Order) -> list[Refund]:
        return self._all(select(Refund).join(Payment).where(Payment.order_id == order.id).order_by(Refund.id))

    def registrations(self, order: Order) -> list[Registration]:
        return self._all(select(Registration).where(Registration.order_reference == order.reference).order_by(Registration.id))

    def letters(self, kind: str = "") -> list[str]:
        """The kinds of the letters that are posted and not called back."""
        found: list[Message] = self._all(select(Message).where(Message.state == "pending").order_by(Message.id))
        return [message.kind for message in found if message.kind.startswith(kind)]

    def seats_taken(self, event: Event) -> int:
        with transaction() as session:
            return session.scalar(select(Quota.taken).where(Quota.event_id == event.id)) or 0

    def book(self) -> dict[int, int]:
        """The balance of every account that is not zero, in minor units."""
        with transaction() as session:
            rows = session.execute(select(Posting.account_number, func.sum(Posting.amount)).group_by(Posting.account_number)).all()
        return {account: int(balance) for account, balance in rows if balance}

    def sessions_at_stripe(self) -> list[Any]:
        return list(self.sandbox.client().v1.checkout.sessions.list({"limit": 100}).data)

    @contextmanager
    def open_for_business(self, port: int) -> Iterator[str]:
        """The web server is up: browsers and webhooks get an answer."""
        server = make_server("127.0.0.1", port, self.app, threaded=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        try:
            yield self.settings.base_url
        finally:
            server.shutdown()
            server.server_close()

    def _all(self, query: Any) -> list[Any]:
        with transaction() as session:
            return list(session.scalars(query.execution_options(populate_existing=True)))

    def session(self) -> Session:
        return db.session()
