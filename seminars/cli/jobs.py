"""The timetable by hand: list it, or do one job now."""

from __future__ import annotations

import click

from seminars.app import create_app
from seminars.config import Settings
from seminars.jobs import TIMETABLE, Job
from seminars.joined import Joined


@click.group()
def command() -> None:
    """What is done by itself, and how often."""


@command.command("list")
def list_() -> None:
    """Name each job, how often it is done, and its first sentence."""
    for job in TIMETABLE:
        click.echo(f"{job.name:<28} every {job.every.total_seconds():>6.0f} s   {_sentence(job)}")


@command.command()
@click.argument("name")
def run(name: str) -> None:
    """Do one job now, in this process. Doing it beside a worker does no harm."""
    job = next((job for job in TIMETABLE if job.name == name), None)
    if job is None:
        raise click.ClickException(f"There is no job «{name}». Known: {', '.join(job.name for job in TIMETABLE)}.")
    app = create_app(Settings.from_env())
    with app.app_context():
        joined: Joined = app.extensions["seminars"]
        job.act(joined)
    click.echo(f"{name} is done.")


def _sentence(job: Job) -> str:
    return (job.act.__doc__ or "").strip().partition("\n")[0]
