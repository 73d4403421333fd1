"""What is on offer and who delivers it: described, published, listed, changed."""

from datetime import date, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog.models import Listing
from seminars.catalog.queries import Narrowed, kinds, programme
from seminars.consulting import consultants, intake, offerings, queries
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.intake import Question
from seminars.consulting.offerings import NotReady, OfferingFacts
from seminars.kit.refusals import BadInput, BadInputs, Conflict, NotFound
from seminars.schedule.claims import Taken
from tests.clock import NOON
from tests.factories.advice import CHICAGO, a_consultant, an_offering
from tests.factories.programme import an_event

DAY = timedelta(days=1)


def listed(session: Session, **narrowed: str) -> list[str]:
    return [row.title for row in queries.offerings_listed(session, **narrowed)]


def test_a_published_offering_stands_on_the_list_and_is_found_by_its_words_and_people(session: Session) -> None:
    rosa = a_consultant(session, credentials="JD")
    an_offering(session, rosa, title="Policy review", summary="Marked pages.", topic="policy", lengths={60: 28_000, 30: 0})
    an_offering(session, a_consultant(session, "Else Brandt"), title="Crisis call", mode="in_person", place="Alder Hall")
    an_offering(session, a_consultant(session, "Ida Holm"), title="Draft only", published=False)
    an_offering(session, a_consultant(session, "Jon Aas"), title="By link only", listed=False)

    row = queries.offerings_listed(session, topic="policy")[0]

    assert listed(session) == ["Crisis call", "Policy review"]
    assert (row.path, row.price_from, row.several_prices, row.format, row.place) == (
        "/consulting/policy-review",
        0,
        True,
        "online",
        "Online",
    )
    assert listed(session, q="rosa") == listed(session, q="marked") == listed(session, q="polic") == ["Policy review"]
    assert listed(session, format="in_person") == ["Crisis call"] and listed(session, q='"no such words"') == []


def test_lists_of_dates_never_find_what_has_no_date(session: Session) -> None:
    an_offering(session)
    an_event(session, starts=NOON - timedelta(hours=1))

    found = [programme(session.connection(), Narrowed(), now=NOON, since=since, after=None, most=10) for since in (None, NOON)]

    assert [len(rows) for rows in found] == [1, 0]
    # The numbers beside the filters count it: it stands on the same page, after the last date.
    assert sum(kind.rows for kind in kinds(session, now=NOON)) == 2
    assert session.scalars(select(Listing.kind).order_by(Listing.kind)).all() == ["event", "offering"]


def test_the_list_follows_every_change(session: Session) -> None:
    rosa = a_consultant(session)
    offering = an_offering(session, rosa)

    offerings.set_lengths(session, offering, {60: 30_000}, now=NOON)
    offerings.change(session, offering, OfferingFacts(title="Policy check"), now=NOON)
    consultants.change(
        session, rosa, ConsultantFacts("Rosa Holm", "rosa@northfield.example", CHICAGO, video_link="https://meet.example/x"), now=NOON
    )
    row = queries.offerings_listed(session)[0]

    assert (row.title, row.price_from, row.people) == ("Policy check", 30_000, "Rosa Holm")
    offerings.archive(session, offering, now=NOON)
    assert queries.offerings_listed(session) == []
    with pytest.raises(Conflict):
        offerings.archive(session, offering, now=NOON)
    offerings.publish(session, offering, now=NOON)
    assert len(queries.offerings_listed(session)) == 1


def test_what_is_missing_is_said_all_at_once(session: Session) -> None:
    offering = offerings.create(session, OfferingFacts("Workshop", mode="in_person", together=2), now=NOON)

    with pytest.raises(NotReady) as missing:
        offerings.publish(session, offering, now=NOON)

    assert missing.value.missing == ["say how long a meeting is and what it costs", "name 2 consultants for it", "say where it takes place"]


def test_a_video_meeting_needs_a_link(session: Session) -> None:
    with pytest.raises(NotReady, match="give Rosa Castellane a video link"):
        an_offering(session, a_consultant(session, video_link=""))


def test_what_is_on_sale_stays_sellable(session: Session) -> None:
    offering = an_offering(session)

    with pytest.raises(NotReady):
        offerings.set_consultants(session, offering, [], now=NOON)


