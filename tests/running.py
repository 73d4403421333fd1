"""The whole system on this machine, started as `python3 run.py` starts it, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path

from tests.sandbox.shop import free_port

ROOT = Path(__file__).resolve().parent.parent
STARTS_WITHIN = 180.0
STOPS_WITHIN = 60.0
LAST_LINE = "Ctrl-C stops everything."


class System:
    """A supervisor and everything that it started."""

    def __init__(self, var: Path, *, demo: bool = False, **env: str) -> None:
        self.var = var
        self._words = [] if demo else ["--no-demo"]
        self.printed: list[str] = []
        self._told = threading.Event()
        self._up = False
        # Ports beside the usual ones: tests run next to a system that somebody is using.
        kept = {name: value for name, value in os.environ.items() if name not in _SET_BY_SUPERVISOR}
        self._env = {**kept, "PORT": str(free_port()), "VAR_DIR": str(var), **env}
        self.supervisor: subprocess.Popen[str] | None = None

    def start(self) -> System:
        """Raises AssertionError with what was printed when it does not come up."""
        command = [sys.executable, "-m", "seminars.local.supervisor", *self._words]
        self.supervisor = subprocess.Popen(command, cwd=ROOT, env=self._env, text=True, stdout=subprocess.PIPE,
                                           stderr=subprocess.STDOUT, start_new_session=True)
        self._told.clear()
        self._up = False
        threading.Thread(target=self._listen, args=(self.supervisor,), daemon=True).start()
        self._told.wait(STARTS_WITHIN)
        if not self._up:
            self.stop()
            raise AssertionError("\n".join(self.printed))
        return self

    def _listen(self, supervisor: subprocess.Popen[str]) -> None:
        assert supervisor.stdout
        with supervisor.stdout:
            for line in supervisor.stdout:
                self.printed.append(line.rstrip())
                if LAST_LINE in line:
                    self._up = True
                    self._told.set()
        self._told.set()

    def tell(self, number: int) -> None:
        assert self.supervisor
        self.supervisor.send_signal(number)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """The supervisor's exit code, once everything has stopped."""
        assert self.supervisor
        self.supervisor.send_signal(number)
        return self.supervisor.wait(STOPS_WITHIN)

    @property
    def ports(self) -> Mapping[str, int]:
        found: Mapping[str, int] = json.loads((self.var / "ports.json").read_text())
        return found

    @property
    def url(self) -> str:
        return f"http://localhost:{self.ports['web']}"

    @property
    def mailbox(self) -> str:
        return f"http://localhost:{self.ports['mail']}"

    @property
    def stripe(self) -> str:
        return f"http://127.0.0.1:{self.ports['stripe']}"

    def pid(self, name: str) -> int:
        """The number of one of the programs."""
        return int(json.loads((self.var / "run" / f"{name}.json").read_text())["pid"])


_SET_BY_SUPERVISOR = {
    "BASE_URL", "SECRET_KEY", "DATABASE_URL", "DATABASE_OWNER_URL", "CELERY_BROKER_URL", "SMTP_URL", "MAIL_FROM", "STRIPE_API_BASE",
    "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET",
}
