"""The public list's table: one row per event on sale, written from the catalogue whenever something on it changes."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import BigInteger, DateTime

from seminars.catalog.models import Event


def refresh(session: Session, event: Event, *, now: datetime) -> None:
    """Write the event's row on the public list anew, or take it down when the event is not on sale."""
    session.flush()
    refresh_many(session, [event.id], now=now)


def refresh_many(session: Session, event_ids: Iterable[int], *, now: datetime) -> None:
    """The same for many events in two statements: an import of 10,000 rows ends with one call."""
    ids = list(event_ids)
    session.execute(_WRITE, {"ids": ids, "now": now})
    session.execute(_TAKE_DOWN, {"ids": ids})


# A published event has a row. One that was cancelled keeps it, unlisted: subscribers of the calendar must see that it is off.
# `quota_id` stands only where one counter says everything: every ticket type on sale draws on that one and on no other.
_WRITE = text("""
INSERT INTO listings (subject, kind, path, seminar_slug, title, summary, people, topic, format, city, place, zone, all_day,
                      starts_at, first_ends_at, ends_at, price_from, several_prices, currency, quota_id, listed, changed_at)
SELECT 'event/' || e.id, 'event', '/events/' || e.reference, s.slug, e.title, s.summary, coalesce(who.names, ''), s.topic, e.format,
       coalesce(spot.city, ''),
       CASE e.format WHEN 'online' THEN 'Online'
                     WHEN 'hybrid' THEN coalesce(nullif(spot.city, ''), v.name, 'In person') || ', and online'
                     ELSE coalesce(nullif(spot.city, ''), v.name, 'Place to be announced') END,
       e.zone, coalesce(first.all_day, false), e.starts_at, coalesce(first.ends_at, e.ends_at), e.ends_at,
       prices.lowest, coalesce(prices.several, false), coalesce(prices.currency, 'USD'), counter.quota_id, e.state = 'published', :now
  FROM events e
  JOIN seminars s ON s.id = e.seminar_id
  LEFT JOIN venues v ON v.id = e.venue_id
  LEFT JOIN LATERAL (
       SELECT left(concat_ws(', ', nullif(v.city, ''), coalesce(nullif(v.region, ''), nullif(v.country, ''))), 120) AS city
        WHERE e.format <> 'online' AND v.city <> '') spot ON true
  LEFT JOIN LATERAL (
       SELECT string_agg(p.name, ' ') AS names FROM event_speakers es JOIN speakers p ON p.id = es.speaker_id
        WHERE es.event_id = e.id) who ON true
  LEFT JOIN LATERAL (
       SELECT es.ends_at, es.all_day FROM event_sessions es
        WHERE es.event_id = e.id AND es.state <> 'cancelled' ORDER BY es.starts_at, es.id LIMIT 1) first ON true
  LEFT JOIN LATERAL (
       SELECT min(t.price) AS lowest, min(t.price) <> max(t.price) AS several, min(t.currency) AS currency
         FROM ticket_types t WHERE t.event_id = e.id AND t.on_sale) prices ON true
  LEFT JOIN LATERAL (
       SELECT min(tq.quota_id) AS quota_id
         FROM ticket_types t LEFT JOIN ticket_type_quotas tq ON tq.ticket_type_id = t.id
        WHERE t.event_id = e.id AND t.on_sale
       HAVING count(DISTINCT tq.quota_id) = 1 AND bool_and(tq.quota_id IS NOT NULL)) counter ON true
 WHERE e.id = ANY(:ids) AND e.listed AND e.starts_at IS NOT NULL AND e.ends_at IS NOT NULL
       AND (e.state = 'published' OR (e.state = 'cancelled' AND e.published_at IS NOT NULL))
ON CONFLICT (subject) DO UPDATE SET
       path = excluded.path, seminar_slug = excluded.seminar_slug, title = excluded.title, summary = excluded.summary,
       people = excluded.people, topic = excluded.topic, format = excluded.format, city = excluded.city, place = excluded.place,
       zone = excluded.zone, all_day = excluded.all_day, starts_at = excluded.starts_at, first_ends_at = excluded.first_ends_at,
       ends_at = excluded.ends_at, price_from = excluded.price_from, several_prices = excluded.several_prices,
       currency = excluded.currency, quota_id = excluded.quota_id, listed = excluded.listed, changed_at = excluded.changed_at
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("now", type_=DateTime(timezone=True)))

_TAKE_DOWN = text("""
DELETE FROM listings WHERE subject IN (
       SELECT 'event/' || e.id FROM events e WHERE e.id = ANY(:ids) AND NOT (e.listed AND e.starts_at IS NOT NULL AND e.ends_at IS NOT NULL
       AND (e.state = 'published' OR (e.state = 'cancelled' AND e.published_at IS NOT NULL))))
""").bindparams(bindparam("ids", type_=ARRAY(BigInteger)))
