"""A catalogue of another system, from the command line: a dry run first, and only what it showed is taken."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.app import create_app
from seminars.catalog import importing
from seminars.catalog.importing import Choices, IcsChoices
from seminars.catalog.models import ImportRow, ImportRun
from seminars.catalog.reading.csv_guess import CsvChoices
from seminars.catalog.reading.days_and_hours import Order
from seminars.config import Settings
from seminars.db import transaction
from seminars.kit import clock


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--take", is_flag=True, help="Take what the dry run shows. Without it, nothing is made.")
@click.option("--zone", help="The zone of times that name none, such as Europe/Lisbon.")
@click.option("--order", type=click.Choice(["day_first", "month_first", "iso"]), help="How a CSV file writes days.")
@click.option("--year", type=int, help="The year of days that name none.")
@click.option("--minutes", type=int, help="How long a session lasts that has no end.")
@click.option("--days", is_flag=True, help="A CSV file without times: its sessions are whole days.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="How far endless repetitions are followed.")
@click.option("--column", "columns", multiple=True, metavar="FIELD=HEADER", help="Which column holds which field; several allowed.")
@click.option("--seats", type=int, default=0, show_default=True, help="The number of seats of each event.")
def command(
    file: Path, take: bool, zone: str | None, order: Order | None, year: int | None, minutes: int | None, days: bool,
    until: datetime | None, columns: tuple[str, ...], seats: int,
) -> None:  # fmt: skip
    """Read a catalogue from a CSV or iCalendar FILE and list what would be made; --take makes exactly that."""
    settings, data = Settings.from_env(), file.read_bytes()
    with create_app(settings).app_context():
        choices = _chosen(importing.suggested(file.name, data), zone, order, year, minutes, days, until, columns)
        with transaction(by="command line", why=f"import of {file.name}") as session:
            run = importing.plan_import(
                session, name=file.name, data=data, center_zone=settings.center.zone, choices=choices, seats=seats, now=clock.now()
            )
            _show(session, run)
        with transaction(by="command line", why=f"import of {file.name}") as session:
            run = session.get_one(ImportRun, run.id)
            (importing.press if take else importing.discard)(session, run)
        if take:
            _take(run.id)


def _chosen(
    choices: Choices, zone: str | None, order: Order | None, year: int | None, minutes: int | None, days: bool, until: datetime | None,
    columns: tuple[str, ...],
) -> Choices:  # fmt: skip
    """What the file suggests, with what was said on the command line laid over it."""
    wrong = [column for column in columns if "=" not in column]
    if wrong:
        raise click.BadParameter(f"«{wrong[0]}» is not FIELD=HEADER, such as title=Subject.", param_hint="--column")
    if isinstance(choices, IcsChoices):
        horizon = until.date() if until else choices.horizon
        return replace(choices, zone=zone or choices.zone, minutes=minutes or choices.minutes, horizon=horizon)
    assert isinstance(choices, CsvChoices)
    return replace(
        choices,
        columns=choices.columns | {field: header for field, _, header in (column.partition("=") for column in columns)},
        order=order or choices.order,
        zone=zone or choices.zone,
        year=year or choices.year,
        minutes=minutes or choices.minutes,
        days_without_time=days or choices.days_without_time,
    )


def _show(session: Session, run: ImportRun) -> None:
    for row in session.scalars(select(ImportRow).where(ImportRow.run_id == run.id).order_by(ImportRow.position)):
        word = {"new": "would be made", "duplicate": "is there already", "left_out": "left out"}[row.outcome]
        click.echo(f"  line {row.line:>6}  {word:<17} {row.what}{f': {row.why}' if row.why else ''}")
    for note in (*run.summary["warnings"], *run.summary["questions"]):
        click.echo(f"  note: {note if isinstance(note, str) else note.get('sentence', note)}")
    summary = run.summary
    click.echo(
        f"{summary['new']} events with {summary['sessions']} sessions would be made, {summary['duplicates']} are there already, "
        f"{summary['left_out']} left out."
    )


def _take(run_id: int) -> None:
    while True:
        with transaction(by="command line", why="import") as session:
            run = importing.carry_out(session, session.get_one(ImportRun, run_id), now=clock.now())
            done, total, state = run.done, run.total, run.state
        click.echo(f"\r{done} of {total}", nl=False)
        if state == "done":
            click.echo(". Done: they are drafts until somebody gives them a ticket type and publishes them.")
            return
