"""Larger work: a proposal becomes an engagement whose parts are accepted, billed and paid; hours are bought and worked to the last one.

And the consultant's own desk: the week, a meeting with what the client answered, and what is earned when it took place.
"""

from __future__ import annotations

import re
from datetime import time, timedelta

from sqlalchemy import func, select

from seminars.consulting import announcing, appointments, consultants, offerings
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.intake import Question
from seminars.consulting.models import Appointment, Consultant
from seminars.consulting.offerings import OfferingFacts
from seminars.demo import staff
from seminars.demo.catalogue import FRIDAY, at, next_weekday
from seminars.engagements.models import Engagement, Retainer
from seminars.finance.checks import run_checks
from seminars.invoices.models import Invoice
from seminars.ledger import chart
from seminars.ledger.models import JournalEntry, Posting
from seminars.people.models import User
from tests.journeys import buying, working
from tests.journeys.center import now, today
from tests.journeys.people import person

CHICAGO = "America/Chicago"
TEDDY = staff.LOGINS[2]
QUESTION = "What shall we look at?"
SERIES, HANDBOOK = "Speaking first", "Handbook delivered"
HOURS = "Advice by telephone"


def teddy(center, title, *, mode="video"):
    """Who signs in as the consultant, and an offering of his at $280.00 an hour; its address."""
    with center.work() as session:
        him = session.scalar(select(Consultant).where(Consultant.email == TEDDY.email))
        if him is None:
            teaches = session.merge(center.shelf.speakers["okonjo"])
            facts = ConsultantFacts(TEDDY.name, TEDDY.email, CHICAGO, video_link="https://meet.example/{code}")
            him = consultants.create(session, facts, resource=teaches.resource, now=now())
            consultants.link_login(session, him, session.scalars(select(User.id).where(User.email == TEDDY.email)).one())
            consultants.set_hours(session, him, [Stretch(day, time(9), time(17)) for day in range(7)])
        offering = offerings.create(session, OfferingFacts(title, step=60, mode=mode), now=now())
        offerings.set_lengths(session, offering, {60: 280_00}, now=now())
        offerings.set_consultants(session, offering, [him], now=now())
        offerings.set_questions(session, offering, [Question("what", QUESTION, "text", required=True)])
        offerings.publish(session, offering, now=now())
        return f"/consulting/{offering.slug}"


def mailed_page(center, recipient, subject, where):
    """The address of that page in the mail of that subject."""
    letter = center.post.wait_for_subject(recipient, subject)
    found = re.search(rf"http://localhost:\d+(/{where}/\w+)", letter.text)
    assert found, letter.text
    return found[1]


def test_a_proposal_is_sent_accepted_delivered_in_part_billed_and_paid(running_center, visiting):
    teddy(running_center, "A day at your table", mode="client_site")
    anna = person("Anna Vestergren", "proposed")
    with visiting() as hedda:
        working.sign_in(hedda, working.PROGRAM)
        she_writes_a_proposal(hedda, anna)
        hedda.press(f"Send to {anna.name}")
        hedda.reads(f"It is on its way to {anna.email}.", "Sent")
    her_page = anna_accepts(running_center, visiting, anna)
    with visiting() as hedda:
        working.sign_in(hedda, working.PROGRAM)
        she_submits_the_first_part(hedda)
    anna_accepts_the_part_and_pays(running_center, visiting, anna, her_page)
    the_book_knows(running_center, anna)


