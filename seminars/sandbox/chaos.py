"""Misbehaviour on demand: off until switched on, and the same again with the same seed.

A switch is set under a name to `{"chance": 0.2}` or `{"times": 3}`, optionally with `"match"` (a piece of the path or
the event type it is for) and, where time is meant, `"seconds"`.
"""

import random
from dataclasses import dataclass
from typing import Any

from seminars.sandbox.store import Store

SWITCHES = {
    "duplicate": "deliver a webhook twice",
    "double_event": "make two events, with two ids, for one happening",
    "reorder": "let a delivery wait so that later ones overtake it",
    "delay": "send a delivery only after some seconds",
    "drop": "lose a delivery on the way; it counts as a failed try",
    "wrong_signature": "sign a delivery with another secret",
    "old_version": "render a delivery in an older API version",
    "error_before": "answer 500 to a POST without executing it",
    "error_after": "execute a POST, then answer (and keep) a 500",
    "cut_after": "execute a POST, then cut the connection",
    "too_many": "answer 429",
    "slow": "answer only after some seconds",
    "forbid": "answer 403 to a restricted key",
    "pay_during_expire": "let a payment win against POST …/expire",
    "low_balance": "let refunds wait for money in the balance",
    "refund_needs_action": "let a refund ask the payer for bank details",
}
OLD_VERSION = "2024-06-20"


class UnknownSwitch(Exception):
    """No such switch, or a setting that makes no sense."""


@dataclass
class Switch:
    chance: float = 1.0
    times: int | None = None
    match: str = ""
    seconds: float = 1.0


class Chaos:
    """The switches in force. Asking for one uses up one of its times."""

    def __init__(self, store: Store, *, seed: int | None) -> None:
        self._store = store
        self._seed = seed
        self.restore()

    def restore(self) -> None:
        self._dice = random.Random(self._seed)  # noqa: S311 - dice that fall alike again are the point
        self._switches = {name: Switch(**kept) for name, kept in (self._store.note("chaos") or {}).items()}

    def shown(self) -> dict[str, dict[str, Any]]:
        return {name: dict(vars(switch)) for name, switch in self._switches.items()}

    def set(self, settings: dict[str, Any]) -> None:
        """Add, change or (with null or false) take away switches. Raises UnknownSwitch."""
        with self._store.transaction():
            for name, setting in settings.items():
                if name not in SWITCHES:
                    raise UnknownSwitch(f"There is no switch {name!r}. There are: {', '.join(SWITCHES)}.")
                if setting is None or setting is False:
                    self._switches.pop(name, None)
                    continue
                try:
                    self._switches[name] = Switch(**({} if setting is True else setting))
                except TypeError:
                    raise UnknownSwitch(f"{name} takes chance, times, match and seconds, not {setting!r}.") from None
            self._keep()

    def clear(self) -> None:
        self._switches = {}
        self._keep()

    def strikes(self, name: str, subject: str = "") -> Switch | None:
        """The switch, if it is on, meant for this subject, and the dice say so."""
        with self._store.transaction():
            switch = self._switches.get(name)
            if switch is None or switch.match not in subject or self._dice.random() >= switch.chance:
                return None
            if switch.times is not None:
                switch.times -= 1
                if switch.times <= 0:
                    del self._switches[name]
                self._keep()
            return switch

    def _keep(self) -> None:
        self._store.set_note("chaos", self.shown())
