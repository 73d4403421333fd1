"""Who comes: the roster page by page, and its export as a table of exactly what is shown."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from flask import Response, request, stream_with_context
from flask.typing import ResponseReturnValue

from seminars.audit import recording
from seminars.desk import programme as catalogue
from seminars.desk import roster as rosters
from seminars.kit.format import local
from seminars.kit.money import Money, digits
from seminars.kit.references import reference
from seminars.people import permissions as may
from seminars.web.shared import now
from seminars.web.shared.guards import needs
from seminars.web.staff.door import acting, page, positive, reading, staff

COLUMNS = (
    "Name",
    "Email",
    "Organisation",
    "Profession",
    "Needs",
    "Ticket",
    "Registration",
    "Order",
    "Currency",
    "Price",
    "Paid",
    "Open",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


@staff.get("/events/<int:event_id>/roster")
@needs(may.see_people_registered)
def roster(event_id: int) -> ResponseReturnValue:
    """A page of the roster."""
    session = reading()
    event, wanted = catalogue.event_by_id(session, event_id), _wanted()
    after_id = positive(request.args.get("after"))
    after = rosters.Place(request.args.get("name"), after_id) if after_id else None
    found = rosters.roster_page(session, event_id, wanted, after=after)
    return page(
        "events/roster.html",
        section="Programme",
        event=event,
        held=catalogue.seats_held(session, [event]),
        wanted=wanted,
        roster=found,
        first=after is None,
        most=rosters.COUNT_UP_TO,
    )


@staff.get("/events/<int:event_id>/roster.csv")
@needs(may.export_roster)
def roster_csv(event_id: int) -> ResponseReturnValue:
    """All rows that the filter lets through, for a spreadsheet. That it was taken out is written down."""
    wanted, instant = _wanted(), now()
    with acting() as session:
        event = catalogue.event_by_id(session, event_id)
        recording.note(
            session,
            "exported roster",
            reference("event", event_id),
            after={"state": wanted.state, "words": wanted.words},
            now=instant,
        )
    name = f"{event.reference}-{local(instant, event.zone):%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return Response(stream_with_context(_lines(event_id, wanted)), mimetype="text/csv", headers=headers)


def as_text(value: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection): an apostrophe stands before what would begin one."""
    return f"'{value}" if value.startswith(FORMULA) else value


def _wanted() -> rosters.Filter:
    state = request.args.get("state", "live")
    return rosters.Filter(
        state=state if state in ("live", "all", *rosters.STATES) else "live",
        words=request.args.get("q", "")[:120],
        ticket_type_id=positive(request.args.get("ticket")),
    )


def _lines(event_id: int, wanted: rosters.Filter) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    # The mark at the beginning tells spreadsheets that the file is UTF-8.
    buffer.write("\ufeff")
    writer.writerow(COLUMNS)
    for number, row in enumerate(rosters.all_rows(reading(), event_id, wanted)):
        writer.writerow([as_text(cell) for cell in _cells(row)])
        if number % 500 == 0:
            yield _emptied(buffer)
    yield _emptied(buffer)


def _cells(row: rosters.Row) -> tuple[str, ...]:
    person = (row.name or "Not named yet", row.email or "", row.organisation, row.profession, row.needs)
    amounts = (plain(row.price), plain(row.paid), plain(row.open))
    return (*person, row.ticket, row.state.replace("_", " "), row.order_number, row.price.currency, *amounts)


def plain(value: Money) -> str:
    """An amount as spreadsheets read it: 1190.00."""
    return str(Decimal(value.amount).scaleb(-digits(value.currency)))


def _emptied(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
