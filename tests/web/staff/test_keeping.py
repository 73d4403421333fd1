"""Admins keep logins; program staff keep codes and import catalogues."""

import io
import re
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from seminars import jobs
from seminars.catalog import importing
from seminars.catalog.models import Event, ImportRow, ImportRun
from seminars.db import db, transaction
from seminars.messages.models import Message
from seminars.orders.models import DiscountCode
from seminars.people.models import User
from tests.factories.desk import Desk, press, sign_in, token_of

TABLE = b"""Title,Date,Start,End,Location
Words that calm,2027-06-01,09:00,10:00,Room 1
=cmd|x,2027-06-02,09:00,10:00,Room 2
No day,,09:00,10:00,
"""


def one(desk: Desk, statement):  # type: ignore[no-untyped-def]
    with desk.app.app_context():
        return db.session.execute(statement).scalar_one()


def test_an_admin_invites_somebody_who_sets_a_password_and_sees_only_what_the_role_may(desk: Desk) -> None:
    admin, new = desk.client("admin"), desk.app.test_client()

    made = press(admin, "/staff/people/new", {"name": "Rosa Castellane", "email": "rosa@northfield.example", "roles": ["front_desk"]})
    link = one(desk, select(Message.facts["link"].astext).where(Message.kind == "people/invited")).removeprefix("http://localhost")
    phrase = "four words nobody guesses"
    press(new, link, {"password": phrase, "password_confirm": phrase}, form_on=link)
    sign_in(new, "rosa@northfield.example", phrase)

    assert made.status_code == 303
    assert [new.get(path).status_code for path in ("/staff/", "/staff/orders", "/staff/people", "/staff/finance")] == [200, 200, 403, 403]


def test_roles_hold_from_the_next_page_on(desk: Desk) -> None:
    admin, program = desk.client("admin"), desk.client("program")
    before = program.get("/staff/messages").status_code

    typed = {"name": "Program Person", "email": "program@northfield.example", "roles": ["consultant"], "why": "new job"}
    press(admin, f"/staff/people/{desk.ids['program']}", typed)

    assert (before, program.get("/staff/messages").status_code) == (200, 403)
    page = admin.get(f"/staff/people/{desk.ids['program']}").text
    assert "new job" in page and "roles: program → consultant" in page


@pytest.mark.parametrize(
    "typed",
    [
        {"name": "", "email": "x@northfield.example", "roles": ["program"]},
        {"name": "X", "email": "no address", "roles": ["program"]},
        {"name": "X", "email": "x@northfield.example", "roles": []},
        {"name": "X", "email": "x@northfield.example", "roles": ["root"]},
        {"name": "X", "email": "ADMIN@northfield.example", "roles": ["program"]},
    ],
)
def test_an_invitation_that_cannot_be_makes_no_login(desk: Desk, typed: dict[str, object]) -> None:
    answer = press(desk.client("admin"), "/staff/people/new", typed)

    assert answer.status_code == 422
    assert one(desk, select(func.count()).select_from(User)) == 6


def test_the_only_admin_cannot_lock_everybody_out(desk: Desk) -> None:
    admin = desk.client("admin")

    closed = press(admin, f"/staff/people/{desk.ids['admin']}/close")
    demoted = press(admin, f"/staff/people/{desk.ids['admin']}", {"name": "A", "email": "admin@northfield.example", "roles": ["program"]})

    assert (closed.status_code, demoted.status_code) == (409, 409)
    assert admin.get("/staff/people").status_code == 200


def test_a_code_is_made_changed_and_keeps_its_uses(desk: Desk) -> None:
    client = desk.client("program")

    made = press(
        client, "/staff/codes/new", {"code": "early-birds", "percent": "15", "most": "30", "active": "1", "ends_at": "2027-05-01T23:59"}
    )
    with desk.app.app_context(), transaction() as session:
        session.scalars(select(DiscountCode)).one().used = 4
    too_few = press(client, "/staff/codes/1", {"code": "early-birds", "percent": "15", "most": "3"})
    twice = press(client, "/staff/codes/new", {"code": "EARLY-birds", "amount": "10.00"})
    both = press(client, "/staff/codes/new", {"code": "other", "amount": "10.00", "percent": "5"})
    changed = press(client, "/staff/codes/1", {"code": "early-birds", "amount": "50.00", "most": "30"})

    assert [answer.status_code for answer in (made, too_few, twice, both, changed)] == [303, 422, 422, 422, 303]
    with desk.app.app_context():
        code = db.session.scalars(select(DiscountCode)).one()
        assert (code.code, code.percent, code.amount, code.used, code.active) == ("EARLY-BIRDS", None, 5_000, 4, False)


def upload(client, data: bytes, name: str = "old.csv", **typed: str):  # type: ignore[no-untyped-def]
    token = token_of(client, "/staff/import")
    return client.post("/staff/import", data={"csrf_token": token, "seats": "20", "file": (io.BytesIO(data), name), **typed})


