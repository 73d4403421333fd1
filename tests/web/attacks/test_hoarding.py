"""Nobody keeps an event from being sold by holding its seats, again and again, without paying."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from flask.testing import FlaskClient
from sqlalchemy import update

from seminars.catalog.models import Quota
from seminars.db import db
from seminars.orders.fairness import MOST_UNPAID
from tests.factories import desk as factory
from tests.web.attacks.target import Target

ROBBER, ANNA = "203.0.113.7", "198.51.100.20"


def roomy(target: Target, *, free: int) -> None:
    """Give the event so many free seats."""
    with target.app.app_context():
        db.session.execute(update(Quota).where(Quota.id == target.ids["quota"]).values(size=Quota.taken + free))
        db.session.commit()
        db.session.remove()


def free_seats(target: Target) -> int:
    with target.app.app_context():
        quota = db.session.get_one(Quota, target.ids["quota"])
        left = quota.size - quota.taken
        db.session.remove()
    return left


def hold(target: Target, client: FlaskClient, address: str, places: int, **headers: str) -> int:
    """The status of the answer to a press of the event page's button."""
    page = f"/events/{target.ids['reference']}"
    sent = {"csrf_token": factory.token_of(client, page), f"places-{target.ids['ticket']}": str(places)}
    answer = client.post(f"{page}/hold", data=sent, headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert answer.status_code == 303 or "already held from your network" in answer.text, answer.text
    return answer.status_code


def test_a_robber_with_many_browsers_at_once_leaves_seats_for_anna(target: Target) -> None:
    roomy(target, free=100)
    browsers = [target.app.test_client() for _ in range(12)]

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(lambda browser: hold(target, browser, ROBBER, 20), browsers))

    assert sorted(statuses) == [303] * 3 + [409] * 9
    assert free_seats(target) == 100 - MOST_UNPAID
    assert hold(target, target.app.test_client(), ROBBER, 1) == 409
    assert hold(target, target.app.test_client(), ROBBER, 1, **{"X-Forwarded-For": ANNA, "Forwarded": f"for={ANNA}"}) == 409
    assert hold(target, target.app.test_client(), ANNA, 20) == 303
