"""What an offering's rules let anybody book, whoever is free."""

from collections.abc import Collection
from datetime import datetime, timedelta

from seminars.consulting import availability
from seminars.consulting.availability import Terms
from seminars.consulting.models import Offering, OfferingLength
from seminars.consulting.queries import diary_of
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.kit.refusals import BadInput, Conflict

MINUTE = timedelta(minutes=1)


class NotOffered(Conflict):
    """The offering is not on sale."""

    def __init__(self) -> None:
        super().__init__("This service cannot be booked at the moment.")


class PriceChanged(Conflict):
    """The price is another than the one that was shown."""

    def __init__(self, was: Money, now: Money) -> None:
        self.was, self.now = was, now
        super().__init__(f"The price has changed meanwhile: it is {words.money(now)} now, not {words.money(was)}. Please look again.")


def assert_bookable(offering: Offering, terms: Terms, starts_at: datetime, chosen: Collection[int], *, now: datetime) -> None:
    """Raises BadInput for a time that the rules do not give, whoever is free."""
    assert_in_reach(terms, offering, starts_at, now=now)
    assert_in_hours(offering, terms, starts_at, chosen)


def assert_offered(offering: Offering, length: OfferingLength, chosen: Collection[int], price: Money | None) -> None:
    if offering.state != "published":
        raise NotOffered()
    if length.offering_id != offering.id or not length.offered:
        raise BadInput("This length is not offered. Please choose one of those that are shown.", "length")
    if price is not None and price != length.list_price:
        raise PriceChanged(price, length.list_price)
    if not {one.id for one in offering.consultants if one.active}.issuperset(chosen):
        raise BadInput("This consultant does not give this service. Please choose another.", "consultant")
    if len(chosen) > offering.together:
        raise BadInput(f"Please choose {words.count(offering.together, 'consultant', 'consultants')} at most.", "consultant")


def assert_in_reach(terms: Terms, offering: Offering, starts_at: datetime, *, now: datetime) -> None:
    """Raises BadInput for a time that has passed, or is too near or too far."""
    if starts_at.tzinfo is None:
        raise BadInput("Please choose a time.", "starts_at")
    if starts_at <= now:
        raise BadInput("This time has passed. Please choose a later one.", "starts_at")
    if starts_at < terms.earliest:
        raise BadInput(f"Please choose a time at least {words.count(offering.notice_hours, 'hour', 'hours')} ahead.", "starts_at")
    if starts_at >= terms.latest:
        raise BadInput(f"Please choose a time within the next {words.count(offering.horizon_days, 'day', 'days')}.", "starts_at")


def assert_in_hours(offering: Offering, terms: Terms, starts_at: datetime, chosen: Collection[int]) -> None:
    """Raises BadInput for a time at which nobody would be there even if nothing were taken."""
    people = [one for one in offering.consultants if one.active]
    possible = availability.slots(terms, [diary_of(one) for one in people], (), since=starts_at, until=starts_at + MINUTE)
    if not any(slot.starts_at == starts_at and set(chosen) <= set(slot.consultant_ids) for slot in possible):
        raise BadInput("Nobody can meet you at this time. Please choose one of the times that are shown.", "starts_at")
