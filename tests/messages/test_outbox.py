"""Letters become rows, once, in the commit of what caused them."""

import pytest
from sqlalchemy import func, select

from seminars.kit.refusals import Conflict
from seminars.messages import outbox
from seminars.messages.models import Message
from tests import cluster as clusters
from tests.messages.conftest import PostOffice


def test_the_same_key_posts_once(post_office: PostOffice) -> None:
    post_office.post(key="receipt:1", to="anna@fjordview.example")
    post_office.post(key="receipt:1", to="somebody@else.example")

    found = post_office.session.scalars(select(Message.recipient)).all()
    assert found == ["anna@fjordview.example"]


def test_a_newer_revision_takes_the_place_of_one_that_waits(post_office: PostOffice) -> None:
    post_office.post(key="first", lane="uid-1", revision=0)
    post_office.post(key="second", lane="uid-1", revision=1)
    post_office.post(key="elsewhere", lane="uid-2", revision=0)

    assert [post_office.state(key) for key in ("first", "second", "elsewhere")] == ["superseded", "pending", "pending"]


def test_an_older_revision_that_comes_late_is_never_sent(post_office: PostOffice) -> None:
    post_office.post(key="second", lane="uid-1", revision=2)
    post_office.post(key="first", lane="uid-1", revision=1)

    assert [post_office.state(key) for key in ("second", "first")] == ["pending", "superseded"]


def test_a_lane_needs_a_revision(post_office: PostOffice) -> None:
    with pytest.raises(ValueError, match="no revision"):
        post_office.post(lane="uid-1")


def test_what_is_rolled_back_was_never_posted(post_office: PostOffice) -> None:
    post_office.post(key="kept")
    letter = outbox.Letter(kind="invoices/receipt", key="lost", to="a@b.example", name="", facts={}, references=())
    savepoint = post_office.session.begin_nested()
    outbox.post(post_office.session, letter, now=post_office.clock())
    savepoint.rollback()

    assert post_office.session.scalars(select(Message.key)).all() == ["kept"]


def test_the_bell_rings_with_the_commit(fresh_database: clusters.Database, post_office: PostOffice) -> None:
    import psycopg

    with psycopg.connect(fresh_database.url, autocommit=True) as listener:
        listener.execute("LISTEN seminars_bell")
        post_office.post(key="a")
        post_office.post(key="a")
        heard = [notice.payload for notice in listener.notifies(timeout=0.5)]

    assert heard == ["outbox"]


def test_send_again_sends_the_same_bytes(post_office: PostOffice, mailbox) -> None:  # type: ignore[no-untyped-def]
    sent = post_office.post()
    post_office.deliver()
    post_office.later(days=3)

    with post_office.transaction() as session:
        outbox.send_again(session, post_office.message(sent.key), now=post_office.clock())
    post_office.deliver()

    first, second = mailbox.mails
    assert first.raw == second.raw
    assert post_office.message(sent.key).attempts == 1


def test_a_message_on_its_way_is_not_sent_again(post_office: PostOffice) -> None:
    message = post_office.post()

    with pytest.raises(Conflict, match="on its way"):
        outbox.send_again(post_office.session, message, now=post_office.clock())


def test_an_invitation_that_was_replaced_is_not_sent_again(post_office: PostOffice) -> None:
    post_office.post(key="first", lane="uid-1", revision=0)
    post_office.deliver()
    post_office.post(key="second", lane="uid-1", revision=1)

    with pytest.raises(Conflict, match="newer"):
        outbox.send_again(post_office.session, post_office.message("first"), now=post_office.clock())


def test_three_hundred_letters_cost_as_many_statements_as_three(post_office: PostOffice, statements) -> None:  # type: ignore[no-untyped-def]
    def letters(prefix: str, count: int) -> list[outbox.Letter]:
        return [
            outbox.Letter(
                kind="invoices/receipt",
                key=f"{prefix}{n}",
                to="a@b.example",
                name="",
                facts={},
                references=(),
                lane=f"{prefix}{n}",
                revision=0,
            )
            for n in range(count)
        ]

    with statements() as few:
        outbox.post_all(post_office.session, letters("a", 3), now=post_office.clock())
    with statements() as many:
        outbox.post_all(post_office.session, letters("b", 300), now=post_office.clock())

    assert len(many) == len(few)
    assert post_office.session.scalar(select(func.count()).select_from(Message)) == 303
