"""Start everything on this machine, or one process: the commands that containers and the supervisor share."""

from __future__ import annotations

import os
import sys

import click

from seminars.config import Settings

WEB = "seminars.wsgi:app"
WORKERS = "workers"
ONE_HEAP = {"MALLOC_ARENA_MAX": "1"}
"""glibc gives each thread a heap of its own, and what one has freed the others don't get (mallopt(3)). One thread at a time runs anyway."""


@click.group(invoke_without_command=True)
@click.pass_context
def command(context: click.Context) -> None:
    """Start everything on this machine; with a name, that one process."""
    if context.invoked_subcommand is None:
        from seminars.local.supervisor import main

        main()


@command.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=int, default=8000, show_default=True, envvar="PORT")
@click.option("--processes", default=2, show_default=True)
@click.option("--threads", default=4, show_default=True, help="Threads of each process.")
def web(host: str, port: int, processes: int, threads: int) -> None:
    """Serve the pages."""
    Settings.from_env()  # a wrong one ends it here with its remedy, before a server wraps that into a traceback
    _become(
        "gunicorn",
        "--config",
        "python:seminars.cli.serving",
        "--bind",
        f"{host}:{port}",
        "--workers",
        str(processes),
        "--threads",
        str(threads),
        WEB,
    )


@command.command()
@click.option(
    "--pool",
    type=click.Choice(["prefork", "threads"]),
    default="prefork",
    show_default=True,
    help="prefork ends tasks that take too long; threads take half the memory.",
)
@click.option("--concurrency", default=2, show_default=True)
@click.option("--with-beat", is_flag=True, help="Keep the timetable too. Only where this is the only worker.")
def worker(pool: str, concurrency: int, with_beat: bool) -> None:
    """Do what the timetable and the bell ask for."""
    Settings.from_env()  # a wrong one ends it here with its remedy, before a server wraps that into a traceback
    beat_too = ["--timetable"] if with_beat else []
    _become(WORKERS, "worker", "--pool", pool, "--concurrency", str(concurrency), *beat_too, **ONE_HEAP)


@command.command()
def beat() -> None:
    """Keep the timetable, for workers elsewhere. One at a time."""
    Settings.from_env()  # a wrong one ends it here with its remedy, before a server wraps that into a traceback
    _become(WORKERS, "beat", **ONE_HEAP)


def _become(*words: str, **environment: str) -> None:
    """Turn into another program, which then gets the signals and the parent that this one had; what is set already stays."""
    os.execve(sys.executable, [sys.executable, "-m", *words], {**environment, **os.environ})
