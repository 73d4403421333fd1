"""Telling endpoints what happened: signed, tried again by the sandbox clock, at least once."""

import hashlib
import hmac
import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from seminars.sandbox import endpoints, events
from seminars.sandbox.chaos import OLD_VERSION
from seminars.sandbox.world import World

PATIENCE = 10.0  # seconds an endpoint has for its answer
WORKERS = 4
# Seconds to the next try after the n-th failure. Stripe's own intervals are unpublished.
PAUSES = (60, 300, 1800, 7200, 18_000, 36_000, 43_200, 43_200, 43_200, 43_200)
GIVE_UP = 72 * 3600


@dataclass(frozen=True)
class Parcel:
    """One try of one delivery."""

    delivery: int
    event: str
    type: str
    endpoint: str
    url: str
    body: bytes
    signature: str
    dropped: bool
    copies: int


def sign(body: bytes, secrets: list[str], *, at: int) -> str:
    """The Stripe-Signature header: `t=…,v1=…`, one v1 for each secret."""
    marks = [hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])


class Courier:
    """Takes due deliveries to their endpoints with a few threads."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stopping = threading.Event()
        self._out: set[int] = set()
        self._later: dict[int, float] = {}  # a reordered or delayed delivery and its time.monotonic()
        self._threads = [threading.Thread(target=self._work, name=f"courier-{n}", daemon=True) for n in range(WORKERS)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._world.ring()

    def join(self, timeout: float) -> None:
        ends = time.monotonic() + timeout
        for thread in self._threads:
            thread.join(max(0.0, ends - time.monotonic()))

    def wait_for(self, event_ids: list[str], *, timeout: float) -> bool:
        """Wait until each of these events was tried at every endpoint. False when time ran out."""
        sql = "SELECT count(*) FROM deliveries WHERE tries = 0 AND event IN (SELECT value FROM json_each(?))"
        return self._wait(lambda: self._world.store.rows(sql, (json.dumps(event_ids),))[0][0] == 0, timeout)

    def flush(self, *, timeout: float) -> bool:
        """Wait until nothing is due any more. False when time ran out."""
        return self._wait(lambda: not self._out and not self._due(), timeout)

    def _wait(self, done: Callable[[], bool], timeout: float) -> bool:
        ends = time.monotonic() + timeout
        while not done():
            left = ends - time.monotonic()
            if left <= 0 or self._stopping.is_set():
                return False
            with self._world.changed:
                self._world.changed.wait(min(left, 0.05))
        return True

    def _work(self) -> None:
        while not self._stopping.is_set():
            parcel = self._take()
            if parcel is None:
                with self._world.changed:
                    self._world.changed.wait(0.5)
                continue
            for _ in range(parcel.copies):
                started = time.monotonic()
                status, said = self._bring(parcel)
                self._note(parcel, status, said, time.monotonic() - started)
            with self._world.store.transaction():
                self._out.discard(parcel.delivery)
            self._world.ring()

    def _due(self) -> list[int]:
        found = self._world.store.rows(
            "SELECT seq FROM deliveries WHERE state = 'waiting' AND due <= ? ORDER BY tries, seq LIMIT 500",
            (self._world.clock.now(),),
        )
        return [row[0] for row in found]

    def _take(self) -> Parcel | None:
        """The next due delivery, signed freshly; none when all are on their way."""
        world = self._world
        with world.acting() as act:
            waiting = [seq for seq in self._due() if seq not in self._out and self._later.get(seq, 0) <= time.monotonic()]
            if not waiting:
                return None
            seq = waiting[0]
            event_id, endpoint_id = world.store.rows("SELECT event, endpoint FROM deliveries WHERE seq = ?", (seq,))[0]
            event, endpoint = world.store.get(event_id), world.store.get(endpoint_id)
            assert event is not None and endpoint is not None
            strikes = world.chaos.strikes
            if seq not in self._later and (late := strikes("delay", event["type"]) or strikes("reorder", event["type"])):
                self._later[seq] = time.monotonic() + late.seconds
                return None
            version = OLD_VERSION if strikes("old_version", event["type"]) else endpoint["api_version"]
            body = json.dumps({**events.shown(act, event), "api_version": version}, indent=2).encode()
            keys = endpoints.secrets(act, endpoint_id)
            if strikes("wrong_signature", event["type"]):
                keys = ["whsec_of_somebody_else"]
            self._out.add(seq)
            return Parcel(
                delivery=seq,
                event=event_id,
                type=event["type"],
                endpoint=endpoint_id,
                url=endpoint["url"],
                body=body,
                # The real time, not the sandbox's: receivers refuse signatures older than five minutes by their own clock.
                signature=sign(body, keys, at=int(time.time())),
                dropped=strikes("drop", event["type"]) is not None,
                copies=2 if strikes("duplicate", event["type"]) else 1,
            )

    def _bring(self, parcel: Parcel) -> tuple[int | None, str]:
        """The endpoint's status, or none and the reason why there is none."""
        if parcel.dropped:
            return None, "dropped by chaos"
        parts = urlsplit(parcel.url)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=PATIENCE)
        try:
            connection.request(
                "POST",
                (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
                body=parcel.body,
                headers={
                    "Content-Type": "application/json; charset=utf-8",
                    "Stripe-Signature": parcel.signature,
                    "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
                    "Accept": "*/*; q=0.5, application/xml",
                    "Cache-Control": "no-cache",
                },
            )
            answer = connection.getresponse()
            return answer.status, answer.read(500).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            return None, f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    def _note(self, parcel: Parcel, status: int | None, said: str, seconds: float) -> None:
        """Remember how the try went; a failure is tried again later, for three days."""
        world = self._world
        with world.acting() as act:
            found = world.store.rows("SELECT tries, since, state FROM deliveries WHERE seq = ?", (parcel.delivery,))
            line = {
                "what": "delivery", "event": parcel.event, "type": parcel.type, "endpoint": parcel.endpoint, "url": parcel.url,
                "signature": parcel.signature, "status": status, "answer": said[:200], "seconds": round(seconds, 3),
            }  # fmt: skip
            world.store.write_log(line, at=act.now)
            if not found or found[0][2] == "done":
                return
            tries, since = found[0][0] + 1, found[0][1]
            pause = PAUSES[min(tries, len(PAUSES)) - 1]
            if status is not None and 200 <= status < 300:
                state, due = "done", None
            elif act.now + pause - since > GIVE_UP:
                state, due = "given up", None
            else:
                state, due = "waiting", world.clock.now() + pause
            world.store.run("UPDATE deliveries SET state = ?, tries = ?, due = ? WHERE seq = ?", (state, tries, due, parcel.delivery))
