from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.kit.refusals import BadInput, Conflict
from seminars.people import queries, users
from seminars.people.models import BrowserSession, User

NOON = datetime(2027, 3, 1, 18, 0, tzinfo=UTC)


def anna(session: Session, *roles: str) -> User:
    return users.create(session, name="Anna Lindqvist", email="anna@northfield.example", roles=roles or ["program"], now=NOON)


def signed_in_at(session: Session, user: User, id_hash: str) -> None:
    session.add(BrowserSession(id_hash=id_hash, user_id=user.id, data={}, created_at=NOON, seen_at=NOON))
    session.flush()


def test_a_login_has_its_roles_and_an_address_of_its_own(session: Session) -> None:
    user = anna(session, "program", "finance")

    with pytest.raises(BadInput) as refusal:
        users.create(session, name="Other", email="ANNA@northfield.example", roles=["admin"], now=NOON)

    assert {role.name for role in user.roles} == {"program", "finance"}
    assert refusal.value.field == "email"


@pytest.mark.parametrize(
    "address",
    [
        "",
        "anna",
        "a@b",
        "anna@x.example\nBcc: all@x.example",
        "-froot@x.example",
        '"a b"@x.example',
        "a" * 310 + "@x.example",
        "a@x.example,b@x.example",
    ],
)
def test_what_is_no_address_makes_no_login(session: Session, address: str) -> None:
    with pytest.raises(BadInput) as refusal:
        users.create(session, name="Anna", email=address, roles=["program"], now=NOON)

    assert refusal.value.field == "email"


@pytest.mark.parametrize("roles", [[], ["boss"], ["program", "root"]])
def test_only_roles_that_exist_can_be_given(session: Session, roles: list[str]) -> None:
    with pytest.raises(BadInput):
        users.create(session, name="Anna", email="anna@northfield.example", roles=roles, now=NOON)


def test_closing_a_login_ends_what_is_open_under_it_and_kills_old_links(session: Session) -> None:
    user, colleague = (
        anna(session),
        users.create(session, name="Ben", email="ben@northfield.example", roles=["program"], now=NOON),
    )
    signed_in_at(session, user, "a" * 64)
    signed_in_at(session, colleague, "b" * 64)
    before = user.fs_uniquifier

    users.deactivate(session, user, now=NOON)

    assert session.scalars(select(BrowserSession.id_hash)).all() == ["b" * 64]
    assert user.fs_uniquifier != before
    with pytest.raises(Conflict):
        users.deactivate(session, user, now=NOON)


def test_a_password_change_leaves_only_the_browser_it_was_made_in(session: Session) -> None:
    user = anna(session)
    for id_hash in ("a" * 64, "b" * 64, "c" * 64):
        signed_in_at(session, user, id_hash)

    ended = users.end_sign_ins(session, user, keep="b" * 64)

    assert ended == 2
    assert [row.id_hash for row in queries.sign_ins_of(session, user)] == ["b" * 64]


def test_the_only_admin_stays(session: Session) -> None:
    only = anna(session, "admin")

    with pytest.raises(users.LastAdmin):
        users.set_roles(session, only, ["program"], now=NOON)
    with pytest.raises(users.LastAdmin):
        users.deactivate(session, only, now=NOON)
    users.create(session, name="Ben", email="ben@northfield.example", roles=["admin"], now=NOON)
    users.deactivate(session, only, now=NOON)

    assert not only.active


def test_wrong_passwords_double_the_pause_up_to_a_quarter_of_an_hour(session: Session) -> None:
    user = anna(session)
    pauses, at = [], NOON

    for _ in range(12):
        assert users.begin_try(session, user.id, now=at)
        pauses.append((user.locked_until - at).total_seconds() if user.locked_until else 0)
        assert not user.locked_until or not users.begin_try(session, user.id, now=user.locked_until - timedelta(seconds=1))
        at = user.locked_until or at

    assert pauses == [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]


def test_a_right_password_does_not_count(session: Session) -> None:
    user = anna(session)
    for _ in range(4):
        users.begin_try(session, user.id, now=NOON)

    users.begin_try(session, user.id, now=NOON)
    users.take_try_back(session, user.id)

    assert (user.failed_sign_ins, user.locked_until) == (4, None)


def test_a_complete_sign_in_forgets_the_failures(session: Session) -> None:
    user = anna(session)
    for _ in range(5):
        users.begin_try(session, user.id, now=NOON)

    users.signed_in(session, user, now=NOON)

    assert (user.failed_sign_ins, user.locked_until) == (0, None)


def test_search_takes_signs_of_patterns_literally(session: Session) -> None:
    anna(session)

    assert [user.name for user in queries.everyone(session, words="lind")] == ["Anna Lindqvist"]
    assert queries.everyone(session, words="%") == []
    assert queries.everyone(session, words="_") == []
