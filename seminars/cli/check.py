"""Say whether this installation can work, before anybody asks it to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import click
import psycopg

from seminars.config import Settings


@click.command()
def command() -> None:
    """Try settings, database, broker, mail and Stripe; fail where something is missing."""
    settings = Settings.from_env()
    click.echo("settings: well")
    tries: dict[str, Callable[[], str]] = {
        "database": lambda: _database(settings.database_url),
        "broker": lambda: _reaches(settings.celery_broker_url, 6379),
        "mail": lambda: _reaches(settings.smtp_url, 465 if settings.smtp_url.startswith("smtps:") else 25),
        "stripe": lambda: _reaches(settings.stripe_api_base, 443 if settings.stripe_api_base.startswith("https:") else 80),
    }
    failed = [name for name, ask in tries.items() if not _tell(name, ask)]
    if failed:
        raise click.ClickException(f"Not well: {', '.join(failed)}.")


def _tell(name: str, ask: Callable[[], str]) -> bool:
    try:
        click.echo(f"{name}: {ask()}")
        return True
    except (OSError, psycopg.Error, _Unfit) as problem:
        click.echo(f"{name}: {problem}", err=True)
        return False


class _Unfit(Exception):
    """A neighbour is there and not as it must be."""


def _database(url: str) -> str:
    from seminars.migrations.run import head

    with psycopg.connect(url.replace("+psycopg", ""), connect_timeout=5) as connection:
        row = connection.execute("SELECT version_num, rolsuper FROM alembic_version, pg_roles WHERE rolname = current_user").fetchone()
    if row is None or row[0] != head():
        raise _Unfit(f"at migration {row and row[0]}, this version needs {head()}. Run: seminars db upgrade")
    if row[1]:
        raise _Unfit("DATABASE_URL names a superuser, whom the books cannot refuse. Use the application's role.")
    return f"well, at migration {row[0]}"


def _reaches(url: str, usual_port: int) -> str:
    parts = urlsplit(url)
    if parts.scheme.endswith("+socket"):
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(parts.path)
        return f"answers on {parts.path}"
    host, port = parts.hostname or "localhost", parts.port or usual_port
    socket.create_connection((host, port), timeout=5).close()
    return f"answers at {host}:{port}"
