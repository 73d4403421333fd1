"""Catalogues of other systems: uploaded, looked at as a dry run, taken exactly as shown, with progress that survives leaving."""

from datetime import date
from typing import Any

from flask import Response, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, undefer

from seminars.calendars.zones import zone_names
from seminars.catalog import importing
from seminars.catalog.importing import Choices, IcsChoices
from seminars.catalog.models import ImportRow, ImportRun
from seminars.catalog.reading.csv_guess import FIELDS, CsvChoices
from seminars.catalog.reading.csv_table import read_table
from seminars.kit.refusals import BadInput, NotFound, Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import Typed, acting, errors_of, page, positive, reading, staff

MOST_SEATS = 100_000
PER_PAGE = 100
LAST_POSITION = 2**31 - 1
ENCODINGS = (("windows-1252", "Windows (windows-1252), as Excel often saves it"), ("iso-8859-15", "Western European (iso-8859-15)"))
FIELD_WORDS = {
    "uid": "Identifier", "id": "Number", "title": "Title", "date": "Day", "start": "Starts", "end_date": "Last day", "end": "Ends",
    "minutes": "Length in minutes", "all_day": "All day", "zone": "Time zone", "location": "Place", "join_url": "Join link",
    "url": "Web page", "speaker": "Who teaches", "description": "Description", "category": "Category", "status": "Status",
}  # fmt: skip


@staff.get("/import")
@needs(may.change_programme)
def imports() -> ResponseReturnValue:
    """The form, and imports so far."""
    return _start()


@staff.post("/import")
@needs(may.change_programme)
def upload() -> ResponseReturnValue:
    """Make a dry run of a file."""
    typed, given = Typed(request.form), request.files.get("file")
    try:
        if given is None or not given.filename:
            raise BadInput("Please choose a file.", "file")
        data, seats = given.read(), typed.whole("seats", low=0, high=MOST_SEATS)
        typed.finish()
        with acting() as session:
            zone, name = joined().settings.center.zone, given.filename[-200:]
            choices = importing.suggested(name, data, encoding=typed.text("encoding")) if typed.text("encoding") else None
            run = importing.plan_import(session, name=name, data=data, center_zone=zone, seats=seats, now=now(), choices=choices)
    except Refusal as refusal:
        errors = {field or "file": sentence for field, sentence in errors_of(refusal).items()}
        return _start(errors), 422
    return redirect(url_for("staff.import_run", run_id=run.id), 303)


@staff.get("/import/<int:run_id>")
@needs(may.change_programme)
def import_run(run_id: int) -> ResponseReturnValue:
    """What will be made, what is left out and why; or how far taking it has come."""
    return _show(_run(reading(), run_id), {})


@staff.post("/import/<int:run_id>/plan")
@needs(may.change_programme)
def plan_again(run_id: int) -> ResponseReturnValue:
    """Read the same file with other choices. The dry run before is put away."""
    typed = Typed(request.form)
    try:
        with acting() as session:
            old = _run(session, run_id)
            choices, seats = _choices(typed, old), typed.whole("seats", low=0, high=MOST_SEATS)
            typed.finish()
            zone = joined().settings.center.zone
            run = importing.plan_import(session, name=old.name, data=old.data, center_zone=zone, now=now(), choices=choices, seats=seats)
            if old.state == "planned":
                importing.discard(session, old)
    except Refusal as refusal:
        return _show(_run(reading(), run_id), errors_of(refusal)), 422
    return redirect(url_for("staff.import_run", run_id=run.id), 303)


@staff.post("/import/<int:run_id>/take")
@needs(may.change_programme)
def take_import(run_id: int) -> ResponseReturnValue:
    """Take exactly what the dry run showed."""
    with acting() as session:
        run = importing.press(session, _run(session, run_id))
    flash(f"{run.total:,} events are being made. You may leave this page.")
    return redirect(url_for("staff.import_run", run_id=run_id), 303)


@staff.post("/import/<int:run_id>/discard")
@needs(may.change_programme)
def discard_import(run_id: int) -> ResponseReturnValue:
    """Put a dry run away."""
    with acting() as session:
        importing.discard(session, _run(session, run_id))
    flash("The dry run is put away. Nothing was changed.")
    return redirect(url_for("staff.imports"), 303)


def _start(errors: dict[str, str] | None = None) -> str:
    runs = reading().scalars(select(ImportRun).order_by(ImportRun.id.desc()).limit(30)).all()
    return page("import/start.html", section="Programme", runs=runs, typed=request.form, errors=errors or {}, encodings=ENCODINGS)


def _show(run: ImportRun, errors: dict[str, str]) -> Response:
    session, outcome, after = reading(), request.args.get("outcome", ""), min(positive(request.args.get("after")) or 0, LAST_POSITION)
    wanted = (
        select(ImportRow).where(ImportRow.run_id == run.id, ImportRow.position > after).order_by(ImportRow.position).limit(PER_PAGE + 1)
    )
    rows = session.scalars(wanted.where(ImportRow.outcome == outcome) if outcome else wanted).all()
    response = make_response(
        page(
            "import/show.html",
            section="Programme",
            run=run,
            rows=rows[:PER_PAGE],
            more=rows[PER_PAGE - 1].position if len(rows) > PER_PAGE else None,
            outcome=outcome,
            choices=importing.choices_of(run),
            header=read_table(run.data, encoding=run.choices.get("encoding")).header if run.kind == "csv" else (),
            fields=[(field, FIELD_WORDS[field]) for field in FIELDS],
            zones=sorted(zone_names()),
            encodings=ENCODINGS,
            waits=importing.waits,
            typed=request.form,
            errors=errors,
        )
    )
    if run.state == "running":
        response.headers["Refresh"] = "2"
    return response


def _choices(typed: Typed, run: ImportRun) -> Choices:
    zone = typed.text("zone").strip() or None
    if zone and zone not in zone_names():
        typed.wrong("zone", "Please choose a zone from the list.")
    if run.kind == "ics":
        return IcsChoices(
            zone=zone, horizon=_horizon(typed), minutes=typed.whole("minutes", low=1, high=1_440) if typed.text("minutes") else 60
        )
    kept = importing.choices_of(run)
    assert isinstance(kept, CsvChoices)
    if (encoding := typed.text("encoding") or None) != kept.encoding:
        # The names of the columns are other words now: the file is looked at afresh.
        return importing.suggested(run.name, run.data, encoding=encoding)
    facts: dict[str, Any] = {
        "columns": {field: typed.text(f"column-{field}") for field in FIELDS if typed.text(f"column-{field}")},
        "order": typed.text("order") or None,
        "zone": zone,
        "year": typed.whole("year", low=2000, high=2100) if typed.text("year").strip() else None,
        "minutes": typed.whole("minutes", low=1, high=1_440) if typed.text("minutes").strip() else None,
        "days_without_time": typed.ticked("days_without_time"),
        "follow": "place" if typed.text("follow") == "place" else "label",
        "encoding": kept.encoding,
        "delimiter": kept.delimiter,
    }
    return CsvChoices(**facts)


def _horizon(typed: Typed) -> date | None:
    text = typed.text("horizon").strip()
    return typed.day("horizon") if text else None


def _run(session: Session, run_id: int) -> ImportRun:
    found = session.scalar(select(ImportRun).where(ImportRun.id == run_id).options(undefer(ImportRun.data)))
    if found is None:
        raise NotFound("There is no such import.")
    return found
