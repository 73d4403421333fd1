"""Where the Unix socket of a local server lies."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

LONGEST = 100
"""Bytes of a socket's path that every system takes (Linux 107, macOS 103)."""


class SocketFolderNotOurs(RuntimeError):
    """Somebody else made the folder in which our socket would lie."""


def socket_folder(home: Path, socket_name: str) -> Path:
    """The home itself, or a private folder in the temporary one when the home's path is too long for a socket."""
    if len(os.fsencode(home / socket_name)) <= LONGEST:
        return home
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir(), f"seminars-{os.geteuid()}-{digest}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != home.stat().st_uid:
        raise SocketFolderNotOurs(f"{folder} belongs to somebody else: remove it, or move the data to a shorter path.")
    return folder
