"""The SMTP side: accepts what is sent, and refuses where the recipient's domain asks for it."""

from __future__ import annotations

import asyncio
import socket
import threading

from aiosmtpd.smtp import SMTP, Envelope, Session

from seminars.local.mailbox.store import Store

LARGEST = 40 * 1024 * 1024
REFUSED, BUSY, CUT = "refused.example", "busy.example", "cut.example"
"""Domains that show what a real server may do: no such mailbox; come back later; take the mail and fall silent."""


class _Filing:
    """What the protocol calls at each step. The names of the methods are the protocol library's."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        match address.rpartition("@")[2].lower():
            case domain if domain == REFUSED:
                return "550 5.1.1 There is no such mailbox here"
            case domain if domain == BUSY:
                return "451 4.3.2 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        raw = envelope.original_content or b""
        name = self.store.keep(sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos), raw=raw)
        cut = any(address.lower().endswith("@" + CUT) for address in envelope.rcpt_tos)
        if cut and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return f"250 2.0.0 Kept as {name}"


class Sink:
    """An SMTP server in a thread of its own."""

    def __init__(self, store: Store, port: int = 0, *, host: str = "127.0.0.1") -> None:
        self.store = store
        self._socket = socket.create_server((host, port))
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="smtp", daemon=True)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def start(self) -> Sink:
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the door and hang up."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _protocol(self) -> SMTP:
        return SMTP(_Filing(self.store), data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="mailbox.local", ident="mailbox",
                    loop=self._loop)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(self._protocol, sock=self._socket))
        self._loop.run_forever()
        server.close()
        left = asyncio.all_tasks(self._loop)
        for task in left:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        self._loop.close()