def she_writes_a_proposal(hedda, anna):
    day = next_weekday(today() + timedelta(days=150), FRIDAY)
    working.go_to(hedda, "Engagements", heading="Proposals")
    hedda.follow("Write a proposal")
    hedda.sees("Write a proposal")
    hedda.fill("Title", SERIES)
    hedda.fill("Client", anna.name)
    hedda.fill("Email", anna.email)
    hedda.fill("Organisation", "Quillhaven Regional Hospital")
    first, second = hedda.part("Line 1"), hedda.part("Line 2")
    hedda.field("Kind", within=first).select_option(label="Consulting day")
    hedda.fill("What", "A day with your leaders", within=first)
    hedda.fill("Price of one", "2900", within=first)
    first.get_by_text("Date and consultant, or private event").click()
    hedda.field("Consultant", within=first).select_option(label=TEDDY.name)
    hedda.field("Offering", within=first).select_option(label="A day at your table")
    hedda.fill("Starts", f"{at(day, 9):%Y-%m-%dT%H:%M}", within=first)
    hedda.fill("Ends", f"{at(day, 17):%Y-%m-%dT%H:%M}", within=first)
    hedda.field("Kind", within=second).select_option(label="Materials")
    hedda.fill("What", "Handbook", within=second)
    hedda.fill("Price of one", "1400", within=second)
    hedda.fill("Part", "Day held", within=hedda.part("Milestone 1"))
    hedda.fill("Amount", "2900", within=hedda.part("Milestone 1"))
    hedda.fill("Part", HANDBOOK, within=hedda.part("Milestone 2"))
    hedda.fill("Amount", "1300", within=hedda.part("Milestone 2"))
    hedda.press("Keep as a draft")
    hedda.sees("One thing to correct", level=2)
    hedda.reads(re.compile(r"The milestones make \$100\.00 less than the lines"))
    hedda.fill("Amount", "1400", within=hedda.part("Milestone 2"))
    hedda.press("Keep as a draft")
    hedda.sees(SERIES)
    hedda.reads("Draft", "$4,300.00")


def anna_accepts(center, visiting, anna):
    """By the link in her mail, and in her name; her page of the engagement."""
    # Its mail waits for the document, and is looked at again half a minute later.
    center.run_job("render_proposals")
    center.run_job("deliver_outbox", later=timedelta(minutes=1))
    page = mailed_page(center, anna.email, f"Proposal: {SERIES}", "proposals")
    with visiting() as herself:
        herself.open(page)
        herself.sees(SERIES)
        herself.reads("Waiting for your answer", "Nothing is charged when you accept.")
        herself.press("Accept for $4,300.00")
        herself.sees("One thing to correct before we can go on", level=2)
        herself.page.locator("#name").fill(anna.name)
        herself.fill("Purchase order number", "QRH-771")
        herself.press("Accept for $4,300.00")
        herself.sees(SERIES)
        herself.reads("Under way", "A day at your table")
        her_page = herself.page.url
        herself.open(page)
        herself.reads(f"{anna.name} accepted it on", "See how it goes")
    for who in (anna.email, TEDDY.email):
        center.post.wait_for(who, lambda letter: letter.invitation is not None and invites_to(letter.invitation, "A day at your table"))
    return her_page


def invites_to(invitation, title):
    return invitation.method == "REQUEST" and title in invitation.event["SUMMARY"]


def she_submits_the_first_part(hedda):
    working.go_to(hedda, "Engagements", heading="Proposals")
    hedda.follow("Engagements", within=hedda.page.get_by_role("navigation", name="Engagements"))
    hedda.sees("Engagements")
    row = hedda.page.get_by_role("row").filter(has_text=SERIES)
    hedda.follow(re.compile("."), within=row)
    hedda.sees(SERIES)
    hedda.page.get_by_text("Submit it to the client").first.click()
    hedda.fill("What the client should look at", "Eleven leaders came.")
    hedda.press("Submit «Day held»")
    hedda.reads("Submitted")


def anna_accepts_the_part_and_pays(center, visiting, anna, her_page):
    asked = mailed_page(center, anna.email, "Please look", "engagements")
    assert her_page.endswith(asked)
    with visiting() as herself:
        herself.open(asked)
        herself.sees(SERIES)
        herself.reads(re.compile("part waits for you$"), "Eleven leaders came.")
        herself.press("Accept it, and be billed $2,900.00")
        herself.sees("One thing to correct", level=2)
        herself.fill("Your name", anna.name)
        herself.press("Accept it, and be billed $2,900.00")
        herself.follow("Pay $2,900.00")
        herself.sees("$2,900.00 to be paid")
        owed(center, anna, 290_000)
        herself.press("Pay $2,900.00")
        buying.pay(herself, "$2,900.00")
        herself.sees("Paid, thank you")
        herself.open(asked)
        herself.sees(SERIES)
        herself.reads("Paid")


def owed(center, anna, amount):
    """What is owed of her bill until she pays it: earned, billed, and in nobody's hands."""
    with center.work() as session:
        part = the_part(session, anna)
        assert sums(session, part.reference) == {chart.UNBILLED_SERVICES: 0, chart.CONSULTING_REVENUE: -amount}
        assert sums(session, f"order/{part.order_id}")[chart.RECEIVABLE] == amount