def test_a_withdrawn_length_comes_back_with_its_number(session: Session) -> None:
    offering = an_offering(session, lengths={30: 15_000, 60: 28_000})
    half = offering.lengths[0].id

    offerings.set_lengths(session, offering, {60: 28_000}, now=NOON)
    gone = [(one.minutes, one.offered) for one in offering.lengths]
    offerings.set_lengths(session, offering, {30: 16_000, 60: 28_000}, now=NOON)

    assert gone == [(30, False), (60, True)]
    assert (offering.lengths[0].id, offering.lengths[0].price) == (half, 16_000)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"title": " "}, "title"), ({"mode": "by_pigeon"}, "mode"), ({"step": 0}, "step"), ({"together": 6}, "together"),
        ({"horizon_days": 0}, "horizon_days"), ({"daily_cap": 0}, "daily_cap"), ({"currency": "usd"}, "currency"),
        ({"buffer_before": 481}, "buffer_before"), ({"notice_hours": -1}, "notice_hours"),
    ],
)  # fmt: skip
def test_facts_that_cannot_be_are_refused_at_their_field(session: Session, facts: dict[str, object], field: str) -> None:
    with pytest.raises(BadInputs) as refused:
        offerings.create(session, OfferingFacts(**{"title": "Policy review"} | facts), now=NOON)  # type: ignore[arg-type]

    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(("lengths", "field"), [({}, "lengths"), ({4: 100}, "lengths.4"), ({60: -1}, "lengths.60")])
def test_lengths_that_cannot_be_are_refused(session: Session, lengths: dict[int, int], field: str) -> None:
    offering = an_offering(session)

    with pytest.raises(BadInputs) as refused:
        offerings.set_lengths(session, offering, lengths, now=NOON)

    assert list(refused.value.errors) == [field] and [one.minutes for one in offering.lengths if one.offered] == [60]


def test_the_currency_stays_once_it_was_on_sale(session: Session) -> None:
    with pytest.raises(Conflict):
        offerings.change(session, an_offering(session), OfferingFacts("Policy review", currency="EUR"), now=NOON)


def test_two_of_one_name_have_two_addresses(session: Session) -> None:
    first, second = a_consultant(session), a_consultant(session)

    assert (first.slug, second.slug) == ("rosa-castellane", "rosa-castellane-2")
    assert queries.consultant_by_slug(session, "rosa-castellane") is first
    assert first.resource_id != second.resource_id and first.feed_secret != second.feed_secret


@pytest.mark.parametrize(
    ("facts", "field"),
    [({"zone": "Mars/Base"}, "zone"), ({"email": "rosa"}, "email"), ({"video_link": "https://meet.example/{name}"}, "video_link")],
)
def test_a_consultant_that_cannot_be_is_refused(session: Session, facts: dict[str, str], field: str) -> None:
    with pytest.raises(BadInputs) as refused:
        a_consultant(session, hours=(), **facts)

    assert list(refused.value.errors) == [field]


@pytest.mark.parametrize(
    "second", [Stretch(0, time(11), time(13)), Stretch(0, time(8), time(0)), Stretch(0, time(12), time(12)), Stretch(7, time(9), time(10)),
               Stretch(1, time(9), time(10), "Mars/Base")],
)  # fmt: skip
def test_hours_that_cannot_be_are_refused(session: Session, second: Stretch) -> None:
    rosa = a_consultant(session)

    with pytest.raises(BadInputs) as refused:
        consultants.set_hours(session, rosa, [Stretch(0, time(9), time(12)), second])

    assert list(refused.value.errors) == ["hours.2"] and len(rosa.hours) == 5


def test_an_exception_holds_until_it_is_removed(session: Session) -> None:
    rosa = a_consultant(session)
    day = date(2027, 3, 3)

    off = consultants.add_exception(session, rosa, day, note="Conference")
    with pytest.raises(Conflict):
        consultants.add_exception(session, rosa, day, starts=time(9), ends=time(10))
    with pytest.raises(BadInput):
        consultants.add_exception(session, rosa, day + DAY, starts=time(9))
    away = queries.diary_of(rosa).exceptions
    consultants.remove_exception(session, rosa, off.id)

    assert [(one.day, one.starts, one.zone) for one in away] == [(day, None, CHICAGO)]
    assert queries.diary_of(rosa).exceptions == ()
    with pytest.raises(NotFound):
        consultants.remove_exception(session, rosa, off.id)


