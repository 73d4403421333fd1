"""Asking a server whether it is there yet."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit


def listens(port: int) -> bool:
    """Whether somebody takes connections on this machine's port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def lives(port: int, base_url: str) -> bool:
    """Whether the web answers that it lives, asked by the name it answers to."""
    line = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        line.request("GET", "/health/live", headers={"Host": urlsplit(base_url).netloc})
        return line.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        line.close()
