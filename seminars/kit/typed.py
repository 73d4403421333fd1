"""What people type into fields: cleaned of what no field can hold, and refused with the field's name when it cannot be used."""

import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from email_validator import EmailNotValidError, validate_email

from seminars.kit.refusals import BadInput, BadInputs

T = TypeVar("T")

_MOST_EMAIL = 254  # RFC 5321 §4.5.3.1.3: a path has 256 octets with its brackets
_TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class Fields:
    """Reads several fields and keeps what is wrong with each, so that a person hears of everything at once."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def read(self, read: Callable[[], T], otherwise: T) -> T:
        """What the field holds, or the other value when it cannot be used."""
        try:
            return read()
        except BadInput as wrong:
            self.wrong(wrong.field or "", str(wrong))
            return otherwise

    def line(self, field: str, text: str, *, most: int, required: bool = True) -> str:
        """One line of text."""
        return self.read(lambda: one_line(text, field=field, most=most, required=required), "")

    def text(self, field: str, text: str, *, most: int = 20_000, required: bool = False) -> str:
        """Text of several lines."""
        return self.read(lambda: paragraphs(text, field=field, most=most, required=required), "")

    def address(self, field: str, text: str) -> str:
        """An https address or nothing."""
        return self.read(lambda: web_address(text, field=field), "")

    def wrong(self, field: str, sentence: str) -> None:
        """Say what is wrong with a field; the first sentence stays."""
        self.errors.setdefault(field, sentence)

    def finish(self) -> None:
        """Raises BadInputs if anything was wrong."""
        if self.errors:
            raise BadInputs(self.errors)


def one_line(text: str, *, field: str, most: int, required: bool = True) -> str:
    """Text of one line, inner white space made single. Raises BadInput: line breaks, control characters, nothing, too much."""
    cleaned = unicodedata.normalize("NFC", text).strip()
    if hidden_signs(cleaned):
        raise BadInput("Please write this on one line, without line breaks or control characters.", field)
    cleaned = re.sub(r"\s+", " ", cleaned)
    if required and not cleaned:
        raise BadInput("Please fill this in.", field)
    if len(cleaned) > most:
        raise BadInput(f"This is {len(cleaned):,} characters long. Please use at most {most:,}.", field)
    return cleaned


def paragraphs(text: str, *, field: str, most: int = 20_000, required: bool = False) -> str:
    """Text of several lines, with plain line ends. Raises BadInput for control characters, nothing, or too much."""
    cleaned = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    if hidden_signs(cleaned, but="\n\t"):
        raise BadInput("This contains control characters, which cannot be kept. Please type it anew.", field)
    if required and not cleaned:
        raise BadInput("Please fill this in.", field)
    if len(cleaned) > most:
        raise BadInput(f"This is {len(cleaned):,} characters long. Please use at most {most:,}.", field)
    return cleaned


def hidden_signs(text: str, *, but: str = "") -> bool:
    """Whether it holds what nobody sees: line breaks, control characters, half characters, and signs that turn the direction of writing
    (with those a name can be shown as another, UAX #9)."""
    return any(sign not in but and (unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in _TURNING) for sign in text)


def email(text: str, *, field: str) -> str:
    """One bare address (RFC 5321), its host in lower case. Raises BadInput. Whether it exists, only a mail can tell."""
    cleaned = text.strip()
    if not cleaned:
        raise BadInput("Please fill in an email address.", field)
    if len(cleaned) > _MOST_EMAIL or cleaned.startswith("-") or '"' in cleaned:
        raise BadInput("This is not an email address that we can write to.", field)
    try:
        return validate_email(cleaned, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        raise BadInput("This is not an email address. Write it like anna@hospital.org.", field) from None


def whole(text: str, *, field: str, low: int, high: int) -> int:
    """A whole number within limits, both included. Raises BadInput."""
    cleaned = text.strip().replace(",", "")
    if not re.fullmatch(r"[0-9]{1,12}", cleaned) or not low <= int(cleaned) <= high:
        raise BadInput(f"Please type a whole number from {low:,} to {high:,}.", field)
    return int(cleaned)


def web_address(text: str, *, field: str, most: int = 2_000) -> str:
    """Nothing, or an https address that can stand in a link. Raises BadInput."""
    cleaned = one_line(text, field=field, most=most, required=False)
    if cleaned and not re.fullmatch(r"https://[^\s<>\"'\\]+", cleaned):
        raise BadInput("Please type an address that starts with https://.", field)
    return cleaned
