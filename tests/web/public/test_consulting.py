"""Consulting as a visitor meets it: a week of slots, the same checkout as seats, and every way in which it can go wrong."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from icalendar import Calendar
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import RefundPolicy
from seminars.consulting import appointments, booking, offerings
from seminars.consulting.intake import Question
from seminars.consulting.models import Appointment, Offering
from seminars.messages.models import Message
from seminars.orders.models import Cart, Order
from seminars.registration.models import Hold
from seminars.schedule.models import TimeClaim
from tests import payer
from tests.clock import NOON, StandingClock
from tests.factories.advice import a_consultant, an_offering
from tests.factories.meetings import NINE, a_confirmed_one, a_held_one, a_requested_one
from tests.factories.programme import an_event
from tests.sandbox.shop import Sandbox
from tests.web.public.visitor import Page, Visitor

ANNA = {"name": "Anna Vestergren", "mail": "anna.vestergren@quillhaven.example"}
DAY = timedelta(days=1)


def slots(page: Page) -> list[str]:
    """What the buttons of the week send."""
    week = re.search(r'<form [^>]*class="slots[^"]*".*?</form>', page.markup, re.S)
    return re.findall(r'name="slot" value="([^"]+)"', week[0]) if week else []


def nearby(page: Page) -> list[str]:
    """What the buttons beside a refusal send."""
    notice = re.search(r'<div class="notice".*?</div>', page.markup, re.S)
    return re.findall(r'name="slot" value="([^"]+)"', notice[0]) if notice else []


def choose(anna: Visitor, offering: Offering, at: datetime | str = NINE, *, follow: bool = True, **typed: str) -> Page:
    """Open the week in which that is, and press a slot."""
    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-01")
    sent = at if isinstance(at, str) else at.isoformat()
    return anna.press(page, f"/consulting/{offering.slug}/hold", follow=follow, slot=sent, **typed)


def choose_first(anna: Visitor, offering: Offering, *, week: str = "") -> Page:
    """Press the first slot of a week, or of the first week that has one."""
    page = anna.open(f"/consulting/{offering.slug}?week={week}")
    return anna.press(page, f"/consulting/{offering.slug}/hold", slot=slots(page)[0])


def claims(session: Session) -> list[tuple[str, bool]]:
    """What is taken of anybody's time, and whether that lapses."""
    session.expire_all()
    return [(one.kind, one.lapses_at is not None) for one in session.scalars(select(TimeClaim).order_by(TimeClaim.id))]


def meetings(session: Session) -> list[str]:
    session.expire_all()
    return [one.state for one in session.scalars(select(Appointment).order_by(Appointment.id))]


def heading(page: Page) -> str:
    return page.heading.replace("\u00a0", " ")


@pytest.fixture
def policy(session: Session) -> RefundPolicy:
    made = RefundPolicy(name="Two days", days_before=2, fee=2_000, currency="USD")
    session.add(made)
    session.flush()
    return made


# What can be seen.


def test_an_offering_stands_after_the_dates_and_first_where_words_are_searched(anna: Visitor, session: Session) -> None:
    an_event(session, title="A policy people will read", format="online")
    an_offering(session, title="Policy review", topic="policy", summary="An hour with a lawyer.")

    everything, found = anna.open("/"), anna.open("/?q=policy")

    order = [re.findall(r"<h3><a [^>]+>(.*?)</a></h3>", page.markup) for page in (everything, found)]
    assert order == [["A policy people will read", "Policy review"], ["Policy review", "A policy people will read"]]
    assert 'id="mon-demand">On demand</h2>' in found.markup and "$280.00" in found.text
    assert re.findall(r"<h3><a [^>]+>(.*?)</a></h3>", anna.open("/?q=lawyer").markup) == ["Policy review"]
    assert re.findall(r"<h3><a [^>]+>(.*?)</a></h3>", anna.open("/?q=castell").markup) == ["Policy review"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [("topic=policy", True), ("topic=strategy", False), ("format=online", True), ("format=in-person", False), ("price=paid", True),
     ("price=free", False), ("city=Rochester", False), ("month=2027-03", False), ("month=1970-01", True), ("after=0.0", True)],
)  # fmt: skip
def test_the_filters_hold_for_offerings_too(anna: Visitor, session: Session, query: str, shown: bool) -> None:
    an_offering(session, topic="policy")
    anna.client.application.extensions.pop("programme", None)

    page = anna.open(f"/?{query}")

    assert (">Policy review<" in page.markup) is shown and "1 January 1970" not in page.text


