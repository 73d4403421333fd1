"""Hanne registers herself for two events, typed once, and looks at every page that the others pass by."""

from __future__ import annotations

from sqlalchemy import select

from seminars.orders.models import Order
from seminars.registration.models import Registration
from tests.journeys import buying
from tests.journeys.people import person

HANNE = person("Hanne Lidgard", "twice")
DECLINED = "4000 0000 0000 0002"
ASIDE = {
    "/zone": "Your time zone",
    "/refunds": "Refunds and cancellation",
    "/privacy": "Privacy",
    "/accessibility": "Accessibility",
    "/contact": "Contact",
}


def test_hanne_registers_for_two_events_typing_herself_once(running_center, visiting):
    residency = running_center.residency("rochester", in_days=170)
    webinar = running_center.webinar("answering", in_days=150)
    with visiting() as hanne:
        she_holds_a_seat_in_each(hanne, residency, webinar)
        hanne.fill("Your name", HANNE.name, within=hanne.part("Who registers"))
        hanne.fill("Email", HANNE.email, within=hanne.part("Who registers"))
        assert hanne.part("Person 2").get_by_label("The same person as person 1").is_checked()
        buying.go_to_payment(hanne, "$1,235.00")
        her_first_card_is_declined(hanne)
        buying.pay(hanne, "$1,235.00", name=HANNE.name)

        hanne.sees("Everybody is registered")
        she_opens_the_page_of_each_seat(running_center, hanne)
    running_center.post.wait_for_calendar(HANNE.email, "REQUEST", times=3)


def test_the_pages_beside_the_way_are_fit_to_be_seen(running_center, visiting):
    running_center.residency("rochester", in_days=171)
    with visiting() as visitor:
        for path, heading in ASIDE.items():
            visitor.open(path)
            visitor.sees(heading)
        visitor.open(f"/seminars/{running_center.shelf.seminars['residency'].slug}")
        visitor.sees("Social Media Residency")


def she_holds_a_seat_in_each(hanne, residency, webinar):
    hanne.open(f"/events/{residency.reference}")
    buying.hold(hanne, "Two days", 1)
    hanne.open(f"/events/{webinar.reference}")
    hanne.press("Hold seats and continue")
    hanne.sees("Register for 2 events")
    hanne.open("/cart")
    hanne.sees("Seats you hold")
    hanne.press("Continue to registration")
    hanne.sees("Register for 2 events")


def her_first_card_is_declined(hanne):
    buying.pay(hanne, "$1,235.00", card=DECLINED, name=HANNE.name)
    hanne.reads("Your card was declined")
    hanne.follow("Back to")
    hanne.sees("Your card was declined")
    hanne.reads("Nothing was charged, and your seats are held until")
    hanne.press("Pay $1,235.00")
    hanne.sees("Pay $1,235.00")


def she_opens_the_page_of_each_seat(running_center, hanne):
    with running_center.work() as session:
        order = session.scalars(select(Order).where(Order.buyer_email == HANNE.email)).one()
        seats = session.scalars(select(Registration).where(Registration.order_reference == order.reference)).all()
        pages = {f"/registrations/{seat.secret}": seat.event.title for seat in seats}
    assert len(pages) == 2
    for page, title in pages.items():
        hanne.open(page)
        hanne.reads(title, HANNE.name)