def test_leave_takes_time_until_it_ends_and_does_not_lie_over_a_meeting(session: Session) -> None:
    rosa = a_consultant(session)
    holder = consultants.take_leave(session, rosa, starts_at=NOON, ends_at=NOON + DAY, label="Travel to Oslo", now=NOON)

    with pytest.raises(Taken):
        consultants.take_leave(session, rosa, starts_at=NOON, ends_at=NOON + DAY, now=NOON)
    with pytest.raises(BadInput):
        consultants.take_leave(session, rosa, starts_at=NOON, ends_at=NOON, now=NOON)
    away = queries.leaves(session, rosa, since=NOON, until=NOON + 2 * DAY, now=NOON)
    consultants.end_leave(session, rosa, holder)

    assert [(one.label, one.holder) for one in away] == [("Travel to Oslo", holder)]
    assert queries.leaves(session, rosa, since=NOON, until=NOON + 2 * DAY, now=NOON) == []
    with pytest.raises(NotFound):
        consultants.end_leave(session, rosa, holder)


def test_a_new_feed_address_closes_the_old_one(session: Session) -> None:
    rosa = a_consultant(session)
    old = rosa.feed_secret

    consultants.renew_feed_secret(session, rosa)

    assert queries.consultant_by_feed(session, old) is None and queries.consultant_by_feed(session, rosa.feed_secret) is rosa


QUESTIONS = [
    Question("goal", "What would you like to decide?", kind="text", required=True),
    Question("draft", "Is there a draft?", kind="yes_no", required=True),
    Question("where", "Where is it?", when_key="draft", when_equals="yes", required=True),
    Question("size", "How many pages?", kind="choice", choices=("up to 10", "more"), when_key="where", when_equals="here"),
]


def test_questions_are_asked_where_they_apply() -> None:
    assert [one.key for one in intake.asked(QUESTIONS, {})] == ["goal", "draft"]
    assert [one.key for one in intake.asked(QUESTIONS, {"draft": "yes"})] == ["goal", "draft", "where"]
    assert [one.key for one in intake.asked(QUESTIONS, {"draft": "yes", "where": "here"})] == ["goal", "draft", "where", "size"]
    assert [one.key for one in intake.asked(QUESTIONS, {"draft": "no", "where": "here"})] == ["goal", "draft"]


def test_answers_are_kept_with_their_questions_and_those_that_do_not_apply_are_not() -> None:
    kept = intake.read(QUESTIONS, {"goal": " Our policy ", "draft": "no", "where": "here", "size": "more"})

    assert [(one["label"], one["answer"]) for one in kept] == [
        ("What would you like to decide?", "Our policy"),
        ("Is there a draft?", "No"),
    ]
    assert intake.unanswered(QUESTIONS, kept) == []
    assert [one.key for one in intake.unanswered(QUESTIONS, [{"key": "draft", "label": "", "answer": "Yes"}])] == ["goal", "where"]


def test_wrong_answers_are_refused_at_their_fields() -> None:
    with pytest.raises(BadInputs) as refused:
        intake.read(QUESTIONS, {"draft": "maybe", "where": ""})
    with pytest.raises(BadInputs) as second:
        intake.read(QUESTIONS, {"goal": "x", "draft": "yes", "where": "here", "size": "huge"})

    assert list(refused.value.errors) == ["answer_goal", "answer_draft"]
    assert list(second.value.errors) == ["answer_size"]


def test_questions_come_back_as_they_were_set(session: Session) -> None:
    offering = offerings.set_questions(session, an_offering(session), QUESTIONS)

    assert intake.questions_of(offering.questions) == QUESTIONS


@pytest.mark.parametrize(
    "wrong",
    [
        Question("goal", "Again?"), Question("a b", "Key?"), Question("x", " "), Question("x", "Kind?", kind="song"),
        Question("x", "Choose", kind="choice", choices=("one",)), Question("x", "Later", when_key="y", when_equals="1"),
        Question("x", "Never", when_key="draft", when_equals="maybe"), Question("x", "When", when_key="goal"),
    ],
)  # fmt: skip
def test_questions_that_cannot_be_asked_are_refused(wrong: Question) -> None:
    with pytest.raises(BadInputs) as refused:
        intake.stored([*QUESTIONS[:2], wrong])

    assert list(refused.value.errors) == ["questions.3"]
