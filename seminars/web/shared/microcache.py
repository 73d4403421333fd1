"""A cache of two seconds in front of the application, for public pages that are the same for everyone.

A page takes part by saying `Cache-Control: public` and setting no cookie. What is stored is compressed once and keyed by path, query,
the visitor's theme and zone, and encoding. While one thread renews a page the others get the old one, so that a crowd costs one rendering.
"""

import gzip
import hashlib
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FRESH = 2.0
STALE = 20.0
MOST_PAGES = 512
MOST_ZIPPED = 16
MOST_BYTES = 16 * 1024 * 1024
WORTH_COMPRESSING = 1_000
LEVEL = 5
PREFERENCES = re.compile(r"(?:^|;\s*)(theme|zone)=([A-Za-z0-9_+/%-]{1,64})")
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")

Key = tuple[str, ...]
Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer as it goes over the wire."""

    status: str
    headers: Headers
    body: bytes
    etag: str
    modified: str
    made_at: float


class MicroCache:
    """Serves stored public pages and lets everything else through.

    `paths` says which paths may be stored; a request that carries one of the `personal` cookies always reaches the application.
    `hit` is told the status of what was served from the store.
    """

    def __init__(
        self, app: "WSGIApplication", *, paths: Callable[[str], bool], personal: Iterable[str], hit: Callable[[str], None]
    ) -> None:
        self._app = app
        self._paths = paths
        self._personal = re.compile(rf"(?:^|;\s*)(?:{'|'.join(map(re.escape, personal))})=")
        self._hit = hit
        self._pages: OrderedDict[Key, Page] = OrderedDict()
        self._bytes = 0
        self._zipped: OrderedDict[bytes, tuple[str, bytes]] = OrderedDict()
        self._locks: dict[Key, threading.Lock] = {}
        self._guard = threading.Lock()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        cookies = environ.get("HTTP_COOKIE", "")
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or not self._paths(environ["PATH_INFO"]):
            return self._app(environ, start_response)
        zipped = "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        if cookies and self._personal.search(cookies):
            return _send(self._fetch(environ, zipped), environ, start_response)
        key = _key(environ, cookies, zipped)
        page = self._pages.get(key)
        if page is None or time.monotonic() - page.made_at > FRESH:
            page = self._renew(key, page, environ, zipped)
        else:
            self._hit(page.status)
        return _send(page, environ, start_response)

    def _renew(self, key: Key, old: Page | None, environ: "WSGIEnvironment", zipped: bool) -> Page:
        if old is not None and time.monotonic() - old.made_at > STALE:
            old = None
        with self._turn(key, wait=old is None) as mine:
            found = self._pages.get(key)
            if found is not None and (not mine or time.monotonic() - found.made_at <= FRESH):
                self._hit(found.status)
                return found
            page = self._fetch(environ, zipped)
            if page.status.startswith("200") and _public(page.headers):
                self._keep(key, page)
            return page

    @contextmanager
    def _turn(self, key: Key, *, wait: bool) -> Iterator[bool]:
        """Whether it is this thread's turn to renew the page. With an old page at hand nobody waits for it."""
        with self._guard:
            lock = self._locks.setdefault(key, threading.Lock())
        mine = lock.acquire(timeout=5.0) if wait else lock.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                with self._guard:
                    self._locks.pop(key, None)
                lock.release()

    def _fetch(self, environ: "WSGIEnvironment", zipped: bool) -> Page:
        """The application's own answer, whole and unconditional; a HEAD is asked as a GET so that both share one page."""
        asked = {name: value for name, value in environ.items() if name not in CONDITIONS} | {"REQUEST_METHOD": "GET"}
        said: list[Any] = []

        def listen(status: str, headers: Headers, _exc: Any = None) -> Callable[[bytes], object]:
            said[:] = [status, headers]
            return _no_writing

        answer = self._app(asked, listen)
        try:
            body = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return self._page(said[0], said[1], body, zipped)

    def _page(self, status: str, headers: Headers, body: bytes, zipped: bool) -> Page:
        kept = {name.lower(): value for name, value in headers}
        etag = kept.get("etag", "")
        if not _public(headers):
            sent = [(name, value) for name, value in headers if name.lower() != "content-length"]
        else:
            ours = ("content-length", "etag", "vary", "x-request-id")
            sent = [(name, value) for name, value in headers if name.lower() not in ours]
            own, compressed = self._compressed(body)
            etag = etag or own
            sent += [("ETag", etag), ("Vary", "Accept-Encoding, Cookie")]
            if zipped and len(body) > WORTH_COMPRESSING:
                body = compressed
                sent.append(("Content-Encoding", "gzip"))
        sent.append(("Content-Length", str(len(body))))
        return Page(status, sent, body, etag, kept.get("last-modified", ""), time.monotonic())

    def _compressed(self, body: bytes) -> tuple[str, bytes]:
        """Tag and compressed bytes of a public page. Most come out as they did a moment ago: the same bytes are compressed once."""
        found = self._zipped.get(body)
        if found is None:
            tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            found = tag, gzip.compress(body, LEVEL, mtime=0)
            with self._guard:
                self._zipped[body] = found
                while len(self._zipped) > MOST_ZIPPED:
                    self._zipped.popitem(last=False)
        return found

    def _keep(self, key: Key, page: Page) -> None:
        with self._guard:
            old = self._pages.pop(key, None)
            self._bytes += len(page.body) - (len(old.body) if old else 0)
            self._pages[key] = page
            while len(self._pages) > MOST_PAGES or self._bytes > MOST_BYTES:
                _, gone = self._pages.popitem(last=False)
                self._bytes -= len(gone.body)


def _no_writing(_data: bytes) -> None:
    raise NotImplementedError("The old write() of WSGI is not used here: return the body.")


def _key(environ: "WSGIEnvironment", cookies: str, zipped: bool) -> Key:
    chosen = dict(PREFERENCES.findall(cookies)) if cookies else {}
    return (
        environ["PATH_INFO"],
        environ.get("QUERY_STRING", ""),
        chosen.get("theme", ""),
        chosen.get("zone", ""),
        "gzip" if zipped else "",
    )


def _public(headers: Headers) -> bool:
    names = {name.lower(): value for name, value in headers}
    return "public" in names.get("cache-control", "") and "set-cookie" not in names


def _send(page: Page, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    if page.etag and page.status.startswith("200") and _known(page, environ):
        unsized = [(name, value) for name, value in page.headers if name not in ("Content-Length", "Content-Type", "Content-Encoding")]
        start_response("304 Not Modified", unsized)
        return []
    start_response(page.status, list(page.headers))
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [page.body]


def _known(page: Page, environ: "WSGIEnvironment") -> bool:
    """Whether the asker has this very page. The tag decides; the date only counts where no tag is sent (RFC 9110 13.2.2)."""
    tags = environ.get("HTTP_IF_NONE_MATCH")
    if tags is not None:
        return page.etag.removeprefix("W/") in tags or tags.strip() == "*"
    since = environ.get("HTTP_IF_MODIFIED_SINCE")
    if not since or not page.modified:
        return False
    try:
        return parsedate_to_datetime(page.modified) <= parsedate_to_datetime(since)
    except (TypeError, ValueError):
        return False
