"""Plain text out of what other systems put into their fields: tags, entities, control characters, joining addresses."""

import html
import re

import nh3

from seminars.calendars.entries import one_line, several_lines

TAGS = (
    "a|abbr|b|blockquote|body|br|code|div|em|font|h[1-6]|head|hr|html|html-blob|i|img|li|meta|ol|p|pre|s|script|small|span|strong"
    "|style|sub|sup|table|tbody|td|th|thead|title|tr|u|ul"
)
SEEMS_HTML = re.compile(rf"</?(?:{TAGS})(?:\s[^<>]*)?/?>|&(?:[a-z]{{2,8}}|#\d{{1,7}}|#x[0-9a-f]{{1,6}});", re.IGNORECASE)
BREAKS = re.compile(r"<(?:br|/p|/div|/li|/tr|/h[1-6]|hr)\b[^<>]*>", re.IGNORECASE)
NUMEROUS_BLANKS = re.compile(r"[ \t\u00a0]+")
NUMEROUS_LINES = re.compile(r"\n{3,}")

ADDRESS = re.compile(r"https?://[^\s<>\"'\\\u201d\u201c]+", re.IGNORECASE)
# Whoever has such an address can walk in, so it is for registrants and never for the public page.
MEETING = re.compile(
    r"https?://(?:[\w-]+\.)*(?:zoom\.us/(?:j|s|w|my|meeting|webinar)/|zoomgov\.com/(?:j|s|w)/|teams\.microsoft\.com/(?:l/meetup-join|meet)/"
    r"|teams\.live\.com/meet/|meet\.google\.com/|webex\.com/|gotomeeting\.com/join|gotomeet\.me/|meet\.jit\.si/|whereby\.com/|bluejeans\.com/"
    r"|bbb[\w.-]*/)[^\s<>\"'\\\u201d\u201c]*",
    re.IGNORECASE,
)
KEYS = re.compile(
    r"\b(?:meeting[- ]?(?:id|code|number)|webinar id|pass ?(?:code|word)|kennwort|kenncode|access code|join by phone"
    r"|one tap mobile)\b",
    re.IGNORECASE,
)

# “Join via Zoom:” leads nowhere once the address below it is gone.
INVITES = re.compile(r"\b(?:join|zoom|teams|webex|google meet|meeting|link)\b.*:$", re.IGNORECASE)


def plain_line(value: str) -> str:
    """Text on one line, without tags and control characters."""
    return NUMEROUS_BLANKS.sub(" ", one_line(_without_tags(value))).strip()


def plain_lines(value: str) -> str:
    """Text of several lines, without tags and control characters."""
    cleaned = several_lines(_without_tags(value))
    lines = (NUMEROUS_BLANKS.sub(" ", line).strip() for line in cleaned.split("\n"))
    return NUMEROUS_LINES.sub("\n\n", "\n".join(lines)).strip()


def web_link(value: str) -> str:
    """The first address on the web in a text."""
    found = ADDRESS.search(several_lines(value))
    return found.group().rstrip(".,;:!?)]}") if found else ""


def meeting_link(value: str) -> str:
    """The first joining address of an online meeting in a text."""
    found = MEETING.search(several_lines(value))
    return found.group().rstrip(".,;:!?)]}") if found else ""


def without_meeting(value: str) -> str:
    """A text as the public may read it: lines with a joining address, a meeting number or a passcode are gone."""
    kept: list[str] = []
    for line in value.split("\n"):
        if not (MEETING.search(line) or KEYS.search(line)):
            kept.append(line)
        elif kept and INVITES.search(kept[-1]):
            kept.pop()
    return NUMEROUS_LINES.sub("\n\n", "\n".join(kept)).strip()


def _without_tags(value: str) -> str:
    if not SEEMS_HTML.search(value):
        return value
    return html.unescape(nh3.clean(BREAKS.sub("\n", value), tags=set(), attributes={}))
