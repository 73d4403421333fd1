"""Settings: the only reader of the environment. Checked once, at start; a wrong one is refused with its remedy."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from seminars.kit.references import fingerprint

LONGEST_INSTALLATION = 60
"""Characters: the names that we give to calls at Stripe hold it, and are kept in 120."""
STRIPE_LIVE = "https://api.stripe.com"
LOGO_KINDS = (".svg", ".png", ".jpg", ".jpeg")
LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1", ""}


class WrongSetting(Exception):
    """A setting that cannot work. The text names it and says what to set instead."""


@dataclass(frozen=True)
class Center:
    """Who sells: what stands on pages, mails and invoices. From the TOML file that CENTER_CONFIG names."""

    name: str = "Center for Social Media"
    parent: str = "Northfield Clinic"
    short_name: str = "Social Media"
    address: tuple[str, ...] = (
        "Center for Social Media",
        "Northfield Clinic",
        "200 First Street",
        "Rochester, Minnesota 55905",
        "USA",
    )
    email: str = "seminars@northfield.example"
    phone: str = "+1 507 555 0100"
    hours: str = "Monday to Friday, 8 am to 5 pm"
    tax_id: str = ""
    legal: tuple[str, ...] = ()
    privacy_email: str = ""
    records_kept: str = "seven years"
    accent: str = "#0f4c5c"
    accent_dark: str = "#8ac8d1"
    logo: str = ""
    currency: str = "USD"
    zone: str = "America/Chicago"
    order_prefix: str = "NC"
    invoice_note: str = "Payment received with thanks."
    finance_second_factor: bool = False
    topics: tuple[tuple[str, str], ...] = (
        ("strategy", "Strategy"),
        ("clinical", "Clinical voice"),
        ("policy", "Policy and law"),
        ("media", "Content"),
        ("crisis", "Crisis"),
    )


@dataclass(frozen=True)
class Letterhead:
    """What letters and documents need of an installation: who writes, under which address, from which mailbox."""

    center: Center
    base_url: str
    mail_from: str

    @property
    def installation(self) -> str:
        """Which installation asks, for whom several are one account at a neighbour: its address, or of a long one what tells it apart."""
        address = self.base_url.split("://", 1)[-1]
        return address if len(address) <= LONGEST_INSTALLATION else fingerprint(address)[:LONGEST_INSTALLATION]


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one installation to the next, and nothing else."""

    base_url: str
    port: int
    secret_key: str
    database_url: str
    database_owner_url: str
    celery_broker_url: str
    smtp_url: str
    mail_from: str
    stripe_api_base: str
    stripe_secret_key: str
    stripe_webhook_secrets: tuple[str, ...]
    var_dir: Path
    trusted_proxies: int
    fetch_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    center: Center = field(default_factory=Center)

    @property
    def stripe_test_mode(self) -> bool:
        """Whether the key is a test key, so that pages can say that no real money moves."""
        return "_test_" in self.stripe_secret_key

    @property
    def letterhead(self) -> Letterhead:
        """What letters and documents need of this installation."""
        return Letterhead(self.center, self.base_url, self.mail_from)

    @property
    def host(self) -> str:
        """The host (and port) that this installation answers to."""
        return urlsplit(self.base_url).netloc

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> "Settings":
        """Read and check the environment. Raises WrongSetting with the remedy."""
        read = _Reader(os.environ if env is None else env)
        settings = cls(
            base_url=read.address("BASE_URL", {"http", "https"}, "https://seminars.example.org").rstrip("/"),
            port=read.number("PORT", 8000, low=1, high=65535),
            secret_key=read.text(
                "SECRET_KEY",
                "a long random text, such as the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'",
            ),
            database_url=read.address("DATABASE_URL", {"postgresql"}, "postgresql://seminars_app:…@localhost/seminars"),
            database_owner_url=read.optional_address(
                "DATABASE_OWNER_URL", {"postgresql"}, "postgresql://seminars_owner:…@localhost/seminars"
            ),
            celery_broker_url=read.address("CELERY_BROKER_URL", {"redis", "rediss", "redis+socket"}, "redis://localhost:6379/0"),
            smtp_url=read.address("SMTP_URL", {"smtp", "smtps", "smtp+starttls"}, "smtp+starttls://user:password@mail.example.org:587"),
            mail_from=read.mailbox("MAIL_FROM"),
            stripe_api_base=read.address("STRIPE_API_BASE", {"http", "https"}, STRIPE_LIVE, default=STRIPE_LIVE).rstrip("/"),
            stripe_secret_key=read.text("STRIPE_SECRET_KEY", "the secret or restricted key of your Stripe account"),
            stripe_webhook_secrets=tuple(
                s.strip()
                for s in read.text(
                    "STRIPE_WEBHOOK_SECRET", "whsec_… of your webhook endpoint; several with a comma while one is rolled"
                ).split(",")
            ),
            var_dir=Path(read.plain("VAR_DIR", "var")),
            trusted_proxies=read.number("TRUSTED_PROXIES", 0, low=0, high=5),
            fetch_networks=read.networks("FETCH_NETWORKS"),
            center=_center(read.plain("CENTER_CONFIG", "")),
        )
        _check_together(settings)
        return settings


