"""The mail server next door. One connection per sending thread, kept between mails; every answer is told apart.

What counts is whether the server may have taken the mail: `Refused` and `NotReached` say that it has not, `AnswerLost` that nobody
knows (RFC 5321 4.5.3.2.6: who hears no answer after the final dot can assume neither).
"""

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT = 30.0
"""Seconds that one answer may take."""
CONNECT_TIMEOUT = 10.0
IDLE = 20.0
"""Seconds after which a kept connection is not trusted any more: servers close idle ones, some without a word."""
MOST_PER_CONNECTION = 500
PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
SERVICE_CLOSING, WAITING = 421, 354
GO_ON = (250, 251, WAITING)

Answered = TypeVar("Answered")

_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_NO_ADDRESS = re.compile(r"[\s<>\x00-\x1f\x7f]|^$")


class Refused(Exception):
    """The server heard us and did not take the mail: for good (5xx), or for the time being (4xx)."""

    def __init__(self, code: int, text: str, *, permanent: bool) -> None:
        self.code = code
        self.text = text
        self.permanent = permanent
        super().__init__(f"{code} {text}")


class NotReached(Exception):
    """There was no server to speak to; nothing was handed over."""


class AnswerLost(Exception):
    """The mail was handed over and no answer came: it may or may not be on its way."""


class _Line(threading.local):
    """One thread's connection."""

    connection: smtplib.SMTP | None = None
    used_at: float = 0.0
    sent: int = 0


