"""Hedda of the program puts a new seminar on sale, from its description to the public list."""

from __future__ import annotations

from datetime import timedelta

from seminars.demo.catalogue import TUESDAY, next_weekday
from seminars.kit import format as words
from tests.journeys import working
from tests.journeys.center import today
from tests.journeys.public import opens_from_the_programme

SEMINAR, EVENT = "Rounds on the record", "Rounds on the record, Rochester"
FIRST_DAY = next_weekday(today() + timedelta(days=75), TUESDAY)
EARLY_UNTIL = today() + timedelta(days=20)


def test_hedda_describes_a_seminar_plans_an_event_and_puts_it_on_sale(running_center, visiting):
    with visiting() as hedda, visiting() as somebody:
        working.sign_in(hedda, working.PROGRAM)
        she_describes_the_seminar(hedda)
        she_plans_the_event(hedda)
        she_gives_it_two_days(hedda)
        she_offers_a_ticket_with_an_early_price(hedda)
        hedda.press("Put it on sale")
        hedda.reads(f"{EVENT} is on sale.", "Published")

        opens_from_the_programme(somebody, EVENT)
        somebody.reads("$1,095.00", f"until {words.day(EARLY_UNTIL)}", "9:00 am to 5:00 pm", "Ingrid Malmstedt, MD")


def she_describes_the_seminar(hedda):
    working.go_to(hedda, "Programme")
    hedda.follow("Seminars")
    hedda.sees("Seminars")
    hedda.follow("Describe a seminar")
    hedda.sees("Describe a seminar")
    hedda.fill("Title", SEMINAR)
    hedda.field("Topic").select_option(label="Strategy")
    hedda.fill("Summary", "A day at the bedside with a recorder, and one at the desk with an editor.")
    hedda.fill("What people will be able to do afterwards", "- ask for consent in one sentence;\n- cut ten minutes to ninety seconds.")
    hedda.press("Keep it")
    hedda.sees(SEMINAR)


def she_plans_the_event(hedda):
    hedda.follow("Plan an event of it")
    hedda.sees("Plan an event")
    hedda.fill("Title", EVENT)
    hedda.fill("Seats", "a few")
    hedda.press("Plan the event")
    hedda.sees("One thing to correct", level=2)
    hedda.fill("Seats", "16")
    hedda.field("Place").select_option(label="Alder Hall, Rochester")
    hedda.field("Refund rule").select_option(label="14 days, less $75.00")
    hedda.page.get_by_label("Ingrid Malmstedt, MD").check()
    hedda.press("Plan the event")
    hedda.sees(EVENT)
    hedda.sees("Before it can be put on sale", level=2)


def she_gives_it_two_days(hedda):
    hedda.follow("Add a session")
    hedda.sees("Add a session")
    hedda.fill("Starts", f"{FIRST_DAY}T09:00")
    hedda.fill("Ends", f"{FIRST_DAY}T17:00")
    hedda.fill("Title", "At the bedside")
    hedda.press("Add the session")
    hedda.sees(EVENT)
    hedda.follow("Add a session")
    assert hedda.field("Starts").input_value() == f"{FIRST_DAY + timedelta(days=1)}T09:00"
    hedda.fill("Title", "At the desk")
    hedda.press("Add the session")
    hedda.sees(EVENT)


def she_offers_a_ticket_with_an_early_price(hedda):
    hedda.follow("Add a ticket type")
    hedda.sees("Add a ticket type")
    hedda.fill("Name", "Two days")
    hedda.fill("Price, USD", "1,190.00")
    hedda.fill("Early price, USD", "1,095.00")
    hedda.fill("Early price ends", f"{EARLY_UNTIL}T23:59")
    hedda.press("Offer it")
    hedda.sees(EVENT)
    hedda.reads("Two days is offered.")
