"""How fast the outbox sends, beside a bare smtplib loop that sends the same bytes with as many senders.

    python -m benchmarks.outbox [--rounds 8] [--mails 400] [--server aiosmtpd|least]

Rows whose bytes are frozen already must go at half the rate of the bare loop or better, rows that have yet to be worded at 0.12 of it.
The senders are processes that run the timetable's own job, or the bare loop; they take turns in rounds, so that whatever else the
machine does falls on both alike. Rates are medians over the rounds, ratios the medians of each round's own ratio.
"""

from __future__ import annotations

import argparse
import os
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from benchmarks import _mailing as mailing

WANTED = {"bare": 1.0, "frozen": 0.5, "worded": 0.12}
WORDS = {"bare": "bare smtplib loop", "frozen": "outbox, bytes frozen", "worded": "outbox, to be worded"}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rounds", type=int, default=8)
    asked.add_argument("--mails", type=int, default=400, help="of each kind in each round")
    asked.add_argument(
        "--server", choices=["aiosmtpd", "least"], default="aiosmtpd", help="who takes the mails; the least does nothing else"
    )
    asked.add_argument("--sender", type=int, default=0, help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.sender:
        _send(given.sender)
        return
    sys.exit(measure(given.rounds, given.mails, given.server))


def measure(rounds: int, mails: int, server: str) -> int:
    from seminars.jobs import BY_NAME

    senders = BY_NAME["deliver_outbox"].times
    raw = _raw()
    rates: dict[str, list[float]] = {way: [] for way in WANTED}
    with mailing.database() as url, tempfile.TemporaryDirectory() as var, psycopg.connect(url, autocommit=True) as connection:
        Path(var, "mail.eml").write_bytes(raw)
        sink = mailing.SinkProcess(server)
        mailing.people(connection, mails)
        command = [sys.executable, "-m", "benchmarks.outbox", "--sender", str(mails // senders)]
        children = [
            subprocess.Popen(command, env=mailing.environment(url, sink.url, var), text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            for _ in range(senders)
        ]
        try:
            for number in range(rounds + 1):
                for way in WANTED:
                    rate = _round(connection, children, way, mails, raw)
                    if number:  # the first round is for warming up
                        rates[way].append(rate)
        finally:
            for child in children:
                child.kill()
                child.wait()
            sink.close()
    ratios = {way: statistics.median(mine / bare for mine, bare in zip(rates[way], rates["bare"], strict=True)) for way in WANTED}
    print(f"{'way':<26}{'mails/s':>10}{'of bare':>10}{'wanted':>10}")
    for way, wanted in WANTED.items():
        print(f"{WORDS[way]:<26}{statistics.median(rates[way]):>10.0f}{ratios[way]:>10.2f}{wanted:>10.2f}")
    print(f"{rounds} rounds of {mails} mails of {len(raw)} bytes, {senders} senders, as many as the timetable starts; server: {server}")
    return 0 if all(ratios[way] >= wanted for way, wanted in WANTED.items()) else 1


def _round(connection: psycopg.Connection[Any], children: list[subprocess.Popen[str]], way: str, mails: int, raw: bytes) -> float:
    """Mails per second of all senders together, from the word until the last is done."""
    connection.execute("DELETE FROM messages")
    if way != "bare":
        mailing.confirmations(connection, mails)
    if way == "frozen":
        connection.execute("UPDATE messages SET raw = %s, subject = 'You are registered', message_id = '<one@northfield.example>'", [raw])
    began = time.perf_counter()
    for child in children:
        assert child.stdin
        child.stdin.write("bare\n" if way == "bare" else "outbox\n")
        child.stdin.flush()
    for child in children:
        assert child.stdout and child.stdout.readline() == "done\n"
    took = time.perf_counter() - began
    if way != "bare":
        row = connection.execute("SELECT count(*) FROM messages WHERE state = 'sent'").fetchone()
        assert row == (mails,), f"{row} of {mails} mails were sent"
    return mails / took


def _raw() -> bytes:
    from seminars.config import Center, Letterhead
    from seminars.messages.render import Posted, press_of

    press = press_of(Letterhead(Center(), "https://seminars.northfield.example", mailing.MAIL_FROM), "a key for measuring")
    posted = Posted(
        id=1,
        key="one",
        kind="registration/confirmed",
        recipient="p1@fjordview.example",
        recipient_name="Person 1",
        facts=mailing.facts(),
        calendar_method="REQUEST",
        calendar=mailing.invitation(),
    )
    return press.mail(posted, [], now=mailing.START - timedelta(days=60)).raw


def _send(mails: int) -> None:
    """One sender: does what it is told, one line at a time."""
    from seminars.config import Settings
    from seminars.jobs import deliver_outbox
    from seminars.joined import join

    raw = Path(os.environ["VAR_DIR"], "mail.eml").read_bytes()
    app = join(Settings.from_env())
    for word in sys.stdin:
        if word == "bare\n":
            _bare(raw, mails)
        else:
            with app.app_context():
                deliver_outbox(app.extensions["seminars"])
        print("done", flush=True)


def _bare(raw: bytes, mails: int) -> None:
    """What the standard library does on one connection, and nothing else."""
    address = urlsplit(os.environ["SMTP_URL"])
    with smtplib.SMTP(address.hostname or "", address.port or 25, local_hostname="localhost") as connection:
        for number in range(mails):
            connection.sendmail(mailing.MAIL_FROM, [f"p{number}@fjordview.example"], raw)


if __name__ == "__main__":
    main()
