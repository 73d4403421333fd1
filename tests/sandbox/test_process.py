"""The sandbox as a process: it starts quickly, stops cleanly, and forgets nothing when killed."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.payer import pay
from tests.sandbox.shop import ROOT, SECRET, Sandbox, Shop, a_session, event_types

NOON = "2027-03-01T12:00:00Z"


def test_it_stops_cleanly_when_asked(own_sandbox: Any) -> None:
    sandbox = own_sandbox()

    assert sandbox.stop(signal.SIGTERM) == 0


def test_it_says_one_line_when_ready(own_sandbox: Any) -> None:
    sandbox = own_sandbox()

    assert sandbox.said == f"Stripe sandbox ready at {sandbox.url} (data in {sandbox.data})\n"


def test_a_port_that_is_taken_gets_a_clear_sentence(own_sandbox: Any, tmp_path: Path) -> None:
    taken = own_sandbox().port

    command = [sys.executable, "-m", "seminars.sandbox", "--port", str(taken), "--data", str(tmp_path / "other")]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)

    assert second.returncode != 0
    assert f"could not listen on 127.0.0.1:{taken}" in second.stderr


def test_what_was_answered_survives_a_kill(own_sandbox: Any) -> None:
    sandbox = own_sandbox()
    session = a_session(sandbox.client(), metadata={"order": "118"})
    pay(session.url)
    paid = sandbox.client().v1.checkout.sessions.retrieve(session.id).to_dict()
    sandbox.stop(signal.SIGKILL)

    sandbox.start()

    client = sandbox.client()
    assert client.v1.checkout.sessions.retrieve(session.id).to_dict() == paid
    assert len(event_types(client)) == 5


def test_a_key_is_remembered_over_a_kill(own_sandbox: Any) -> None:
    sandbox = own_sandbox()
    sandbox.chaos(cut_after={"times": 1})
    params: dict[str, Any] = {"name": "Mercy Hospital"}
    with pytest.raises(stripe.APIConnectionError):
        sandbox.client().v1.customers.create(params, {"idempotency_key": "customer:1"})
    sandbox.stop(signal.SIGKILL)

    sandbox.start()

    customer = sandbox.client().v1.customers.create(params, {"idempotency_key": "customer:1"})
    assert customer.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(sandbox.client().v1.customers.list().data) == 1


def test_deliveries_and_plans_go_on_after_a_kill(own_sandbox: Any, shop: Shop) -> None:
    sandbox: Sandbox = own_sandbox("--webhook-url", shop.url, "--webhook-secret", SECRET)
    shop.answer = lambda post: 500
    session = a_session(sandbox.client())
    pay(session.url, account="000123456789")
    open_one = a_session(sandbox.client())
    sandbox.stop(signal.SIGKILL)
    shop.answer = lambda post: 200

    sandbox.start()
    sandbox.advance(days=10)
    sandbox.flush()

    client = sandbox.client()
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert client.v1.checkout.sessions.retrieve(open_one.id).status == "expired"
    assert client.v1.events.list({"delivery_success": False}).data == []


def test_an_interrupted_payment_is_booked_after_a_kill(own_sandbox: Any, shop: Shop) -> None:
    sandbox: Sandbox = own_sandbox("--webhook-url", shop.url, "--webhook-secret", SECRET)
    session = a_session(sandbox.client())

    def die(post: Any) -> int:
        if sandbox.process is not None and post.event["type"] == "checkout.session.completed":
            sandbox.process.kill()
        return 500

    shop.answer = die
    with pytest.raises(OSError, match="onnection"):
        pay(session.url)
    shop.answer = lambda post: 200
    sandbox.stop(signal.SIGKILL)

    sandbox.start()

    client = sandbox.client()
    sandbox.until(lambda: "charge.updated" in event_types(client))
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert client.v1.charges.list().data[0].balance_transaction.startswith("txn_")


def test_two_runs_with_one_seed_and_clock_are_equal(own_sandbox: Any) -> None:
    def run(one: Sandbox) -> list[Any]:
        client = one.client()
        session = a_session(client)
        pay(session.url, "4000 0000 0000 3220")
        client.v1.refunds.create({"payment_intent": client.v1.checkout.sessions.retrieve(session.id).payment_intent})
        shown: list[Any] = [client.v1.checkout.sessions.retrieve(session.id).to_dict()]
        shown += [event.data.to_dict() for event in client.v1.events.list({"limit": 100}).data]
        shown += [event.id for event in client.v1.events.list({"limit": 100}).data]
        return [str(one_).replace(str(one.port), "PORT") for one_ in shown]

    first = run(own_sandbox("--seed", "7", "--clock", NOON))
    second = run(own_sandbox("--seed", "7", "--clock", NOON))
    other = run(own_sandbox("--seed", "8", "--clock", NOON))

    assert first == second
    assert first != other


def test_a_fixed_clock_stands_where_it_was_told_to(own_sandbox: Any) -> None:
    sandbox = own_sandbox("--clock", NOON)

    first = a_session(sandbox.client())
    time.sleep(1.1)
    second = a_session(sandbox.client())

    assert first.created == second.created == 1_803_902_400


def test_the_endpoint_of_the_command_line_exists_once_and_keeps_its_secret(own_sandbox: Any, shop: Shop) -> None:
    sandbox: Sandbox = own_sandbox("--webhook-url", shop.url, "--webhook-secret", SECRET)
    sandbox.stop()
    sandbox.start()
    sandbox.control("reset")
    client = sandbox.client()

    pay(a_session(client).url)

    assert [one.url for one in client.v1.webhook_endpoints.list().data] == [shop.url]
    post = shop.wait_for("checkout.session.completed")[0]
    assert client.construct_event(post.body, post.signature, SECRET).type == "checkout.session.completed"


def test_the_payment_page_has_the_address_browsers_use(own_sandbox: Any) -> None:
    sandbox = own_sandbox("--public-url", "https://pay.center.example/")

    assert a_session(sandbox.client()).url.startswith("https://pay.center.example/c/pay/cs_test_")


def test_it_imports_nothing_of_the_product_and_the_product_nothing_of_it() -> None:
    script = "import sys, seminars.sandbox.__main__ as m; print(*[n for n in sys.modules if n.startswith('seminars.')])"
    seen = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert [name for name in seen.split() if not name.startswith("seminars.sandbox")] == []
    elsewhere = [path for path in (ROOT / "seminars").rglob("*.py") if "sandbox" not in path.parts and "cli" not in path.parts]
    assert [path for path in elsewhere if re.search(r"^\s*(from|import) seminars\.sandbox", path.read_text(), re.M)] == []
