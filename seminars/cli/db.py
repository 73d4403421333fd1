"""The database from the command line."""

from __future__ import annotations

import os
import shutil

import click

from seminars.config import Settings


@click.group()
def command() -> None:
    """The database: upgrade, check, shell."""


@command.command()
def upgrade() -> None:
    """Bring the tables to this version, as their owner. Does nothing when they are."""
    from seminars.migrations.run import head
    from seminars.migrations.run import upgrade as upgrade_to

    upgrade_to(_owner_url())
    click.echo(f"The database is at {head()}.")


@command.command()
def check() -> None:
    """Fail where tables and models differ, and say in what."""
    from sqlalchemy import create_engine

    from seminars.joined import driver_url
    from seminars.migrations.run import differences

    with create_engine(driver_url(_owner_url())).connect() as connection:
        found = differences(connection)
    for difference in found:
        click.echo(str(difference), err=True)
    if found:
        raise click.ClickException(f"{len(found)} differences between tables and models. Write a migration.")
    click.echo("Tables and models agree.")


@command.command()
@click.option("--as", "role", type=click.Choice(["application", "owner"]), default="application", show_default=True)
def shell(role: str) -> None:
    """Open psql."""
    url = _owner_url() if role == "owner" else Settings.from_env().database_url
    psql = shutil.which("psql")
    if not psql:
        raise click.ClickException("There is no psql on the PATH. Install your system's postgresql-client.")
    os.execv(psql, [psql, url.replace("+psycopg", "")])


def _owner_url() -> str:
    url = Settings.from_env().database_owner_url
    if not url:
        raise click.ClickException("DATABASE_OWNER_URL is not set. Set it to the address with the role that owns the tables.")
    return url
