"""A worker, or the timetable, as a process: python -m workers worker|beat.

Celery's own command line would do, but it brings a shell along that nobody uses here, and 11 MB with it.
"""

import argparse
import sys

# Passkeys are checked by the web alone. Flask-Security, whose tables the workers need, does without what reads them: 6 MB.
sys.modules["webauthn"] = None  # type: ignore[assignment]

from celery.concurrency import get_implementation  # type: ignore[import-untyped]  # noqa: E402

from workers.app import app  # noqa: E402


def main() -> None:
    """Run until told to stop."""
    asked = argparse.ArgumentParser(prog="python -m workers")
    processes = asked.add_subparsers(dest="process", required=True)
    processes.add_parser("beat")
    worker = processes.add_parser("worker")
    worker.add_argument("--pool", choices=["prefork", "threads"], default="prefork")
    worker.add_argument("--concurrency", type=int, default=2)
    worker.add_argument("--timetable", action="store_true", help="keep the timetable too, in a thread")
    given = asked.parse_args()
    if given.process == "beat":
        app.Beat(loglevel="INFO", quiet=True).run()
    else:
        sys.exit(work(given.pool, given.concurrency, timetable=given.timetable))


def work(pool: str, concurrency: int, *, timetable: bool) -> int:
    """Do what comes; the code to leave with. Workers don't talk among themselves: the database knows what each has taken."""
    program = app.Worker(
        pool_cls=get_implementation(pool),
        concurrency=concurrency,
        timetable=timetable,
        loglevel="INFO",
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    program.start()
    return int(program.exitcode or 0)


if __name__ == "__main__":
    main()
