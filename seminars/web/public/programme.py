"""The programme at `/`: what is on, by month, narrowed by links, with seats left and the visitor's own time."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, make_response, render_template, request
from markupsafe import Markup
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog import queries
from seminars.catalog.queries import Kind, Listed, Narrowed, Rows
from seminars.db import db
from seminars.web.public import narrowing, wording
from seminars.web.shared import joined, now
from seminars.web.shared.preferences import keep_zone, visitor_zone
from seminars.web.shared.reading import single_statement

blueprint = Blueprint("programme", __name__)

PAGE = 200
COUNTS_LAST = 15.0
MOST_REMEMBERED = 256
MOST_PRINTED = 4_096


class Line(NamedTuple):
    """One entry of the list, in words."""

    path: str
    title: str
    summary: str
    topic: str
    topic_name: str
    month_key: str
    month: str
    block: str
    under: str
    place: str
    times: str
    elsewhere: str
    price: str
    seats: str
    shape: str


class Printed(NamedTuple):
    """One entry of the list as it stands in the page, with its month."""

    month_key: str
    month: str
    markup: Markup


@dataclass
class Memory:
    """What this process remembers between two pages: entries as they were printed, and the numbers beside the filters.

    An entry is printed anew when its row, its seats or the visitor's zone is another; the numbers are read at most every quarter of
    a minute, because they cost as much as there are events, and the list does not.
    """

    printed: OrderedDict[tuple[int, str, wording.Seats, str], Printed] = field(default_factory=OrderedDict)
    counted_at: float = -COUNTS_LAST
    kinds: list[Kind] = field(default_factory=list)
    filters: dict[Narrowed, Markup] = field(default_factory=dict)


def _memory() -> Memory:
    found: Memory = current_app.extensions.setdefault("programme", Memory())
    return found


@blueprint.get("/")
def show() -> Response:
    """The list. The same for every visitor with the same filters, theme and zone, so that it may be kept for two seconds."""
    asked, instant = narrowing.read(request.args), now()
    center, zone = joined().settings.center, visitor_zone(request)
    since = _midnight(asked, center.zone, instant)
    with single_statement() as connection:
        rows = queries.programme(connection, asked.narrowed, now=instant, since=since, after=asked.after, most=PAGE)
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    filters, kinds = _filters(db.session(), asked.narrowed, instant)
    # Offerings have no date: they stand after the last one, and before all of them where somebody searches for words.
    first = bool(asked.narrowed.q) and asked.after is None
    offered = _offered(asked.narrowed, kinds) if first or not (more or asked.narrowed.q) else []
    both = [*offered, *rows[:PAGE]] if first else [*rows[:PAGE], *offered]
    response = make_response(
        render_template(
            "public/programme.html",
            asked=asked,
            months=list(months(entries(db.session(), both, zone, dict(center.topics)))),
            filters=filters,
            later=narrowing.query(asked.narrowed, after=narrowing.cursor_of(more.starts_at, more.id)) if more else "",
            feed="/programme.ics" + narrowing.query(asked.narrowed),
            here="/" + narrowing.query(asked.narrowed),
            chosen=narrowing.chosen(asked.narrowed, center.topics),
            narrowed_by=[name for name in narrowing.FIELDS if getattr(asked.narrowed, name)],
            zone=zone,
        )
    )
    return keep_zone(public(response))


@blueprint.get("/zone")
def zone() -> Response:
    """Choose the zone in which times of online events are shown beside their own."""
    page = render_template("public/zone.html", zones=sorted(zone_names()), chosen=visitor_zone(request) or joined().settings.center.zone)
    return public(make_response(page))


def _offered(narrowed: Narrowed, kinds: Sequence[Kind]) -> list[tuple[int, str, datetime | None, int | None, int | None]]:
    """The offerings that the list shows when it is narrowed so, as rows without a date and without seats."""
    found = narrowing.fitting(narrowed, [kind for kind in kinds if kind.id])
    return [(kind.id or 0, kind.version, None, None, None) for kind in found]


def public(response: Response) -> Response:
    """Mark an answer as the same for everyone; browsers ask each time whether it changed."""
    response.headers["Cache-Control"] = "public, no-cache"
    return response


def months(printed: Sequence[Printed]) -> Iterator[tuple[str, str, Markup]]:
    """Entries by month: key, name, entries."""
    for key, group in groupby(printed, key=lambda entry: entry.month_key):
        found = list(group)
        yield key, found[0].month, Markup("".join([entry.markup for entry in found]))  # noqa: S704  printed by templates


def entries(session: Session, rows: Sequence[Sequence[Any]], visitor: str, topics: dict[str, str]) -> list[Printed]:
    """Rows of the list as they are printed: from memory where nothing about them changed."""
    memory = _memory().printed
    keys = [(number, version, wording.seats(left, size), visitor) for number, version, _, size, left in rows]
    missing = [key for key in keys if key not in memory]
    if missing:
        template = current_app.jinja_env.get_template("parts/entry.html")
        fetched = queries.rows_of(session, [key[0] for key in missing])
        for key in missing:
            line = line_of(fetched[key[0]], key[2], visitor, topics)
            memory[key] = Printed(line.month_key, line.month, Markup(template.render(line=line)))  # noqa: S704  the template escapes
    found = [memory[key] for key in keys]
    while len(memory) > MOST_PRINTED:
        memory.popitem(last=False)
    return found


def line_of(row: Listed, seats: wording.Seats, visitor: str, topics: dict[str, str]) -> Line:
    """A row of the list in words."""
    if row.subject.startswith("offering/"):
        return _offering(row, topics)
    when = wording.when(row.starts_at, row.first_ends_at, row.ends_at, row.zone, row.all_day)
    beside = bool(visitor) and row.format != "in_person" and not row.all_day
    return Line(
        path=row.path,
        title=row.title,
        summary=row.summary,
        topic=row.topic,
        topic_name=topics.get(row.topic, row.topic),
        month_key=when.month_key,
        month=when.month,
        block=when.block,
        under=when.under,
        place=row.place,
        times=when.times,
        elsewhere=wording.elsewhere(row.starts_at, row.zone, visitor) if beside else "",
        price=wording.price_from(row.price_from, row.several_prices, row.currency),
        seats=seats.text,
        shape=seats.shape,
    )


def _offering(row: Listed, topics: dict[str, str]) -> Line:
    return Line(
        path=row.path,
        title=row.title,
        summary=row.summary,
        topic=row.topic,
        topic_name=topics.get(row.topic, row.topic),
        month_key="on-demand",
        month="On demand",
        block="1:1",
        under="consulting",
        place=row.place,
        times="at a time of your choice",
        elsewhere="",
        price=wording.price_from(row.price_from, row.several_prices, row.currency),
        seats="",
        shape="",
    )


def lines(rows: Rows, visitor: str, topics: dict[str, str]) -> list[Line]:
    """Rows that carry their seats, in words."""
    return [line_of(row, wording.seats(row.left, row.size), visitor, topics) for row in rows]


def _midnight(asked: narrowing.Asked, zone: str, instant: datetime) -> datetime | None:
    """The start of the day from which the visitor wants to see, unless it has passed."""
    if asked.since is None:
        return None
    found = datetime(asked.since.year, asked.since.month, asked.since.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return found if found > instant else None


def _filters(session: Session, narrowed: Narrowed, instant: datetime) -> tuple[Markup, list[Kind]]:
    """The filters with their numbers, as they are printed, and the kinds of rows that they count."""
    if narrowed.q:
        kinds = queries.kinds(session, now=instant, q=narrowed.q)
        return _print_filters(narrowed, kinds), kinds
    memory = _memory()
    if time.monotonic() - memory.counted_at > COUNTS_LAST:
        memory.counted_at = time.monotonic()
        memory.kinds, memory.filters = queries.kinds(session, now=instant), {}
    found = memory.filters.get(narrowed)
    if found is None:
        found = _print_filters(narrowed, memory.kinds)
        if len(memory.filters) < MOST_REMEMBERED:
            memory.filters[narrowed] = found
    return found, memory.kinds


def _print_filters(narrowed: Narrowed, kinds: list[Kind]) -> Markup:
    groups = narrowing.groups(narrowed, kinds, joined().settings.center.topics)
    return Markup(current_app.jinja_env.get_template("parts/filters.html").render(groups=groups))  # noqa: S704  the template escapes
