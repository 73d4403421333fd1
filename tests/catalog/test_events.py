from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog import events, seminars, speakers, terms, tickets, venues
from seminars.catalog.events import Block, EventFacts, NoSuchTime, NotReady
from seminars.catalog.models import Event, Listing
from seminars.catalog.tickets import BelowTaken, Ticket
from seminars.kit.money import Money
from seminars.kit.refusals import BadInputs, Conflict

NOON = datetime(2027, 1, 11, 18, 0, tzinfo=UTC)
MONDAY = datetime(2027, 3, 8, 9, 0)


def a_draft(session: Session, *, zone: str = "America/Chicago", capacity: int = 24) -> Event:
    seminar = seminars.create(session, seminars.SeminarFacts("Social Media Residency", topic="strategy"), now=NOON)
    venue = venues.create(session, venues.VenueFacts("Siebens Building", "America/Chicago", city="Rochester", region="MN"))
    people = [speakers.create(session, speakers.SpeakerFacts(name)) for name in ("Ingrid Malmstedt", "Adaeze Castellane")]
    policy = terms.create(session, name="Standard", days_before=14, fee=Money(7_500, "USD"))
    facts = EventFacts(
        "Residency, Rochester", zone, venue=venue, policy=policy, speakers=people, join_url="https://meet.example/1"
    )
    return events.create(session, seminar, facts, capacity=capacity, now=NOON)


def dated(session: Session, event: Event, *, first: datetime = MONDAY, days: int = 2) -> Event:
    for number in range(days):
        starts = first + timedelta(days=number)
        events.add_session(session, event, Block(starts, starts + timedelta(hours=8), title=f"Day {number + 1}"), now=NOON)
    return event


def priced(session: Session, event: Event) -> Event:
    tickets.add_ticket_type(
        session,
        event,
        Ticket("Two days", Money(119_000, "USD"), Money(99_000, "USD"), datetime(2027, 2, 1, 6, tzinfo=UTC)),
        now=NOON,
    )
    tickets.add_ticket_type(session, event, Ticket("First day", Money(64_000, "USD"), sessions=event.sessions[:1]), now=NOON)
    return event


def listed(session: Session) -> list[str]:
    return list(session.scalars(select(Listing.title)))


def test_an_event_is_planned_dated_priced_and_put_on_the_list(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))

    events.publish(session, event, now=NOON)

    assert event.reference == "residency-rochester"
    assert (event.starts_at, event.ends_at) == (datetime(2027, 3, 8, 15, tzinfo=UTC), datetime(2027, 3, 9, 23, tzinfo=UTC))
    assert [speaker.name for speaker in event.speakers] == ["Ingrid Malmstedt", "Adaeze Castellane"]
    assert listed(session) == ["Residency, Rochester"]


def test_publishing_lists_everything_that_is_missing(session: Session) -> None:
    event = a_draft(session)
    event.venue = None

    with pytest.raises(NotReady) as refusal:
        events.publish(session, event, now=NOON)

    assert refusal.value.missing == ["it needs a session", "it needs a ticket type on sale", "it needs a venue"]
    assert (event.state, listed(session)) == ("draft", [])


def test_what_has_begun_cannot_be_published(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))

    with pytest.raises(NotReady) as refusal:
        events.publish(session, event, now=datetime(2027, 3, 8, 15, tzinfo=UTC))

    assert refusal.value.missing == ["its first session has to lie ahead"]


def test_two_events_of_one_title_have_addresses_of_their_own(session: Session) -> None:
    first, second = a_draft(session), a_draft(session)

    assert (first.reference, second.reference) == ("residency-rochester", "residency-rochester-2")
    assert (first.seminar.slug, second.seminar.slug) == ("social-media-residency", "social-media-residency-2")


def test_a_copy_keeps_the_clock_across_summer_time_and_leaves_people_and_money_behind(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))
    event.quotas[0].taken = 7
    events.publish(session, event, now=NOON)

    copy = events.clone(session, event, first_day=date(2027, 3, 22), now=NOON)

    assert copy.state == "draft"
    assert [part.starts_local for part in copy.sessions] == [datetime(2027, 3, 22, 9), datetime(2027, 3, 23, 9)]
    assert [part.starts_at for part in copy.sessions] == [
        datetime(2027, 3, 22, 14, tzinfo=UTC),
        datetime(2027, 3, 23, 14, tzinfo=UTC),
    ]
    assert [(quota.size, quota.taken) for quota in copy.quotas] == [(24, 0)]
    assert [(t.name, t.price, t.early_price) for t in copy.ticket_types] == [
        ("Two days", 119_000, 99_000),
        ("First day", 64_000, None),
    ]
    assert copy.ticket_types[0].early_until == datetime(2027, 2, 15, 6, tzinfo=UTC)
    assert [t.quotas for t in copy.ticket_types] == [[copy.quotas[0]], [copy.quotas[0]]]
    assert copy.ticket_types[1].sessions == [copy.sessions[0]]
    assert [speaker.name for speaker in copy.speakers] == ["Ingrid Malmstedt", "Adaeze Castellane"]
    assert (copy.venue, copy.policy, copy.join_url) == (event.venue, event.policy, "")
    assert (copy.reference, copy.preview_secret != event.preview_secret) == ("residency-rochester-2", True)
    assert [part.starts_local for part in event.sessions] == [MONDAY, MONDAY + timedelta(days=1)]
    assert listed(session) == ["Residency, Rochester"]


def test_a_copy_into_a_gap_is_refused(session: Session) -> None:
    event = dated(session, a_draft(session), first=datetime(2027, 3, 8, 2, 30), days=1)

    with pytest.raises(NoSuchTime):
        events.clone(session, event, first_day=date(2027, 3, 14), now=NOON)


