"""Events take the time of who teaches and of the room they are held in, while they are on sale."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog import claims, events, rooms, seminars, speakers, tickets, venues
from seminars.catalog.claims import Clashing
from seminars.catalog.events import Block, EventFacts
from seminars.catalog.imported import make_events
from seminars.catalog.models import Event, EventSession, Room, Speaker, Venue
from seminars.catalog.reading.plan import EventPlan, SessionRow
from seminars.catalog.rooms import RoomFacts
from seminars.catalog.speakers import SpeakerFacts
from seminars.catalog.tickets import Ticket
from seminars.kit.money import Money
from seminars.kit.refusals import BadInputs, Conflict
from seminars.schedule.claims import CLAIMS, Span, take
from seminars.schedule.models import Resource
from tests import cluster as clusters
from tests.factories.seats import Rush

NOON = datetime(2027, 1, 11, 18, 0, tzinfo=UTC)
MONDAY = datetime(2027, 3, 8, 9, 0)
HOUR = timedelta(hours=1)
CHICAGO = "America/Chicago"


def a_house(session: Session) -> Venue:
    return venues.create(session, venues.VenueFacts("Siebens Building", CHICAGO, city="Rochester"))


def a_room(session: Session, venue: Venue, name: str = "Room 2") -> Room:
    return rooms.create(session, venue, RoomFacts(name))


def somebody(session: Session, name: str = "Ingrid Malmstedt") -> Speaker:
    return speakers.create(session, SpeakerFacts(name))


def a_draft(
    session: Session, *people: Speaker, venue: Venue | None = None, at: Sequence[datetime] = (MONDAY,), title: str = "Residency",
    room: Room | None = None,
) -> Event:  # fmt: skip
    """A draft that could be published, with sessions of an hour each."""
    seminar = seminars.create(session, seminars.SeminarFacts(title), now=NOON)
    facts = EventFacts(title, CHICAGO, venue=venue or a_house(session), speakers=people)
    event = events.create(session, seminar, facts, capacity=10, now=NOON)
    for starts in at:
        events.add_session(session, event, Block(starts, starts + HOUR, held_in=room), now=NOON)
    tickets.add_ticket_type(session, event, Ticket("Seat", Money(0, "USD")), now=NOON)
    return event


def published(session: Session, *people: Speaker, **more: object) -> Event:
    return events.publish(session, a_draft(session, *people, **more), now=NOON)  # type: ignore[arg-type]


def taken(session: Session) -> list[tuple[str, datetime]]:
    """Who is taken from when, on the clock of Chicago in winter."""
    found = select(Resource.name, CLAIMS.c.starts_at).join_from(CLAIMS, Resource).order_by(CLAIMS.c.starts_at, Resource.name)
    return [(name, starts.replace(tzinfo=None) - timedelta(hours=6)) for name, starts in session.execute(found)]


def facts_of(event: Event, **changed: object) -> EventFacts:
    facts = EventFacts(event.title, event.zone, event.format, event.venue, speakers=list(event.speakers))
    return replace(facts, **changed)  # type: ignore[arg-type]


def test_a_draft_takes_nobodys_time_and_publishing_does(session: Session) -> None:
    event = a_draft(session, somebody(session), at=[MONDAY, MONDAY + 3 * HOUR])
    before = taken(session)

    events.publish(session, event, now=NOON)

    assert before == []
    assert taken(session) == [("Ingrid Malmstedt", MONDAY), ("Ingrid Malmstedt", MONDAY + 3 * HOUR)]


@pytest.mark.parametrize("put_away", [events.unpublish, events.archive])
def test_what_is_put_away_gives_the_time_back(session: Session, put_away) -> None:  # type: ignore[no-untyped-def]
    event = published(session, somebody(session))

    put_away(session, event, now=NOON)

    assert taken(session) == []


def test_publishing_is_refused_with_who_is_where_and_when(session: Session) -> None:
    ingrid = somebody(session)
    published(session, ingrid, title="Residency")
    other = a_draft(session, ingrid, title="Words that calm")

    with pytest.raises(Clashing) as refusal, session.begin_nested():
        events.publish(session, other, now=NOON)

    assert refusal.value.sentences == [
        "Ingrid Malmstedt is taken by Residency: Monday 8\xa0March 2027, 9:00 to 10:00\xa0am\xa0CST."
    ]  # fmt: skip
    assert (other.state, other.published_at, len(taken(session))) == ("draft", None, 1)


def test_staff_publish_all_the_same_and_the_reason_stands_with_the_event(session: Session) -> None:
    ingrid = somebody(session)
    first = published(session, ingrid)
    other = a_draft(session, ingrid, title="Words that calm")

    events.publish(session, other, override_reason="They share the hour", now=NOON)

    assert [(one.resource, one.reason) for one in claims.laid_over(session, other)] == [("Ingrid Malmstedt", "They share the hour")]
    assert (claims.laid_over(session, first), other.state, len(taken(session))) == ([], "published", 2)
    events.change(session, other, facts_of(other, title="Words that heal"), now=NOON)
    assert [one.reason for one in claims.laid_over(session, other)] == ["They share the hour"]


def test_a_draft_says_which_of_its_people_are_taken(session: Session) -> None:
    ingrid = somebody(session)
    published(session, ingrid)
    draft = a_draft(session, ingrid, somebody(session, "Samir Belhadj"), title="Words that calm")

    assert [clash.sentence(CHICAGO).split(":")[0] for clash in claims.in_the_way(session, draft, now=NOON)] == [
        "Ingrid Malmstedt is taken by Residency"
    ]


def test_sessions_that_are_added_moved_and_taken_out_take_their_time_along(session: Session) -> None:
    event = published(session, somebody(session))

    added = events.add_session(session, event, Block(MONDAY + 2 * HOUR, MONDAY + 3 * HOUR), now=NOON)
    events.change_session(session, event.sessions[0], Block(MONDAY + 5 * HOUR, MONDAY + 6 * HOUR), now=NOON)
    moved = taken(session)
    events.remove_session(session, added, now=NOON)

    assert [at for _, at in moved] == [MONDAY + 2 * HOUR, MONDAY + 5 * HOUR]
    assert taken(session) == [("Ingrid Malmstedt", MONDAY + 5 * HOUR)]


def test_a_session_does_not_move_onto_what_its_teacher_does_elsewhere(session: Session) -> None:
    ingrid = somebody(session)
    published(session, ingrid)
    event = published(session, ingrid, at=[MONDAY + 4 * HOUR], title="Words that calm")
    half_past = MONDAY + timedelta(minutes=30)

    with pytest.raises(Clashing), session.begin_nested():
        events.change_session(session, event.sessions[0], Block(half_past, half_past + HOUR), now=NOON)
    with pytest.raises(Clashing), session.begin_nested():
        events.add_session(session, event, Block(half_past, half_past + HOUR), now=NOON)
    events.change_session(session, event.sessions[0], Block(MONDAY + HOUR, MONDAY + 2 * HOUR), now=NOON)

    assert [at for _, at in taken(session)] == [MONDAY, MONDAY + HOUR]


def test_whoever_is_named_is_taken_and_whoever_is_not_any_more_is_free(session: Session) -> None:
    ingrid, samir = somebody(session), somebody(session, "Samir Belhadj")
    event = published(session, ingrid)
    elsewhere = published(session, samir, title="Words that calm")

    with pytest.raises(Clashing, match="Samir Belhadj"), session.begin_nested():
        events.change(session, event, facts_of(event, speakers=[ingrid, samir]), now=NOON)
    events.change_session(session, elsewhere.sessions[0], Block(MONDAY + HOUR, MONDAY + 2 * HOUR), now=NOON)
    events.change(session, event, facts_of(event, speakers=[samir]), now=NOON)

    assert taken(session) == [("Samir Belhadj", MONDAY), ("Samir Belhadj", MONDAY + HOUR)]


def test_in_another_zone_other_hours_are_taken(session: Session) -> None:
    event = published(session, somebody(session))

    events.change(session, event, facts_of(event, zone="America/New_York"), now=NOON)

    assert taken(session) == [("Ingrid Malmstedt", MONDAY - HOUR)]


def test_sessions_side_by_side_share_the_people_of_their_event(session: Session) -> None:
    event = published(session, somebody(session), at=[MONDAY, MONDAY + timedelta(minutes=30), MONDAY + timedelta(minutes=15)])

    spans = session.execute(select(CLAIMS.c.starts_at, CLAIMS.c.ends_at).order_by(CLAIMS.c.starts_at)).all()

    assert [(starts - event.sessions[0].starts_at, ends - starts) for starts, ends in spans] == [
        (timedelta(0), HOUR), (HOUR, timedelta(minutes=15)), (timedelta(minutes=75), timedelta(minutes=15)),
    ]  # fmt: skip


def test_a_room_is_taken_by_one_session_at_a_time_even_of_one_event(session: Session) -> None:
    house = a_house(session)
    hall = a_room(session, house)
    event = published(session, venue=house, room=hall)
    other = a_draft(session, venue=house, room=hall, title="Words that calm")

    with pytest.raises(Clashing, match="Room 2, Siebens Building is taken by Residency"), session.begin_nested():
        events.publish(session, other, now=NOON)
    with pytest.raises(Clashing), session.begin_nested():
        events.add_session(session, event, Block(MONDAY, MONDAY + HOUR, held_in=hall), now=NOON)
    events.add_session(session, event, Block(MONDAY, MONDAY + HOUR, held_in=a_room(session, house, "Room 3")), now=NOON)

    assert [(name, part.room) for (name, _), part in zip(taken(session), event.sessions, strict=True)] == [
        ("Room 2, Siebens Building", "Room 2"), ("Room 3, Siebens Building", "Room 3"),
    ]  # fmt: skip


def test_a_room_belongs_to_its_house(session: Session) -> None:
    house = a_house(session)
    hall = a_room(session, house)
    elsewhere = published(session, title="Words that calm")

    with pytest.raises(BadInputs, match="One thing") as refusal:
        events.add_session(session, elsewhere, Block(MONDAY, MONDAY + HOUR, held_in=hall), now=NOON)
    with pytest.raises(BadInputs) as twice:
        a_room(session, house, "room 2")

    assert (list(refusal.value.errors), list(twice.value.errors)) == (["held_in"], ["name"])


def test_an_event_that_moves_to_another_house_leaves_the_room_behind(session: Session) -> None:
    house = a_house(session)
    event = published(session, venue=house, room=a_room(session, house))

    events.change(session, event, facts_of(event, venue=a_house(session)), now=NOON)

    assert (taken(session), event.sessions[0].room, event.sessions[0].held_in) == ([], "", None)


def test_names_that_change_are_told_by_clashes_to_come(session: Session) -> None:
    ingrid, house = somebody(session), a_house(session)
    hall = a_room(session, house)
    event = published(session, ingrid, venue=house, room=hall)

    speakers.change(session, ingrid, SpeakerFacts("Ingrid Solberg"), now=NOON)
    rooms.change(session, hall, RoomFacts("Aula"))
    venues.change(session, house, venues.VenueFacts("Gonda Building", CHICAGO), now=NOON)

    assert [name for name, _ in taken(session)] == ["Aula, Gonda Building", "Ingrid Solberg"]
    assert event.sessions[0].room == "Aula"


def test_who_advises_as_well_is_one_person(session: Session) -> None:
    resource = Resource(kind="person", name="Rosa Castellane")
    session.add(resource)
    rosa = speakers.create(session, SpeakerFacts("Rosa Castellane"), resource=resource)
    event = a_draft(session, rosa)
    starts = event.sessions[0].starts_at
    take(session, "appointment/1", [Span(resource.id, starts, starts + HOUR, "appointment", "Strategy session")], now=NOON)

    with pytest.raises(Clashing, match="Rosa Castellane has an appointment, Strategy session"):
        events.publish(session, event, now=NOON)


def test_what_is_imported_is_a_draft_whose_new_people_can_be_taken(session: Session) -> None:
    row = SessionRow(1, MONDAY, MONDAY + HOUR)
    plans = [EventPlan(n, f"{n}@old", "Old words", CHICAGO, (row,), speaker="Samir Belhadj") for n in range(2)]

    made = make_events(session, plans, zone=CHICAGO, seats=5, now=NOON)
    for event in made:
        event.format = "online"
        tickets.add_ticket_type(session, event, Ticket("Seat", Money(0, "USD")), now=NOON)
    before = taken(session)
    events.publish(session, made[0], now=NOON)

    assert (before, taken(session)) == ([], [("Samir Belhadj", MONDAY)])
    with pytest.raises(Clashing):
        events.publish(session, made[1], now=NOON)


def test_a_copy_takes_nothing_until_it_is_published(session: Session) -> None:
    house = a_house(session)
    event = published(session, somebody(session), venue=house, room=a_room(session, house))

    copy = events.clone(session, event, first_day=datetime(2027, 4, 5).date(), now=NOON)

    assert (len(taken(session)), copy.sessions[0].held_in) == (2, event.sessions[0].held_in)


def test_of_two_who_publish_at_once_one_is_told(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        ingrid = somebody(session)
        drafts = [a_draft(session, ingrid, title=f"Words {number}").id for number in range(6)]

    answers = rush.at_once(6, lambda session, number: events.publish(session, session.get_one(Event, drafts[number]), now=NOON).id)

    assert sorted(type(answer).__name__ for answer in answers) == ["Clashing"] * 5 + ["int"]


def test_a_session_that_one_adds_while_another_publishes_takes_its_time(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        draft = a_draft(session, somebody(session)).id

    def act(session: Session, number: int) -> object:
        event = session.get_one(Event, draft)
        assert len(event.sessions) >= 1
        if not number:
            return events.publish(session, event, now=NOON).id
        starts = MONDAY + 2 * number * HOUR
        return events.add_session(session, event, Block(starts, starts + HOUR), now=NOON).id

    rush.at_once(5, act)

    with rush.work() as session:
        assert len(taken(session)) == 5


def test_a_session_that_somebody_took_out_cannot_be_changed(fresh_database: clusters.Database) -> None:
    rush = Rush(fresh_database.url)
    with rush.work() as session:
        part_id = a_draft(session).sessions[0].id
    with rush.work() as session, rush.work() as other:
        part = session.get_one(EventSession, part_id)
        assert part.event.sessions
        events.remove_session(other, other.get_one(EventSession, part_id), now=NOON)
        other.commit()

        with pytest.raises(Conflict, match="a moment ago"):
            events.change_session(session, part, Block(MONDAY, MONDAY + HOUR), now=NOON)
