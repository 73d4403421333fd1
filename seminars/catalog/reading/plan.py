"""What a reading yields: events to make, rows left out, what was assumed, what has to be asked."""

from dataclasses import dataclass, field
from datetime import date, datetime

from seminars.kit.refusals import Refusal

MOST_BYTES = 20_000_000
MOST_ROWS = 20_000
LONGEST_TITLE = 300
LONGEST_PLACE = 300
LINES_NAMED = 8


class Unreadable(Refusal):
    """The file can't be read as a whole, or not in the way that was chosen. Nothing of it is taken."""


@dataclass(frozen=True)
class SessionRow:
    """One dated block, in the wall-clock time of its event's zone. An all-day one runs from midnight to a later midnight."""

    line: int
    starts_local: datetime
    ends_local: datetime
    all_day: bool = False
    title: str = ""
    location: str = ""
    join_url: str = ""
    description: str = ""
    speaker: str = ""


@dataclass(frozen=True)
class EventPlan:
    """An event to make, of the seminar of this title. `zone` is None where all sessions are days and the file names no zone."""

    line: int
    uid: str
    seminar_title: str
    zone: str | None
    sessions: tuple[SessionRow, ...]
    summary: str = ""
    location: str = ""
    join_url: str = ""
    url: str = ""
    speaker: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class LeftOut:
    """A row that will not be taken: its line in the file, what stands there, and why."""

    line: int
    what: str
    why: str


ASKING = (
    "; choose one.",
    "; choose how many minutes a session lasts.",
    ": it has to be chosen whether the day or the month stands first.",
    ": it has to be chosen which year is meant.",
)
"""How the reasons end of rows that are not left out for good: they wait for a choice."""


@dataclass(frozen=True)
class Question:
    """Something that the file leaves open and that must not be guessed. `field` names the choice that answers it."""

    field: str
    sentence: str
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reading:
    """All that a file yields. `horizon` is set when a repetition without end was cut there; sessions start before it."""

    plans: tuple[EventPlan, ...]
    left_out: tuple[LeftOut, ...] = ()
    warnings: tuple[str, ...] = ()
    questions: tuple[Question, ...] = ()
    columns_found: dict[str, str] = field(default_factory=dict)
    columns_ignored: tuple[str, ...] = ()
    horizon: date | None = None

    @property
    def sessions(self) -> int:
        return sum(len(plan.sessions) for plan in self.plans)


@dataclass
class Notes:
    """What was assumed while reading, each sentence once with the lines it speaks of."""

    lines: dict[str, list[int]] = field(default_factory=dict)

    def add(self, sentence: str, line: int) -> None:
        self.lines.setdefault(sentence, []).append(line)

    def sentences(self) -> tuple[str, ...]:
        return tuple(f"{sentence} ({_named(lines)})" for sentence, lines in self.lines.items())


def _named(lines: list[int]) -> str:
    told = ", ".join(str(line) for line in lines[:LINES_NAMED])
    more = f" and {len(lines) - LINES_NAMED} more" if len(lines) > LINES_NAMED else ""
    return f"line {told}" if len(lines) == 1 else f"{len(lines)} times: lines {told}{more}"


def shortened(text: str, most: int) -> str:
    """Text that fits into a column, with a sign where it was cut."""
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def title_of(text: str, line: int, notes: Notes) -> str:
    """A title that fits into its column; said where it had to be cut."""
    if len(text) > LONGEST_TITLE:
        notes.add(f"The title is longer than {LONGEST_TITLE} characters and was shortened", line)
    return shortened(text, LONGEST_TITLE)