def test_in_another_zone_sessions_keep_their_time_on_the_clock(session: Session) -> None:
    event = dated(session, a_draft(session), days=1)

    events.change(session, event, EventFacts("Residency, Scottsdale", "America/Phoenix", venue=event.venue), now=NOON)

    assert event.sessions[0].starts_local == MONDAY
    assert event.starts_at == event.sessions[0].starts_at == datetime(2027, 3, 8, 16, tzinfo=UTC)


def test_a_session_that_ends_before_it_starts_is_refused_and_nothing_changes(session: Session) -> None:
    event = dated(session, a_draft(session), days=1)

    with pytest.raises(BadInputs) as refusal:
        events.change_session(session, event.sessions[0], Block(MONDAY, MONDAY - timedelta(hours=1), title="x\ny"), now=NOON)

    assert sorted(refusal.value.errors) == ["ends", "title"]
    assert event.sessions[0].ends_local == MONDAY + timedelta(hours=8)


def test_sessions_stand_in_the_order_of_their_times(session: Session) -> None:
    event = dated(session, a_draft(session))

    events.change_session(
        session, event.sessions[0], Block(MONDAY + timedelta(days=3), MONDAY + timedelta(days=3, hours=1), title="Last"), now=NOON
    )

    assert [part.title for part in event.sessions] == ["Day 2", "Last"]
    assert event.starts_at == event.sessions[0].starts_at


def test_an_all_day_session_stays_a_day(session: Session) -> None:
    event = a_draft(session, zone="Asia/Beirut")

    part = events.add_session(session, event, Block(datetime(2027, 3, 28), datetime(2027, 3, 29), all_day=True), now=NOON)

    assert (part.starts_at, part.ends_at) == (datetime(2027, 3, 27, 22, tzinfo=UTC), datetime(2027, 3, 28, 21, tzinfo=UTC))


def test_where_people_have_seats_no_session_is_taken_out_and_nothing_goes_back_to_draft(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))
    events.publish(session, event, now=NOON)
    event.quotas[0].taken = 1
    session.flush()

    with pytest.raises(Conflict):
        events.remove_session(session, event.sessions[0], now=NOON)
    with pytest.raises(Conflict):
        events.unpublish(session, event, now=NOON)
    with pytest.raises(Conflict):
        events.archive(session, event, now=NOON)

    assert (event.state, len(event.sessions)) == ("published", 2)


def test_what_is_over_is_put_away_and_leaves_the_list(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))
    events.publish(session, event, now=NOON)
    event.quotas[0].taken = 1
    session.flush()

    events.archive(session, event, now=datetime(2027, 3, 10, tzinfo=UTC))

    assert (event.state, listed(session)) == ("archived", [])
    with pytest.raises(Conflict):
        events.add_session(session, event, Block(MONDAY, MONDAY + timedelta(hours=1)), now=NOON)


def test_capacity_does_not_go_below_what_is_taken_and_the_refusal_has_the_numbers(session: Session) -> None:
    event = a_draft(session, capacity=24)
    event.quotas[0].taken = 20
    session.flush()

    with pytest.raises(BelowTaken) as refusal:
        tickets.set_capacity(session, event.quotas[0], 19, now=NOON)
    tickets.set_capacity(session, event.quotas[0], 20, now=NOON)

    assert (refusal.value.size, refusal.value.taken) == (19, 20)
    assert "20\u00a0seats are taken, so there cannot be only 19" in str(refusal.value)
    assert event.quotas[0].size == 20


def test_counters_are_not_changed_under_seats_that_are_taken(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))
    workshop = tickets.add_quota(session, event, name="Workshop", size=8)
    event.quotas[0].taken = 1
    session.flush()
    ticket = Ticket("Two days", Money(119_000, "USD"), quotas=[*event.quotas[:1], workshop])

    with pytest.raises(Conflict):
        tickets.change_ticket_type(session, event.ticket_types[0], ticket, now=NOON)
    event.quotas[0].taken = 0
    session.flush()
    tickets.change_ticket_type(session, event.ticket_types[0], ticket, now=NOON)

    assert event.ticket_types[0].quotas == [event.quotas[0], workshop]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price": Money(-1, "USD")}, "price"),
        ({"price": Money(1, "EUR")}, "price"),
        ({"early_price": Money(120_000, "USD"), "early_until": NOON}, "early_price"),
        ({"early_price": Money(1, "USD")}, "early_price"),
        ({"most_per_order": 0}, "most_per_order"),
        ({"most_per_order": 21}, "most_per_order"),
        ({"name": " "}, "name"),
    ],
)
def test_a_ticket_type_that_cannot_be_is_refused_beside_its_field(session: Session, change: dict, field: str) -> None:  # type: ignore[type-arg]
    event = priced(session, a_draft(session))

    with pytest.raises(BadInputs) as refusal:
        tickets.change_ticket_type(
            session, event.ticket_types[0], replace(Ticket("Two days", Money(119_000, "USD")), **change), now=NOON
        )

    assert list(refusal.value.errors) == [field]
    assert event.ticket_types[0].price == 119_000


def test_a_seminar_renamed_keeps_its_address_and_the_list_follows_its_topic(session: Session) -> None:
    event = priced(session, dated(session, a_draft(session)))
    events.publish(session, event, now=NOON)

    seminars.change(session, event.seminar, seminars.SeminarFacts("Residency", topic="crisis"), now=NOON)

    assert event.seminar.slug == "social-media-residency"
    assert session.scalars(select(Listing.topic)).all() == ["crisis"]
