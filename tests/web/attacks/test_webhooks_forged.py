"""The webhook door: what Stripe did not sign for us, in this minute and byte for byte, leaves nothing behind."""

from __future__ import annotations

import json
import time

import pytest
import stripe
from sqlalchemy import func, select

from seminars.db import db
from seminars.payments.models import StripeEvent
from tests.web.attacks.target import Target

SECRET = "whsec_" + "x" * 32


def event(**other: object) -> dict[str, object]:
    return {
        "id": "evt_1", "object": "event", "type": "checkout.session.completed", "created": 1_800_000_000, "livemode": False,
        "api_version": "2026-10-28.endive", "data": {"object": {"id": "cs_test_1", "object": "checkout.session"}}, **other,
    }  # fmt: skip


BODY = json.dumps(event())


def signed(body: str, secret: str = SECRET, *, at: int | None = None) -> str:
    return str(stripe.WebhookSignature.generate_signature_header(body, secret, at if at is not None else int(time.time())))


FORGED = {
    "unsigned": (BODY, None),
    "empty": ("", None),
    "empty signature": (BODY, ""),
    "no scheme": (BODY, f"t={int(time.time())}"),
    "nonsense": (BODY, "t=٣,v1=\xe9"),
    "many commas": (BODY, "," * 5_000),
    "empty secret": (BODY, signed(BODY, "")),
    "foreign secret": (BODY, signed(BODY, "whsec_" + "y" * 32)),
    "public sandbox secret": (BODY, signed(BODY, "whsec_of_the_test_run_only")),
    "old": (BODY, signed(BODY, at=int(time.time()) - 301)),
    "old with a new time": (BODY, signed(BODY, at=int(time.time()) - 400).replace(f"t={int(time.time()) - 400}", f"t={int(time.time())}")),
    "another body": (BODY.replace("cs_test_1", "cs_test_2"), signed(BODY)),
    "serialised anew": (json.dumps(json.loads(BODY), indent=1), signed(BODY)),
    "with a space more": (BODY + " ", signed(BODY)),
    "older scheme": (BODY, signed(BODY).replace("v1=", "v0=")),
    "no json": ("nothing", signed("nothing")),
    "a list": ("[]", signed("[]")),
    "a number": ("1e400", signed("1e400")),
    "a text": ('"evt_1"', signed('"evt_1"')),
    "no object": (json.dumps(event(data=None)), signed(json.dumps(event(data=None)))),
    "text for an object": (json.dumps(event(data={"object": "cs_1"})), signed(json.dumps(event(data={"object": "cs_1"})))),
    "year 30 thousand": (json.dumps(event(created=10**18)), signed(json.dumps(event(created=10**18)))),
    "number for an id": (json.dumps(event(id=7)), signed(json.dumps(event(id=7)))),
    "list for a type": (json.dumps(event(type=["a"])), signed(json.dumps(event(type=["a"])))),
    "live in test": (json.dumps(event(livemode=True)), signed(json.dumps(event(livemode=True)))),
    "deep": ("[" * 100_000, signed("[" * 100_000)),
}


def kept(target: Target) -> int:
    with target.app.app_context():
        found = db.session.scalar(select(func.count()).select_from(StripeEvent))
        db.session.remove()
        return found or 0


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_refused_and_not_kept(target: Target, name: str) -> None:
    body, signature = FORGED[name]
    headers = {} if signature is None else {"Stripe-Signature": signature}

    answer = target.as_(None).post("/hooks/stripe", data=body, content_type="application/json", headers=headers)

    assert (answer.status_code, answer.text) == (400, "signature not accepted")
    assert kept(target) == 0


def test_what_is_too_large_is_not_read(target: Target) -> None:
    body = json.dumps(event(filling="x" * 1024 * 1024))

    answer = target.as_(None).post("/hooks/stripe", data=body, content_type="application/json", headers={"Stripe-Signature": signed(body)})

    assert answer.status_code == 413 and kept(target) == 0


def test_bytes_that_are_no_text_are_refused(target: Target) -> None:
    answer = target.as_(None).post("/hooks/stripe", data=b"\xff\xfe{}", headers={"Stripe-Signature": signed(BODY)})

    assert answer.status_code == 400 and kept(target) == 0


def test_what_is_real_is_kept_once_as_an_id_and_no_more(target: Target) -> None:
    body = json.dumps(event(id="evt_real", data={"object": {"id": "cs_1", "customer_details": {"email": "anna@x.example"}}}))

    answers = [
        target.as_(None).post("/hooks/stripe", data=body, content_type="text/plain", headers={"Stripe-Signature": signed(body)}).status_code
        for _ in range(3)
    ]

    assert answers == [200] * 3 and kept(target) == 1
    with target.app.app_context():
        row = db.session.scalars(select(StripeEvent)).one()
        assert (row.object_id, "anna" in json.dumps(row.payload)) == ("cs_1", False)
        db.session.delete(row)
        db.session.commit()
        db.session.remove()