@dataclass(frozen=True)
class _Reader:
    env: Mapping[str, str]

    def plain(self, name: str, default: str) -> str:
        return self.env.get(name, "").strip() or default

    def text(self, name: str, remedy: str) -> str:
        value = self.plain(name, "")
        if not value:
            raise WrongSetting(f"{name} is not set. Set it to {remedy}.")
        return value

    def number(self, name: str, default: int, *, low: int, high: int) -> int:
        value = self.plain(name, str(default))
        if not value.isascii() or not value.isdecimal() or not low <= int(value) <= high:
            raise WrongSetting(f"{name} is «{value}». Set it to a whole number from {low} to {high}.")
        return int(value)

    def address(self, name: str, schemes: set[str], example: str, default: str = "") -> str:
        value = self.plain(name, default)
        try:
            parts = urlsplit(value)
            parts.port  # noqa: B018  reading it is the check: a port that is no number raises
        except ValueError:
            parts = urlsplit("")
        if parts.scheme.replace("postgresql+psycopg", "postgresql") not in schemes:
            raise WrongSetting(f"{name} is {f'«{_masked(value)}»' if value else 'not set'}. Set it to an address like {example}.")
        return value

    def optional_address(self, name: str, schemes: set[str], example: str) -> str:
        return self.address(name, schemes, example) if self.plain(name, "") else ""

    def networks(self, name: str) -> tuple[IPv4Network | IPv6Network, ...]:
        try:
            return tuple(ip_network(one.strip()) for one in self.plain(name, "").split(",") if one.strip())
        except ValueError:
            value = self.plain(name, "")
            raise WrongSetting(f"{name} is «{value}». Set it to networks such as 10.20.0.0/16, separated by commas.") from None

    def mailbox(self, name: str) -> str:
        value = self.text(name, "the mailbox that mails come from, such as seminars@example.org")
        if value.count("@") != 1 or any(c.isspace() or c in '<>,;"' for c in value):
            raise WrongSetting(f"{name} is «{value}». Set it to one bare address, such as seminars@example.org.")
        return value


def _masked(address: str) -> str:
    """The address without the password that it may carry."""
    head, at, tail = address.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at and "://" in head else address


