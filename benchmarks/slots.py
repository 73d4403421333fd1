"""What it takes to compute slots, beside the one query of claims that they are computed from.

    python -m benchmarks.slots [--rounds 30]

Thirty days of an offering that 20 consultants deliver, each with 2,000 claims, of which about 100 lie in those days. The calculation in
Python may cost at most three times what the query costs in the same run (medians), the query returns only what lies in the window, and
with twice as many claims in the window the calculation takes at most 2.2 times as long. More claims outside of the window change nothing.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

import psycopg
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from benchmarks import _mailing as mailing
from seminars import tables  # noqa: F401  every mapper must be known before the first query
from seminars.consulting import availability, consultants, offerings
from seminars.consulting.availability import MARGIN, Diary, Slot
from seminars.consulting.consultants import ConsultantFacts, Stretch
from seminars.consulting.models import Offering
from seminars.consulting.offerings import OfferingFacts
from seminars.consulting.queries import as_taken, diary_of, offering_by_slug, slots_of, terms_of
from seminars.schedule.queries import Busy, taken

MOST_RATIO, MOST_GROWTH = 3.0, 2.2
PEOPLE, CLAIMS, DAYS = 20, 2_000, 30
NOW = datetime(2027, 3, 1, 6, tzinfo=UTC)
SINCE, UNTIL = NOW, NOW + timedelta(days=DAYS)
ZONES = {"America/Chicago": 540, "Europe/Berlin": 120, "America/Denver": 600, "Australia/Brisbane": 1_020}
"""With the minutes from 6:00 UTC to nine o'clock there."""

# Three appointments of 30 minutes a day, from nine o'clock on by the consultant's clock, on days before, in and after the window; the hours
# between them are for the doubled run.
FILL = """
INSERT INTO time_claims (resource_id, kind, holder, starts_at, ends_at, label, override_reason, lapses_at, created_at)
SELECT resource, 'appointment', 'appointment/' || resource * 1000000 + n,
       %(first)s + make_interval(days => n / 3, mins => nine + %(odd)s + (n %% 3) * 120),
       %(first)s + make_interval(days => n / 3, mins => nine + %(odd)s + (n %% 3) * 120 + 30), 'a meeting', '', NULL, now()
  FROM unnest(%(resources)s::bigint[], %(nines)s::int[]) each(resource, nine), generate_series(%(low)s::int, %(high)s::int) n
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--rounds", type=int, default=30)
    sys.exit(measure(asked.parse_args().rounds))


def measure(rounds: int) -> int:
    """Fill the diaries, measure both halves, double the claims in the window, measure again."""
    with mailing.database() as url:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
        with Session(engine) as session, session.begin():
            resources = [one.resource_id for one in _offering(session).consultants]
        per_window = DAYS * 3
        before = (CLAIMS - per_window) // 2
        _fill(url, resources, odd=0, low=-before, high=CLAIMS - before - 1)
        once = _measured(engine, rounds)
        _fill(url, resources, odd=60, low=0, high=per_window)
        twice = _measured(engine, rounds)
        engine.dispose()
    for name, (claims, query, python, whole, slots) in (("once", once), ("twice", twice)):
        print(
            f"{name:<6}{claims:>6} claims in the window of {PEOPLE * CLAIMS:,}   query {query:7.2f} ms   Python {python:7.2f} ms   "
            f"ratio {python / query:5.2f}   slots_of {whole:7.2f} ms, {slots:,} slots"
        )
    ratio, growth = max(once[2] / once[1], twice[2] / twice[1]), twice[2] / once[2]
    print(f"Python to query {ratio:.2f}, at most {MOST_RATIO}; twice the claims take {growth:.2f} times as long, at most {MOST_GROWTH}")
    return 0 if ratio <= MOST_RATIO and growth <= MOST_GROWTH else 1


def _measured(engine: object, rounds: int) -> tuple[int, float, float, float, int]:
    """(claims in the window, median ms of the query, of the calculation, of all of `slots_of`, slots)."""
    with Session(engine) as session:  # type: ignore[call-overload]
        offering = offering_by_slug(session, "policy-review")
        assert offering is not None
        length, diaries = offering.lengths[0], [diary_of(one) for one in offering.consultants]
        terms = terms_of(offering, length.minutes, now=NOW)

        def query() -> list[Busy]:
            return list(taken(session, [diary.resource_id for diary in diaries], SINCE - MARGIN, UNTIL + MARGIN, now=NOW))

        def whole() -> list[Slot]:
            return slots_of(session, offering, length, since=SINCE, until=UNTIL, now=NOW)

        claims = query()
        found = whole()
        assert found == availability.slots(terms, diaries, as_taken(claims), since=SINCE, until=UNTIL)
        assert all(claim.starts_at < UNTIL + MARGIN and claim.ends_at > SINCE - MARGIN for claim in claims)
        times: dict[str, list[float]] = {"query": [], "python": [], "whole": []}
        for _ in range(rounds):
            times["query"].append(_took(query))
            times["python"].append(_took(lambda: _python(claims, diaries, terms)))
            times["whole"].append(_took(whole))
        medians = [statistics.median(times[name]) * 1_000 for name in ("query", "python", "whole")]
        return len(claims), *medians, len(found)  # type: ignore[return-value]


def _python(claims: list[Busy], diaries: list[Diary], terms: availability.Terms) -> list[Slot]:
    return availability.slots(terms, diaries, as_taken(claims), since=SINCE, until=UNTIL)


def _took(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _offering(session: Session) -> Offering:
    office = [Stretch(weekday, clock_time(9), clock_time(17)) for weekday in range(5)]
    people = []
    for number in range(PEOPLE):
        facts = ConsultantFacts(
            f"Consultant {number:02}",
            f"c{number}@northfield.example",
            list(ZONES)[number % len(ZONES)],
            video_link="https://meet.example/{code}",
        )
        people.append(consultants.set_hours(session, consultants.create(session, facts, now=NOW), office))
    offering = offerings.create(session, OfferingFacts("Policy review", daily_cap=6, buffer_after=15, notice_hours=0), now=NOW)
    offerings.set_lengths(session, offering, {60: 28_000}, now=NOW)
    offerings.set_consultants(session, offering, people, now=NOW)
    return offerings.publish(session, offering, now=NOW)


def _fill(url: str, resources: list[int], *, odd: int, low: int, high: int) -> None:
    nines = [list(ZONES.values())[number % len(ZONES)] for number in range(len(resources))]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL, {"resources": resources, "nines": nines, "first": NOW, "odd": odd, "low": low, "high": high})


if __name__ == "__main__":
    main()
