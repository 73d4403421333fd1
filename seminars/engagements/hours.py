"""What hours are worth, to the minor unit. Pure."""

MINUTES_OF_AN_HOUR = 60


def price_of(minutes: int, rate: int) -> int:
    """What so many minutes cost at that rate per hour, rounded half up to a whole minor unit."""
    return _rounded(minutes * rate, MINUTES_OF_AN_HOUR)


def earned_by(drawn: int, minutes: int, price: int) -> int:
    """How much of a retainer's price is earned once so many of its minutes are worked.

    What one entry earns is the difference of two of these, so that all entries together earn the price and the last minute takes what
    does not divide.
    """
    return _rounded(price * drawn, minutes)


def _rounded(value: int, by: int) -> int:
    return (2 * value + by) // (2 * by)


def told(minutes: int) -> str:
    """«1 h 30 min», «2 h», «45 min», in no-break spaces."""
    hours, rest = divmod(minutes, MINUTES_OF_AN_HOUR)
    parts = [f"{hours:,}\u00a0h"] if hours else []
    if rest or not hours:
        parts.append(f"{rest}\u00a0min")
    return " ".join(parts)