def _check_together(settings: Settings) -> None:
    """What is wrong only in company. Raises WrongSetting."""
    if len(settings.secret_key) < 32:
        raise WrongSetting(
            "SECRET_KEY is shorter than 32 characters. Set a long random one: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'."
        )
    for secret in settings.stripe_webhook_secrets:
        if not secret.startswith("whsec_") or len(secret) < 20:
            raise WrongSetting("STRIPE_WEBHOOK_SECRET must be one or more secrets that start with whsec_, separated by commas.")
    live_key = "_live_" in settings.stripe_secret_key
    if not live_key and "_test_" not in settings.stripe_secret_key:
        raise WrongSetting(
            "STRIPE_SECRET_KEY is neither a test key (sk_test_…) nor a live key (sk_live_…). Copy it from your Stripe account."
        )
    sandbox_key = settings.stripe_secret_key.startswith("sk_test_sandbox")
    if live_key and settings.stripe_api_base != STRIPE_LIVE:
        raise WrongSetting(
            f"STRIPE_SECRET_KEY is a live key, STRIPE_API_BASE is not {STRIPE_LIVE}. Unset STRIPE_API_BASE, or use a test key."
        )
    if sandbox_key and settings.stripe_api_base == STRIPE_LIVE:
        raise WrongSetting(
            "STRIPE_SECRET_KEY is the local sandbox's key, STRIPE_API_BASE is the real Stripe. "
            "Set STRIPE_API_BASE to the sandbox, or use a key of your account."
        )
    base = urlsplit(settings.base_url)
    if not base.hostname or base.path or base.query or base.fragment or "@" in base.netloc:
        raise WrongSetting(
            f"BASE_URL is «{_masked(settings.base_url)}». Set it to scheme and host alone, such as https://seminars.example.org."
        )
    if base.scheme == "http" and base.hostname not in LOCAL_HOSTS:
        raise WrongSetting("BASE_URL starts with http:// and is not local. Put a proxy with TLS before it and set https://….")
    smtp = urlsplit(settings.smtp_url)
    if smtp.scheme == "smtp" and smtp.username and smtp.hostname not in LOCAL_HOSTS:
        raise WrongSetting("SMTP_URL sends a password without encryption. Use smtp+starttls:// or smtps://.")


def _center(path: str) -> Center:
    if not path:
        return Center()
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as wrong:
        raise WrongSetting(f"CENTER_CONFIG names {path}, which cannot be read: {wrong}. Start from center.example.toml.") from None
    known = set(Center.__annotations__)
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise WrongSetting(f"CENTER_CONFIG names «{unknown[0]}», which is no setting of a center. Known: {', '.join(sorted(known))}.")
    center = Center(**{name: _written(name, value) for name, value in data.items()})
    if not re.fullmatch("[A-Za-z0-9-]{1,12}", center.order_prefix):
        raise WrongSetting(f"CENTER_CONFIG has order_prefix «{center.order_prefix}». Use up to 12 letters, digits and hyphens, such as NC.")
    for name, color in (("accent", center.accent), ("accent_dark", center.accent_dark)):
        if not re.fullmatch("#[0-9a-fA-F]{6}", color):
            raise WrongSetting(f"CENTER_CONFIG has {name} «{color}». Write a color like #0f4c5c.")
    if center.zone not in available_timezones():
        raise WrongSetting(f"CENTER_CONFIG has zone «{center.zone}». Use a name such as America/Chicago.")
    if center.logo and not (Path(center.logo).is_file() and Path(center.logo).suffix.lower() in LOGO_KINDS):
        raise WrongSetting(f"CENTER_CONFIG has logo «{center.logo}». Name a file that ends in {', '.join(LOGO_KINDS)}, or leave it empty.")
    if not re.fullmatch("[A-Z]{3}", center.currency):
        raise WrongSetting(f"CENTER_CONFIG has currency «{center.currency}». Use three capitals such as USD.")
    return center


def _written(name: str, value: Any) -> Any:
    """The value as the center keeps it. Raises WrongSetting when it is of another kind than it must be."""
    match getattr(Center, name), value:
        case bool(), bool():
            return value
        case str(), str():
            return value
        case tuple(), list() if name in ("address", "legal") and all(isinstance(line, str) for line in value):
            return tuple(value)
        case tuple(), dict() if name == "topics" and all(isinstance(label, str) for label in value.values()):
            return tuple(value.items())
    raise WrongSetting(f"CENTER_CONFIG has {name} = {value!r}, which is of the wrong kind. Write it as center.example.toml does.")