def test_a_catalogue_is_looked_at_decided_and_taken_exactly_as_shown(desk: Desk) -> None:
    client = desk.client("program")

    shown = client.get(upload(client, TABLE).headers["Location"]).text
    columns = {"column-title": "Title", "column-date": "Date", "column-start": "Start", "column-end": "End", "column-location": "Location"}
    again = press(client, "/staff/import/1/plan", {"zone": "America/Chicago", "seats": "25", "follow": "label", **columns})
    run = again.headers["Location"]
    planned = client.get(run).text
    pressed = press(client, f"{run}/take")
    twice = press(client, f"{run}/take")
    waiting = client.get(run)
    with desk.app.app_context(), transaction() as session:
        importing.carry_out(session, importing.running(session)[0], now=desk.clock())
    done = client.get(run).text

    assert "In which zone are they?" in shown and "Make these" not in shown
    assert "Make these 2\u00a0events" in planned and "Left out" in planned
    assert one(desk, select(ImportRun.state).where(ImportRun.id == 1)) == "discarded"
    assert (pressed.status_code, twice.status_code, waiting.headers["Refresh"]) == (303, 409, "2")
    assert "You may leave this page" in waiting.text
    with desk.app.app_context():
        titles = db.session.scalars(select(Event.title).order_by(Event.starts_at)).all()
        assert titles == ["Words that calm", "=cmd|x"]
    assert re.search(r"2 of 2\u00a0events", done)


@pytest.mark.parametrize(
    "data", [b"", b"\x00\x01\x02" * 400, b"%PDF-1.7 not a table", b"just one line"], ids=["empty", "binary", "pdf", "words"]
)
def test_a_file_that_cannot_be_read_gets_one_clear_error_and_changes_nothing(desk: Desk, data: bytes) -> None:
    answer = upload(desk.client("program"), data)

    if answer.status_code == 303:  # a table without the columns we need is shown with its questions, and cannot be taken
        assert "Make these" not in desk.client("program").get(answer.headers["Location"]).text
    else:
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.text
    assert one(desk, select(func.count()).select_from(Event)) == 0


def test_the_letters_of_a_table_are_read_as_staff_say_they_are_written(desk: Desk) -> None:
    client = desk.client("program")
    old = "Title,Date,Start,End,Location\nGrüße aus der Küche,2027-03-15,09:00,10:00,Saal 1\n".encode("windows-1252")

    refused = upload(client, old)
    run = upload(client, old, encoding="windows-1252").headers["Location"]
    read = client.get(run).text
    changed = press(client, f"{run}/plan", {"zone": "Europe/Berlin", "seats": "5", "follow": "label", "encoding": "iso-8859-15"})
    wrong = press(client, f"{run}/plan", {"seats": "5", "follow": "label", "encoding": "klingon"})

    assert (refused.status_code, "choose the encoding it has" in refused.text) == (422, True)
    assert "Grüße aus der Küche" in read
    assert (changed.status_code, wrong.status_code) == (303, 422)
    newest = select(ImportRun.choices["encoding"].astext).order_by(ImportRun.id.desc()).limit(1)
    assert one(desk, newest) == "iso-8859-15"


def test_what_waits_for_a_choice_is_not_called_left_out(desk: Desk) -> None:
    client = desk.client("program")

    page = client.get(upload(client, b"Title,Date,Start,End\nWords that calm,2027-03-15,09:00,10:00\n").headers["Location"]).text

    assert re.search(r"Wait for your choice</dt><dd>1\u00a0row<", page)
    assert re.search(r"Left out</dt><dd>0\u00a0rows<", page)
    assert '<span class="status is-held">Waits</span>' in page


def test_an_import_that_cannot_go_on_does_not_keep_others_waiting(desk: Desk) -> None:
    broken, whole = (TABLE.replace(b"Words that calm", name) for name in (b"Words that break", b"Words that heal"))
    with desk.app.app_context(), transaction() as session:
        for data in (broken, whole):
            choices = replace(importing.suggested("x.csv", data), zone="America/Chicago")
            run = importing.plan_import(session, name="x.csv", data=data, center_zone="UTC", choices=choices, now=desk.clock())
            importing.press(session, run)
        broken_row = session.scalars(select(ImportRow).where(ImportRow.outcome == "new").order_by(ImportRow.id)).first()
        assert broken_row is not None
        broken_row.plan = {"sessions": []}
        broken_run = broken_row.run_id

    with desk.app.app_context(), pytest.raises(ExceptionGroup, match="goes on where it stopped") as told:
        jobs.take_imports(desk.app.extensions["seminars"])

    assert [one.__notes__ for one in told.value.exceptions] == [[f"import {broken_run}"]]
    with desk.app.app_context():
        assert db.session.scalars(select(ImportRun.state).order_by(ImportRun.id)).all() == ["running", "done"]
        assert "Words that heal" in db.session.scalars(select(Event.title)).all()


def test_a_file_that_is_too_large_is_refused(desk: Desk) -> None:
    answer = upload(desk.client("program"), b"a,b\n" * 6_000_000)

    assert answer.status_code in (413, 422)
    assert one(desk, select(func.count()).select_from(ImportRun)) == 0


def test_settings_show_no_secret(desk: Desk) -> None:
    page = desk.client("admin").get("/staff/settings").text

    for secret in ("k" * 40, "sk_test", "whsec_", "postgresql"):
        assert secret not in page
    assert "Test key: no real money moves" in page