class Postman:
    """Hands mails to the server that an address names: smtp://, smtps:// or smtp+starttls://, with user:password@ where it wants one."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url)
        self._line = _Line()

    def send(self, envelope_from: str, recipient: str, raw: bytes) -> str:
        """Hand over one mail and return the server's answer. Raises Refused, NotReached, AnswerLost."""
        if _NO_ADDRESS.search(recipient):
            raise Refused(553, "that is no mail address", permanent=True)
        kept = self._line.connection is not None
        connection = self._ready()
        try:
            self._envelope(connection, envelope_from, recipient)
        except NotReached:
            if not kept:
                raise
            # A kept connection that died while idle shows it here, before anything was handed over: once more, on a new one.
            connection = self._connect()
            self._envelope(connection, envelope_from, recipient)
        return self._hand_over(connection, raw)

    def check(self) -> str:
        """Say hello and nothing more; returns the server's answer. Raises Refused, NotReached."""
        connection = self._connect()
        code, text = self._ask(connection.noop)
        self.hang_up()
        if code != 250:
            raise _refusal(code, text)
        return _plain(text)

    def hang_up(self) -> None:
        """Close this thread's connection, if it has one."""
        connection, self._line.connection = self._line.connection, None
        if connection is None:
            return
        try:
            connection.quit()
        except (OSError, smtplib.SMTPException):
            connection.close()

    def _ready(self) -> smtplib.SMTP:
        line = self._line
        if line.connection is None or line.sent >= MOST_PER_CONNECTION or time.monotonic() - line.used_at > IDLE:
            return self._connect()
        return line.connection

    def _connect(self) -> smtplib.SMTP:
        self.hang_up()
        try:
            connection = _open(self._address)
        except smtplib.SMTPResponseException as refused:
            raise _refusal(refused.smtp_code, refused.smtp_error) from refused
        except (OSError, smtplib.SMTPException) as unreachable:
            raise NotReached(f"{self._address.hostname}: {unreachable}") from unreachable
        self._line.connection, self._line.sent, self._line.used_at = connection, 0, time.monotonic()
        return connection

    def _envelope(self, connection: smtplib.SMTP, envelope_from: str, recipient: str) -> None:
        """Up to the moment at which the server waits for the mail. Raises Refused, NotReached."""
        options = [] if (envelope_from + recipient).isascii() else ["SMTPUTF8"]
        if options and not connection.has_extn("smtputf8"):
            raise Refused(553, "the mail server takes no address with letters beyond ASCII", permanent=True)
        connection.command_encoding = "utf-8" if options else "ascii"
        # Not smtplib's mail() and rcpt(): they parse each address anew, which takes longer than all the rest.
        commands = (" ".join((f"MAIL FROM:<{envelope_from}>", *options)), f"RCPT TO:<{recipient}>", "DATA")
        if connection.has_extn("pipelining"):
            refused = self._all_at_once(connection, commands)
        else:
            refused = self._one_by_one(connection, commands)
        if refused is not None:
            self._start_over(connection, refused.code)
            raise refused

    def _one_by_one(self, connection: smtplib.SMTP, commands: Sequence[str]) -> Refused | None:
        for command in commands:
            code, text = self._ask(lambda command=command: connection.docmd(command))  # type: ignore[misc]
            if code not in GO_ON:
                return _refusal(code, text)
        return None

    def _all_at_once(self, connection: smtplib.SMTP, commands: Sequence[str]) -> Refused | None:
        """One round trip instead of three, for servers that offer it (RFC 2920)."""
        self._ask(lambda: connection.send("\r\n".join((*commands, ""))))
        answers = [self._ask(connection.getreply) for _ in commands]
        refusals = [_refusal(code, text) for code, text in answers if code not in GO_ON]
        if refusals and answers[-1][0] == WAITING:
            # It waits for a mail although it takes no recipient: RFC 2920 3.1 wants an empty one, which it refuses.
            self._ask(lambda: connection.send(".\r\n"))
            self._ask(connection.getreply)
        return refusals[0] if refusals else None

    def _hand_over(self, connection: smtplib.SMTP, raw: bytes) -> str:
        body = _LEADING_DOT.sub(b"..", raw)
        try:
            connection.send(body + (b"" if body.endswith(b"\r\n") else b"\r\n") + b".\r\n")
            code, text = connection.getreply()
        except (OSError, smtplib.SMTPException) as lost:
            self.hang_up()
            raise AnswerLost(str(lost)) from lost
        if code != 250:
            self._start_over(connection, code)
            raise _refusal(code, text)
        self._line.sent += 1
        self._line.used_at = time.monotonic()
        return f"{code} {_plain(text)}"

    def _ask(self, question: Callable[[], Answered]) -> Answered:
        try:
            return question()
        except (OSError, smtplib.SMTPException) as gone:
            self.hang_up()
            raise NotReached(f"{self._address.hostname}: {gone}") from gone

    def _start_over(self, connection: smtplib.SMTP, code: int) -> None:
        """After a refusal the connection is of use only if the server agrees to forget."""
        try:
            usable = code != SERVICE_CLOSING and connection.rset()[0] == 250
        except (OSError, smtplib.SMTPException):
            usable = False
        if not usable:
            self.hang_up()


def _open(address: SplitResult) -> smtplib.SMTP:
    host, port = address.hostname or "localhost", address.port or PORTS[address.scheme]
    connection: smtplib.SMTP
    if address.scheme == "smtps":
        connection = smtplib.SMTP_SSL(
            host, port, local_hostname=socket.gethostname(), timeout=CONNECT_TIMEOUT, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(host, port, local_hostname=socket.gethostname(), timeout=CONNECT_TIMEOUT)
    connection.ehlo_or_helo_if_needed()
    if address.scheme == "smtp+starttls":
        connection.starttls(context=ssl.create_default_context())
        connection.ehlo()
    if address.username:
        connection.login(unquote(address.username), unquote(address.password or ""))
    if connection.sock is not None:
        connection.sock.settimeout(TIMEOUT)
    return connection


def _refusal(code: int, text: bytes | str) -> Refused:
    # Anything that is no clear 5xx is worth another try; a code of -1 is an answer that smtplib could not read.
    return Refused(code, _plain(text), permanent=500 <= code < 600)


def _plain(text: bytes | str) -> str:
    return " ".join((text if isinstance(text, str) else text.decode("utf-8", "replace")).split())
