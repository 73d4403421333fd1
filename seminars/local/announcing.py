"""The small table that tells a person where everything is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seminars.local.environment import Wanted


@dataclass(frozen=True)
class SignIn:
    """Somebody of the demo world as whom one may sign in."""

    role: str
    email: str
    password: str


@dataclass(frozen=True)
class Demo:
    """What there is to try."""

    sign_ins: tuple[SignIn, ...] = ()
    note: str = ""

    @classmethod
    def read(cls, printed: str) -> Demo:
        """From the last line that the command has printed, a JSON list."""
        rows = json.loads(printed.strip().rpartition("\n")[2])
        return cls(tuple(SignIn(row["role"], row["email"], row["password"]) for row in rows))


def table(var: Path, env: Mapping[str, str], ports: Mapping[str, int], wanted: Wanted, demo: Demo) -> str:
    """Addresses, sign-ins, data and logs."""
    base = env["BASE_URL"]
    rows = [
        ("Pages", base),
        ("Staff and finance", f"{base}/staff"),
        ("Mailbox", f"http://localhost:{ports['mail']}" if wanted.mailbox else "none: mails go to SMTP_URL"),
        ("Stripe", f"http://localhost:{ports['stripe']} (sandbox)" if wanted.stripe else env["STRIPE_API_BASE"]),
        ("Data", str(var)),
        ("Logs", str(var / "log")),
    ]
    longest = max((len(who.email) for who in demo.sign_ins), default=0)
    people = [(f"Sign in: {who.role}", f"{who.email:<{longest}}   {who.password}") for who in demo.sign_ins]
    widest = max(len(name) for name, _ in rows + people)
    lines = [f"  {name:<{widest}}   {value}" for name, value in rows]
    lines += [""] + [f"  {name:<{widest}}   {value}" for name, value in people] if people else []
    return "\n".join(["", *lines, *(["", f"  {demo.note}"] if demo.note else []), "", "  Ctrl-C stops everything.", ""])
