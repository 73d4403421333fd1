from seminars.db import db
from seminars.people.models import BrowserSession
from tests.factories.desk import Desk, press, sign_in
from sqlalchemy import select


def test_staff_sign_in_and_see_today(desk: Desk) -> None:
    client = desk.client("program")

    answer = client.get("/staff/")

    assert answer.status_code == 200, answer.text
    assert "Nothing waits for you" in answer.text
