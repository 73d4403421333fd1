"""An installation with staff of every role and a little of everything, for tests of the desk."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from flask_security import hash_password
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.app import create_app
from seminars.catalog import events, importing, rooms, seminars, speakers, terms, tickets, venues
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.models import Event
from seminars.catalog.tickets import Ticket
from seminars.config import Center, Settings
from seminars.db import db, transaction
from seminars.gateways.stripe import BalanceTransaction, Charge, CheckoutSession, Intent
from seminars.kit.money import Money
from seminars.messages.models import Message
from seminars.orders import cart as carts
from seminars.orders import checkout, codes, settlement
from seminars.orders.buyers import Buyer, Party
from seminars.orders.models import Order
from seminars.payments import capture
from seminars.payments import checkout as payments
from seminars.people import users
from seminars.people.models import ROLES
from seminars.registration.places import Attendee

NOON = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)
"""Noon in Rochester, Minnesota."""
PASSWORD = "a good long phrase"
HOST = "http://localhost"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime = NOON) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **step: int) -> None:
        self.at += timedelta(**step)


def settings(database_url: str, *, smtp_url: str = "smtp://127.0.0.1:9", center: Center | None = None, base_url: str = HOST) -> Settings:
    """The settings of an installation under test. Nobody answers at its neighbours unless a test starts them."""
    return Settings(
        base_url=base_url,
        port=80,
        secret_key="k" * 40,
        database_url=database_url,
        database_owner_url="",
        celery_broker_url="redis://127.0.0.1:9/0",
        smtp_url=smtp_url,
        mail_from="seminars@northfield.example",
        stripe_api_base="http://127.0.0.1:9",
        stripe_secret_key="sk_test_sandbox_nobody",
        stripe_webhook_secrets=("whsec_" + "x" * 32,),
        var_dir=Path("/nonexistent"),
        trusted_proxies=0,
        center=center or Center(),
    )


@dataclass
class Desk:
    """An installation, its clock, and the ids of what is in it."""

    app: Flask
    clock: Clock
    ids: dict[str, Any] = field(default_factory=dict)

    def client(self, role: str | None = None) -> FlaskClient:
        """A browser; signed in as somebody of that role, if one is named."""
        client = self.app.test_client()
        if role is not None:
            answer = sign_in(client, f"{role}@northfield.example")
            assert answer.status_code == 302, answer.text
        return client


def a_desk(database_url: str, **more: Any) -> Desk:
    """An installation with one login per role."""
    clock = Clock()
    app = create_app(settings(database_url, **more), now=clock)
    desk = Desk(app, clock)
    with app.app_context(), transaction() as session:
        for role in ROLES:
            user = users.create(
                session,
                name=f"{role.replace('_', ' ').title()} Person",
                email=f"{role}@northfield.example",
                roles=[role],
                password_hash=_hashed(),
                now=NOON,
            )
            desk.ids[role] = user.id
    return desk


def sign_in(client: FlaskClient, email: str, password: str = PASSWORD, **more: str) -> Any:
    """Type address and password."""
    token = token_of(client, "/staff/sign-in")
    return client.post("/staff/sign-in", data={"email": email, "password": password, "csrf_token": token, **more})


def token_of(client: FlaskClient, path: str) -> str:
    """The token of the forms on that page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).text)
    assert found, f"no form on {path}"
    return found.group(1)


def press(client: FlaskClient, path: str, data: Mapping[str, Any] | None = None, *, form_on: str = "/staff/", **more: Any) -> Any:
    """Send a form with the token that a page of the desk gave."""
    return client.post(path, data={"csrf_token": token_of(client, form_on), **(data or {})}, **more)


def an_event(
    session: Session, *, seats: int = 24, published: bool = True, first: datetime = datetime(2027, 3, 22, 9), days: int = 2
) -> Event:
    """A residency in Rochester with its seminar, place, people, rule and two ticket types."""
    seminar = seminars.create(session, seminars.SeminarFacts("Social Media Residency", summary="Two days.", topic="strategy"), now=NOON)
    venue = venues.create(session, venues.VenueFacts("Siebens Building", "America/Chicago", city="Rochester", region="MN"))
    speaker = speakers.create(session, speakers.SpeakerFacts("Ingrid Malmstedt", "MD"))
    policy = terms.create(session, name="Standard", days_before=14, fee=Money(7_500, "USD"))
    facts = EventFacts("Residency, Rochester", "America/Chicago", venue=venue, policy=policy, speakers=[speaker])
    event = events.create(session, seminar, facts, capacity=seats, now=NOON)
    for number in range(days):
        starts = first + timedelta(days=number)
        events.add_session(session, event, Block(starts, starts + timedelta(hours=8), title=f"Day {number + 1}"), now=NOON)
    tickets.add_ticket_type(session, event, Ticket("Two days", Money(119_000, "USD")), now=NOON)
    tickets.add_ticket_type(session, event, Ticket("Guest", Money(0, "USD")), now=NOON)
    if published:
        events.publish(session, event, now=NOON)
    return event


