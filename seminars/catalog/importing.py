"""Importing: a dry run of a file is kept as it was shown; pressing takes exactly that, in batches that can be interrupted.

A run is planned, then running, then done; or discarded. Its rows are new (to be made), duplicates (in the catalogue already), left out,
or made.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from seminars.calendars.zones import known_zone
from seminars.catalog.imported import NotPlaced, fitting, make_events
from seminars.catalog.models import Event, ImportRow, ImportRun
from seminars.catalog.reading.csv_guess import CsvChoices, guess_choices
from seminars.catalog.reading.csv_rows import read_csv
from seminars.catalog.reading.ics_events import read_ics
from seminars.catalog.reading.plan import ASKING, EventPlan, LeftOut, Notes, Reading
from seminars.catalog.reading.stored import facts_of, plan_of
from seminars.db import ring
from seminars.kit.refusals import BadInput, Conflict

BATCH = 200
MOST_SEATS = 100_000
ENDLESS = timedelta(days=366)
# One import at a time writes: two that make the seminar of one title at once would make two.
PRESSED = "imports"
"""The bell that a pressed import rings."""
IMPORT_LOCK = 714_033_202
LOOKED_UP_AT_ONCE = 1_000

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class IcsChoices:
    """How an iCalendar file is read: the zone of times without one, the horizon of endless repetitions, the length of what has none."""

    zone: str | None = None
    horizon: date | None = None
    minutes: int = 60


Choices = CsvChoices | IcsChoices


def suggested(name: str, data: bytes, *, encoding: str | None = None) -> Choices:
    """The choices that a file itself suggests. What it says counts for more than its name. Raises Unreadable."""
    if b"BEGIN:VCALENDAR" in data[:2_000].upper() or name.lower().endswith((".ics", ".ical")):
        return IcsChoices()
    return guess_choices(data, encoding)[0]


def plan_import(
    session: Session, *, name: str, data: bytes, center_zone: str, now: datetime, choices: Choices | None = None, seats: int = 0
) -> ImportRun:
    """A dry run: read a file and keep what would be made, row by row. Without choices those that the file suggests are used.

    A file that was read before is read as it was then. `center_zone` is for days of a file that names no zone; `seats` is the size of
    each event's counter. Raises Unreadable for a file or choices that can't be, BadInput.
    """
    if not 0 <= seats <= MOST_SEATS:
        raise BadInput(f"Between 0 and {MOST_SEATS:,} seats can be given to each event.", "seats")
    if not known_zone(center_zone):
        raise ValueError(f"{center_zone!r} is no zone of the IANA database; use one such as America/Chicago")
    print_of_file = hashlib.sha256(data).hexdigest()
    before = None if choices else _read_before(session, print_of_file)
    choices = choices or (_chosen_again(before, now) if before else suggested(name, data))
    if isinstance(choices, IcsChoices):
        horizon = choices.horizon or (now + ENDLESS).date()
        reading = read_ics(data, default_zone=choices.zone, horizon=horizon, minutes=choices.minutes)
    else:
        reading = read_csv(data, choices)
    rows, moved = _rows(session, reading, center_zone)
    run = ImportRun(
        name=name[-300:],
        kind="ics" if isinstance(choices, IcsChoices) else "csv",
        fingerprint=print_of_file,
        data=data,
        choices={"center_zone": center_zone, "seats": seats, **_kept(choices)},
        summary=_summary(reading, rows, moved),
        horizon=reading.horizon,
        state="planned",
        total=sum(row["outcome"] == "new" for row in rows),
        created_at=now,
    )
    session.add(run)
    session.flush()
    if rows:
        numbered = [{**row, "run_id": run.id, "position": position} for position, row in enumerate(rows, start=1)]
        session.execute(insert(ImportRow), numbered)
    return run


def waits(row: ImportRow) -> bool:
    """Whether a row that is left out would be taken once something is chosen for the whole file."""
    return row.outcome == "left_out" and row.why.endswith(ASKING)


def choices_of(run: ImportRun) -> Choices:
    """The choices a run was planned with, to be changed and planned again."""
    kept = {name: value for name, value in run.choices.items() if name not in ("center_zone", "seats")}
    if run.kind == "csv":
        return CsvChoices(**kept)
    return IcsChoices(**{**kept, "horizon": date.fromisoformat(kept["horizon"]) if kept["horizon"] else None})


def _read_before(session: Session, print_of_file: str) -> ImportRun | None:
    """The last run of the same file, byte for byte."""
    return session.scalar(select(ImportRun).where(ImportRun.fingerprint == print_of_file).order_by(ImportRun.id.desc()).limit(1))


def _chosen_again(before: ImportRun, now: datetime) -> Choices:
    """The choices made then; how far endless repetitions are followed is chosen anew once that day is past."""
    choices = choices_of(before)
    if isinstance(choices, IcsChoices) and choices.horizon is not None and choices.horizon <= now.date():
        return replace(choices, horizon=None)
    return choices


def press(session: Session, run: ImportRun) -> ImportRun:
    """Have exactly what the dry run showed be made, by the next batches. Raises Conflict when that was done before."""
    session.refresh(run, with_for_update=True)
    if run.state != "planned":
        raise Conflict(
            {"running": "This import is under way.", "done": "This import is done."}.get(run.state, "This import was discarded.")
        )
    run.state = "running"
    session.flush()
    ring(session, PRESSED)
    return run


def discard(session: Session, run: ImportRun) -> ImportRun:
    """Put a dry run away. Raises Conflict once it was pressed."""
    session.refresh(run, with_for_update=True)
    if run.state != "planned":
        raise Conflict("This import was pressed already; what it made can be archived.")
    run.state = "discarded"
    session.flush()
    return run


def running(session: Session) -> Sequence[ImportRun]:
    """The imports that have batches to come, oldest first."""
    return session.scalars(select(ImportRun).where(ImportRun.state == "running").order_by(ImportRun.id)).all()


def carry_out(session: Session, run: ImportRun, *, now: datetime, batch: int = BATCH) -> ImportRun:
    """Make the next batch of a pressed run and count it; after the last one the run is done. Run again, it goes on where it stopped.

    A row whose UID came into the catalogue since the dry run becomes a duplicate. Raises Conflict for a run that was not pressed.
    """
    session.execute(select(func.pg_advisory_xact_lock(IMPORT_LOCK)))
    session.refresh(run, with_for_update=True)
    if run.state == "done":
        return run
    if run.state != "running":
        raise Conflict("This import has not been pressed.")
    waiting = select(ImportRow).where(ImportRow.run_id == run.id, ImportRow.outcome == "new").order_by(ImportRow.position)
    rows = session.scalars(waiting.limit(batch)).all()
    _make(session, run, rows, now=now)
    run.done += len(rows)
    if len(rows) < batch or run.done >= run.total:
        run.state, run.finished_at = "done", now
    session.flush()
    return run


def _make(session: Session, run: ImportRun, rows: Sequence[ImportRow], *, now: datetime) -> None:
    plans = [(row, plan_of(row.plan)) for row in rows if row.plan is not None]
    known = _known(session, [plan.uid for _, plan in plans])
    for row, plan in plans:
        if plan.uid in known:
            row.outcome, row.event_id = "duplicate", known[plan.uid][0]
            row.why = f"It came into the catalogue after this dry run: {known[plan.uid][1]}."
    to_make = [(row, plan) for row, plan in plans if row.outcome == "new"]
    made = make_events(session, [plan for _, plan in to_make], zone=run.choices["center_zone"], seats=run.choices["seats"], now=now)
    for (row, _), event in zip(to_make, made, strict=True):
        row.outcome, row.event_id = "made", event.id


def _rows(session: Session, reading: Reading, center_zone: str) -> tuple[list[dict[str, Any]], Notes]:
    """What the dry run shows, in the order of the file."""
    known = _known(session, [plan.uid for plan in reading.plans])
    moved = Notes()
    rows = [_left(left) for left in reading.left_out]
    for plan in reading.plans:
        try:
            fits, sentences = fitting(plan, plan.zone or center_zone)
        except NotPlaced as reason:
            rows.append(_left(LeftOut(plan.line, plan.seminar_title, str(reason))))
            continue
        for sentence in sentences:
            moved.add(sentence, plan.line)
        rows.append(_planned(fits, known.get(plan.uid)))
    return sorted(rows, key=lambda row: int(row["line"])), moved


def _left(left: LeftOut) -> dict[str, Any]:
    return {"line": left.line, "outcome": "left_out", "why": left.why, "what": left.what, "plan": None, "event_id": None}


def _planned(plan: EventPlan, known: tuple[int, str] | None) -> dict[str, Any]:
    return {
        "line": plan.line,
        "outcome": "duplicate" if known else "new",
        "why": f"It is in the catalogue already: {known[1]}." if known else "",
        "what": plan.seminar_title,
        "plan": facts_of(plan),
        "event_id": known[0] if known else None,
    }


def _known(session: Session, uids: Sequence[str]) -> dict[str, tuple[int, str]]:
    """Which of these UIDs the catalogue has, with the id and the title of their event."""
    found: dict[str, tuple[int, str]] = {}
    for some in _pieces(uids):
        wanted = select(Event.source_uid, Event.id, Event.title).where(Event.source_uid.in_(some))
        found |= {uid: (number, title) for uid, number, title in session.execute(wanted) if uid is not None}
    return found


def _pieces(all_of_them: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(all_of_them), LOOKED_UP_AT_ONCE):
        yield all_of_them[start : start + LOOKED_UP_AT_ONCE]


def _kept(choices: Choices) -> dict[str, Any]:
    facts = asdict(choices)
    if isinstance(choices, IcsChoices):
        facts["horizon"] = choices.horizon.isoformat() if choices.horizon else None
    return facts


def _summary(reading: Reading, rows: list[dict[str, Any]], moved: Notes) -> dict[str, Any]:
    outcomes = [row["outcome"] for row in rows]
    return {
        "new": outcomes.count("new"),
        "duplicates": outcomes.count("duplicate"),
        "left_out": outcomes.count("left_out"),
        "waiting": sum(row["outcome"] == "left_out" and row["why"].endswith(ASKING) for row in rows),
        "sessions": sum(len(row["plan"]["sessions"]) for row in rows if row["outcome"] == "new"),
        "warnings": [*reading.warnings, *moved.sentences()],
        "questions": [{**asdict(question), "options": list(question.options)} for question in reading.questions],
        "columns_found": reading.columns_found,
        "columns_ignored": list(reading.columns_ignored),
    }