def the_book_knows(center, anna):
    with center.work() as session:
        part = the_part(session, anna)
        assert (part.state, part.order.state) == ("accepted", "paid")
        assert part.order.po_number == "QRH-771"
        invoice = session.scalars(select(Invoice).where(Invoice.order_id == part.order_id)).one()
        assert (invoice.total, invoice.paid) == (290_000, 290_000)
        assert sums(session, part.reference) == {chart.UNBILLED_SERVICES: 0, chart.CONSULTING_REVENUE: -290_000}
        assert sums(session, f"order/{part.order_id}")[chart.RECEIVABLE] == 0
        assert run_checks(session, now=now()) == []


def the_part(session, anna):
    engagement = session.scalars(select(Engagement).where(Engagement.title == SERIES)).one()
    assert engagement.proposal.client_email == anna.email
    return engagement.milestones[0]


def sums(session, dimension):
    """What the book holds of this, account by account."""
    asked = select(Posting.account_number, func.sum(Posting.amount)).where(Posting.dimension == dimension).group_by(Posting.account_number)
    return {account: int(amount) for account, amount in session.execute(asked)}


def test_a_retainer_is_sold_paid_and_worked_to_the_last_hour_and_beyond(running_center, visiting):
    teddy(running_center, "Advice between two meetings")
    anna = person("Anna Vestergren", "retained")
    with visiting() as hedda:
        working.sign_in(hedda, working.PROGRAM)
        she_sells_three_hours(hedda, anna)
    her_page = anna_pays_for_them(running_center, visiting, anna)
    with visiting() as himself:
        working.sign_in(himself, TEDDY)
        he_opens_the_retainer(himself)
        he_logs(himself, "1:30", "1\u00a0h 30\u00a0min are logged.")
        he_logs(himself, "1", "1\u00a0h are logged.")
        running_center.post.wait_for_subject(anna.email, f"30 min left: {HOURS}")
        he_logs(himself, "0.5", "30\u00a0min are logged.")
        he_logs(himself, "2", "2\u00a0h are logged, 2\u00a0h of it beyond the retainer.")
        himself.reads("0\u00a0min of 3\u00a0h", "not billed")
    with visiting() as herself:
        herself.open(her_page)
        herself.sees(HOURS)
        herself.reads("All hours are used", "$360.00 to be billed")
    the_hours_are_earned(running_center, unbilled=360_00)
    with visiting() as priya:
        working.sign_in(priya, working.FINANCE)
        she_bills_what_is_beyond(priya)
    with visiting() as herself:
        herself.open(her_page)
        herself.reads("$360.00 billed")
    the_hours_are_earned(running_center, unbilled=0)


def she_sells_three_hours(hedda, anna):
    working.go_to(hedda, "Engagements", heading="Proposals")
    hedda.follow("Retainers", within=hedda.page.get_by_role("navigation", name="Engagements"))
    hedda.sees("Retainers")
    hedda.follow("Sell a retainer")
    hedda.sees("Sell a retainer")
    hedda.fill("Title", HOURS)
    hedda.fill("Hours", "3")
    hedda.fill("Price of an hour", "180")
    hedda.fill("Tell the client when so many are left", "1")
    hedda.fill("Client", anna.name)
    hedda.fill("Email", anna.email)
    hedda.press("Sell these hours")
    hedda.sees(HOURS)
    hedda.reads("Not paid yet")


def anna_pays_for_them(center, visiting, anna):
    """From her mail; the hours can be used at once. Her page."""
    page = mailed_page(center, anna.email, "to be paid", "retainers")
    with visiting() as herself:
        herself.open(page)
        herself.sees(HOURS)
        herself.reads("Not paid yet")
        herself.follow("Pay $540.00")
        herself.sees("$540.00 to be paid")
        herself.press("Pay $540.00")
        buying.pay(herself, "$540.00")
        herself.sees("Paid, thank you")
        center.run_job("look_after_retainers")
        herself.open(page)
        herself.sees(HOURS)
        herself.reads("Ready to be used", "3\u00a0h of 3\u00a0h left")
    center.post.wait_for_subject(anna.email, "of consulting are ready")
    return page


