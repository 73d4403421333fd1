"""Who gets in, for how long, and how one is thrown out."""

import re
import threading

import pytest
from flask.testing import FlaskClient
from passlib.totp import TOTP
from sqlalchemy import select

from seminars.audit.models import AuditEntry
from seminars.config import Center
from seminars.db import db, transaction
from seminars.kit.references import fingerprint
from seminars.messages.models import Message
from seminars.people import users
from seminars.people.models import BrowserSession, User
from tests import cluster as clusters
from tests.factories.desk import PASSWORD, Desk, a_desk, press, sign_in, token_of

PROGRAM = "program@northfield.example"


def cookie(client: FlaskClient) -> str:
    found = client.get_cookie("seminars")
    return found.value if found else ""


def opens(client: FlaskClient) -> bool:
    """Whether Today opens; else one is sent to sign in."""
    answer = client.get("/staff/")
    assert answer.status_code == 200 or "/staff/sign-in" in answer.headers["Location"]
    return bool(answer.status_code == 200)


def rows(desk: Desk) -> list[tuple[int | None, str]]:
    with desk.app.app_context():
        found = db.session.execute(select(BrowserSession.user_id, BrowserSession.id_hash).order_by(BrowserSession.created_at)).all()
        return [(row.user_id, row.id_hash) for row in found]


def the_user(email: str = PROGRAM) -> User:
    user = db.session.scalar(select(User).where(User.email == email))
    assert user is not None
    return user


def test_the_cookie_holds_an_id_of_which_we_keep_only_the_hash(desk: Desk) -> None:
    client = desk.client("program")

    assert cookie(client).startswith("desk.")
    assert rows(desk) == [(desk.ids["program"], fingerprint(cookie(client)))]


def test_signing_in_gives_a_new_id_and_the_visitors_cookie_is_worth_nothing(desk: Desk) -> None:
    client = desk.app.test_client()
    client.get("/staff/sign-in")
    before = cookie(client)

    sign_in(client, PROGRAM)
    thief = desk.app.test_client()
    thief.set_cookie("seminars", before)

    assert before and before != cookie(client)
    assert not opens(thief)


def test_signing_out_ends_the_session_on_the_server(desk: Desk) -> None:
    client = desk.client("program")
    kept = cookie(client)

    answer = press(client, "/staff/sign-out")
    thief = desk.app.test_client()
    thief.set_cookie("seminars", kept)

    assert answer.status_code == 302
    assert rows(desk) == []
    assert not opens(client)
    assert not opens(thief)


def test_a_session_ends_after_twelve_hours_unused(desk: Desk) -> None:
    client = desk.client("program")

    desk.clock.forward(hours=11)
    used = opens(client)
    desk.clock.forward(hours=11, minutes=59)
    used_again = opens(client)
    desk.clock.forward(hours=12, minutes=1)

    assert (used, used_again, opens(client)) == (True, True, False)


def test_a_session_ends_after_seven_days_in_any_case(desk: Desk) -> None:
    client = desk.client("program")

    stayed = []
    for _ in range(17):
        desk.clock.forward(hours=10)
        stayed.append(opens(client))

    assert stayed == [True] * 16 + [False]


def test_a_closed_login_is_cut_off_at_once(desk: Desk) -> None:
    client, admin = desk.client("program"), desk.client("admin")

    answer = press(admin, f"/staff/people/{desk.ids['program']}/close")

    assert answer.status_code == 303
    assert not opens(client)
    assert sign_in(desk.app.test_client(), PROGRAM).status_code == 200


def test_a_new_password_ends_all_other_sign_ins_and_keeps_this_one(desk: Desk) -> None:
    here, there = desk.client("program"), desk.client("program")
    new = "another good long phrase"

    page = press(
        here, "/staff/password", {"password": PASSWORD, "new_password": new, "new_password_confirm": new}, form_on="/staff/password"
    )

    assert page.status_code == 302, page.text
    assert (opens(here), opens(there)) == (True, False)
    assert sign_in(desk.app.test_client(), PROGRAM, new).status_code == 302
    with desk.app.app_context():
        assert db.session.scalars(select(Message.kind)).all() == ["people/password_changed"]


def test_a_new_password_wants_the_old_one(desk: Desk) -> None:
    client = desk.client("program")
    new = "another good long phrase"

    page = press(
        client, "/staff/password", {"password": "guessed", "new_password": new, "new_password_confirm": new}, form_on="/staff/password"
    )

    assert page.status_code == 200
    assert sign_in(desk.app.test_client(), PROGRAM).status_code == 302


def test_one_sees_where_one_is_signed_in_and_ends_the_others(desk: Desk) -> None:
    here, there = desk.client("program"), desk.client("program")

    seen = here.get("/staff/sign-ins").text
    press(here, "/staff/sign-ins/end", {"browser": fingerprint(cookie(there))})

    assert seen.count("This browser") == 1 and seen.count("Another browser") == 1
    assert (opens(here), opens(there)) == (True, False)


