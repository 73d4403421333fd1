"""The command line: starts things and says how they went. `seminars --help` lists the commands."""

from __future__ import annotations

import importlib
from typing import Any

import click

from seminars.config import WrongSetting
from seminars.kit.refusals import Refusal

COMMANDS = {
    "run": "Start everything on this machine, or one process of it.",
    "db": "The database: upgrade, check, shell.",
    "jobs": "The timetable: list it, or do one job now.",
    "demo": "The demo world: fill an empty database with it.",
    "import": "A catalogue from a CSV or iCalendar file: a dry run, and then exactly that.",
    "user": "People who may sign in: create.",
    "books": "Check that the books and the counters agree.",
    "sandbox": "The local server that speaks Stripe.",
    "check": "Say whether settings and neighbours are as they should be.",
}


class _Lazy(click.Group):
    """Loads a command's module when it is called: `seminars run` must not wait for what it does not use.

    A wrong setting and a refusal end any of them with their sentence.
    """

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (WrongSetting, Refusal) as told:
            raise click.ClickException(str(told)) from None

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = "importing" if name == "import" else name  # «import» is a word of Python's own
        command: click.Command = importlib.import_module(f"seminars.cli.{module}").command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Lazy)
def main() -> None:
    """Seminars: registration, payment, calendar and books of a teaching center."""
