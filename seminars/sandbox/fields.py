"""What parameters a call takes: kinds of field that read raw text or refuse it as the API would."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from seminars.sandbox.errors import ApiError
from seminars.sandbox.forms import Raw, where


@dataclass(frozen=True, kw_only=True)
class Field:
    """One parameter. A clearable one takes "" to unset what it held, and then reads as None."""

    required: bool = False
    clearable: bool = False

    def take(self, raw: Raw, at: str) -> Any:
        if raw == "":
            if self.clearable:
                return None
            raise ApiError(
                f"You passed an empty string for '{at}'. We assume empty values are an attempt to unset a parameter; however "
                f"'{at}' cannot be unset. You should remove '{at}' from your request or supply a non-empty value.",
                code="parameter_invalid_empty", param=at,
            )  # fmt: skip
        return self.read(raw, at)

    def read(self, raw: Raw, at: str) -> Any:
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class Text(Field):
    most: int = 5000

    def read(self, raw: Raw, at: str) -> str:
        if not isinstance(raw, str):
            raise ApiError(f"Invalid string: {raw}", param=at)
        if len(raw) > self.most:
            raise ApiError(f"Invalid string: {raw[:20]}...{raw[-8:]}; must be at most {self.most} characters", param=at)
        return raw


@dataclass(frozen=True, kw_only=True)
class Url(Text):
    def read(self, raw: Raw, at: str) -> str:
        text = super().read(raw, at)
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ApiError("Not a valid URL", code="url_invalid", param=at)
        return text


@dataclass(frozen=True, kw_only=True)
class Email(Text):
    def read(self, raw: Raw, at: str) -> str:
        text = super().read(raw, at)
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text):
            raise ApiError(f"Invalid email address: {text}", code="email_invalid", param=at)
        return text


@dataclass(frozen=True, kw_only=True)
class Integer(Field):
    least: int | None = None
    most: int | None = None

    def read(self, raw: Raw, at: str) -> int:
        if not isinstance(raw, str) or not re.fullmatch(r"-?\d{1,18}", raw):
            raise ApiError(f"Invalid integer: {raw}", code="parameter_invalid_integer", param=at)
        number = int(raw)
        if self.least is not None and number < self.least:
            code = "parameter_invalid_integer"
            raise ApiError(f"This value must be greater than or equal to {self.least}.", code=code, param=at)
        if self.most is not None and number > self.most:
            code = "parameter_invalid_integer"
            raise ApiError(f"This value must be less than or equal to {self.most}.", code=code, param=at)
        return number


@dataclass(frozen=True, kw_only=True)
class Boolean(Field):
    def read(self, raw: Raw, at: str) -> bool:
        if raw not in ("true", "false"):
            raise ApiError(f"Invalid boolean: {raw}", param=at)
        return raw == "true"


@dataclass(frozen=True, kw_only=True)
class Choice(Field):
    of: tuple[str, ...]

    def read(self, raw: Raw, at: str) -> str:
        if not isinstance(raw, str) or raw not in self.of:
            allowed = ", ".join(self.of[:-1]) + f", or {self.of[-1]}" if len(self.of) > 1 else self.of[0]
            raise ApiError(f"Invalid {at}: must be one of {allowed}", param=at)
        return raw


@dataclass(frozen=True, kw_only=True)
class Many(Field):
    """A list."""

    of: Field
    most: int = 100

    def read(self, raw: Raw, at: str) -> list[Any]:
        if not isinstance(raw, dict) or not all(name.isdecimal() for name in raw):
            raise ApiError(f"Invalid array: {raw}", param=at)
        if len(raw) > self.most:
            raise ApiError(f"Invalid array: at most {self.most} entries are allowed, {len(raw)} were given.", param=at)
        return [self.of.take(raw[name], where(at, name)) for name in sorted(raw, key=int)]


@dataclass(frozen=True, kw_only=True)
class Group(Field):
    """An object with named fields."""

    of: dict[str, Field]

    def read(self, raw: Raw, at: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise ApiError(f"Invalid object: {raw}", param=at)
        return read_all(self.of, raw, at)


@dataclass(frozen=True, kw_only=True)
class Metadata(Field):
    """Up to 50 keys of 40 characters with values of 500; an empty value deletes its key."""

    clearable: bool = True

    def read(self, raw: Raw, at: str) -> dict[str, str]:
        if not isinstance(raw, dict):
            raise ApiError(f"Invalid object: {raw}", param=at)
        if len(raw) > 50:
            raise ApiError("Metadata can hold at most 50 keys.", param=at)
        for key, value in raw.items():
            if len(key) > 40:
                raise ApiError(f"Invalid metadata key: {key}; must be at most 40 characters", param=at)
            if not isinstance(value, str):
                raise ApiError(f"Metadata values must be strings, but for key {key} you passed in an object.", param=at)
            if len(value) > 500:
                raise ApiError(
                    f"Metadata values can have up to 500 characters, but you passed in a value that is {len(value)} characters.",
                    param=where(at, key),
                )
        return {key: str(value) for key, value in raw.items()}


@dataclass(frozen=True, kw_only=True)
class Span(Field):
    """A moment, or a range with gt, gte, lt and lte; reads as comparisons for the store."""

    def read(self, raw: Raw, at: str) -> list[tuple[str, int]]:
        if isinstance(raw, str):
            return [("=", Integer().read(raw, at))]
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        ends = Group(of={sign: Integer() for sign in signs}).read(raw, at)
        return [(signs[name], value) for name, value in ends.items()]


@dataclass(frozen=True, kw_only=True)
class Elsewhere(Field):
    """A parameter of the real API that the sandbox does not imitate; said aloud rather than ignored."""

    def take(self, raw: Raw, at: str) -> Any:
        raise ApiError(f"The sandbox does not imitate the parameter {at}. Leave it out, or try against Stripe itself.", param=at)


def read_all(fields: dict[str, Field], raw: dict[str, Any], at: str = "") -> dict[str, Any]:
    """The parameters of a call, read and checked. Raises ApiError: unknown first, then wrong, then missing."""
    for name in raw:
        if name not in fields:
            unknown = where(at, name)
            raise ApiError(f"Received unknown parameter: {unknown}", code="parameter_unknown", param=unknown)
    read = {name: fields[name].take(value, where(at, name)) for name, value in raw.items()}
    for name, one in fields.items():
        if one.required and name not in read:
            absent = where(at, name)
            raise ApiError(f"Missing required param: {absent}.", code="parameter_missing", param=absent)
    return read


EXPAND: dict[str, Field] = {"expand": Many(of=Text(most=500), most=50)}
PAGING: dict[str, Field] = {
    **EXPAND, "limit": Integer(least=1, most=100), "starting_after": Text(), "ending_before": Text(),
}  # fmt: skip
METADATA: Field = Metadata()
ADDRESS = Group(of={line: Text(clearable=True) for line in ("city", "country", "line1", "line2", "postal_code", "state")})
SHIPPING = Group(
    of={
        "address": Group(required=True, of=ADDRESS.of), "name": Text(required=True),
        "carrier": Text(), "phone": Text(), "tracking_number": Text(),
    },
    clearable=True,
)  # fmt: skip
