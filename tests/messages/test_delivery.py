"""What is due is sent; nothing is lost, and what is sent twice is the same mail."""

import email
from collections.abc import Collection, Sequence
from dataclasses import replace
from email.policy import default
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from seminars import jobs
from seminars.db import transaction
from seminars.gateways.smtp import AnswerLost, NotReached, Postman, Refused
from seminars.messages import delivery, outbox
from seminars.messages.models import Message
from seminars.messages.render import Posted
from tests import cluster as clusters
from tests.clock import StandingClock
from tests.conftest import Mailbox
from tests.messages.conftest import ANNA, LETTER, ORDER, PostOffice


class FailingPostman:
    """Passes mails on to a real one, and raises what it is told to: before handing over, or after."""

    def __init__(self, real: Any) -> None:
        self.real = real
        self.before: list[Exception] = []
        self.after: list[Exception] = []
        self.tried: list[str] = []

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> str:
        self.tried.append(recipient)
        if self.before:
            raise self.before.pop(0)
        reply: str = self.real.send(envelope_from, recipient, raw)
        if self.after:
            raise self.after.pop(0)
        return reply

    def hang_up(self) -> None:
        self.real.hang_up()


@pytest.fixture
def failing(post_office: PostOffice) -> FailingPostman:
    post_office.postman = FailingPostman(post_office.postman)
    return post_office.postman


def test_a_letter_arrives(post_office: PostOffice, mailbox: Mailbox) -> None:
    posted = post_office.post()

    assert post_office.deliver() == 1

    (mail,) = mailbox.to(ANNA)
    kept = post_office.message(posted.key)
    assert (kept.state, kept.sent_at, kept.attempts, kept.raw) == ("sent", post_office.clock(), 1, mail.raw)
    assert kept.reply.startswith("250")


def test_what_is_not_due_waits(post_office: PostOffice, mailbox: Mailbox) -> None:
    post_office.post(not_before=post_office.clock.at.replace(hour=23))

    assert post_office.deliver() == 0
    post_office.later(hours=6)
    assert post_office.deliver() == 1
    assert len(mailbox.mails) == 1


def test_running_twice_sends_once(post_office: PostOffice, mailbox: Mailbox) -> None:
    post_office.post()

    assert [post_office.deliver(), post_office.deliver()] == [1, 0]
    assert len(mailbox.mails) == 1


def test_a_refused_mailbox_fails_for_good_and_the_others_go(post_office: PostOffice, mailbox: Mailbox) -> None:
    post_office.post(key="bad", to="nobody@refused.example")
    post_office.post(key="good")

    post_office.deliver()

    assert post_office.message("bad").reason == "5.1.1 There is no such mailbox here"
    assert [post_office.state("bad"), post_office.state("good")] == ["failed", "sent"]


def test_a_busy_server_is_asked_again_later_and_later(post_office: PostOffice) -> None:
    post_office.post(to="anna@busy.example")
    waits = []

    for _ in range(4):
        post_office.deliver()
        message = post_office.message("one")
        assert message.state == "pending"
        waits.append((message.not_before - post_office.clock()).total_seconds())
        post_office.clock.at = message.not_before

    assert waits == [30, 60, 120, 240]


def test_a_lost_answer_is_followed_by_the_same_mail(post_office: PostOffice, mailbox: Mailbox, failing: FailingPostman) -> None:
    post_office.post()
    failing.after = [AnswerLost("timed out")]

    post_office.deliver()
    assert (post_office.state("one"), post_office.message("one").sent_at) == ("unknown", post_office.clock())
    post_office.later(minutes=1)
    post_office.deliver()

    first, second = mailbox.mails
    assert first.raw == second.raw
    assert post_office.state("one") == "sent"


def test_a_mail_server_that_falls_silent_leaves_the_answer_unknown(post_office: PostOffice) -> None:
    post_office.post(to="anna@cut.example")

    post_office.deliver()

    assert post_office.state("one") == "unknown"


def test_a_mail_whose_answer_is_lost_time_and_again_waits_for_a_person(post_office: PostOffice, failing: FailingPostman) -> None:
    post_office.post()

    for _ in range(30):
        failing.after = [AnswerLost("timed out")]
        post_office.deliver()
        post_office.later(hours=2)

    assert (post_office.state("one"), len(failing.tried)) == ("unknown", delivery.MOST_LOST_ANSWERS)


def test_after_a_lost_answer_an_unreachable_server_does_not_make_it_unsent(post_office: PostOffice, failing: FailingPostman) -> None:
    post_office.post()
    failing.after = [AnswerLost("timed out")]
    post_office.deliver()
    post_office.later(minutes=1)
    failing.before = [NotReached("refused")]

    post_office.deliver()

    assert post_office.state("one") == "unknown"


