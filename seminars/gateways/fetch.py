"""Reading an address that a person typed: over HTTPS, from public machines only, with an end to time and size.

A name is resolved once, every address that it has is looked at, and the connection goes to the address that was looked at: a name that
answers otherwise the second time (DNS rebinding) changes nothing. Redirects are not followed.
"""

import http.client
import socket
import ssl
import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

TIMEOUT = 10.0
"""Seconds that one answer of the network may take."""
LONGEST = 30.0
"""Seconds that all of it may take."""
MOST_BYTES = 5 * 1024 * 1024
CHUNK = 65_536
PORTS = {"https": 443, "http": 80}
NAT64 = ip_network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class NotFetched(Exception):
    """There is no copy. The text says why, to staff."""


class Forbidden(NotFetched):
    """The address is one that must not be read."""


@dataclass(frozen=True)
class Fetched:
    """What came: the bytes, or None where the copy with that ETag is still the newest."""

    body: bytes | None
    etag: str


class Fetcher:
    """Reads addresses. `networks` are private ones that may be read as well, there over plain HTTP too."""

    def __init__(
        self, networks: Sequence[Network] = (), *, timeout: float = TIMEOUT, longest: float = LONGEST, most_bytes: int = MOST_BYTES
    ) -> None:
        self.networks = tuple(networks)
        self.timeout, self.longest, self.most_bytes = timeout, longest, most_bytes

    def get(self, url: str, *, etag: str = "") -> Fetched:
        """The content of an address, unless it is still what the ETag names. Raises NotFetched, Forbidden."""
        deadline = time.monotonic() + self.longest
        parts, host, port = _taken_apart(url)
        addresses = self._allowed(parts, host, port)
        headers = {"Host": parts.netloc.rpartition("@")[2], "Accept": "text/calendar, */*;q=0.1", "Accept-Encoding": "identity",
                   "User-Agent": "Seminars", "Connection": "close"}  # fmt: skip
        if etag:
            headers["If-None-Match"] = etag
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            connection = self._connect(parts.scheme, host, port, addresses)
            try:
                connection.request("GET", target, headers=headers)
                return self._read(connection.getresponse(), deadline)
            finally:
                connection.close()
        except ssl.SSLError as trouble:
            raise NotFetched(f"The secure connection to {host} failed: {trouble.reason or 'no trust'}.") from trouble
        except TimeoutError as trouble:
            raise NotFetched(f"{host} did not answer in time.") from trouble
        except (OSError, http.client.HTTPException, UnicodeError) as trouble:
            raise NotFetched(f"{host} could not be read: {type(trouble).__name__}.") from trouble

    def _allowed(self, parts: SplitResult, host: str, port: int) -> list[Address]:
        """The addresses of the host, all of which may be read. Raises NotFetched, Forbidden."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as trouble:
            raise NotFetched(f"There is no machine called {host}.") from trouble
        addresses = list(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))
        if not addresses:
            raise NotFetched(f"There is no machine called {host}.")
        for address in addresses:
            listed = any(address in network for network in self.networks)
            if not listed and not is_public(address):
                raise Forbidden(f"{host} is not on the public internet.")
            if not listed and parts.scheme != "https":
                raise Forbidden("Only addresses that start with https:// are read.")
        return addresses

    def _connect(self, scheme: str, host: str, port: int, addresses: Sequence[Address]) -> http.client.HTTPConnection:
        """A connection to one of these addresses and to no other; the certificate has to be the host's."""
        trouble: OSError = OSError("no address")
        for address in addresses:
            try:
                line = socket.create_connection((str(address), port), timeout=self.timeout)
            except OSError as refused:
                trouble = refused
                continue
            connection = http.client.HTTPConnection(host, port, timeout=self.timeout)
            try:
                connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=host) if scheme == "https" else line
            except OSError:
                line.close()
                raise
            return connection
        raise trouble

    def _read(self, answer: http.client.HTTPResponse, deadline: float) -> Fetched:
        etag = (answer.getheader("ETag") or "")[:1_000]
        if answer.status == 304:
            return Fetched(None, etag)
        if 300 <= answer.status < 400:
            raise Forbidden("The address sends us on to another one. Type that one instead.")
        if answer.status != 200:
            raise NotFetched(f"The calendar's server answered {answer.status}.")
        if (answer.getheader("Content-Encoding") or "identity").lower() != "identity":
            raise NotFetched("The calendar's server sent it packed, unasked.")
        body = bytearray()
        while chunk := answer.read1(CHUNK):
            body += chunk
            if len(body) > self.most_bytes:
                raise NotFetched(f"The calendar is larger than {self.most_bytes // 1024:,} KB.")
            if time.monotonic() > deadline:
                raise NotFetched("The calendar came too slowly.")
        if answer.length:
            raise NotFetched("The calendar broke off.")
        return Fetched(bytes(body), etag)


def is_public(address: Address) -> bool:
    """Whether an address is of the public internet; one that only stands for an IPv4 address is what that is, and tunnels are not."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in NAT64:
            return is_public(IPv4Address(int(address) & 0xFFFFFFFF))
        if address.sixtofour is not None or address.teredo is not None or address.is_site_local:
            return False
    # A multicast address may be global as well.
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _taken_apart(url: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        raise Forbidden("This is no address.") from None
    if parts.scheme not in PORTS or not parts.hostname or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url:
        raise Forbidden("This is no address that can be read.")
    return parts, parts.hostname, port
