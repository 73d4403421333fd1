"""Anna books two seats of the residency and an hour with a consultant, pays once, and later meets on another day."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest
from icalendar import Calendar
from playwright.sync_api import expect
from sqlalchemy import func, select

from seminars.consulting import announcing, appointments, booking, consultants, offerings
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.intake import Question
from seminars.consulting.models import Appointment, Offering
from seminars.consulting.offerings import OfferingFacts
from seminars.invoices.models import Invoice
from seminars.orders.models import Order
from seminars.payments.models import Payment
from tests.journeys import buying
from tests.journeys.center import Center, now
from tests.journeys.keyboard import Keyboard
from tests.journeys.people import Person, person
from tests.journeys.visitor import Visitor

CHICAGO = "America/Chicago"
QUESTION = "What shall we look at?"


def advice(center: Center, story: str, *, questions: bool = False) -> tuple[str, Person]:
    """A policy review on sale every day from 9 to 5, 60 minutes for $280.00; its address, and who gives it."""
    rosa = person("Rosa Castellane", f"consulting-{story}")
    with center.work() as session:
        made = consultants.create(
            session, ConsultantFacts(rosa.name, rosa.email, CHICAGO, video_link="https://meet.example/{code}"), now=now()
        )
        consultants.set_hours(session, made, [Stretch(day, time(9), time(17)) for day in range(7)])
        offering = offerings.create(session, OfferingFacts(f"Policy review {story}", step=60, topic="policy"), now=now())
        offerings.set_lengths(session, offering, {60: 28_000}, now=now())
        offerings.set_consultants(session, offering, [made], now=now())
        if questions:
            offerings.set_questions(session, offering, [Question("what", QUESTION, "text", required=True)])
        offerings.publish(session, offering, now=now())
        return f"/consulting/{offering.slug}", rosa


def choose_next_week(visitor: Visitor, path: str, *, number: int = 0) -> None:
    """A slot of the week after the first, which is far enough away to be moved for nothing."""
    visitor.open(path)
    visitor.sees("Policy review")
    visitor.follow("Next week")
    visitor.sees("Policy review")
    visitor.page.locator("form.slots").get_by_role("button").nth(number).click()


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
def test_two_seats_and_an_hour_are_paid_at_once_and_everybody_is_invited_once(running_center, visiting, javascript):
    story = "mixed" if javascript else "plain"
    event = running_center.residency("rochester", in_days=200 if javascript else 214)
    path, rosa = advice(running_center, story, questions=True)
    people = person("Anna Vestergren", f"advice-{story}"), person("Samir Belhadj", f"advice-{story}")
    with visiting(javascript=javascript) as anna:
        anna.open(f"/events/{event.reference}")
        buying.hold(anna, "Two days", 2)
        choose_next_week(anna, path)
        anna.sees("Before we meet")
        anna.press("Continue")
        anna.reads("Please fill this in.")
        anna.fill(QUESTION, "The rules for our blog.")
        anna.press("Continue")
        anna.sees("Book the 2 seats and one appointment")
        buying.say_who(anna, people[0], people[1:])
        anna.press(re.compile(r"^Book the 2 seats and one appointment and pay \$2,660\.00$"))
        anna.sees("Pay $2,660.00")
        buying.pay(anna, "$2,660.00")
        anna.sees("Your 2 seats and one appointment are confirmed")
        anna.follow(f"Policy review {story}")
        anna.sees(f"Policy review {story}")
        anna.reads("Confirmed", "The rules for our blog.", "Join by video")

    one_payment_and_one_invoice(running_center, people[0])
    everybody_is_invited_once(running_center, event, people, rosa)


def one_payment_and_one_invoice(center, buyer):
    with center.work() as session:
        order = session.scalars(select(Order).where(Order.buyer_email == buyer.email)).one()
        payments = session.scalars(select(Payment).where(Payment.order_id == order.id)).all()
        invoices = session.scalars(select(Invoice).where(Invoice.order_id == order.id)).all()
        assert [payment.amount for payment in payments] == [266_000]
        assert [(invoice.total, len(invoice.lines)) for invoice in invoices] == [(266_000, 3)]


def everybody_is_invited_once(center, event, people, rosa):
    """One entry per person and session, and one each for client and consultant."""
    buyer, colleague = people
    hers = center.post.wait_for_calendar(buyer.email, "REQUEST", times=3)
    his = center.post.wait_for_calendar(colleague.email, "REQUEST", times=2)
    (meeting,) = center.post.wait_for_calendar(rosa.email, "REQUEST", times=1)

    days = sorted(one.starts_at for one in event.sessions)
    assert sorted(one.event["DTSTART"].dt for one in his) == days
    assert sorted(one.event["DTSTART"].dt for one in hers) == sorted([*days, meeting.event["DTSTART"].dt])
    assert len({one.uid for one in (*hers, *his, meeting)}) == 6


def test_a_slot_lost_before_paying_is_named_and_nothing_is_charged(running_center, visiting):
    event = running_center.residency("rochester", in_days=228)
    path, _ = advice(running_center, "lost")
    anna_herself = person("Anna Vestergren", "advice-lost")
    with visiting() as anna:
        anna.open(f"/events/{event.reference}")
        buying.hold(anna, "Two days", 1)
        choose_next_week(anna, path)
        anna.sees("Book the one seat and one appointment")
        somebody_else_has_it(running_center, path)
        buying.say_who(anna, anna_herself)
        anna.press(re.compile("^Book the one seat and one appointment and pay"))
        anna.reads(re.compile("it is gone: Policy review lost, 60 minutes with Rosa Castellane"))
        anna.reads(re.compile("Nothing was ordered or charged"))
        anna.sees("Register 1 person")
        anna.reads(re.compile("The seats went back on sale"))
        anna.press("Hold them again")
        anna.sees("Register 1 person")
        expect(anna.page.get_by_role("button", name="Hold 15 minutes longer")).to_be_visible()
    with running_center.work() as session:
        assert session.scalar(select(func.count()).select_from(Order).where(Order.buyer_email == anna_herself.email)) == 0


def somebody_else_has_it(center, path):
    """The hold lapses as after twenty minutes, and somebody takes the hour in the same minute."""
    with center.work() as session:
        offering = session.scalars(select(Offering).where(Offering.slug == path.rpartition("/")[2])).one()
        lost = session.scalars(select(Appointment).where(Appointment.offering_id == offering.id)).one()
        booking.drop(session, lost, now=now())
        booking.hold_slot(
            session, offering, offering.lengths[0], starts_at=lost.starts_at, holder="cart/another", zone=CHICAGO, now=now()
        )  # fmt: skip


def test_a_client_moves_an_appointment_with_the_keyboard_alone_and_cancels_it(running_center, visiting):
    path, rosa = advice(running_center, "moved")
    anna_herself = person("Anna Vestergren", "advice-moved")
    with visiting() as anna:
        choose_next_week(anna, path)
        anna.sees("Book the appointment")
        who = anna.part("Who books")
        anna.fill("Your name", anna_herself.name, within=who)
        anna.fill("Email", anna_herself.email, within=who)
        anna.press(re.compile(r"^Book the appointment and pay"))
        buying.pay(anna, "$280.00")
        anna.sees("Your appointment is confirmed")
        anna.follow("Policy review moved")
        anna.sees("Policy review moved")
        first = Calendar.from_ical(anna.fetch("Add to calendar")).walk("VEVENT")[0]["DTSTART"].dt
        another_time_by_keyboard(anna)
        second = Calendar.from_ical(anna.fetch("Add to calendar")).walk("VEVENT")[0]["DTSTART"].dt
        assert second > first
        both_calendars_say(running_center, (anna_herself, rosa), "REQUEST", second, sequence=1)
        anna.follow("Cancel this appointment")
        anna.sees("Cancel this appointment?")
        anna.reads("Nothing is refunded")
        anna.press("Cancel the appointment")
        anna.reads("This appointment is cancelled")
    # Two letters about one entry are never on their way at the same minute.
    running_center.run_job("deliver_outbox", later=timedelta(minutes=2))
    for who in (anna_herself, rosa):
        running_center.post.wait_for(who.email, lambda letter: letter.invitation is not None and letter.invitation.method == "CANCEL")


def another_time_by_keyboard(anna):
    keys = Keyboard(anna)
    keys.enter("link", "Choose another time")
    anna.sees("Another time")
    keys.reach(anna.page.locator("form.slots").get_by_role("button").nth(3))
    anna.page.keyboard.press("Enter")
    anna.sees(re.compile("^Move it to"))
    keys.enter("button", "Move the appointment")
    anna.sees("Policy review moved")
    anna.reads("Confirmed")


def both_calendars_say(center, people, method, starts_at, *, sequence):
    for who in people:
        (entry,) = center.post.wait_for_calendar(who.email, method, sequence=sequence, times=1)
        assert entry.event["DTSTART"].dt == starts_at


def test_a_request_waits_for_staff_and_is_then_paid(running_center, visiting):
    path, _ = advice(running_center, "asked")
    with running_center.work() as session:
        offering = session.scalars(select(Offering).where(Offering.slug == path.rpartition("/")[2])).one()
        offering.needs_approval = True
    anna_herself = person("Anna Vestergren", "advice-asked")
    with visiting() as anna:
        choose_next_week(anna, path)
        anna.sees("Ask for this time")
        anna.press(re.compile("^Ask for"))
        anna.reads("2 things to correct")
        anna.fill("Your name", anna_herself.name)
        anna.fill("Email", anna_herself.email)
        anna.press(re.compile("^Ask for"))
        anna.reads(re.compile("Asked for. We hold this time"))
        with running_center.work() as session:
            asked = session.scalars(select(Appointment).where(Appointment.client_email == anna_herself.email)).one()
            appointments.approve(session, asked, now=now())
            letterhead = running_center.app.extensions["seminars"].settings.letterhead
            announcing.tell_approved(session, [asked], letterhead=letterhead, now=now())
        letter = running_center.post.wait_for(anna_herself.email, lambda one: "$280.00 is paid" in one.text.replace("\u00a0", " "))[0]
        page = re.search(r"http://localhost:\d+(/appointments/\w+)", letter.text)
        assert page
        anna.open(page[1])
        anna.press("Go on to pay $280.00")
        anna.sees("Book the appointment")
        who = anna.part("Who books")
        anna.fill("Your name", anna_herself.name, within=who)
        anna.fill("Email", anna_herself.email, within=who)
        anna.press(re.compile(r"^Book the appointment and pay"))
        buying.pay(anna, "$280.00")
        anna.sees("Your appointment is confirmed")


def test_the_pages_of_consulting_are_fit_to_be_seen(running_center, visiting):
    path, rosa = advice(running_center, "seen")
    with running_center.work() as session:
        slug = session.scalars(select(Offering).where(Offering.slug == path.rpartition("/")[2])).one().consultants[0].slug
    with visiting() as anna:
        for address, heading in (("/consulting", "Consulting"), (f"/consultants/{slug}", rosa.name), ("/?q=policy", "Programme")):
            anna.open(address)
            anna.sees(heading)
            anna.reads("Policy review seen")