def test_what_is_no_longer_offered_leaves_the_list_and_its_page(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    anna.open("/")
    offerings.archive(session, offering, now=NOON)
    anna.client.application.extensions.pop("programme", None)

    assert ">Policy review<" not in anna.open("/?q=policy").markup + anna.open("/consulting").markup
    assert anna.open(f"/consulting/{offering.slug}").status == 404


def test_the_sitemap_names_offerings_and_consultants(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    an_offering(session, a_consultant(session, "Never Shown", listed=False), title="Hidden", listed=False)

    found = ElementTree.fromstring(anna.client.get("/sitemap.xml").data)
    paths = [
        (place.text or "").removeprefix("http://localhost") for place in found.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")
    ]

    assert paths[-3:] == ["/consulting", "/consultants/rosa-castellane", f"/consulting/{offering.slug}"]
    assert "/seminars/" not in paths
    assert "Disallow: /appointments/" in anna.client.get("/robots.txt").text


def test_a_consultants_page_has_what_can_be_booked_with_them(anna: Visitor, session: Session) -> None:
    rosa = a_consultant(session, credentials="JD", bio="Reads policies.")
    offering = an_offering(session, rosa)
    hidden = a_consultant(session, "Never Shown", listed=False)

    page = anna.open(f"/consultants/{rosa.slug}")

    assert page.heading == "Rosa Castellane, JD" and "Reads policies." in page.text
    assert f'href="/consulting/{offering.slug}?with={rosa.slug}"' in page.markup
    assert [anna.open(f"/consultants/{slug}").status for slug in (hidden.slug, "nobody")] == [404, 404]


def test_the_page_opens_on_the_first_week_that_has_a_slot(anna: Visitor, session: Session) -> None:
    offering = an_offering(session, notice_hours=24 * 9)

    page = anna.open(f"/consulting/{offering.slug}")
    empty = anna.open(f"/consulting/{offering.slug}?week=2027-03-01")

    assert slots(page)[0] == "2027-03-10T18:00:00+00:00" and "8 to 12 March 2027" in page.text
    assert not slots(empty) and "week=2027-03-08" in empty.markup and "Nothing is free in this week" in empty.text


def test_the_week_is_a_list_per_day_with_the_day_in_every_buttons_name(anna: Visitor, session: Session) -> None:
    offering = an_offering(session, a_consultant(session, hours=()))
    page = anna.open(f"/consulting/{an_offering(session, title='Other', step=60).slug}?week=2027-03-08")

    assert re.findall(r'<section aria-labelledby="d([^"]+)"', page.markup) == [f"2027-03-{day:02d}" for day in range(8, 13)]
    assert '<span class="visually-hidden">Monday 8\u00a0Mar, </span>9:00\u00a0am</button>' in page.markup
    assert not slots(anna.open(f"/consulting/{offering.slug}"))


def test_times_are_the_visitors_with_the_consultants_beside_them(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    anna.client.set_cookie("zone", "Europe%2FOslo")

    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-08")

    assert '4:00\u00a0pm<br><span class="small soft">9:00\u00a0am\u00a0CST</span>' in page.markup
    assert '<option value="Europe/Oslo" selected>' in page.markup


def test_on_the_night_of_the_clock_the_difference_is_that_of_each_day(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    anna.client.set_cookie("zone", "Europe%2FOslo")

    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-15")

    assert '3:00\u00a0pm<br><span class="small soft">9:00\u00a0am\u00a0CDT</span>' in page.markup


def test_length_and_person_are_chosen_by_links(anna: Visitor, session: Session) -> None:
    rosa, erik = a_consultant(session), a_consultant(session, "Erik Bjornson", hours=())
    offering = an_offering(session, rosa, erik, lengths={30: 15_000, 60: 28_000})

    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-08")
    longer = anna.open(f"/consulting/{offering.slug}?minutes=60&week=2027-03-08")
    erics = anna.open(f"/consulting/{offering.slug}?with={erik.slug}&week=2027-03-08")

    assert "30 minutes, by video, $150.00" in page.text and "60 minutes, by video, $280.00" in longer.text
    assert f"/consulting/{offering.slug}?minutes=60&amp;week=2027-03-08" in page.markup
    assert slots(page) and not slots(erics)


# From a slot to an order.


def test_seats_and_an_appointment_are_bought_at_once(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, clock: StandingClock
) -> None:
    clock.at = datetime.now(UTC)  # which is the sandbox's
    event = an_event(session, starts=clock.at + timedelta(days=200))
    offering = an_offering(session)
    anna.hold(event.reference, event.ticket_types[0].id, "2")

    page = choose_first(anna, offering)
    away = anna.press(page, "/checkout", act="order", follow=False, p2_later="1", **ANNA)
    back = payer.pay(away.answer.headers["Location"], "4242 4242 4242 4242")
    thanks = anna.open(back.removeprefix("http://localhost"))
    meeting = session.scalars(select(Appointment)).one()

    assert heading(page) == "Book the 2 seats and one appointment" and "$2,660.00" in page.text
    assert heading(thanks) == "Your 2 seats and one appointment are confirmed" and "Paid $2,660.00" in thanks.text
    assert f'<a href="/appointments/{meeting.secret}">Policy review</a>' in thanks.markup and "Seat 2, not yet named" in thanks.text
    assert (meeting.state, meeting.client_email) == ("confirmed", ANNA["mail"]) and claims(session) == [("appointment", False)]
    assert len(session.scalars(select(Order)).all()) == 1


def test_questions_come_before_the_checkout_and_their_answers_stay(anna: Visitor, session: Session) -> None:
    asked = [
        Question("what", "What shall we look at?", "text", required=True),
        Question("draft", "Is there a draft?", "yes_no", required=True),
        Question("where", "Where is it?", when_key="draft", when_equals="yes", required=True),
    ]
    offering = an_offering(session, questions=asked)

    page = choose(anna, offering)
    action = page.form(f"/consulting/answers/{session.scalars(select(Appointment)).one().secret}").action
    refused = anna.press(page, action, answer_what="The blog rules", answer_draft="yes")
    skipped = anna.open("/checkout")
    early = anna.press(skipped, "/checkout", act="order", **ANNA)
    done = anna.press(refused, action, answer_draft="yes", answer_where="https://quillhaven.example/draft")

    assert page.heading == "Before we meet" and "Step 2 of 3" in page.text
    assert refused.status == 422 and ">The blog rules</textarea>" in refused.markup and 'href="#answer_where"' in refused.markup
    assert early.status == 409 and "Please answer first" in early.text and session.scalars(select(Order)).all() == []
    assert done.heading == "Book the appointment"
    assert [one["answer"] for one in session.scalars(select(Appointment)).one().answers] == [
        "The blog rules", "Yes", "https://quillhaven.example/draft",
    ]  # fmt: skip


def test_a_free_call_is_booked_without_paying(anna: Visitor, session: Session) -> None:
    offering = an_offering(session, title="Discovery call", lengths={20: 0})

    page = choose(anna, offering)
    done = anna.press(page, "/checkout", act="order", **ANNA)

    assert ">Book the appointment, free</button>" in page.markup
    assert "confirmed" in done.heading and meetings(session) == ["confirmed"]


def test_two_tabs_and_the_back_button_hold_a_slot_once_and_order_it_once(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)

    first = choose(anna, offering)
    again = choose(anna, offering)
    ordered = anna.press(first, "/checkout", act="order", follow=False, **ANNA)
    back = anna.press(again, "/checkout", act="order", follow=False, **ANNA)

    assert first.heading == again.heading == "Book the appointment" and "$280.00" in again.text
    assert ordered.status == back.status == 303
    assert len(session.scalars(select(Order)).all()) == 1 and meetings(session) == ["held"]


def test_two_tabs_with_two_slots_hold_both_until_one_is_taken_out(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    choose(anna, offering)
    both = choose(anna, offering, NINE + timedelta(hours=2))

    cart = anna.open("/cart")
    first, second = session.scalars(select(Appointment).order_by(Appointment.id))
    out = anna.press(cart, "/cart", drop=str(first.id))
    foreign = anna.press(out, "/cart", drop=str(first.id))

    assert heading(both) == "Book the 2 appointments" and "$560.00" in both.text
    assert meetings(session) == ["cancelled", "held"] and "$280.00" in out.text and foreign.status == 404
    assert second.state == "held"


# What is refused.


@pytest.mark.parametrize(
    ("at", "says"),
    [
        (NOON - DAY, "This time has passed."),
        (NOON + timedelta(hours=3), "at least 24\u00a0hours ahead"),
        (NINE + 365 * DAY, "within the next 60\u00a0days"),
        (NINE - timedelta(hours=1), "Nobody can meet you at this time."),
        (NINE + timedelta(minutes=7), "Nobody can meet you at this time."),
        (datetime(2027, 3, 6, 15, tzinfo=UTC), "Nobody can meet you at this time."),
        ("2027-03-03T09:00:00", "This is no time that can be booked."),
        ("2027-03-14T02:30:00", "This is no time that can be booked."),
        ("2027-03-14T02:30:00-06:00", "Nobody can meet you at this time."),
        ("0001-01-01T00:00:00+14:00", "This is no time that can be booked."),
        ("9999-12-31T23:59:59-14:00", "This is no time that can be booked."),
        ("tomorrow", "This is no time that can be booked."),
        ("", "This is no time that can be booked."),
    ],
)
def test_a_time_that_cannot_be_booked_is_refused_with_a_sentence(anna: Visitor, session: Session, at: datetime | str, says: str) -> None:
    offering = an_offering(session, a_consultant(session))

    page = choose(anna, offering, at)

    assert page.status == 422 and says in page.markup and slots(page)
    assert meetings(session) == [] and session.scalars(select(Cart)).all() == []


def test_the_hour_that_the_clock_skips_has_no_slots(anna: Visitor, session: Session) -> None:
    from datetime import time

    from seminars.consulting.consultants import Stretch

    offering = an_offering(session, a_consultant(session, hours=[Stretch(6, time(0), time(5))]))

    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-08")

    night = [datetime.fromisoformat(one).astimezone(UTC).hour for one in slots(page) if one.startswith("2027-03-14")]
    assert night == [6, 6, 7, 7, 8, 8, 9]
    assert "</span>2:00\u00a0am" not in page.markup and "</span>2:30\u00a0am" not in page.markup and "</span>3:30\u00a0am" in page.markup


@pytest.mark.parametrize("state", ["draft", "archived"])
def test_a_slot_of_what_is_not_on_sale_is_not_there(anna: Visitor, session: Session, state: str) -> None:
    offering = an_offering(session)
    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-01")
    offering.state = state
    session.flush()

    refused = anna.press(page, f"/consulting/{offering.slug}/hold", slot=NINE.isoformat())

    assert (refused.status, anna.open(f"/consulting/{offering.slug}").status) == (404, 404) and meetings(session) == []


def test_what_stood_beside_the_button_and_is_gone_is_not_swapped_for_something_else(anna: Visitor, session: Session) -> None:
    rosa, erik = a_consultant(session), a_consultant(session, "Erik Bjornson")
    offering = an_offering(session, rosa, erik, lengths={30: 15_000, 60: 28_000})
    page = anna.open(f"/consulting/{offering.slug}?minutes=60&with={erik.slug}&week=2027-03-01")
    action = f"/consulting/{offering.slug}/hold"

    offerings.set_lengths(session, offering, {30: 15_000}, now=NOON)
    no_hour = anna.press(page, action, slot=NINE.isoformat())
    offerings.set_lengths(session, offering, {30: 15_000, 60: 28_000}, now=NOON)
    offerings.set_consultants(session, offering, [rosa], now=NOON)
    session.expire_all()
    no_erik = anna.press(page, action, slot=NINE.isoformat())

    assert no_hour.status == no_erik.status == 422 and meetings(session) == []
    assert "This length is not offered any more." in no_hour.text and "does not give this service any more" in no_erik.text


def test_a_slot_that_was_just_taken_comes_back_with_the_nearest_ones(anna: Visitor, session: Session) -> None:
    offering = an_offering(session, step=60)
    page = anna.open(f"/consulting/{offering.slug}?week=2027-03-01")
    a_held_one(session, offering, NINE + timedelta(hours=2), holder="cart/another")

    refused = anna.press(page, f"/consulting/{offering.slug}/hold", slot=(NINE + timedelta(hours=2)).isoformat())
    again = anna.press(refused, f"/consulting/{offering.slug}/hold", slot=nearby(refused)[0])

    assert refused.status == 409 and "This time was just taken." in refused.text
    assert [datetime.fromisoformat(one).hour for one in nearby(refused)] == [15, 16, 18]
    assert again.heading == "Book the appointment"


def test_a_price_that_changed_meanwhile_is_shown_before_anything_is_ordered(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    page = choose(anna, offering)
    offerings.set_lengths(session, offering, {60: 30_000}, now=NOON)

    refused = anna.press(page, "/checkout", act="order", **ANNA)

    assert refused.status == 409 and "$300.00" in refused.text and session.scalars(select(Order)).all() == []


def test_a_slot_that_was_lost_before_paying_is_named_and_nothing_is_charged_or_kept(
    anna: Visitor, session: Session, clock: StandingClock
) -> None:
    event, offering = an_event(session), an_offering(session)
    anna.hold(event.reference, event.ticket_types[0].id, "2")
    page = choose(anna, offering)
    clock.move(minutes=21)
    booking.sweep_lapsed(session, now=clock())
    a_held_one(session, offering, holder="cart/another", now=clock())

    refused = anna.press(page, "/checkout", act="order", p2_later="1", **ANNA)
    session.expire_all()

    assert refused.status == 409 and "it is gone: Policy review, 60 minutes with Rosa Castellane" in refused.text
    assert "Nothing was ordered or charged" in refused.text
    assert session.scalars(select(Order)).all() == [] and meetings(session) == ["cancelled", "held"]
    assert {one.state for one in session.scalars(select(Hold))} == {"released"} and event.quotas[0].taken == 0
    assert refused.heading == "Register 2 people" and 'value="Anna Vestergren"' in refused.markup


def test_what_lapsed_can_be_held_again_if_nobody_took_it(anna: Visitor, session: Session, clock: StandingClock) -> None:
    page = choose(anna, an_offering(session))
    clock.move(minutes=21)
    booking.sweep_lapsed(session, now=clock())

    lapsed = anna.open("/checkout")
    again = anna.press(lapsed, "/checkout", act="longer")

    assert page.status == 200 and "Not held any more" in lapsed.text and "Not held any more" not in again.text
    assert claims(session) == [("hold", True)]


@pytest.mark.parametrize("path", ["/appointments/{}", "/appointments/{}/move", "/appointments/{}/cancel", "/appointments/{}/calendar.ics"])
def test_an_appointments_page_opens_by_its_own_secret_only(anna: Visitor, session: Session, path: str) -> None:
    offering = an_offering(session)
    mine, chosen = a_confirmed_one(session, offering), a_held_one(session, offering, NINE + DAY)
    wrong = [mine.secret[:-1] + "x", mine.secret.upper(), str(mine.id), "", "a" * 300, chosen.secret, offering.consultants[0].feed_secret]

    assert anna.open(path.format(mine.secret)).status == 200
    assert {anna.open(path.format(one)).status for one in wrong} == {404}


def test_only_who_holds_a_slot_answers_its_questions(anna: Visitor, session: Session) -> None:
    offering = an_offering(session, questions=[Question("what", "What?")])
    ordered = a_confirmed_one(session, offering)

    assert [anna.open(f"/consulting/{what}/{secret}").status for what in ("answers", "request") for secret in (ordered.secret, "x")] == [
        404
    ] * 4


@pytest.mark.parametrize("path", ["/consulting/{slug}/hold", "/consulting/answers/{s}", "/consulting/request/{s}", "/appointments/{s}/move",
                                  "/appointments/{s}/cancel", "/appointments/{s}/pay"])  # fmt: skip
def test_no_form_of_consulting_works_without_its_token(anna: Visitor, session: Session, path: str) -> None:
    offering = an_offering(session)
    mine = a_confirmed_one(session, offering)

    answer = anna.client.post(
        path.format(slug=offering.slug, s=mine.secret), data={"slot": NINE.isoformat(), "minutes": "60", "version": "x"}
    )

    assert answer.status_code == 400 and meetings(session) == ["confirmed"]


# The client's own page.


def test_the_clients_page_says_when_with_whom_and_how_to_join(anna: Visitor, session: Session) -> None:
    mine = a_confirmed_one(session, an_offering(session), zone="Europe/Oslo")

    page = anna.open(f"/appointments/{mine.secret}")
    saved = Calendar.from_ical(anna.client.get(f"/appointments/{mine.secret}/calendar.ics").data).walk("VEVENT")

    assert "Wednesday 3 March 2027, 4:00 to 5:00 pm CET" in page.text and "9:00 am CST for your consultant" in page.text
    assert f'href="{mine.join_url}"' in page.markup and "noindex" in page.markup
    assert [one["DTSTART"].dt for one in saved] == [NINE]


def test_moving_shows_its_plan_first_and_then_does_that(anna: Visitor, session: Session) -> None:
    mine = a_confirmed_one(session, an_offering(session))
    action = f"/appointments/{mine.secret}/move"

    week = anna.open(action)
    plan = anna.press(week, action, slot=(NINE + DAY).isoformat())
    before = mine.starts_at
    done = anna.press(plan, action)
    session.expire_all()

    assert heading(plan) == "Move it to Thursday 4 March 2027, 9:00 am CST?" and before == NINE
    assert "Anna Vestergren and Rosa Castellane get the new time by mail" in plan.text
    assert mine.starts_at == NINE + DAY and "Thursday 4 March" in done.text
    assert {one.recipient for one in session.scalars(select(Message))} == {ANNA["mail"], "rosa@northfield.example"}


def test_a_plan_to_move_that_does_not_hold_any_more_is_refused(anna: Visitor, session: Session) -> None:
    offering = an_offering(session, step=60)
    mine = a_confirmed_one(session, offering)
    action = f"/appointments/{mine.secret}/move"
    plan = anna.press(anna.open(action), action, slot=(NINE + DAY).isoformat())

    a_held_one(session, offering, NINE + DAY, holder="cart/another")
    taken = anna.press(plan, action)
    forged = anna.press(plan, action, version="x")
    nonsense = anna.press(plan, action, version=None, slot="soon")

    assert (taken.status, forged.status, nonsense.status) == (409, 409, 422)
    assert "This time was just taken." in taken.text and nearby(taken) and "has changed meanwhile" in forged.text
    assert mine.starts_at == NINE


def test_too_near_to_be_moved_is_said_with_the_time_until_which_it_was_possible(
    anna: Visitor, session: Session, clock: StandingClock
) -> None:
    mine = a_confirmed_one(session, an_offering(session))
    action = f"/appointments/{mine.secret}/move"
    plan = anna.press(anna.open(action), action, slot=(NINE + 2 * DAY).isoformat())
    clock.move(hours=24)

    page, late, pressed = anna.open(f"/appointments/{mine.secret}"), anna.open(action), anna.press(plan, action)

    assert "This was possible until 2 March 2027, 9:00 am CST" in page.text and "Choose another time" not in page.text
    assert late.status == pressed.status == 409 and "This could be changed until 2 March 2027" in pressed.text


def paid(anna: Visitor, session: Session, offering: Offering, clock: StandingClock) -> Appointment:
    """An appointment more than two weeks ahead that Anna paid with a card."""
    clock.at = datetime.now(UTC)  # which is the sandbox's
    page = choose_first(anna, offering, week=(clock.at + timedelta(days=21)).date().isoformat())
    away = anna.press(page, "/checkout", act="order", follow=False, **ANNA)
    anna.open(payer.pay(away.answer.headers["Location"], "4242 4242 4242 4242").removeprefix("http://localhost"))
    session.expire_all()
    return session.scalars(select(Appointment)).one()


def test_cancelling_shows_the_refund_of_the_rule_first_and_then_does_that(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, policy: RefundPolicy, clock: StandingClock
) -> None:
    mine = paid(anna, session, an_offering(session, policy=policy), clock)
    action = f"/appointments/{mine.secret}/cancel"

    plan = anna.open(action)
    before = mine.state
    done = anna.press(plan, action)
    again = anna.press(plan, action)

    assert "$260.00 goes back" in plan.text and "$280.00 less $20.00" in plan.text and before == "confirmed"
    assert "This appointment is cancelled" in done.text and meetings(session) == ["cancelled"] and claims(session) == []
    assert again.status == 409 and "cannot be cancelled" in again.text


def test_a_plan_to_cancel_that_does_not_hold_any_more_is_shown_anew(
    anna: Visitor, session: Session, stripe_sandbox: Sandbox, policy: RefundPolicy, clock: StandingClock
) -> None:
    mine = paid(anna, session, an_offering(session, policy=policy), clock)
    action = f"/appointments/{mine.secret}/cancel"
    plan = anna.open(action)
    clock.at = mine.starts_at - timedelta(hours=30)

    late = anna.press(plan, action)

    assert late.status == 409 and "Nothing is refunded: that was possible until" in late.text
    assert meetings(session) == ["confirmed"]


# What staff have to agree to.


def test_a_request_holds_the_slot_until_staff_have_answered(anna: Visitor, session: Session, clock: StandingClock) -> None:
    offering = an_offering(session, needs_approval=True)

    page = choose(anna, offering)
    action = f"/consulting/request/{session.scalars(select(Appointment)).one().secret}"
    nobody = anna.press(page, action, name="", mail="anna")
    asked = anna.press(page, action, **ANNA)
    twice = anna.press(page, action, **ANNA)
    clock.move(hours=2)
    booking.sweep_lapsed(session, now=clock())

    assert page.heading == "Ask for this time" and "Step 3 of 3" in page.text and "It costs $280.00" in page.text
    assert nobody.status == 422 and "2 things to correct" in nobody.text
    assert "Asked for. We hold this time" in asked.text and twice.status in (200, 303)
    assert meetings(session) == ["requested"] and claims(session) == [("appointment", False)]
    assert "Nothing" in anna.open("/cart").text or "You hold no seats" in anna.open("/cart").text


def test_what_was_agreed_to_is_paid_from_its_own_page(anna: Visitor, session: Session, clock: StandingClock) -> None:
    mine = a_requested_one(session, an_offering(session, needs_approval=True))
    waiting = anna.open(f"/appointments/{mine.secret}")
    appointments.approve(session, mine, now=NOON)

    page = anna.open(f"/appointments/{mine.secret}")
    checkout = anna.press(page, f"/appointments/{mine.secret}/pay")
    longer = anna.press(checkout, "/checkout", act="longer")
    session.expire_all()

    assert "Go on to pay" not in waiting.text and "Go on to pay $280.00" in page.text and "Agreed. Held for you until" in page.text
    assert checkout.heading == "Book the appointment" and longer.status in (200, 409)
    assert mine.held_until and mine.held_until > NOON + timedelta(hours=20)


def test_what_was_agreed_to_and_not_paid_in_time_is_told_so(anna: Visitor, session: Session, clock: StandingClock) -> None:
    mine = a_requested_one(session, an_offering(session, needs_approval=True))
    appointments.approve(session, mine, now=NOON)
    page = anna.open(f"/appointments/{mine.secret}")
    clock.move(days=3)

    refused = anna.press(page, f"/appointments/{mine.secret}/pay")

    assert refused.status == 409 and "We could hold your time no longer" in refused.text and "Go on to pay" not in refused.text


# The consultant's private calendar.


def test_a_consultants_feed_has_what_they_teach_and_whom_they_meet_and_no_more(anna: Visitor, session: Session) -> None:
    offering = an_offering(session)
    rosa = offering.consultants[0]
    mine = a_confirmed_one(session, offering)
    a_held_one(session, offering, NINE + DAY)

    answer = anna.client.get(f"/calendars/consultants/{rosa.feed_secret}.ics")
    entries = Calendar.from_ical(answer.data).walk("VEVENT")

    assert [(one["DTSTART"].dt, "Anna Vestergren" in str(one["SUMMARY"])) for one in entries] == [(mine.starts_at, True)]
    assert "private" in answer.headers["Cache-Control"]
    assert [anna.client.get(f"/calendars/consultants/{one}.ics").status_code for one in ("x" * 26, rosa.slug, str(rosa.id))] == [404] * 3


def test_the_secret_of_an_appointment_opens_no_order_and_no_seat(anna: Visitor, session: Session) -> None:
    mine = a_confirmed_one(session, an_offering(session))

    assert anna.open(f"/orders/{mine.secret}").status == anna.open(f"/registrations/{mine.secret}").status == 404
