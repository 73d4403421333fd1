"""Offerings on the public list's table, beside the events of the catalogue."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, DateTime

from seminars.consulting.models import Offering


def refresh(session: Session, offering: Offering, *, now: datetime) -> None:
    """Write the offering's row on the public list anew, or take it down when it is not on sale."""
    session.flush()
    refresh_many(session, [offering.id], now=now)


def refresh_many(session: Session, offering_ids: Iterable[int], *, now: datetime) -> None:
    """The same for several, in two statements."""
    ids = list(offering_ids)
    if ids:
        session.execute(_WRITE, {"ids": ids, "now": now})
        session.execute(_TAKE_DOWN, {"ids": ids})


# An offering has no date: one and the same instant at both ends is an empty range, so that no list of dates ever finds it.
_WRITE = text("""
INSERT INTO listings (subject, kind, path, seminar_slug, title, summary, people, topic, format, city, place, zone, all_day,
                      starts_at, first_ends_at, ends_at, price_from, several_prices, currency, quota_id, listed, changed_at)
SELECT 'offering/' || o.id, 'offering', '/consulting/' || o.slug, '', o.title, o.summary, coalesce(who.names, ''), o.topic,
       CASE o.mode WHEN 'video' THEN 'online' ELSE 'in_person' END, '',
       CASE o.mode WHEN 'video' THEN 'Online' WHEN 'client_site' THEN 'At your site' ELSE coalesce(nullif(o.place, ''), 'In person') END,
       coalesce(who.zone, 'UTC'), false, to_timestamp(0), to_timestamp(0), to_timestamp(0),
       prices.lowest, coalesce(prices.several, false), o.currency, NULL, true, :now
  FROM offerings o
  LEFT JOIN LATERAL (
       SELECT string_agg(c.name, ' ' ORDER BY c.name) FILTER (WHERE c.listed) AS names, min(c.zone) AS zone
         FROM offering_consultants oc JOIN consultants c ON c.id = oc.consultant_id
        WHERE oc.offering_id = o.id AND c.active) who ON true
  LEFT JOIN LATERAL (
       SELECT min(l.price) AS lowest, min(l.price) <> max(l.price) AS several
         FROM offering_lengths l WHERE l.offering_id = o.id AND l.offered) prices ON true
 WHERE o.id = ANY(:ids) AND o.listed AND o.state = 'published'
ON CONFLICT (subject) DO UPDATE SET
       path = excluded.path, title = excluded.title, summary = excluded.summary, people = excluded.people, topic = excluded.topic,
       format = excluded.format, place = excluded.place, zone = excluded.zone, price_from = excluded.price_from,
       several_prices = excluded.several_prices, currency = excluded.currency, changed_at = excluded.changed_at
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("now", type_=DateTime(timezone=True)))

_TAKE_DOWN = text("""
DELETE FROM listings WHERE subject IN (
       SELECT 'offering/' || o.id FROM offerings o WHERE o.id = ANY(:ids) AND NOT (o.listed AND o.state = 'published'))
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
