"""Audit entries, written while the session flushes.

Every model with `__audited__` (names of its columns or relations) leaves one entry per flush that makes, changes or deletes it. Who and
why lie on the session, where the door's `transaction(by=…, why=…)` put them. The time is `session.info["now"]` where a door laid its
clock's reading there (a fixed one, in the demo world and in tests), else the database's own `now()`: a listener may not look at a clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import event, func, insert, inspect
from sqlalchemy.orm import InstanceState, Session, UOWTransaction

from seminars.audit.models import AuditEntry
from seminars.kit.references import reference

CREATED, CHANGED, DELETED = "created", "changed", "deleted"
MOST_TEXT = 2_000
"""Characters of one value that an entry keeps: it says what changed, it is no copy of a brochure."""


def listen() -> None:
    """Record from now on what every session flushes. Asking twice records once."""
    if not event.contains(Session, "after_flush", _after_flush):
        event.listen(Session, "after_flush", _after_flush)


def note(
    session: Session,
    action: str,
    subject: str,
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    now: datetime,
) -> None:
    """Record what no flush shows: a bulk statement, a refusal, something that was done outside."""
    entry = {"action": action, "subject": subject, "before": _written(before), "after": _written(after)}
    session.execute(insert(AuditEntry).values(at=now), [entry | _cause(session)])


def subject_of(row: object) -> str:
    """How the audit names a row, as other rooms do: `order/118`, `session/7`."""
    state: InstanceState[Any] = inspect(row)
    return _subject(type(row), state)


def _after_flush(session: Session, _work: UOWTransaction) -> None:
    # Here, and nowhere else, both are at hand: what the attributes were, and the ids that new rows have been given.
    entries = [*_each(session.new, _created), *_each(session.dirty, _changed), *_each(session.deleted, _deleted)]
    if not entries:
        return
    cause = _cause(session)
    at = session.info.get("now") or func.now()
    session.connection().execute(insert(AuditEntry).values(at=at), [entry | cause for entry in entries])


def _each(rows: Iterable[object], told: Any) -> Iterator[dict[str, Any]]:
    for row in rows:
        names: Sequence[str] = getattr(type(row), "__audited__", ())
        if names and (entry := told(names, inspect(row))):
            yield entry | {"subject": subject_of(row)}


def _created(names: Sequence[str], state: InstanceState[Any]) -> dict[str, Any]:
    return {"action": CREATED, "before": None, "after": _written({name: state.dict.get(name) for name in names})}


def _deleted(names: Sequence[str], state: InstanceState[Any]) -> dict[str, Any]:
    return {"action": DELETED, "before": _written({name: state.dict.get(name) for name in names}), "after": None}


def _changed(names: Sequence[str], state: InstanceState[Any]) -> dict[str, Any] | None:
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    relations = state.mapper.relationships
    for name in names:
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        was, is_now = [*history.unchanged, *history.deleted], [*history.unchanged, *history.added]
        many = name in relations and bool(relations[name].uselist)
        before[name], after[name] = (was, is_now) if many else (_first(was), _first(is_now))
    return {"action": CHANGED, "before": _written(before), "after": _written(after)} if after else None


def _first(values: Sequence[Any]) -> Any:
    return values[0] if values else None


def _cause(session: Session) -> dict[str, str]:
    info = session.info
    return {"by": info.get("by", "system"), "why": info.get("why", ""), "request_id": info.get("request_id", "")}


def _subject(kind: type, state: InstanceState[Any]) -> str:
    key = "/".join(str(part) for part in state.mapper.primary_key_from_instance(state.obj()))
    return reference(getattr(kind, "__noun__", "") or _singular(kind.__tablename__), key)  # type: ignore[attr-defined]


def _singular(table: str) -> str:
    return f"{table[:-3]}y" if table.endswith("ies") else table.removesuffix("s")


def _written(value: Any) -> Any:
    """The value as JSON can hold it; a related row by its name."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {str(name): _written(part) for name, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_written(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(getattr(value, "name", value))[:MOST_TEXT]
