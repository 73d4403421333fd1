"""The timetable: each row runs, twice without harm, and stands in beat's schedule as often as it should."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from sqlalchemy import func, select

from seminars import jobs, tables
from seminars.db import db, transaction
from seminars.jobs import BY_NAME, TIMETABLE, Job
from seminars.operations.models import Heartbeat
from tests.sandbox.shop import Sandbox
from workers.beat import schedule


@contextmanager
def joined(app: Flask) -> Iterator[object]:
    with app.app_context():
        yield app.extensions["seminars"]


def rows(app: Flask) -> dict[str, int]:
    with app.app_context():
        counted = {table.name: db.session.scalar(select(func.count()).select_from(table)) for table in tables.metadata.sorted_tables}
    return {name: number for name, number in counted.items() if number}


@pytest.mark.parametrize("job", TIMETABLE, ids=lambda job: job.name)
def test_a_job_run_twice_does_no_harm(app: Flask, stripe_sandbox: Sandbox, job: Job) -> None:
    with joined(app) as parts:
        job.act(parts)  # type: ignore[arg-type]
    once = rows(app)
    with joined(app) as parts:
        job.act(parts)  # type: ignore[arg-type]

    assert rows(app) == once


def test_every_row_of_the_timetable_has_a_name_of_its_own_and_a_sentence() -> None:
    assert len(BY_NAME) == len(TIMETABLE)
    assert all(job.act.__doc__ for job in TIMETABLE)


def test_beat_starts_as_many_as_the_row_says() -> None:
    entries = schedule()

    assert len(entries) == sum(job.times for job in TIMETABLE)
    assert [name for name in entries if name.startswith("deliver_outbox")] == ["deliver_outbox-1", "deliver_outbox-2"]
    assert all(BY_NAME[entry["args"][0]].every == entry["schedule"] for entry in entries.values())


def test_a_tick_that_nobody_took_is_dropped() -> None:
    assert all(entry["options"]["expires"] >= 15 for entry in schedule().values())
    assert all(entry["options"]["expires"] <= max(15, entry["schedule"].total_seconds()) for entry in schedule().values())


def test_every_queue_is_one_that_workers_take_from() -> None:
    assert {job.queue for job in TIMETABLE} <= {"short", "long"}


def test_what_is_wanted_is_asked_of_letters_that_exist() -> None:
    from seminars.messages.render import _templates

    assert all((_templates() / kind / "en" / "subject.txt").exists() for kind in jobs.STILL_WANTED)


def test_the_heart_tells_what_is_well_and_what_is_not(app: Flask, stripe_sandbox: Sandbox) -> None:
    with joined(app) as parts:
        jobs.beat_heart(parts)  # type: ignore[arg-type]
        with transaction() as session:
            told = {beat.name: beat.well for beat in session.scalars(select(Heartbeat))}

    assert told == {"broker": True, "beat": True, "mail": True, "stripe": True, "stripe_events": True}


def test_a_mail_server_that_is_away_is_told(app: Flask, clock, stripe_sandbox: Sandbox) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from seminars.gateways.smtp import Postman

    with joined(app) as parts:
        jobs.beat_heart(replace(parts, smtp=Postman("smtp://127.0.0.1:1")))  # type: ignore[type-var]
        with transaction() as session:
            mail = session.get_one(Heartbeat, "mail")

    assert (mail.well, mail.at) == (False, clock())
    assert "refused" in mail.detail
