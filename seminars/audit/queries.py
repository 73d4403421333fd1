"""Reading the audit."""

from collections.abc import Collection, Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from seminars.audit.models import AuditEntry

MOST = 200


def entries_about(session: Session, references: Collection[str], *, most: int = MOST) -> Sequence[AuditEntry]:
    """What was changed about these things (`order/118`), newest first."""
    asked = select(AuditEntry).where(AuditEntry.subject.in_(references)).order_by(AuditEntry.id.desc()).limit(most)
    return session.scalars(asked).all()


def search(session: Session, words: str, *, before_id: int | None = None, most: int = 50) -> Sequence[AuditEntry]:
    """Entries whose subject, actor, reason or request begins with or holds the words, newest first; the next page begins `before_id`."""
    asked = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(most)
    if words.strip():
        plain = words.strip()
        columns = (AuditEntry.subject, AuditEntry.by, AuditEntry.why, AuditEntry.request_id)
        asked = asked.where(or_(*(column.icontains(plain, autoescape=True) for column in columns)))
    if before_id is not None:
        asked = asked.where(AuditEntry.id < before_id)
    return session.scalars(asked).all()