def test_nobody_ends_the_session_of_somebody_else(desk: Desk) -> None:
    mine, theirs = desk.client("program"), desk.client("admin")

    press(mine, "/staff/sign-ins/end", {"browser": fingerprint(cookie(theirs))})

    assert opens(theirs)


def test_a_forged_cookie_opens_nothing(desk: Desk) -> None:
    client = desk.client("program")
    with desk.app.app_context():
        uniquifier = the_user().fs_uniquifier
    signed = desk.app.session_interface.get_signing_serializer(desk.app)  # type: ignore[attr-defined]
    forger = desk.app.test_client()

    outcomes = []
    for value in (signed.dumps({"_user_id": uniquifier, "_fresh": True}), "desk.guess", cookie(client)[:-1], "desk." + "a" * 52):
        forger.set_cookie("seminars", value)
        outcomes.append(opens(forger))

    assert outcomes == [False] * 4


def test_a_token_in_the_address_opens_nothing(desk: Desk) -> None:
    with desk.app.app_context():
        token = the_user().get_auth_token()

    answer = desk.app.test_client().get(f"/staff/?auth_token={token!s}")

    assert answer.status_code == 302


@pytest.mark.parametrize(("email", "password"), [(PROGRAM, "wrong"), ("nobody@northfield.example", PASSWORD), (PROGRAM, "")])
def test_a_failure_does_not_say_what_was_wrong(desk: Desk, email: str, password: str) -> None:
    page = sign_in(desk.app.test_client(), email, password)

    assert page.status_code == 200
    if password:
        assert page.text.count("That address and password do not match.") == 1
    assert rows(desk) == []


def test_after_five_wrong_passwords_even_the_right_one_has_to_wait(desk: Desk) -> None:
    for _ in range(5):
        sign_in(desk.app.test_client(), PROGRAM, "wrong")

    at_once = sign_in(desk.app.test_client(), PROGRAM)
    desk.clock.forward(seconds=31)
    later = sign_in(desk.app.test_client(), PROGRAM)

    assert (at_once.status_code, later.status_code) == (200, 302)
    assert "do not match" in at_once.text
    with desk.app.app_context():
        assert the_user().failed_sign_ins == 0


def test_of_many_guesses_at_once_five_are_looked_at(desk: Desk) -> None:
    together = threading.Barrier(12)

    def guess() -> None:
        client = desk.app.test_client()
        client.get("/staff/sign-in")
        together.wait()
        sign_in(client, PROGRAM, "wrong")

    guesses = [threading.Thread(target=guess) for _ in range(12)]
    for one in guesses:
        one.start()
    for one in guesses:
        one.join()

    with desk.app.app_context():
        assert the_user().failed_sign_ins == 5
        assert len(db.session.scalars(select(AuditEntry.id).where(AuditEntry.action == "sign-in failed")).all()) == 5


def test_others_sign_in_while_one_name_pauses(desk: Desk) -> None:
    for _ in range(6):
        sign_in(desk.app.test_client(), PROGRAM, "wrong")

    assert desk.client("finance").get("/staff/").status_code == 200


@pytest.mark.parametrize(
    "lure", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "/\t/evil.example", "%0d%0aLocation:x"]
)
def test_after_signing_in_one_stays_on_this_site(desk: Desk, lure: str) -> None:
    client = desk.app.test_client()

    answer = client.post(
        "/staff/sign-in",
        query_string={"next": lure},
        data={"email": PROGRAM, "password": PASSWORD, "next": lure, "csrf_token": token_of(client, "/staff/sign-in")},
    )

    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert rows(desk) == []


def test_after_signing_in_one_comes_back_to_where_one_wanted(desk: Desk) -> None:
    client = desk.app.test_client()

    asked = client.get("/staff/events?when=all")
    answer = client.post(
        asked.headers["Location"], data={"email": PROGRAM, "password": PASSWORD, "csrf_token": token_of(client, "/staff/sign-in")}
    )

    assert answer.headers["Location"] == "/staff/events?when=all"


def test_no_form_works_without_its_token(desk: Desk) -> None:
    client = desk.client("program")

    answers = [client.post(path).status_code for path in ("/staff/sign-in", "/staff/sign-out", "/staff/password", "/staff/events/new")]

    assert answers == [400] * 4
    assert opens(client)


def set_up_authenticator(client: FlaskClient) -> TOTP:
    page = press(client, "/staff/second-factor/authenticator", {"setup": "authenticator"}, form_on="/staff/second-factor/authenticator")
    key = re.search(r'class="key">([^<]+)<', page.text)
    state = re.search(r'action="(/staff/second-factor/authenticator/[^"]+)"', page.text)
    assert key and state, page.text
    authenticator = TOTP(key.group(1))
    done = press(client, state.group(1), {"code": authenticator.generate().token}, form_on="/staff/second-factor/authenticator")
    assert done.status_code == 302, done.text
    assert done.headers["Location"].endswith("/staff/second-factor")
    return authenticator