def test_without_a_server_one_mail_tries_and_the_others_wait_uncounted(post_office: PostOffice, failing: FailingPostman) -> None:
    for number in range(5):
        post_office.post(key=f"m{number}")
    failing.before = [NotReached("no route")]

    assert post_office.deliver() < 5

    assert len(failing.tried) == 1
    assert [(post_office.state(f"m{n}"), post_office.message(f"m{n}").attempts) for n in range(5)] == [
        ("pending", 1),
        *[("pending", 0)] * 4,
    ]
    post_office.later(minutes=1)
    post_office.deliver()
    assert [post_office.state(f"m{n}") for n in range(5)] == ["sent"] * 5


def test_a_dead_sender_s_mail_is_sent_by_another_unchanged(post_office: PostOffice, mailbox: Mailbox) -> None:
    post_office.post()
    claimed = delivery.claim(post_office.transaction, post_office.press, post_office.rooms, clock=post_office.clock, most=50)
    (mail,) = claimed.mails
    post_office.postman.send("bounce@northfield.example", ANNA, mail.raw)  # … and here it is killed

    assert post_office.deliver() == 0
    post_office.later(minutes=3)
    assert post_office.deliver() == 1

    first, second = mailbox.mails
    assert first.raw == second.raw
    assert post_office.state("one") == "sent"


def test_bytes_are_kept_before_they_go(post_office: PostOffice, failing: FailingPostman) -> None:
    post_office.post()
    failing.before = [KeyboardInterrupt()]  # type: ignore[list-item]

    with pytest.raises(KeyboardInterrupt):
        post_office.deliver()

    kept = post_office.message("one")
    assert kept.state == "sending" and kept.raw is not None and kept.message_id is not None


def test_a_lease_that_is_nearly_over_starts_nothing(post_office: PostOffice, failing: FailingPostman) -> None:
    for number in range(3):
        post_office.post(key=f"m{number}")
    send = failing.send

    def slow(*arguments: Any) -> str:
        post_office.later(seconds=70)
        return send(*arguments)

    failing.send = slow  # type: ignore[method-assign]
    post_office.deliver()

    assert [post_office.state(f"m{n}") for n in range(3)] == ["sent", "pending", "pending"]


def test_a_sender_that_was_overtaken_writes_nothing_down(post_office: PostOffice, failing: FailingPostman) -> None:
    post_office.post()
    send = failing.send

    def overtaken(*arguments: Any) -> str:
        post_office.session.execute(update(Message).values(state="sent", reply="250 by another", lease_until=None))
        return send(*arguments)

    failing.send = overtaken  # type: ignore[method-assign]
    post_office.deliver()

    assert post_office.message("one").reply == "250 by another"


def test_in_a_lane_one_goes_at_a_time_and_only_the_newest(post_office: PostOffice, mailbox: Mailbox) -> None:
    post_office.post(key="first", lane="uid", revision=0)
    claimed = delivery.claim(post_office.transaction, post_office.press, post_office.rooms, clock=post_office.clock, most=50)
    post_office.post(key="second", lane="uid", revision=1)

    assert (claimed.count, post_office.deliver()) == (1, 0)
    post_office.later(minutes=3)  # the first one's sender is dead
    post_office.deliver()
    post_office.deliver()

    assert [post_office.state("first"), post_office.state("second")] == ["superseded", "sent"]
    assert len(mailbox.mails) == 1


def test_a_cancellation_keeps_a_minute_s_distance(post_office: PostOffice) -> None:
    post_office.post(key="request", lane="uid", revision=0, method="REQUEST", calendar=b"BEGIN:VCALENDAR\r\n")
    post_office.deliver()
    post_office.later(seconds=10)
    post_office.post(key="cancel", lane="uid", revision=1, method="CANCEL", calendar=b"BEGIN:VCALENDAR\r\n")

    assert post_office.deliver() == 0
    post_office.later(seconds=51)
    assert post_office.deliver() == 1


def test_a_cancellation_of_something_long_sent_goes_at_once(post_office: PostOffice) -> None:
    post_office.post(key="request", lane="uid", revision=0, method="REQUEST", calendar=b"BEGIN:VCALENDAR\r\n")
    post_office.deliver()
    post_office.later(hours=1)
    post_office.post(key="cancel", lane="uid", revision=1, method="CANCEL", calendar=b"BEGIN:VCALENDAR\r\n")

    assert post_office.deliver() == 1


def test_a_request_whose_answer_was_lost_is_not_sent_after_its_cancellation(
    post_office: PostOffice, mailbox: Mailbox, failing: FailingPostman
) -> None:
    post_office.post(key="request", lane="uid", revision=0, method="REQUEST", calendar=b"BEGIN:VCALENDAR\r\n")
    failing.after = [AnswerLost("timed out")]
    post_office.deliver()
    post_office.post(key="cancel", lane="uid", revision=1, method="CANCEL", calendar=b"BEGIN:VCALENDAR\r\n")

    assert post_office.deliver() == 0
    for _ in range(5):
        post_office.later(minutes=2)
        post_office.deliver()

    assert [post_office.state("request"), post_office.state("cancel")] == ["superseded", "sent"]
    assert len(mailbox.mails) == 2


