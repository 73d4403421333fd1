"""How fast the outbox sends, beside a bare smtplib loop that sends the same bytes with as many senders.

    python -m benchmarks.outbox [--mails 1500]

Rows whose bytes are frozen already must go at half the rate of the bare loop or better, rows that have yet to be worded at 0.12 of it.
The senders are processes that run the timetable's own job; each way is measured twice, and the better of each pair counts.
"""

from __future__ import annotations

import argparse
import json
import os
import smtplib
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks import mailing

FROZEN, WORDED = 0.5, 0.12


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--mails", type=int, default=1500)
    asked.add_argument("--part", choices=["bare", "outbox"], help=argparse.SUPPRESS)
    asked.add_argument("--mine", default="", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.part:
        {"bare": _bare, "outbox": _outbox}[given.part](given.mine)
        return
    sys.exit(measure(given.mails))


def measure(mails: int) -> int:
    from seminars.jobs import BY_NAME

    senders = BY_NAME["deliver_outbox"].times
    sink = mailing.Sink()
    with mailing.database() as url, tempfile.TemporaryDirectory() as var, psycopg.connect(url, autocommit=True) as connection:
        mailing.people(connection, mails)
        env = mailing.environment(url, sink.url, var)
        rates: dict[str, float] = {}
        for _ in range(2):
            for way in ("worded", "frozen", "bare"):
                _fill(connection, mails, frozen=way == "frozen")
                sink.clear()
                rates[way] = max(rates.get(way, 0), _run("bare" if way == "bare" else "outbox", senders, mails, env, sink, var))
    print(f"{'way':<38}{'mails/s':>10}{'of bare':>10}{'wanted':>10}")
    wanted = {"bare": 1.0, "frozen": FROZEN, "worded": WORDED}
    for way, words in (("bare", "bare smtplib loop"), ("frozen", "outbox, bytes frozen"), ("worded", "outbox, to be worded")):
        print(f"{words:<38}{rates[way]:>10.0f}{rates[way] / rates['bare']:>10.2f}{wanted[way]:>10.2f}")
    print(f"{mails} mails of {len(sink.arrived[-1][2])} bytes, {senders} senders")
    return 0 if all(rates[way] / rates["bare"] >= wanted[way] for way in wanted) else 1


def _fill(connection: psycopg.Connection[Any], mails: int, *, frozen: bool) -> None:
    """The outbox as it is after so many people were confirmed, with their mails made already or not."""
    connection.execute("DELETE FROM messages")
    mailing.confirmations(connection, mails)
    if frozen:
        connection.execute("UPDATE messages SET raw = %s, subject = 'You are registered', message_id = '<one@northfield.example>'", [_raw()])


def _raw() -> bytes:
    from seminars.config import Center, Letterhead
    from seminars.messages.render import Posted, press_of

    press = press_of(Letterhead(Center(), "https://seminars.northfield.example", mailing.MAIL_FROM), "a key for measuring")
    posted = Posted(id=1, key="one", kind="registration/confirmed", recipient="p1@fjordview.example", recipient_name="Person 1",
                    facts=mailing.facts(), calendar_method="REQUEST", calendar=mailing.invitation())  # fmt: skip
    return press.mail(posted, [], now=mailing.START - timedelta(days=60)).raw


def _run(part: str, senders: int, mails: int, env: dict[str, str], sink: mailing.Sink, var: str) -> float:
    """Mails per second, from the word «go» until the last sender is done."""
    raw = f"{var}/mail.eml"
    with open(raw, "wb") as file:
        file.write(_raw())
    children = []
    for number in range(senders):
        mine = json.dumps({"raw": raw, "first": number, "step": senders, "mails": mails})
        command = [sys.executable, "-m", "benchmarks.outbox", "--part", part, "--mine", mine]
        children.append(subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE))
    for child in children:
        assert child.stdout and child.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for child in children:
        assert child.stdin
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        assert child.wait() == 0
    took = time.perf_counter() - began
    assert len(sink.arrived) == mails, f"{len(sink.arrived)} of {mails} mails arrived"
    return mails / took


def _bare(mine: str) -> None:
    """What the standard library does on one connection, and nothing else."""
    job = json.loads(mine)
    with open(job["raw"], "rb") as file:
        raw = file.read()
    address = urlsplit(os.environ["SMTP_URL"])
    with smtplib.SMTP(address.hostname or "", address.port or 25) as connection:
        connection.ehlo()
        _ready()
        for number in range(job["first"], job["mails"], job["step"]):
            connection.sendmail(mailing.MAIL_FROM, [f"p{number}@fjordview.example"], raw)


def _outbox(mine: str) -> None:
    """The timetable's job, as a worker runs it, until nothing is left."""
    from sqlalchemy import func, select

    from seminars.app import create_app
    from seminars.config import Settings
    from seminars.db import transaction
    from seminars.jobs import deliver_outbox
    from seminars.messages.models import Message

    app = create_app(Settings.from_env())
    joined = app.extensions["seminars"]
    left = select(func.count()).where(Message.state == "pending")
    with app.app_context():
        with transaction() as session:
            session.execute(left)
        _ready()
        while True:
            deliver_outbox(joined)
            with transaction() as session:
                if not session.scalar(left):
                    return


def _ready() -> None:
    print("ready", flush=True)
    sys.stdin.readline()


if __name__ == "__main__":
    main()
