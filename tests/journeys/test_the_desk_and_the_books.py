"""Milo registers a caller, Hedda gives a seat away, and Priya explains the money, before and after the event."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

from seminars.catalog import events
from seminars.catalog.events import Block
from seminars.catalog.models import Event
from tests.journeys import buying, working
from tests.journeys.people import person

IDA, GUEST = person("Ida Lindholm", "desk"), person("Theo Amsel", "desk")
EVENT = "Answering patients in public"


def test_a_caller_is_registered_pays_and_becomes_revenue_when_the_webinar_was_held(running_center, visiting):
    event = running_center.webinar("answering", in_days=30)
    with visiting() as milo:
        working.sign_in(milo, working.FRONT_DESK)
        he_registers_ida(milo)
        order = milo.page.url
        ida_pays_from_her_mail(running_center, visiting)
        milo.open(order)
        milo.reads("at the desk", "Milo Arendt")
    with visiting() as hedda:
        working.sign_in(hedda, working.PROGRAM)
        she_gives_a_seat_away(running_center, hedda)
        with visiting() as priya:
            working.sign_in(priya, working.FINANCE)
            she_sees_what_the_payment_is_made_of(running_center, priya)
            days_pass(running_center, event)
            it_is_marked_delivered(hedda)
            it_is_revenue_now(priya)
            the_trial_balance_leads_down_to_postings(priya)


def he_registers_ida(milo):
    the_event(milo)
    milo.follow("Register somebody")
    milo.sees("Register somebody")
    milo.does_not_read("Free of charge")
    orders = milo.part("Who orders")
    milo.fill("Name", IDA.name, within=orders)
    milo.fill("Email address", "ida@quillhaven", within=orders)
    milo.press("Register 1 person")
    milo.sees("One thing to correct", level=2)
    milo.fill("Email address", IDA.email, within=orders)
    milo.press("Register 1 person")
    milo.sees(re.compile(r"^Order NC-\S+, \$45\.00$"))
    milo.reads("at the desk", "Held")


def the_event(visitor):
    working.go_to(visitor, "Programme")
    visitor.fill("Title", EVENT)
    visitor.press("Show")
    visitor.follow(EVENT)
    visitor.sees(EVENT)


def ida_pays_from_her_mail(center, visiting):
    asked = center.post.wait_for_subject(IDA.email, "received")
    (address,) = re.findall(r"http://\S+/orders/\S+", asked.text)
    with visiting() as ida:
        ida.open(address)
        ida.sees("One step left: the payment")
        ida.press("Pay $45.00")
        buying.pay(ida, "$45.00", name=IDA.name)
        ida.sees("You are registered")
    center.post.wait_for_calendar(IDA.email, "REQUEST", times=1)


def she_gives_a_seat_away(center, hedda):
    the_event(hedda)
    hedda.follow("Register somebody")
    hedda.page.get_by_label("Free of charge").check()
    hedda.fill("Name", GUEST.name, within=hedda.part("Who orders"))
    hedda.fill("Email address", GUEST.email, within=hedda.part("Who orders"))
    hedda.press("Register 1 person")
    hedda.reads("Please say why these seats are free.")
    hedda.fill("Why it is free", "Guest of the speaker")
    hedda.press("Register 1 person")
    hedda.sees(re.compile(r"^Order NC-\S+, (\$0\.00|Free)$"))
    hedda.reads("free: Guest of the speaker", "Confirmed")
    center.post.wait_for_calendar(GUEST.email, "REQUEST", times=1)


def she_sees_what_the_payment_is_made_of(center, priya):
    center.run_job("fetch_fees")
    working.go_to(priya, "Finance", heading="Trial balance")
    priya.follow("Payments")
    priya.sees("Payments")
    priya.fill("Order, buyer, organisation or charge", IDA.name)
    priya.press("Show")
    row = priya.page.get_by_role("row").filter(has_text=IDA.name)
    priya.follow(re.compile("."), within=row.get_by_role("rowheader"))
    priya.sees("Payment of $45.00")
    # 2.9 % and 30 cents of $45.00.
    priya.reads("$1.61", "$43.39")
    deferred = priya.page.get_by_role("row").filter(has_text="2100").filter(has_text=EVENT)
    assert "45.00" in deferred.inner_text()
    priya.follow(re.compile(r"^Entry \d+$"))
    priya.sees(re.compile(r"^Entry \d+, "))


def days_pass(center, event):
    """The webinar was held yesterday."""
    moved_on = center.now() - timedelta(days=3)
    with center.work() as session:
        (part,) = session.get_one(Event, event.id).sessions
        starts = (part.starts_local - timedelta(days=31)).replace(hour=12)
        events.change_session(session, part, Block(starts, starts + timedelta(hours=1)), now=moved_on)


def it_is_marked_delivered(hedda):
    working.go_to(hedda, "Today", heading=working.TODAY)
    waiting = hedda.page.get_by_role("listitem").filter(has_text=EVENT).filter(has_text="delivered")
    waiting.get_by_role("link").last.click()
    hedda.sees(EVENT)
    hedda.press("Mark delivered")
    hedda.reads("is marked delivered, and its revenue is recognised.")


def it_is_revenue_now(priya):
    priya.follow("Journal")
    priya.sees("Journal")
    earned = priya.page.get_by_role("rowgroup").filter(has_text="4000").filter(has_text="2100").first
    assert [line.split("\t") for line in earned.inner_text().splitlines() if EVENT in line]
    assert "45.00" in earned.inner_text()


def the_trial_balance_leads_down_to_postings(priya):
    working.go_to(priya, "Finance", heading="Trial balance")
    rows = [row.inner_text().split("\t") for row in priya.page.get_by_role("row").all()[1:-1]]
    debit, credit = (sum(Decimal(cells[column].strip().replace(",", "") or 0) for cells in rows) for column in (4, 5))
    assert debit == credit > 0
    revenue = priya.page.get_by_role("row").filter(has=priya.page.get_by_role("rowheader", name="4000"))
    priya.follow(re.compile(r"^[\d,]+\.\d\d$"), within=revenue)
    priya.sees(re.compile(r"^4000 "))
    line = priya.page.get_by_role("row").filter(has_text=EVENT).last
    assert "−45.00" in line.inner_text()
    priya.follow(re.compile(r"^\d+$"), within=line)
    priya.sees(re.compile(r"^Entry \d+, "))
