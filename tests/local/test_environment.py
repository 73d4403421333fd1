"""What the embedded default is to the rest: environment variables, and only those that were not given."""

from __future__ import annotations

import contextlib
import socket
import stat

import pytest

from seminars.config import Center
from seminars.local.environment import FIRST_PORTS, NoFreePort, Wanted, choose_ports, for_children, kept_secrets, name_of_shop
from seminars.local.supervisor import Supervisor


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_secrets_are_made_once_and_are_for_the_owners_eyes(tmp_path):
    first = kept_secrets(tmp_path)

    assert kept_secrets(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "secrets.json").stat().st_mode) == 0o600
    assert first["STRIPE_WEBHOOK_SECRET"].startswith("whsec_") and first["STRIPE_SECRET_KEY"].startswith("sk_test_sandbox")


def test_two_machines_have_different_secrets(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()

    assert set(kept_secrets(tmp_path / "one").values()).isdisjoint(kept_secrets(tmp_path / "two").values())


def test_a_taken_port_gives_way_to_the_next_free_one(tmp_path, listening):
    assert choose_ports(tmp_path, {"PORT": str(listening)})["web"] > listening


def test_yesterdays_ports_are_todays_and_no_two_are_the_same(tmp_path, listening):
    first = choose_ports(tmp_path, {"PORT": str(listening)})

    assert choose_ports(tmp_path, {}) == first
    assert len(set(first.values())) == len(FIRST_PORTS)


def test_no_free_port_is_told_with_the_remedy(tmp_path):
    with socket.socket() as last:
        last.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # whoever else has it keeps it from us as well
            last.bind(("127.0.0.1", 65535))
            last.listen()

        with pytest.raises(NoFreePort, match="Set PORT"):
            choose_ports(tmp_path, {"PORT": "65535"})


def test_what_the_environment_gives_is_honoured_and_nothing_is_started_for_it(tmp_path):
    given = {"DATABASE_URL": "postgresql://a@db/x", "CELERY_BROKER_URL": "redis://b", "SMTP_URL": "smtp://c", "STRIPE_API_BASE": "http://d",
             "SECRET_KEY": "mine"}

    assert Wanted.beside(given) == Wanted(postgres=False, valkey=False, mailbox=False, stripe=False)
    supervisor = Supervisor(tmp_path, given)
    assert (supervisor.cluster, supervisor.broker) == (None, None)
    assert given.items() <= for_children(given, {"SECRET_KEY": "ours", "PORT": "1"}).items()


def test_the_children_are_told_the_port_that_was_free_and_not_the_one_that_was_wished():
    found = {"PORT": "8001", "VAR_DIR": "/home/a/var"}

    assert for_children({"PORT": "8000", "VAR_DIR": "var"}, found) == found


def test_an_empty_variable_is_as_good_as_none():
    assert for_children({"SMTP_URL": ""}, {"SMTP_URL": "smtp://ours"})["SMTP_URL"] == "smtp://ours"


def test_data_of_another_major_version_is_not_passed_over(tmp_path):
    other = tmp_path / "pg-16" / "data"
    other.mkdir(parents=True)
    (other / "PG_VERSION").write_text("16\n")

    with pytest.raises(RuntimeError, match="another major version"):
        Supervisor(tmp_path, {})


@pytest.mark.parametrize(
    ("written", "name"), [('name = "Center for Plain Words"', "Center for Plain Words"), ("name =", "Sandbox"), ("", "Sandbox")]
)
def test_the_payment_page_is_headed_with_the_centers_name(tmp_path, written, name):
    file = tmp_path / "center.toml"
    file.write_text(written)

    assert name_of_shop({"CENTER_CONFIG": str(file)}) == name


def test_without_a_file_of_its_own_the_center_is_the_one_of_the_example():
    assert name_of_shop({}) == Center().name
    assert name_of_shop({"CENTER_CONFIG": "/nowhere"}) == "Sandbox"
