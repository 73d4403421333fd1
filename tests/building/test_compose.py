"""docker-compose.yml is held against the commands and settings that exist: no container engine is needed to find it broken."""

from __future__ import annotations

import inspect
import re
import runpy
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from seminars.cli import main
from seminars.config import Settings
from seminars.local import postgres
from seminars.local.postgres import APPLICATION, OWNER, READER

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("migrate", "web", "worker", "beat")
GIVEN = {
    "SECRET_KEY": "s" * 40, "APP_PASSWORD": "app", "OWNER_PASSWORD": "owner", "READER_PASSWORD": "reader", "SUPERUSER_PASSWORD": "super",
    "STRIPE_WEBHOOK_SECRET": "whsec_" + "a" * 32,
}
"""What a person must put into .env: everything that has no default."""


def filled(value):
    """As compose puts variables into a value (${NAME:-default}, ${NAME:?message})."""
    def value_of(found):
        return GIVEN.get(found[1]) or (found[3] if found[2] == "-" else f"<{found[1]}>")

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", value_of, str(value))


def environment(service):
    return {name: filled(value) for name, value in SERVICES[service].get("environment", {}).items()}


def words(service, key="command"):
    return [filled(word) for word in SERVICES[service].get(key, [])]


def resolve(arguments):
    """Parse our command line without running it; the command that would run."""
    command, context = main, click.Context(main)
    while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
        found = command.get_command(context, arguments[0])
        assert found, f"there is no command {arguments}"
        command, arguments = found, arguments[1:]
    return command.make_context(command.name, arguments, resilient_parsing=False)


def test_every_part_is_there_in_the_number_it_should_have():
    replicas = {name: service.get("deploy", {}).get("replicas", 1) for name, service in SERVICES.items()}

    assert replicas == {"postgres": 1, "valkey": 1, "migrate": 1, "web": 2, "worker": 2, "beat": 1, "proxy": 1, "mailbox": 1, "sandbox": 1}
    assert {name for name, service in SERVICES.items() if "local" in service.get("profiles", [])} == {"mailbox", "sandbox"}


@pytest.mark.parametrize("service", [*OURS, "sandbox"])
def test_every_command_exists_and_takes_its_options(service):
    resolve(words(service))


def test_a_command_that_does_not_exist_would_be_found():
    with pytest.raises(AssertionError):
        resolve(["run", "webb"])
    with pytest.raises(click.NoSuchOption):
        resolve(["run", "web", "--hots", "0.0.0.0"])


@pytest.mark.parametrize(("service", "module"), [("mailbox", "seminars.local.mailbox"), ("sandbox", "seminars.sandbox")])
def test_the_local_servers_know_their_options(service, module, capsys, monkeypatch):
    options = {word.split("=")[0] for word in words(service) if word.startswith("--")}
    monkeypatch.setattr(sys, "argv", [module, "--help"])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module(module, run_name="__main__")

    known = set(re.findall(r"--[\w-]+", capsys.readouterr().out))
    assert ended.value.code == 0
    assert options and options - known == set()


def test_the_mailbox_is_started_by_its_own_entry():
    assert words("mailbox", "entrypoint") == ["python", "-m", "seminars.local.mailbox"]


def test_the_image_starts_our_command_line():
    text = (ROOT / "Dockerfile").read_text()

    assert 'ENTRYPOINT ["python", "-m", "seminars.cli"]' in text
    [default] = re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)
    resolve(re.findall(r'"([^"]+)"', default))


@pytest.mark.parametrize("service", OURS)
def test_the_settings_of_a_container_are_complete_and_right(service):
    settings = Settings.from_env(environment(service))

    assert settings.trusted_proxies == 1
    assert settings.base_url == "https://localhost"


@pytest.mark.parametrize("service", OURS)
def test_no_setting_is_given_that_nobody_reads(service):
    known = set(re.findall(r'\(\s*"([A-Z][A-Z_]+)"', inspect.getsource(Settings.from_env)))

    assert set(environment(service)) - known == set()


def test_the_tables_owner_is_known_to_the_migrations_alone():
    assert [name for name in SERVICES if "DATABASE_OWNER_URL" in environment(name)] == ["migrate"]
    assert f"//{OWNER}:" in environment("migrate")["DATABASE_OWNER_URL"]
    assert all(f"//{APPLICATION}:" in environment(name)["DATABASE_URL"] for name in OURS)


def test_the_database_is_the_one_that_a_developer_has(cluster):
    made = inspect.getsource(postgres.Cluster._make_once)

    assert SERVICES["postgres"]["image"] == f"postgres:{postgres.major_of(cluster.binaries)}"
    assert SERVICES["valkey"]["image"].endswith(":9")
    for option in ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"):
        assert option in made and option in environment("postgres")["POSTGRES_INITDB_ARGS"].split()


def test_the_roles_are_the_three_of_the_house_and_their_passwords_are_given():
    script = (ROOT / "deploy/postgres/roles.sh").read_text()

    assert set(re.findall(r"CREATE ROLE (\w+) LOGIN", script)) == {OWNER, APPLICATION, READER}
    assert set(re.findall(r'"\$(\w+_PASSWORD)"', script)) <= set(environment("postgres"))
    assert subprocess.run(["bash", "-n", ROOT / "deploy/postgres/roles.sh"], check=False).returncode == 0


@pytest.mark.parametrize("service", ["web", "worker", "beat"])
def test_nothing_starts_before_the_tables_are_there(service):
    waits = {name: how["condition"] for name, how in SERVICES[service]["depends_on"].items()}

    assert waits == {"migrate": "service_completed_successfully", "valkey": "service_healthy"}


def test_only_the_proxy_is_open_to_the_outside():
    ports = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    everywhere = {name: found for name, found in ports.items() if not all(port.startswith("127.0.0.1:") for port in found)}

    assert everywhere == {"proxy": ["80:80", "443:443", "443:443/udp"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["proxy"]["networks"] == ["outside"] and "outside" not in SERVICES["postgres"]["networks"]


def test_the_proxy_keeps_the_counts_inside():
    text = (ROOT / "deploy/Caddyfile").read_text()

    assert re.search(r"@inside path [^\n]*/metrics", text)
    assert "respond @inside 404" in text
    assert re.search(r"name web\n\s*port 8000", text)


def test_production_leaves_the_servers_of_one_machine_out():
    production = (ROOT / "Dockerfile").read_text().partition("AS local")[0]

    assert "requirements-production.lock" in production
    assert "requirements.lock" not in production.replace("requirements-production.lock", "")
    assert all(SERVICES[name]["build"]["target"] == "production" for name in OURS)


def test_every_file_that_the_image_takes_is_sent_to_the_builder():
    sent = set((ROOT / ".dockerignore").read_text().split())
    taken = set(re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE))

    assert {f"!{name}" for name in taken} <= sent
    assert all((ROOT / name).exists() for name in taken)
