"""Start everything on this machine, or one process: the commands that containers and the supervisor share."""

from __future__ import annotations

import os
import sys

import click

WEB = "seminars.wsgi:app"
WORKER = "workers.app"


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
    _become("gunicorn", "--config", "python:seminars.cli.serving", "--bind", f"{host}:{port}", "--workers", str(processes),
            "--threads", str(threads), WEB)


@command.command()
@click.option("--pool", type=click.Choice(["prefork", "threads"]), default="prefork", show_default=True,
              help="prefork ends tasks that take too long; threads take half the memory.")
@click.option("--concurrency", default=2, show_default=True)
@click.option("--with-beat", is_flag=True, help="Keep the timetable too. Only where this is the only worker.")
@click.option("--schedule", default="beat-schedule", show_default=True, help="The file in which the timetable notes what it did.")
def worker(pool: str, concurrency: int, with_beat: bool, schedule: str) -> None:
    """Do what the timetable and the bell ask for."""
    beat_too = ["--beat", "--schedule", schedule] if with_beat else []
    _become("celery", "--app", WORKER, "--quiet", "worker", "--pool", pool, "--concurrency", str(concurrency), "--without-gossip",
            "--without-mingle", "--loglevel", "INFO", *beat_too)


@command.command()
@click.option("--schedule", default="beat-schedule", show_default=True, help="The file in which the timetable notes what it did.")
def beat(schedule: str) -> None:
    """Keep the timetable, for workers elsewhere. One at a time."""
    _become("celery", "--app", WORKER, "--quiet", "beat", "--schedule", schedule, "--pidfile", "", "--loglevel", "INFO")


def _become(*words: str) -> None:
    """Turn into another program, which then gets the signals and the parent that this one had."""
    os.execv(sys.executable, [sys.executable, "-m", *words])