def test_with_an_authenticator_the_password_alone_opens_nothing(desk: Desk) -> None:
    set_up_authenticator(desk.client("program"))
    client = desk.app.test_client()

    answer = sign_in(client, PROGRAM)

    assert "/staff/sign-in/code" in answer.headers["Location"]
    assert not opens(client)


def test_a_code_of_the_authenticator_works_once(desk: Desk) -> None:
    authenticator = set_up_authenticator(desk.client("program"))
    with desk.app.app_context(), transaction() as session:
        session.scalars(select(User).where(User.email == PROGRAM)).one().totp_counter = None
    code = authenticator.generate().token
    outcomes = []

    for _ in range(2):
        client = desk.app.test_client()
        sign_in(client, PROGRAM)
        press(client, "/staff/sign-in/code", {"code": code}, form_on="/staff/sign-in/code")
        outcomes.append(opens(client))

    assert outcomes == [True, False]


def test_wrong_codes_are_slowed_down_like_wrong_passwords(desk: Desk) -> None:
    set_up_authenticator(desk.client("program"))
    client = desk.app.test_client()
    sign_in(client, PROGRAM)

    for _ in range(5):
        press(client, "/staff/sign-in/code", {"code": "000000"}, form_on="/staff/sign-in/code")

    with desk.app.app_context():
        assert users.paused(the_user(), now=desk.clock())


def test_a_recovery_code_opens_once(desk: Desk) -> None:
    first = desk.client("program")
    set_up_authenticator(first)
    page = press(first, "/staff/second-factor/recovery-codes", {"generate_new_codes": "1"}, form_on="/staff/second-factor/recovery-codes")
    codes = re.findall(r"<li>([0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4})</li>", page.text)
    outcomes = []

    for _ in range(2):
        client = desk.app.test_client()
        sign_in(client, PROGRAM)
        press(client, "/staff/sign-in/recovery-code", {"code": codes[0]}, form_on="/staff/sign-in/recovery-code")
        outcomes.append(opens(client))

    assert len(codes) == 8
    assert outcomes == [True, False]


def test_a_forgotten_password_is_set_anew_by_a_link_that_works_once_and_leads_to_our_own_address(desk: Desk) -> None:
    client = desk.app.test_client()
    new = "another good long phrase"
    before = desk.client("program")

    asked = press(client, "/staff/password/forgotten", {"email": PROGRAM}, form_on="/staff/password/forgotten")
    with desk.app.app_context():
        letter = db.session.scalars(select(Message).where(Message.kind == "people/password_reset")).one()
    path = letter.facts["link"].removeprefix("http://localhost")
    first = press(client, path, {"password": new, "password_confirm": new}, form_on=path)
    again = client.get(path)

    assert asked.status_code == 200
    assert letter.facts["link"].startswith("http://localhost/staff/password/forgotten/")
    assert (first.status_code, again.status_code) == (302, 302)
    assert not opens(before)
    assert sign_in(desk.app.test_client(), PROGRAM, new).status_code == 302


def test_a_forgotten_password_of_nobody_looks_the_same(desk: Desk) -> None:
    pages = [
        press(desk.app.test_client(), "/staff/password/forgotten", {"email": email}, form_on="/staff/password/forgotten")
        for email in (PROGRAM, "nobody@northfield.example")
    ]

    plain = [re.sub(r'value="[^"]*"', "", page.text).replace("nobody@", "program@") for page in pages]
    assert plain[0] == plain[1]


@pytest.fixture
def strict(fresh_database: clusters.Database) -> Desk:
    """A center that asks for a second proof before finance pages."""
    return a_desk(fresh_database.url, center=Center(finance_second_factor=True))


def test_finance_pages_wait_for_a_second_proof_where_the_center_asks_for_it(strict: Desk) -> None:
    client = strict.client("finance")

    before = client.get("/staff/finance")
    set_up_authenticator(client)
    after = client.get("/staff/finance")

    assert (before.status_code, before.headers["Location"]) == (302, "/staff/second-factor")
    assert after.status_code == 200


def test_other_pages_do_not_ask_for_a_second_proof(strict: Desk) -> None:
    assert opens(strict.client("program"))


def test_over_https_the_cookie_belongs_to_this_host_alone(fresh_database: clusters.Database) -> None:
    address = "https://seminars.northfield.example"
    client = a_desk(fresh_database.url, base_url=address).app.test_client()

    given = client.get("/staff/sign-in", base_url=address).headers.getlist("Set-Cookie")

    assert len(given) == 1
    assert given[0].startswith("__Host-seminars=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(given[0].split("; "))
    assert "Domain" not in given[0]
