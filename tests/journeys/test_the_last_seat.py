"""One seat is left and two people want it."""

from __future__ import annotations

from tests.journeys import buying
from tests.journeys.people import person
from tests.journeys.public import wait_on_the_programme

CHLOE, DEV = person("Chloe Marchetti", "last"), person("Dev Patil", "last")


def test_the_last_seat_goes_to_one_and_the_other_is_told(running_center, visiting):
    running_center.webinar("policy", in_days=40, price=180_00, seats=1)
    with visiting() as chloe, visiting() as dev:
        for one in (chloe, dev):
            buying.find_event(one, "policy", "A policy people will read", city="Online")
        buying.hold(chloe, "Seat", 1)

        dev.fill("Seat", "1")
        dev.press("Hold seats and continue")

        dev.sees("A policy people will read")
        dev.sees("We could not hold seats for you", level=2)
        dev.reads("There are no seats left.", "Full")
        buying.say_who(chloe, CHLOE)
        buying.go_to_payment(chloe, "$180.00")
        buying.pay(chloe, "$180.00", name=CHLOE.name)
        chloe.sees("You are registered")
        wait_on_the_programme(dev, "A policy people will read", "Full")
    running_center.post.wait_for_calendar(CHLOE.email, "REQUEST", times=1)
    assert running_center.post.letters_to(DEV.email) == []