def test_what_nobody_waits_for_is_not_sent(post_office: PostOffice, mailbox: Mailbox) -> None:
    def only_order_two(session: Session, messages: Sequence[Posted]) -> Collection[int]:
        return [message.id for message in messages if "order/2" in message.references]

    post_office.rooms = delivery.Rooms({"invoices/receipt": only_order_two}, lambda session, reference: None)
    post_office.post(key="one", references=("order/1",))
    post_office.post(key="two", references=("order/2",))

    post_office.deliver()

    assert [(post_office.state(key), post_office.message(key).reason) for key in ("one", "two")] == [
        ("suppressed", delivery.NOBODY_WAITS),
        ("sent", ""),
    ]
    assert len(mailbox.mails) == 1


def test_a_letter_waits_for_its_document(post_office: PostOffice, mailbox: Mailbox) -> None:
    documents: dict[str, bytes] = {}
    post_office.rooms = delivery.Rooms({}, lambda session, reference: documents.get(reference))
    post_office.post(facts={**ORDER, "attachments": [{"reference": "invoice/1", "name": "invoice-1.pdf"}]})

    post_office.deliver()
    assert (post_office.state("one"), mailbox.mails) == ("pending", [])
    documents["invoice/1"] = b"%PDF-1.7 ..."
    post_office.later(minutes=1)
    post_office.deliver()

    (attachment,) = email.message_from_bytes(mailbox.mails[0].raw, policy=default).iter_attachments()
    assert (attachment.get_filename(), attachment.get_content_type(), attachment.get_content()) == (
        "invoice-1.pdf",
        "application/pdf",
        b"%PDF-1.7 ...",
    )


def test_a_letter_that_can_t_be_made_fails_alone(post_office: PostOffice) -> None:
    post_office.post(key="bad", facts={})
    post_office.post(key="good")

    post_office.deliver()

    assert "undefined" in post_office.message("bad").reason
    assert [post_office.state("bad"), post_office.state("good")] == ["failed", "sent"]


def test_a_mail_that_kills_its_senders_is_given_up(post_office: PostOffice) -> None:
    post_office.post()
    post_office.session.execute(update(Message).values(attempts=delivery.MOST_ATTEMPTS))

    post_office.deliver()

    assert (post_office.state("one"), post_office.message("one").reason) == ("failed", delivery.GIVEN_UP)


def test_a_mail_whose_senders_died_often_is_still_sent(post_office: PostOffice) -> None:
    post_office.post()
    dead = {"state": "unknown", "attempts": delivery.MOST_LOST_ANSWERS + 1, "sent_at": post_office.clock()}
    post_office.session.execute(update(Message).values(**dead))

    post_office.deliver()

    assert post_office.state("one") == "sent"


def test_refused_for_good_after_a_lost_answer_keeps_that_it_may_have_arrived(post_office: PostOffice, failing: FailingPostman) -> None:
    post_office.post()
    failing.after = [AnswerLost("timed out")]
    post_office.deliver()
    post_office.later(minutes=1)
    failing.before = [Refused(550, "no", permanent=True)]

    post_office.deliver()

    assert (post_office.state("one"), post_office.message("one").sent_at is not None) == ("failed", True)


def test_no_transaction_is_open_while_a_mail_is_handed_over(
    app: Flask, fresh_database: clusters.Database, clock: StandingClock, mailbox: Mailbox
) -> None:
    seen = []

    class Looking(Postman):
        def send(self, envelope_from: str, recipient: str, raw: bytes) -> str:
            with psycopg.connect(fresh_database.url) as connection:
                asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
                seen.append(connection.execute(asked).fetchone())
            return super().send(envelope_from, recipient, raw)

    with app.app_context():
        joined = replace(app.extensions["seminars"], smtp=Looking(mailbox.url))
        with transaction() as session:
            outbox.post(session, LETTER, now=clock())
        for _ in range(2):
            jobs.deliver_outbox(joined)

    assert seen == [(0,)]
    assert len(mailbox.mails) == 1


def test_each_mail_costs_one_statement_of_its_own(post_office: PostOffice, statements) -> None:  # type: ignore[no-untyped-def]
    for number in range(3):
        post_office.post(key=f"a{number}")
    with statements() as few:
        post_office.deliver()
    for number in range(13):
        post_office.post(key=f"b{number}")
    with statements() as many:
        post_office.deliver()

    count = [len([one for one in heard if "SAVEPOINT" not in one]) for heard in (few, many)]
    assert count[1] - count[0] == 10
    assert post_office.session.scalars(select(Message.state).distinct()).all() == ["sent"]
