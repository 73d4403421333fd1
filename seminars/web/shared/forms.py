"""Reading what people typed: each value checked, each error said in a sentence for its field. Nothing is changed here."""

import re
import unicodedata
from collections.abc import Mapping

from email_validator import EmailNotValidError, validate_email

from seminars.kit.refusals import BadInputs

UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
WHOLE = re.compile(r"\d{1,9}")


class Typed:
    """A form as it was sent. Collects the errors of all fields, so that a person sees them at once."""

    def __init__(self, form: Mapping[str, str]) -> None:
        self._form = form
        self.errors: dict[str, str] = {}

    def raw(self, field: str) -> str:
        """What was typed, without signs that no person types."""
        return UNPRINTABLE.sub("", self._form.get(field, ""))

    def line(self, field: str, label: str, *, most: int = 200, required: bool = True) -> str:
        """One line of text."""
        text = " ".join(unicodedata.normalize("NFC", self.raw(field)).split())
        if required and not text:
            self.errors[field] = f"{label} is missing."
        if len(text) > most:
            self.errors[field] = f"{label} is too long. Use at most {most} characters."
        return text

    def lines(self, field: str, label: str, *, most: int = 2_000) -> str:
        """Text of several lines, never required."""
        text = unicodedata.normalize("NFC", self.raw(field)).replace("\r\n", "\n").replace("\r", "\n").strip()
        if len(text) > most:
            self.errors[field] = f"{label} is too long. Use at most {most} characters."
        return text

    def email(self, field: str) -> str:
        """One bare mail address, as it is written."""
        text = self.raw(field).strip()
        if not text:
            self.errors[field] = "The email address is missing."
            return text
        try:
            found = validate_email(text[:400], check_deliverability=False, test_environment=False, globally_deliverable=False)
        except EmailNotValidError:
            found = None
        if found is None or "." not in found.domain:
            self.errors[field] = "This address is not complete. Write it in full, such as name@hospital.example."
            return text
        return found.normalized

    def number(self, field: str, *, low: int, high: int, what: str = "a whole number") -> int:
        """A whole number; empty counts as none."""
        text = self.raw(field).strip()
        if not text:
            return 0
        if not WHOLE.fullmatch(text) or not low <= int(text) <= high:
            self.errors[field] = f"«{text[:20]}» cannot be used. Write {what} from {low} to {high}."
            return 0
        return int(text)

    def ticked(self, field: str) -> bool:
        """Whether a box is ticked."""
        return bool(self._form.get(field))

    def finish(self) -> None:
        """Raises BadInputs if anything was wrong."""
        if self.errors:
            raise BadInputs(self.errors)
