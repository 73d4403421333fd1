"""Ben's card is declined, the bank wants to hear from him, he takes his time, and does not know yet who comes along."""

from __future__ import annotations

import re

from seminars.orders import codes
from seminars.orders.codes import CodeFacts
from tests.journeys import buying
from tests.journeys.people import person

BEN, NOMVULA = person("Ben Achterberg", "easy"), person("Nomvula Dlomo", "easy")
DECLINED, ASKS_FIRST = "4000 0000 0000 0002", "4000 0027 6000 3184"


def test_ben_pays_at_the_second_try_and_names_his_colleague_later(running_center, visiting):
    running_center.residency("scottsdale")
    with running_center.work() as session:
        codes.create(session, CodeFacts("SPRING10", percent=10), currency="USD", now=running_center.now())
    with visiting() as ben:
        buying.find_event(ben, "residency scottsdale", "Social Media Residency", city="Scottsdale")
        buying.hold(ben, "Two days", 2)
        buying.say_who(ben, BEN, [None])
        the_seats_are_held_longer(ben)
        a_code_is_used(ben)
        buying.go_to_payment(ben, "$2,142.00")
        buying.pay(ben, "$2,142.00", card=DECLINED, name=BEN.name)
        ben.reads("Your card was declined", "Nothing was charged")
        buying.pay(ben, "$2,142.00", card=ASKS_FIRST, name=BEN.name)
        ben.sees(re.compile("^Confirm \\$2,142.00 to "))
        ben.press("Complete")

        ben.sees("Your seats are confirmed")
        ben.reads("1 seat has no name yet", "Seat 2, not yet named")
        the_colleague_is_named(running_center, ben)


def the_seats_are_held_longer(ben):
    before = ben.page.get_by_role("time").first.get_attribute("datetime")

    ben.press("Hold 15 minutes longer")

    ben.sees("Register 2 people")
    assert ben.page.get_by_role("time").first.get_attribute("datetime") > before
    assert ben.field("Your name").input_value() == BEN.name


def a_code_is_used(ben):
    ben.fill("Discount code", "spring1")
    ben.press("Use")
    ben.reads("One thing to correct before we can go on")

    ben.fill("Discount code", "spring10")
    ben.press("Use")

    ben.sees("The code is in your order now. Look at the new total, then register.", level=2)
    ben.reads("−$238.00")
    assert ben.part("Person 2").get_by_label("I’ll name this person later").is_checked()


def the_colleague_is_named(center, ben):
    center.post.wait_for_calendar(BEN.email, "REQUEST", times=2)
    assert center.post.letters_to(NOMVULA.email) == []

    ben.page.get_by_text("Name this person", exact=True).click()
    ben.fill("Name", NOMVULA.name)
    ben.press("Name this person and send the invitation")
    ben.reads("Write an email address, such as name@hospital.example.")
    ben.fill("Email", NOMVULA.email)
    ben.press("Name this person and send the invitation")

    ben.sees("Everybody is registered")
    ben.reads(NOMVULA.name)
    ben.does_not_read("Not named")
    invited = center.post.wait_for_calendar(NOMVULA.email, "REQUEST", times=2)
    assert {one.attendee for one in invited} == {NOMVULA.email}