def an_order(desk: Desk, event: Event, *people: tuple[str, str], ticket: int = 1, comp: str = "") -> Order:
    """An order placed at the desk: of free seats it is settled, else it waits for its payment."""
    letterhead = desk.app.extensions["seminars"].settings.letterhead
    buyer = Buyer("Philippa Arden", "philippa@brackenmoor.example", organisation="Brackenmoor Health")
    with transaction() as session:
        cart = carts.open_cart(session, now=desk.clock())
        carts.add_places(session, cart, {event.ticket_types[ticket].id: len(people)}, now=desk.clock(), desk=True)
        party = Party(buyer, tuple(Attendee(name, email) for name, email in people))
        order = checkout.place_order(
            session, cart, party, terms=checkout.Terms(prefix="NC", channel="desk", comp_reason=comp), now=desk.clock()
        )
        order = settlement.lock(session, order.id)
        if order.total:
            payments.begin(session, order, letterhead=letterhead, now=desk.clock())
            return order
        return settlement.settle(session, order, letterhead=letterhead, now=desk.clock())


def furnish(desk: Desk) -> Desk:
    """Put a little of everything in, and remember the ids."""
    with desk.app.app_context():
        with transaction() as session:
            event = an_event(session)
            draft = events.clone(session, event, first_day=datetime(2027, 9, 20).date(), now=NOON)
            code = codes.create(session, codes.CodeFacts("FRIENDS", percent=10), currency="USD", now=NOON)
            data = b"Title,Date,Start,End\nWords that calm,2027-06-01,09:00,10:00\n"
            run = importing.plan_import(session, name="old.csv", data=data, center_zone="America/Chicago", now=NOON)
            ids = {
                "event": event.id,
                "draft": draft.id,
                "session": event.sessions[0].id,
                "ticket": event.ticket_types[0].id,
                "draft_ticket": draft.ticket_types[0].id,
                "quota": event.quotas[0].id,
                "seminar": event.seminar_id,
                "venue": event.venue_id,
                "room": rooms.create(session, event.venue, rooms.RoomFacts("Room 2")).id,
                "speaker": event.speakers[0].id,
                "policy": event.policy_id,
                "code": code.id,
                "run": run.id,
                "reference": event.reference,
                "slug": event.seminar.slug,
            }
        order = an_order(desk, event, ("Philippa Arden", "philippa@brackenmoor.example"), ("Samir Belhadj", "samir@quillhaven.example"))
        unpaid = an_order(desk, event, ("Nora Dahlquist", "nora@ostervik.example"), ticket=0)
        ids |= {"order": order.id, "order_number": order.number, "order_secret": order.secret, "unpaid": unpaid.id}
        ids |= {"seat": order.lines[0].registration_id, "message": db.session.scalars(select(Message.id).order_by(Message.id)).first()}
        desk.ids |= ids
        db.session.remove()
    return desk


@cache
def _hashed() -> str:
    """Made once: what makes a hash safe also makes it slow."""
    hashed: str = hash_password(PASSWORD)
    return hashed


def pay(desk: Desk, order: Order, *, brand: str = "visa", last4: str = "4242", came: int | None = None) -> None:
    """What Stripe says once the order's page was paid, brought to our rows by the same function that the webhook calls.

    `came` is the amount where that differs from the order's.
    """
    with transaction() as session:
        attempt = payments.live_attempt(session, order)
        assert attempt is not None
        session_id, charge_id, moved = f"cs_test_{order.id}", f"ch_{order.id}", f"txn_{order.id}"
        facts = {"url": None, "livemode": False, "expires_at": attempt.expires_at, "currency": order.currency}
        page = CheckoutSession(
            id=session_id,
            status="complete",
            payment_status="paid",
            amount_total=order.total,
            client_reference_id=order.reference,
            metadata=attempt.params["metadata"],
            payment_intent_id=f"pi_{order.id}",
            **facts,
        )
        charge = Charge(
            id=charge_id,
            payment_intent_id=f"pi_{order.id}",
            amount=order.total if came is None else came,
            currency=order.currency,
            captured=True,
            created=desk.clock(),
            balance_transaction_id=moved,
            method="card",
            brand=brand,
            last4=last4,
        )
        fee = BalanceTransaction(moved, "charge", order.total, order.total * 29 // 1000 + 30, order.currency, desk.clock())
        seen = capture.Seen(page, Intent(f"pi_{order.id}", "succeeded", charge, ""), fee)
        letterhead = desk.app.extensions["seminars"].settings.letterhead
        capture.apply(session, seen, letterhead=letterhead, found_by="webhook", now=desk.clock())
