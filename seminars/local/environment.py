"""Addresses, secrets and ports of one machine: what the environment gives is honoured, the rest is made once and kept."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import socket
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FIRST_PORTS = {"web": 8000, "mail": 8025, "smtp": 1025, "stripe": 8420}
RESOLVED = ("PORT", "VAR_DIR")
EXAMPLE = Path(__file__).parents[2] / "center.example.toml"
UNNAMED = "Sandbox"
FURTHEST = 500
"""How far above the first port a free one is looked for."""


class NoFreePort(RuntimeError):
    """Every port in reach is taken."""


@dataclass(frozen=True)
class Wanted:
    """Which neighbours are ours to start, because the environment names no others."""

    postgres: bool
    valkey: bool
    mailbox: bool
    stripe: bool

    @classmethod
    def beside(cls, env: Mapping[str, str]) -> Wanted:
        return cls(postgres=not env.get("DATABASE_URL"), valkey=not env.get("CELERY_BROKER_URL"), mailbox=not env.get("SMTP_URL"),
                   stripe=not env.get("STRIPE_API_BASE"))


def kept_secrets(var: Path) -> dict[str, str]:
    """The secrets of this machine, made at the first start. They are for this machine alone: the sandbox knows them too."""
    file = var / "secrets.json"
    if not file.exists():
        made = {
            "SECRET_KEY": secrets.token_urlsafe(48),
            "STRIPE_SECRET_KEY": f"sk_test_sandbox_{secrets.token_hex(16)}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_urlsafe(32)}",
        }
        unfinished = file.with_suffix(".new")
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as output:
            json.dump(made, output)
        unfinished.rename(file)
    kept: dict[str, str] = json.loads(file.read_text())
    return kept


def name_of_shop(env: Mapping[str, str]) -> str:
    """What the payment page calls the seller: the center's name in CENTER_CONFIG, or in the example that stands for the default.

    A file that cannot be read is no reason to stop here: the web says at its start what is wrong with it.
    """
    file = Path(env.get("CENTER_CONFIG") or EXAMPLE)
    try:
        return str(tomllib.loads(file.read_text("utf-8")).get("name") or UNNAMED)
    except (OSError, ValueError):
        return UNNAMED


@contextmanager
def choosing_ports() -> Iterator[None]:
    """One start of this user at a time looks for ports, until its servers listen: or two would find the same one free."""
    with open(Path(tempfile.gettempdir(), f"seminars-ports-{os.geteuid()}.lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def choose_ports(var: Path, env: Mapping[str, str]) -> dict[str, int]:
    """A free port for each server: yesterday's, so that links in old mails still work, or the next that is free."""
    file = var / "ports.json"
    wished = {**FIRST_PORTS, **(json.loads(file.read_text()) if file.exists() else {})}
    if env.get("PORT", "").isdecimal():
        wished["web"] = int(env["PORT"])
    chosen: dict[str, int] = {}
    for name in FIRST_PORTS:
        chosen[name] = _next_free(wished[name], set(chosen.values()))
    file.write_text(json.dumps(chosen))
    return chosen


def _next_free(first: int, taken: set[int]) -> int:
    for port in range(first, min(first + FURTHEST, 65536)):
        if port not in taken and is_free(port):
            return port
    raise NoFreePort(f"No port from {first} to {first + FURTHEST} is free. Set PORT to one that is.")


def is_free(port: int) -> bool:
    """Whether nobody listens there on this machine."""
    with socket.socket() as probe:
        # As servers do, or a port would count as taken for a minute after its last connection.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def for_children(env: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The children's environment: the given one, with our addresses where it names none."""
    honoured = {name: value for name, value in env.items() if value or name not in own}
    # What was wished may be taken (PORT) or relative (VAR_DIR): the children are told what it has become.
    return {**own, **honoured, **{name: own[name] for name in RESOLVED if name in own}}
