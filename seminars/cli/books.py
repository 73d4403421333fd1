"""Whether the books hold: every invariant that must be true at any instant, asked of the database."""

from __future__ import annotations

import click

from seminars.app import create_app
from seminars.config import Settings
from seminars.db import transaction
from seminars.finance.checks import run_checks
from seminars.kit import clock


@click.command()
def command() -> None:
    """Check the books; fail with what does not agree."""
    with create_app(Settings.from_env()).app_context(), transaction(by="command line") as session:
        findings = run_checks(session, now=clock.now())
    for finding in findings:
        click.echo(f"{finding.check}, {finding.subject}: {finding.sentence}", err=True)
    if findings:
        raise click.ClickException(f"{len(findings)} things do not agree. They stand above.")
    click.echo("Entries balance, open items and deferrals agree, numbers have no gap, seats equal their counters.")
