"""The sandbox's memory: one SQLite file, written before anything is answered."""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Body = dict[str, Any]

TABLES = """
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS objects (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    hidden TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (kind, json_extract(body, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (kind, json_extract(body, '$.charge'));
CREATE INDEX IF NOT EXISTS objects_by_source ON objects (kind, json_extract(body, '$.source'));
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
    request_id TEXT NOT NULL, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS plans (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, due REAL NOT NULL, act TEXT NOT NULL, subject TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS plans_by_due ON plans (due, seq);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL, since REAL NOT NULL, due REAL
);
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (state, due, seq);
CREATE TABLE IF NOT EXISTS log (seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, line TEXT NOT NULL);
"""
# Not sqlite_sequence: a delivery still on its way must not meet another one under its number.
EVERYTHING = ("notes", "counters", "objects", "answers", "plans", "deliveries", "log")
LOG_KEEPS = 5000


class Store:
    """Rows of the sandbox. One connection behind one lock: simple, and quick enough for one machine."""

    def __init__(self, path: Path, *, seed: int | None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._seed = seed
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # A killed process loses nothing with NORMAL; only a power cut could lose the last commits.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(TABLES)
        self._root = self._plant()

    def _plant(self) -> bytes:
        """The secret all ids grow from: given by the seed, or made once and kept."""
        kept = self.note("root")
        if kept is None:
            kept = f"seed {self._seed}" if self._seed is not None else secrets.token_hex(16)
            self.set_note("root", kept)
        return str(kept).encode()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; an inner transaction joins the outer one."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    @property
    def changes(self) -> int:
        """Rows written since the store was opened; it grows with every write."""
        return self._db.total_changes

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        with self._lock:
            self._db.execute(sql, values)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def forget_everything(self) -> None:
        with self.transaction():
            for table in EVERYTHING:
                self.run(f"DELETE FROM {table}")  # noqa: S608 - names of our own
            self._root = self._plant()

    # Notes: single values such as the clock's offset and the chaos in force.

    def note(self, name: str) -> Any:
        found = self.rows("SELECT value FROM notes WHERE name = ?", (name,))
        return json.loads(found[0][0]) if found else None

    def set_note(self, name: str, value: Any) -> None:
        self.run("INSERT OR REPLACE INTO notes (name, value) VALUES (?, ?)", (name, json.dumps(value)))

    # Ids: the n-th id of a prefix is the same in every run with the same seed.

    def mint(self, prefix: str, length: int = 24) -> str:
        """A new id such as `ch_3Nf…`. Ids of one prefix never repeat."""
        self.run("INSERT INTO counters (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (prefix,))
        nth = self.rows("SELECT value FROM counters WHERE name = ?", (prefix,))[0][0]
        letters = b""
        block = 0
        while len(letters) < length:
            digest = hmac.new(self._root, f"{prefix} {nth} {block}".encode(), hashlib.sha256).digest()
            letters += base64.b64encode(digest, altchars=b"aZ").rstrip(b"=")
            block += 1
        return prefix + letters[:length].decode()

    # Objects: the public body and what the real API keeps to itself.

    def add(self, body: Body, hidden: Body | None = None) -> Body:
        self.run(
            "INSERT INTO objects (id, kind, body, hidden) VALUES (?, ?, ?, ?)",
            (body["id"], body["object"], json.dumps(body), json.dumps(hidden or {})),
        )
        return body

    def get(self, id_: str, kind: str | None = None) -> Body | None:
        found = self.rows("SELECT body, kind FROM objects WHERE id = ?", (id_,))
        if not found or (kind is not None and found[0][1] != kind):
            return None
        body: Body = json.loads(found[0][0])
        return body

    def save(self, body: Body) -> Body:
        self.run("UPDATE objects SET body = ? WHERE id = ?", (json.dumps(body), body["id"]))
        return body

    def drop(self, id_: str) -> None:
        self.run("DELETE FROM objects WHERE id = ?", (id_,))

    def hidden(self, id_: str) -> Body:
        found = self.rows("SELECT hidden FROM objects WHERE id = ?", (id_,))
        hidden: Body = json.loads(found[0][0]) if found else {}
        return hidden

    def hide(self, id_: str, **facts: Any) -> None:
        """Remember facts beside an object that no answer shows."""
        self.run("UPDATE objects SET hidden = ? WHERE id = ?", (json.dumps({**self.hidden(id_), **facts}), id_))

    def every(self, kind: str, **equal: Any) -> list[Body]:
        """All objects of a kind, oldest first, whose top fields have these values."""
        where = "".join(f" AND json_extract(body, '$.{name}') = ?" for name in equal)
        sql = f"SELECT body FROM objects WHERE kind = ?{where} ORDER BY seq"  # noqa: S608 - names of our own
        found = self.rows(sql, (kind, *equal.values()))
        return [json.loads(row[0]) for row in found]

    def place(self, id_: str, kind: str) -> int | None:
        """The position of an object among all, for cursors."""
        found = self.rows("SELECT seq FROM objects WHERE id = ? AND kind = ?", (id_, kind))
        return int(found[0][0]) if found else None

    # Plans: what will happen by itself when the sandbox clock gets there.

    def plan(self, act: str, subject: str, *, due: float) -> None:
        self.run("INSERT INTO plans (due, act, subject) VALUES (?, ?, ?)", (due, act, subject))

    def unplan(self, act: str, subject: str) -> None:
        self.run("DELETE FROM plans WHERE act = ? AND subject = ?", (act, subject))

    def write_log(self, line: Body, *, at: float) -> None:
        self.run("INSERT INTO log (at, line) VALUES (?, ?)", (at, json.dumps(line)))
        self.run("DELETE FROM log WHERE seq <= (SELECT max(seq) FROM log) - ?", (LOG_KEEPS,))