def he_opens_the_retainer(himself):
    working.go_to(himself, "Engagements", heading="Proposals")
    himself.follow("Retainers", within=himself.page.get_by_role("navigation", name="Engagements"))
    himself.sees("Retainers")
    row = himself.page.get_by_role("row").filter(has_text=HOURS)
    himself.follow(re.compile("."), within=row)
    himself.sees(HOURS)


def he_logs(himself, hours, told):
    himself.fill("Hours", hours)
    himself.fill("What was done", f"Call of {hours}")
    himself.press("Log the time")
    himself.reads(told)


def the_hours_are_earned(center, *, unbilled):
    """Three hours are drawn, two are beyond: five are revenue, and nothing is deferred any more."""
    with center.work() as session:
        retainer = session.scalars(select(Retainer).where(Retainer.title == HOURS)).one()
        assert (retainer.drawn, retainer.minutes) == (180, 180)
        booked = sums(session, retainer.reference)
        assert (booked[chart.DEFERRED_CONSULTING], booked[chart.CONSULTING_REVENUE]) == (0, -900_00)
        beyond = [sums(session, log.reference).get(chart.UNBILLED_SERVICES, 0) for log in retainer.logs]
        assert sum(beyond) == unbilled
        assert run_checks(session, now=now()) == []


def she_bills_what_is_beyond(priya):
    he_opens_the_retainer(priya)
    priya.press(re.compile(r"^Bill \$360\.00"))
    priya.reads("over $360.00 is placed; its invoice goes out by mail.")


def test_a_consultant_reads_what_the_client_answered_and_marks_the_meeting_delivered(running_center, visiting):
    title = "Strategy session, told"
    path, anna = teddy(running_center, title), person("Anna Vestergren", "advised")
    with visiting() as herself:
        she_books(herself, path, title, anna)
    it_began_ten_minutes_ago(running_center, anna)
    with visiting() as himself:
        working.sign_in(himself, TEDDY)
        working.go_to(himself, "Consulting", heading="My week")
        meeting = himself.page.get_by_role("listitem").filter(has_text=anna.name)
        himself.follow(title, within=meeting)
        himself.sees(f"{title}: {anna.name}")
        himself.reads(QUESTION, "Our first year on four networks.", "This is the first meeting with this address.")
        himself.fill("For us only", "Wants fewer networks.")
        himself.press("Keep the notes")
        himself.reads("The notes are kept.")
        himself.press("It took place")
        himself.reads("Marked delivered.", "Delivered")
    with running_center.work() as session:
        appointment = hers(session, anna)
        assert (appointment.state, appointment.notes) == ("delivered", "Wants fewer networks.")
        booked = sums(session, appointment.reference)
        assert (booked[chart.DEFERRED_CONSULTING], booked[chart.CONSULTING_REVENUE]) == (0, -280_00)
        assert session.scalar(select(func.count()).select_from(JournalEntry).where(JournalEntry.source == appointment.reference)) == 1


def she_books(herself, path, title, anna):
    """An hour of the week after next, paid by card."""
    herself.open(path)
    herself.sees(title)
    herself.follow("Next week")
    herself.sees(title)
    herself.page.locator("form.slots").get_by_role("button").first.click()
    herself.sees("Before we meet")
    herself.fill(QUESTION, "Our first year on four networks.")
    herself.press("Continue")
    herself.sees("Book the appointment")
    who = herself.part("Who books")
    herself.fill("Your name", anna.name, within=who)
    herself.fill("Email", anna.email, within=who)
    herself.press(re.compile(r"^Book the appointment and pay"))
    buying.pay(herself, "$280.00")
    herself.sees("Your appointment is confirmed")


def it_began_ten_minutes_ago(center, anna):
    """Staff had moved it there days before."""
    moved_on, letterhead = now() - timedelta(days=3), center.app.extensions["seminars"].settings.letterhead
    starts_at = (now() - timedelta(minutes=10)).replace(second=0, microsecond=0)
    with center.work() as session:
        appointment = hers(session, anna)
        plan = appointments.move_plan(session, appointment, starts_at=starts_at, by_staff=True, now=moved_on)
        appointments.move(session, appointment, starts_at=starts_at, version=plan.version, by_staff=True, now=moved_on)
        announcing.tell_moved(session, [appointment], letterhead=letterhead, now=now())


def hers(session, anna):
    return session.scalars(select(Appointment).where(Appointment.client_email == anna.email)).one()
