"""Logins of the center's staff, from the command line: the first admin comes from here."""

from __future__ import annotations

import click

from seminars.app import create_app
from seminars.config import Settings
from seminars.db import transaction
from seminars.kit import clock
from seminars.people import users
from seminars.people.models import ROLES


@click.group()
def command() -> None:
    """People who may sign in."""


@command.command()
@click.option("--name", required=True)
@click.option("--email", required=True)
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, required=True, help="Several allowed.")
@click.password_option(help="Asked for when it is not given.")
def create(name: str, email: str, roles: tuple[str, ...], password: str) -> None:
    """Make a login with a password of at least 12 characters."""
    from flask_security import hash_password

    if len(password) < 12:
        raise click.ClickException("Choose a password of at least 12 characters.")
    with create_app(Settings.from_env()).app_context():
        with transaction(by="command line", why="first login") as session:
            user = users.create(session, name=name, email=email, roles=roles, password_hash=hash_password(password), now=clock.now())
    click.echo(f"{user.name} may sign in as {', '.join(roles)}.")
