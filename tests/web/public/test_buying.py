"""From an event's page to an order: what is held, what is refused and how, and what is kept of what was typed."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.catalog.models import Event, RefundPolicy
from seminars.orders import settlement
from seminars.orders.models import Cart, DiscountCode, Order
from seminars.registration.models import Hold, Registration
from tests import payer
from tests.clock import NOON, StandingClock
from tests.factories import seats as factories
from tests.factories.programme import a_ticket_type, a_venue, an_event
from tests.sandbox.shop import Sandbox
from tests.web.public.visitor import Page, Visitor

ANNA = {"name": "Anna Vestergren", "mail": "anna.vestergren@quillhaven.example", "org": "Quillhaven Regional Hospital"}


def count(session: Session, kind: type) -> int:
    session.expire_all()
    return session.scalar(select(func.count()).select_from(kind)) or 0


def held(anna: Visitor, event: Event, places: str = "1") -> Page:
    return anna.hold(event.reference, event.ticket_types[0].id, places)


@pytest.fixture
def policy(session: Session) -> RefundPolicy:
    made = RefundPolicy(name="Standard", days_before=14, fee=7_500, currency="USD")
    session.add(made)
    return made


def test_the_event_page_says_when_where_how_much_and_what_comes_back(anna: Visitor, session: Session, policy: RefundPolicy) -> None:
    event = an_event(session, venue=a_venue(session), policy=policy, days=2)

    text = anna.open(f"/events/{event.reference}").text

    assert "22–23\u00a0March" in anna.open(f"/events/{event.reference}").markup and "Monday and Tuesday, 2027" in text
    assert "9:00 am to 5:00 pm CDT, both days Alder Hall, Rochester, Minnesota" in text and "Seat $1,190.00" in text
    assert "Full refund less $75.00 until 8 March 2027, 9:00 am CST." in text


def test_after_the_last_day_the_page_says_that_no_refund_is_left(
    anna: Visitor, session: Session, policy: RefundPolicy, clock: StandingClock
) -> None:
    event = an_event(session, policy=policy)
    clock.move(days=8)

    assert "No refund any more: for this date it ended on 8 March 2027, 9:00 am CST." in anna.open(f"/events/{event.reference}").text


def test_no_title_can_close_the_script_with_the_data_for_search_engines(anna: Visitor, session: Session) -> None:
    event = an_event(session, title='</script><script>alert("1")</script>')

    markup = anna.open(f"/events/{event.reference}").markup
    data = re.search(r'<script type="application/ld\+json">(.*?)</script>', markup, re.S)

    assert data and json.loads(data[1])["name"] == '</script><script>alert("1")</script>'
    assert markup.count("<script") == 2 and "<script>alert" not in markup


def test_the_joining_address_is_nowhere_in_public(anna: Visitor, session: Session) -> None:
    event = an_event(session, format="online")

    shown = [anna.open(path).markup for path in (f"/events/{event.reference}", f"/events/{event.reference}.ics", "/programme.ics", "/")]

    assert not any("private-room" in page for page in shown)


def test_a_draft_opens_to_its_preview_link_and_to_nothing_else(anna: Visitor, session: Session) -> None:
    draft = an_event(session, state="draft")

    assert [anna.open(f"/events/{draft.reference}{query}").status for query in ("", "?preview=", "?preview=guess")] == [404] * 3
    shown = anna.open(f"/events/{draft.reference}?preview={draft.preview_secret}")
    assert shown.status == 200 and "Not yet on sale" in shown.text and "noindex" in shown.markup and "<form" not in shown.markup


@pytest.mark.parametrize("places", ["-1", "1.5", "1e9", "1000000000", "21", "two", "²", "0x1", "1 OR 1=1"])
def test_what_is_no_number_of_seats_holds_nothing(anna: Visitor, session: Session, places: str) -> None:
    event = an_event(session)

    page = held(anna, event, places)

    assert page.status == 422 and "is no number of seats. Write a whole number from 0 to 20." in page.text
    assert f'value="{places}"' in page.markup and 'id="errors" autofocus' in page.markup
    assert (count(session, Hold), count(session, Cart), event.quotas[0].taken) == (0, 0, 0)


@pytest.mark.parametrize(
    ("places", "sentence"), [("0", "Choose at least one seat."), ("", "Choose at least one seat."), ("4", "Only 3 seats are left.")]
)
def test_none_and_too_many_are_refused_with_the_reason(anna: Visitor, session: Session, places: str, sentence: str) -> None:
    event = an_event(session, places=10, taken=7)

    page = held(anna, event, places)

    assert page.status in (409, 422) and sentence in page.text and count(session, Hold) == 0


def test_seats_of_another_event_cannot_be_slipped_into_the_form(anna: Visitor, session: Session) -> None:
    event, other = an_event(session), an_event(session)

    page = anna.press(
        anna.open(f"/events/{event.reference}"),
        f"/events/{event.reference}/hold",
        **{f"places-{event.ticket_types[0].id}": "0", f"places-{other.ticket_types[0].id}": "2"},
    )

    assert page.status == 404 and "This ticket does not exist." in page.text and count(session, Hold) == 0


def test_a_form_without_its_token_changes_nothing(anna: Visitor, session: Session) -> None:
    event = an_event(session)

    answer = anna.client.post(f"/events/{event.reference}/hold", data={f"places-{event.ticket_types[0].id}": "1"})

    assert answer.status_code == 400 and count(session, Hold) == 0


def test_held_seats_are_shown_with_their_end_and_can_be_held_longer(anna: Visitor, session: Session) -> None:
    event = an_event(session)

    page = held(anna, event, "2")
    longer = anna.press(page, "/checkout", act="longer", name="Anna")

    assert page.heading == "Register 2 people" and "until 12:20 pm CST" in page.text
    assert "until 12:35 pm CST" in longer.text and 'value="Anna"' in longer.markup


def test_errors_stand_together_and_beside_their_fields_and_what_was_typed_stays(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session), "3")

    page = anna.press(
        page,
        "/checkout",
        act="order",
        **ANNA | {"mail": "anna@quillhaven"},
        p2_name="Samir\r\nBcc: all@x.example",
        p3_later="1",
        po="PO-77",
    )

    assert page.status == 422 and "3 things to correct before we can go on" in page.text
    assert 'id="mail-err"' in page.markup and 'href="#p2-mail"' in page.markup and 'id="p2-name-err"' in page.markup
    assert 'value="PO-77"' in page.markup and re.search(r'id="p3-later"[^>]* checked', page.markup) and count(session, Order) == 0


def test_a_price_in_a_hidden_field_is_not_believed(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session))

    answers = [anna.press(page, "/checkout", act="order", total=total, **ANNA) for total in ("1", "-119000", "119000.0", "")]

    assert [answer.status for answer in answers] == [409] * 4 and count(session, Order) == 0
    assert "The price has changed to $1,190.00" in answers[0].text


def test_anna_registers_herself_and_a_seat_to_be_named_and_pays(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, clock: StandingClock
) -> None:
    clock.at = datetime.now(UTC)  # which is the sandbox's
    event = an_event(session, starts=clock.at + timedelta(days=200))
    page = held(anna, event, "2")

    away = anna.press(page, "/checkout", act="order", follow=False, p2_later="1", po="PO-77", **ANNA)
    back = payer.pay(away.answer.headers["Location"], "4242 4242 4242 4242")
    thanks = anna.open(back.removeprefix("http://localhost"))

    assert away.status == 303 and away.answer.headers["Location"].startswith(stripe_sandbox.url)
    assert thanks.heading == "Your seats are confirmed" and "Paid $2,380.00" in thanks.text and "Visa ending 4242" in thanks.text
    assert ">Name the person</a>" in thanks.markup and "1\u00a0seat has no name yet. Name them below" in thanks.markup
    assert "Seat 2, not yet named" in thanks.text and "Purchase order PO-77" in thanks.text and "Invoice" in thanks.text
    assert [r.state for r in session.scalars(select(Registration))] == ["confirmed", "confirmed"] and "What you hold" not in thanks.text


def test_a_seat_is_named_later_from_the_orders_page(anna: Visitor, session: Session) -> None:
    order = free_order(anna, session, p1="1")

    page = anna.open(f"/orders/{order.secret}")
    wrong = anna.press(page, f"/orders/{order.secret}/seats/1", mail="bo@quillhaven.example", name="")
    named = anna.press(wrong, f"/orders/{order.secret}/seats/1", name="Bo Ek", mail="bo@quillhaven.example")
    again = anna.client.post(
        f"/orders/{order.secret}/seats/1",
        data={"csrf_token": page.form(f"/orders/{order.secret}/seats/1").fields["csrf_token"], "name": "Eve", "mail": "eve@x.example"},
    )

    assert wrong.status == 422 and 'value="bo@quillhaven.example"' in wrong.markup
    assert "Bo Ek" in named.text and "Confirmed" in named.text
    assert again.status_code == 409 and session.scalars(select(Registration.attendee_name)).all() == ["Bo Ek"]


def free_order(anna: Visitor, session: Session, p1: str = "") -> Order:
    page = held(anna, an_event(session, price=0))
    typed = {"self": None, "p1_later": "1"} if p1 else {}
    anna.press(page, "/checkout", act="order", **ANNA, **typed)
    session.expire_all()
    return session.scalars(select(Order)).one()


def test_a_free_order_goes_straight_to_its_page(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session, price=0))

    done = anna.press(page, "/checkout", act="order", **ANNA)

    assert "Register 1 person, free" in page.text and done.heading == "You are registered" and "One seat, free." in done.text


def test_the_orders_page_shows_only_the_sessions_that_were_booked(anna: Visitor, session: Session) -> None:
    event = an_event(session, price=0, days=2, venue=a_venue(session))
    first = a_ticket_type(session, event, "First day only", quotas=[event.quotas[0]], price=0)
    first.sessions.append(event.sessions[0])
    session.flush()
    page = anna.hold(event.reference, first.id, "1")

    done = anna.press(page, "/checkout", act="order", **ANNA)
    session.expire_all()
    order = session.scalars(select(Order)).one()
    calendar = anna.open(f"/orders/{order.secret}/calendar.ics").markup

    assert "Monday 22 March 2027" in done.text and "Tuesday 23 March" not in done.text
    assert calendar.count("BEGIN:VEVENT") == 1 and "DTSTART;TZID=America/Chicago:20270322T090000" in calendar


@pytest.mark.parametrize(
    ("price", "told"), [(0, "Nothing was paid, so a seat can be given back"), (119_000, "$75.00 for each person until 8 March")]
)
def test_the_orders_page_says_what_can_be_changed_and_to_whom_to_write(
    anna: Visitor, session: Session, policy: RefundPolicy, clock: StandingClock, price: int, told: str
) -> None:
    event = an_event(session, price=price, policy=policy)
    kind = event.ticket_types[0]
    order = factories.an_order(session, factories.a_cart(session, (kind, 1)))
    settlement.settle(session, settlement.lock(session, order.id), letterhead=factories.LETTERHEAD, now=clock())

    page = anna.open(f"/orders/{order.secret}")

    assert told in page.text and "If plans change, write to seminars@northfield.example" in page.text


def test_somebody_elses_seat_is_theirs_in_the_headline(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session, price=0))

    done = anna.press(page, "/checkout", act="order", **ANNA, self=None, p1_name="Bo Ek", p1_mail="bo@quillhaven.example")

    assert done.heading == "Bo Ek is registered"


def test_of_several_tickets_none_is_chosen_beforehand(anna: Visitor, session: Session) -> None:
    event = an_event(session)
    alone = anna.open(f"/events/{event.reference}")
    a_ticket_type(session, event, "First day only", quotas=[event.quotas[0]])

    several = anna.open(f"/events/{event.reference}")

    assert re.findall(r'class="form-control qty".* value="(\d)"', alone.markup) == ["1"]
    assert re.findall(r'class="form-control qty".* value="(\d)"', several.markup) == ["0", "0"]


def test_an_event_that_has_begun_promises_neither_a_refund_nor_a_calendar(
    anna: Visitor, session: Session, policy: RefundPolicy, clock: StandingClock
) -> None:
    event = an_event(session, policy=policy)
    clock.at = event.starts_at

    page = anna.open(f"/events/{event.reference}")

    assert "This event has begun" in page.text and "refund" not in page.text and f"/events/{event.reference}.ics" not in page.markup


def test_pressing_twice_leads_to_the_one_order(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session, price=0))
    cookies = [cookie for cookie in (anna.client.get_cookie("cart"),) if cookie]

    first = anna.press(page, "/checkout", act="order", **ANNA)
    anna.client.set_cookie("cart", cookies[0].value)
    second = anna.press(page, "/checkout", act="order", **ANNA)

    assert first.answer.request.path == second.answer.request.path and count(session, Order) == 1


def test_a_code_typed_but_not_used_is_used_before_anything_is_ordered(anna: Visitor, session: Session) -> None:
    session.add(DiscountCode(code="SPRING", percent=20, currency="USD", created_at=NOON))
    page = held(anna, an_event(session))

    unknown = anna.press(page, "/checkout", act="code", code="WINTER", **ANNA)
    used = anna.press(page, "/checkout", act="order", code="spring", **ANNA)

    assert unknown.status == 422 and "We do not know this code." in unknown.text
    assert "Code SPRING" in used.text and "−$238.00" in used.text and "pay $952.00" in used.text and count(session, Order) == 0


def test_without_stripe_the_order_stands_and_waits_for_its_payment_page(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session))

    waiting = anna.press(page, "/checkout", act="order", **ANNA)

    assert (
        waiting.heading == "Almost there" and "Nothing was charged" not in waiting.heading and "Try again to pay $1,190.00" in waiting.text
    )
    assert count(session, Order) == 1


def test_nobody_pays_by_opening_the_page_that_thanks(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, clock: StandingClock
) -> None:
    clock.at = datetime.now(UTC)
    page = held(anna, an_event(session, starts=clock.at + timedelta(days=200)))
    anna.press(page, "/checkout", act="order", follow=False, **ANNA)
    session.expire_all()
    order = session.scalars(select(Order)).one()

    for session_id in ("", "cs_test_of_somebody_else"):
        thanks = anna.open(f"/orders/{order.secret}/thanks?session_id={session_id}")
        assert thanks.heading == "We are confirming your payment" and 'http-equiv="refresh"' in thanks.markup

    session.expire_all()
    assert order.state == "placed"


def test_an_order_opens_to_its_secret_and_nothing_of_it_to_another(anna: Visitor, session: Session) -> None:
    order = free_order(anna, session)
    registration = session.scalars(select(Registration)).one()

    paths = [
        f"/orders/{order.id}",
        f"/orders/{order.number}",
        "/orders/" + "a" * 26,
        f"/orders/{registration.secret}",
        f"/registrations/{order.secret}",
        f"/orders/{order.secret}/documents/invoice/1",
        f"/orders/{order.secret}/seats/2",
    ]
    assert [anna.open(path).status for path in paths] == [404, 404, 404, 404, 404, 404, 405]
    assert anna.open(f"/registrations/{registration.secret}").heading == "Social Media Residency"


def test_the_joining_address_stands_on_the_page_of_who_has_a_seat(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session, price=0, format="online"))
    anna.press(page, "/checkout", act="order", **ANNA)
    session.expire_all()
    registration = session.scalars(select(Registration)).one()

    own = anna.open(f"/registrations/{registration.secret}")
    calendar = anna.open(f"/registrations/{registration.secret}/calendar.ics").markup

    assert "refund" not in own.text
    assert 'href="https://meet.example/private-room"' in own.markup and "private-room" in calendar.replace("\r\n ", "")


def test_the_cart_changes_numbers_and_gives_seats_back(anna: Visitor, session: Session) -> None:
    event = an_event(session)
    held(anna, event, "2")
    field = f"places-{event.ticket_types[0].id}"

    three = anna.press(anna.open("/cart"), "/cart", act="continue", **{field: "3"})
    none = anna.press(anna.open("/cart"), "/cart", act="change", **{field: "0"})
    session.expire_all()

    assert three.heading == "Register 3 people" and none.heading == "You hold no seats" and event.quotas[0].taken == 0


def test_what_lapsed_meanwhile_can_be_held_again(anna: Visitor, session: Session, clock: StandingClock) -> None:
    page = held(anna, an_event(session, places=1))
    clock.move(minutes=21)

    lapsed = anna.open("/checkout")
    again = anna.press(page, "/checkout", act="longer")

    assert "Not held any more" in lapsed.text and "until 12:41 pm CST" in again.text


def test_a_declined_card_is_told_of_when_the_buyer_comes_back(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, clock: StandingClock
) -> None:
    clock.at = datetime.now(UTC)
    page = held(anna, an_event(session, starts=clock.at + timedelta(days=200)))
    away = anna.press(page, "/checkout", act="order", follow=False, **ANNA).answer.headers["Location"]
    with pytest.raises(payer.NotPaid, match="declined"):
        payer.pay(away, "4000 0000 0000 0002")
    session.expire_all()
    order = session.scalars(select(Order)).one()

    told = anna.open(f"/orders/{order.secret}/back")
    again = anna.press(told, f"/orders/{order.secret}/pay", follow=False)

    assert told.heading == "Your card was declined" and "One step left" not in told.text
    assert "Nothing was charged, and your seats are held until" in told.text and "Try again with the same card or another." in told.text
    assert again.answer.headers["Location"] == away and f'/orders/{order.secret}/back"' in requests.get(away, timeout=5).text


def test_who_comes_back_without_having_tried_is_one_step_away(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, clock: StandingClock
) -> None:
    clock.at = datetime.now(UTC)
    page = held(anna, an_event(session, starts=clock.at + timedelta(days=200)))
    anna.press(page, "/checkout", act="order", follow=False, **ANNA)
    session.expire_all()
    order = session.scalars(select(Order)).one()

    assert anna.open(f"/orders/{order.secret}/back").heading == "One step left: the payment"


def test_two_people_for_two_events_are_typed_once(anna: Visitor, session: Session) -> None:
    first, second = an_event(session, price=0, title="First"), an_event(session, price=0, title="Second")
    held(anna, first, "2")
    page = held(anna, second, "2")

    done = anna.press(page, "/checkout", act="order", p2_name="Bo Ek", p2_mail="bo@quillhaven.example", **ANNA)

    assert page.text.count("The same person as person") == 2 and done.heading == "Everybody is registered"
    seats = session.execute(select(Registration.event_id, Registration.attendee_name).order_by(Registration.id)).all()
    assert [tuple(seat) for seat in seats] == [
        (first.id, "Anna Vestergren"), (first.id, "Bo Ek"), (second.id, "Anna Vestergren"), (second.id, "Bo Ek"),
    ]  # fmt: skip


def test_a_total_too_small_for_a_card_is_refused_before_anything_is_ordered(anna: Visitor, session: Session) -> None:
    page = held(anna, an_event(session, price=30))

    refused = anna.press(page, "/checkout", act="order", **ANNA)

    assert refused.status == 409 and "The total of $0.30 is less than $0.50, the least that can be paid by card." in refused.text
    assert count(session, Order) == 0 and refused.heading == "Register 1 person"
