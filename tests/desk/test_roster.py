"""The roster's pages, put together, are everybody once and in order, however names and states are mixed."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from seminars.desk import roster
from seminars.desk.roster import Filter, Place
from seminars.kit.references import secret
from seminars.orders.models import Order, OrderLine
from seminars.registration.models import Registration
from tests.factories.desk import NOON, an_event

NAMES = ("Bea", "Ann", None, "Ann", "Cleo", None, "Ann", "Dan", "Édith", "ben", None, "Zoe")
STATES = ("confirmed", "held", "confirmed", "cancelled", "confirmed", "held", "confirmed")


def furnished(session: Session) -> int:
    """An event with twelve seats of one order, two of them cancelled."""
    event = an_event(session)
    order = Order(
        number="NC-1", secret=secret(), state="paid", buyer_name="B", buyer_email="b@x.example", currency="USD",
        net=0, tax=0, total=0, policies=[], placed_at=NOON,
    )  # fmt: skip
    session.add(order)
    session.flush()
    for position, name in enumerate(NAMES):
        seat = Registration(
            secret=secret(), event_id=event.id, ticket_type_id=event.ticket_types[position % 2].id, order_reference=order.reference,
            state=STATES[position % len(STATES)], attendee_name=name, attendee_email=f"p{position}@x.example" if name else None,
            created_at=datetime(2027, 3, 1, tzinfo=UTC),
        )  # fmt: skip
        session.add(seat)
        session.flush()
        session.add(
            OrderLine(
                order_id=order.id,
                position=position,
                registration_id=seat.id,
                event_id=event.id,
                ticket_type_id=seat.ticket_type_id,
                description="x",
                list_price=100,
                early_reduction=0,
                discount=0,
                net=100,
                tax=0,
            )
        )
    session.flush()
    return event.id


def walked(session: Session, event_id: int, wanted: Filter, most: int) -> list[int]:
    ids: list[int] = []
    after: Place | None = None
    for _ in range(30):
        page = roster.roster_page(session, event_id, wanted, after=after, most=most)
        ids += [row.id for row in page.rows]
        after = page.after
        if after is None:
            return ids
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("most", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("state", ["all", "live", "held", "cancelled"])
def test_pages_put_together_are_everybody_once_in_the_same_order(session: Session, state: str, most: int) -> None:
    event_id = furnished(session)
    whole = [row.id for row in roster.roster_page(session, event_id, Filter(state=state)).rows]

    pages = walked(session, event_id, Filter(state=state), most)

    wanted = Filter(state=state).states
    assert pages == whole
    assert len(whole) == sum(STATES[position % len(STATES)] in wanted for position in range(len(NAMES)))
    assert [row.id for row in roster.all_rows(session, event_id, Filter(state=state), at_once=most)] == whole


def test_seats_without_a_name_stand_last_and_names_in_order(session: Session) -> None:
    rows = roster.roster_page(session, furnished(session), Filter(state="all")).rows

    names = [row.name for row in rows]
    assert names[-3:] == [None, None, None]
    assert names[:3] == ["Ann", "Ann", "Ann"]


def test_totals_are_those_of_the_rows_shown_and_cancelled_seats_owe_nothing(session: Session) -> None:
    page = roster.roster_page(session, furnished(session), Filter(state="all"))

    [(paid, left)] = page.totals

    assert (paid.amount, left.amount, page.count) == (100 * sum(row.state != "cancelled" for row in page.rows), 0, 12)
