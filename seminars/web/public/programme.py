"""The programme at `/`: what is on, by month, narrowed by links, with seats left and the visitor's own time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, current_app, make_response, render_template, request
from sqlalchemy import Row
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog import queries
from seminars.catalog.queries import Kind, Narrowed
from seminars.db import db
from seminars.web.public import narrowing, wording
from seminars.web.shared import joined, now
from seminars.web.shared.preferences import keep_zone, visitor_zone

blueprint = Blueprint("programme", __name__)

PAGE = 200
COUNTS_LAST = 15.0
MOST_REMEMBERED = 256


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


@blueprint.get("/")
def show() -> Response:
    """The list. The same for every visitor with the same filters, theme and zone, so that it may be kept for two seconds."""
    asked, instant = narrowing.read(request.args), now()
    center, zone = joined().settings.center, visitor_zone(request)
    since = _midnight(asked, center.zone, instant)
    rows = queries.programme(db.session(), asked.narrowed, now=instant, since=since, after=asked.after, most=PAGE)
    more = rows[PAGE - 1] if len(rows) > PAGE else None
    response = make_response(
        render_template(
            "public/programme.html",
            asked=asked,
            months=list(months(lines(db.session(), rows[:PAGE], zone, dict(center.topics)))),
            groups=_groups(db.session(), asked.narrowed, instant),
            later=narrowing.query(asked.narrowed, after=narrowing.cursor_of(more.starts_at, more.id)) if more else "",
            feed="/programme.ics" + narrowing.query(asked.narrowed),
            here="/" + narrowing.query(asked.narrowed),
            narrowed_by=[name for name in narrowing.FIELDS if getattr(asked.narrowed, name)],
            zone=zone,
            city=wording.city_of(zone) if zone else "",
        )
    )
    return keep_zone(public(response))


@blueprint.get("/zone")
def zone() -> Response:
    """Choose the zone in which times of online events are shown beside their own."""
    return public(make_response(render_template("public/zone.html", zones=sorted(zone_names()), chosen=visitor_zone(request))))


def public(response: Response) -> Response:
    """Mark an answer as the same for everyone; browsers ask each time whether it changed."""
    response.headers["Cache-Control"] = "public, no-cache"
    return response


def months(entries: list[Line]) -> Iterator[tuple[str, str, list[Line]]]:
    """Entries by month: key, name, entries."""
    for key, group in groupby(entries, key=lambda line: line.month_key):
        found = list(group)
        yield key, found[0].month, found


def lines(session: Session, rows: Sequence[Row[Any]], visitor: str, topics: dict[str, str]) -> list[Line]:
    """Rows of the list in words."""
    several = [_event_id(row.subject) for row in rows if row.quota_id is None and row.price_from is not None]
    seats_of = queries.seats_of(session, several)
    return [_line(row, seats_of.get(_event_id(row.subject), (row.left, row.size)) if several else (row.left, row.size), visitor, topics) for row in rows]


def _line(row: Row[Any], counted: tuple[int | None, int | None], visitor: str, topics: dict[str, str]) -> Line:
    when = wording.when(row.starts_at, row.first_ends_at, row.ends_at, row.zone, row.all_day)
    elsewhere = wording.elsewhere(row.starts_at, row.zone, visitor) if visitor and row.format != "in_person" and not row.all_day else ""
    seats = wording.seats(*counted)
    return Line(
        row.path, row.title, row.summary, row.topic, topics.get(row.topic, row.topic), when.month_key, when.month, when.block, when.under,
        row.place, when.times, elsewhere, wording.price_from(row.price_from, row.several_prices, row.currency), seats.text, seats.shape,
    )  # fmt: skip


def _event_id(subject: str) -> int:
    return int(subject.rpartition("/")[2])


def _midnight(asked: narrowing.Asked, zone: str, instant: datetime) -> datetime | None:
    """The start of the day from which the visitor wants to see, unless it has passed."""
    if asked.since is None:
        return None
    found = datetime(asked.since.year, asked.since.month, asked.since.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return found if found > instant else None


@dataclass
class Counts:
    """The numbers beside the filters, read at most every quarter of a minute: they cost as much as there are events, the list does not."""

    read_at: float = -COUNTS_LAST
    kinds: list[Kind] | None = None
    groups: dict[Narrowed, list[narrowing.Group]] | None = None


def _groups(session: Session, narrowed: Narrowed, instant: datetime) -> list[narrowing.Group]:
    topics = joined().settings.center.topics
    if narrowed.q:
        return narrowing.groups(narrowed, queries.kinds(session, now=instant, q=narrowed.q), topics)
    counts: Counts = current_app.extensions.setdefault("programme_counts", Counts())
    if counts.kinds is None or counts.groups is None or time.monotonic() - counts.read_at > COUNTS_LAST:
        counts.read_at = time.monotonic()
        counts.kinds, counts.groups = queries.kinds(session, now=instant), {}
    found = counts.groups.get(narrowed)
    if found is None:
        found = narrowing.groups(narrowed, counts.kinds, topics)
        if len(counts.groups) < MOST_REMEMBERED:
            counts.groups[narrowed] = found
    return found
