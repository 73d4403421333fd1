"""Whether there is a browser for the tests that need one, and what to say when there is none."""

from __future__ import annotations

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # Nothing but this machine can be found by name, whatever a page asks for.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
HOW = "apt-get install chromium brings it; CHROMIUM names one that is elsewhere."


def find() -> str | None:
    """The browser's program, if there is one."""
    if named := os.environ.get("CHROMIUM"):
        return named
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def is_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("true", "1")


def flags() -> list[str]:
    """Chromium's own sandbox needs what root in a container has not."""
    return [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
