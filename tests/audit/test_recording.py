"""What was changed, by whom and why, written down by the flush itself."""

from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.audit import queries, recording
from seminars.audit.models import AuditEntry
from seminars.catalog.models import EventSession, Seminar
from seminars.people.models import Role, User
from tests.clock import NOON
from tests.factories.programme import an_event


def entries(session: Session, subject: str = "") -> list[tuple[str, str, Any, Any]]:
    found = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    return [(entry.action, entry.subject, entry.before, entry.after) for entry in found if entry.subject.startswith(subject)]


@pytest.fixture
def seminar(session: Session) -> Seminar:
    made = Seminar(slug="smr", title="Social Media Residency", created_at=NOON)
    session.add(made)
    session.flush()
    return made


def test_what_is_made_is_written_down_with_its_id(session: Session, seminar: Seminar) -> None:
    ((action, subject, before, after),) = entries(session)

    assert (action, subject, before, after["title"]) == ("created", f"seminar/{seminar.id}", None, "Social Media Residency")
    assert set(after) == set(Seminar.__audited__)


def test_a_change_keeps_only_what_changed(session: Session, seminar: Seminar) -> None:
    seminar.title = "Residency"
    seminar.slug = "not audited"
    session.flush()

    assert entries(session)[1:] == [("changed", f"seminar/{seminar.id}", {"title": "Social Media Residency"}, {"title": "Residency"})]


def test_a_change_of_nothing_audited_is_not_written_down(session: Session, seminar: Seminar) -> None:
    seminar.slug = "another"
    seminar.title = str(seminar.title)
    session.flush()

    assert len(entries(session)) == 1


def test_what_is_deleted_leaves_what_it_was(session: Session, seminar: Seminar) -> None:
    session.delete(seminar)
    session.flush()

    action, _, before, after = entries(session)[1]
    assert (action, before["title"], after) == ("deleted", "Social Media Residency", None)


def test_roles_are_told_by_name(session: Session) -> None:
    desk, finance = Role(name="front_desk_x"), Role(name="finance_x")
    user = User(name="Ada", email="ada@northfield.example", fs_uniquifier="u1", roles=[desk])
    session.add(user)
    session.flush()
    user.roles = [desk, finance]
    session.flush()

    told = entries(session, "user/")
    assert told[0][3]["roles"] == ["front_desk_x"]
    assert told[1][2:] == ({"roles": ["front_desk_x"]}, {"roles": ["front_desk_x", "finance_x"]})


def test_a_password_is_nobody_s_business(session: Session) -> None:
    session.add(User(name="Ada", email="ada@northfield.example", fs_uniquifier="u1", password="not even its hash"))
    session.flush()

    assert "hash" not in str(entries(session))


def test_who_and_why_come_from_the_door(session: Session, seminar: Seminar) -> None:
    session.info.update(by="user/7", why="typing error", request_id="r-1", now=NOON)
    seminar.title = "Residency"
    session.flush()

    entry = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.by, entry.why, entry.request_id, entry.at) == ("user/7", "typing error", "r-1", NOON)


def test_a_session_of_an_event_has_the_name_that_calendars_use(session: Session) -> None:
    part = an_event(session).sessions[0]

    assert recording.subject_of(part) == f"session/{part.id}"
    assert [one[1] for one in entries(session, "session/")] == [f"session/{part.id}"]
    assert EventSession.__noun__ == "session"


def test_a_bulk_statement_notes_itself(session: Session) -> None:
    recording.note(session, "released", "event/4", before={"holds": 3}, after={"holds": 0}, now=NOON)

    assert entries(session) == [("released", "event/4", {"holds": 3}, {"holds": 0})]


def test_one_flush_of_many_changes_is_one_statement_more(session: Session) -> None:
    from sqlalchemy import event

    heard: list[str] = []

    def hear(*arguments: Any) -> None:
        heard.append(arguments[2])

    event.listen(session.connection(), "before_cursor_execute", hear)
    session.add_all([Seminar(slug=f"s{n}", title="One of many", created_at=NOON) for n in range(30)])
    session.flush()
    event.remove(session.connection(), "before_cursor_execute", hear)

    assert len([statement for statement in heard if "audit_entries" in statement]) <= 1
    assert len(entries(session, "seminar/")) == 30


def test_entries_are_found_by_subject_and_by_words(session: Session, seminar: Seminar) -> None:
    session.info["why"] = "100% sure"
    seminar.title = "Residency"
    session.flush()

    assert [entry.action for entry in queries.entries_about(session, [f"seminar/{seminar.id}"])] == ["changed", "created"]
    assert [entry.action for entry in queries.search(session, "100%")] == ["changed"]
    assert queries.search(session, "1000") == []
