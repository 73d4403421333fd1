"""Farid uses no mouse."""

from __future__ import annotations

from tests.journeys import buying
from tests.journeys.keyboard import Keyboard
from tests.journeys.people import person

FARID, GRETE = person("Farid Nazari", "keyboard"), person("Grete Oppegaard", "keyboard")


def test_farid_registers_himself_and_a_colleague_with_the_keyboard_alone(running_center, visiting):
    running_center.residency("rochester", in_days=150)
    with visiting() as farid:
        keys = Keyboard(farid)
        he_finds_it(farid, keys)
        he_says_who_comes(farid, keys)
        he_pays(farid, keys)
        he_names_his_colleague(farid, keys)
    for who in (FARID, GRETE):
        running_center.post.wait_for_calendar(who.email, "REQUEST", times=2)


def he_finds_it(farid, keys):
    farid.open("/")
    farid.page.keyboard.press("Tab")
    assert farid.page.get_by_role("link", name="Skip to content").evaluate("element => element === document.activeElement")
    farid.page.keyboard.press("Enter")
    keys.type("Search the programme", "residency rochester")
    farid.page.keyboard.press("Enter")
    farid.reads("What we found for")
    later = farid.page.get_by_role("listitem").filter(has_text="Rochester,").filter(has_text="Social Media Residency").last
    keys.enter("link", "Social Media Residency", within=later)
    farid.sees("Social Media Residency")
    keys.type("Two days", "2")
    keys.enter("button", "Hold seats and continue")
    farid.sees("Register 2 people")


def he_says_who_comes(farid, keys):
    who = farid.part("Who registers")
    keys.type("Your name", FARID.name, within=who)
    keys.type("Email", "farid", within=who)
    keys.tick("I’ll name this person later", within=farid.part("Person 2"))
    keys.type("Purchase order number", "QRH-2290")
    farid.page.keyboard.press("Enter")
    farid.sees("One thing to correct before we can go on", level=2)
    keys.enter("link", "Your email")
    keys.type("Email", FARID.email, within=who)
    assert farid.part("Person 2").get_by_label("I’ll name this person later").is_checked()
    keys.enter("button", "Register 2 people and pay $2,380.00")


def he_pays(farid, keys):
    farid.sees("Pay $2,380.00")
    keys.type("Name on the card", FARID.name)
    keys.type("Card number", buying.CARD)
    keys.type("Expiry", "12 / 39")
    keys.type("Security code", "123")
    keys.enter("button", "Pay $2,380.00")
    farid.sees("Your seats are confirmed")


def he_names_his_colleague(farid, keys):
    seat = farid.page.get_by_role("listitem").filter(has_text="Seat 2, not yet named")
    keys.reach(seat.get_by_text("Name this person", exact=True))
    farid.page.keyboard.press("Space")
    keys.type("Name", GRETE.name, within=seat)
    keys.type("Email", GRETE.email, within=seat)
    keys.enter("button", "Name this person and send the invitation", within=seat)
    farid.reads(GRETE.name)
