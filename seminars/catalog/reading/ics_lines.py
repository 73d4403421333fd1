"""An iCalendar file as its components and their lines, each with its place in the file (RFC 5545 3.1).

Times are not read by the icalendar library here: it remembers zones that a file defines for as long as the process lives, so that
one file could shift the hours of the next.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from seminars.catalog.reading.decoding import decoded, text_bytes
from seminars.catalog.reading.plan import MOST_ROWS, Unreadable

LINE = re.compile(
    r"(?P<name>[A-Za-z0-9-]+)(?P<params>(?:;[A-Za-z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*)*):(?P<value>.*)",
    re.DOTALL,
)
PARAM = re.compile(r";([A-Za-z0-9-]+)=((?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*)")
# Programs forget the quotation marks of TZID=(UTC-05:00) Eastern Time; a moment itself has no colon.
MOMENT = re.compile(r"(?P<name>DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE)(?P<params>;.*):(?P<value>[^:]*)", re.IGNORECASE | re.DOTALL)
LOOSE_PARAM = re.compile(r";([A-Za-z0-9-]+)=([^;]*)")
DEEPEST = 8
ESCAPED = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True)
class Property:
    line: int
    name: str
    params: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        """The value as TEXT: RFC 5545 3.3.11."""
        return ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], self.value)

    @property
    def texts(self) -> list[str]:
        """The value as a list of TEXTs, divided at bare commas."""
        return [ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], part) for part in re.split(r"(?<!\\),", self.value)]


@dataclass
class Component:
    line: int
    name: str
    properties: list[Property] = field(default_factory=list)
    parts: list["Component"] = field(default_factory=list)
    whole: bool = False

    def all(self, name: str) -> list[Property]:
        return [prop for prop in self.properties if prop.name == name]

    def first(self, name: str) -> Property | None:
        return next((prop for prop in self.properties if prop.name == name), None)

    def text(self, name: str) -> str:
        prop = self.first(name)
        return prop.text if prop else ""

    def walk(self, name: str) -> Iterator["Component"]:
        for part in self.parts:
            if part.name == name:
                yield part
            yield from part.walk(name)


def read_components(data: bytes) -> list[Component]:
    """The calendars of a file. Raises Unreadable when there is none, and for one of more events than we take."""
    lines = _unfolded(text_bytes(data))
    calendars: list[Component] = []
    stack: list[Component] = []
    events = 0
    for number, raw in lines:
        prop = _property(number, raw)
        if prop is None:
            continue
        if prop.name == "BEGIN":
            component = Component(number, prop.value.strip().upper())
            events += component.name == "VEVENT"
            if events > MOST_ROWS:
                raise Unreadable(f"This file has more than {MOST_ROWS:,} events. Split it.")
            if len(stack) >= DEEPEST:
                raise Unreadable(f"In line {number} this file is nested deeper than any calendar is.")
            (stack[-1].parts if stack else calendars).append(component)
            stack.append(component)
        elif prop.name == "END":
            _close(stack, prop.value.strip().upper())
        elif stack:
            stack[-1].properties.append(prop)
    found = [calendar for calendar in calendars if calendar.name == "VCALENDAR"]
    if not found:
        raise Unreadable("This is no iCalendar file: it does not begin with BEGIN:VCALENDAR.")
    return found


def _close(stack: list[Component], name: str) -> None:
    """Close a component and with it those that were left open inside it."""
    if any(component.name == name for component in stack):
        while stack:
            closed = stack.pop()
            closed.whole = closed.name == name
            if closed.whole:
                return


def _unfolded(plain: bytes) -> list[tuple[int, str]]:
    """Lines with their numbers. Unfolded as bytes, since some programs fold in the middle of a character."""
    joined: list[tuple[int, list[bytes]]] = []
    for number, raw in enumerate(re.split(rb"\r?\n", plain), start=1):
        if raw[:1] in (b" ", b"\t") and joined:
            joined[-1][1].append(raw[1:])
        else:
            joined.append((number, [raw]))
    decoded(b"\n".join(b"".join(pieces) for _, pieces in joined), only_utf8=True)
    return [(number, b"".join(pieces).decode()) for number, pieces in joined]


def _property(line: int, raw: str) -> Property | None:
    found = LINE.fullmatch(raw)
    moment = MOMENT.fullmatch(raw)
    if moment is not None and (found is None or ":" in found["value"]):
        params = {name.upper(): value.strip('"') for name, value in LOOSE_PARAM.findall(moment["params"])}
        return Property(line, moment["name"].upper(), params, moment["value"])
    if found is None:
        return None
    params = {name.upper(): value.strip('"') for name, value in PARAM.findall(found["params"])}
    return Property(line, found["name"].upper(), params, found["value"])
