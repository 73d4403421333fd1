"""Files that the center shares with the client of an engagement."""

import re
from datetime import datetime
from hashlib import sha256
from pathlib import PurePosixPath

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from seminars.engagements.locking import hold_still
from seminars.engagements.models import Engagement, EngagementDocument
from seminars.kit.refusals import BadInput, NotFound

LARGEST = 10 * 1024 * 1024
MOST = 60
ZIPPED = b"PK\x03\x04"
KINDS: dict[str, tuple[str, bytes]] = {
    ".pdf": ("application/pdf", b"%PDF-"),
    ".docx": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIPPED),
    ".xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ZIPPED),
    ".pptx": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ZIPPED),
    ".png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    ".jpg": ("image/jpeg", b"\xff\xd8\xff"),
    ".jpeg": ("image/jpeg", b"\xff\xd8\xff"),
}
"""What can be shared: the type that is told to browsers, and how such a file begins."""


def share(session: Session, engagement: Engagement, *, name: str, data: bytes, now: datetime) -> EngagementDocument:
    """Share a file. The same file twice is one. Raises BadInput for one that is empty, too large, or of another kind than its name says."""
    hold_still(session, engagement)
    cleaned = _name(name)
    kind = KINDS.get(PurePosixPath(cleaned).suffix.lower())
    if not data:
        raise BadInput("Please choose a file.", "file")
    if kind is None:
        raise BadInput("Only PDF, Word, Excel, PowerPoint, PNG and JPEG files can be shared.", "file")
    if len(data) > LARGEST:
        raise BadInput("This file is larger than 10 MB. Please share a smaller one.", "file")
    media_type, beginning = kind
    if not data.startswith(beginning):
        raise BadInput("This file is not what its name says. Please save it anew and try again.", "file")
    digest = sha256(data).hexdigest()
    same = session.scalar(
        select(EngagementDocument).where(
            EngagementDocument.engagement_id == engagement.id, EngagementDocument.sha256 == digest, EngagementDocument.name == cleaned
        )
    )
    if same is not None:
        return same
    count = session.scalar(select(func.count()).where(EngagementDocument.engagement_id == engagement.id)) or 0
    if count >= MOST:
        raise BadInput(f"An engagement holds at most {MOST} files. Take one away first.", "file")
    document = EngagementDocument(engagement=engagement, name=cleaned, media_type=media_type, sha256=digest, data=data, added_at=now)
    session.add(document)
    session.flush()
    return document


def withdraw(session: Session, document: EngagementDocument) -> None:
    """Take a file away from the client's page."""
    document.engagement.documents.remove(document)
    session.delete(document)
    session.flush()


def of_engagement(session: Session, engagement: Engagement, document_id: int) -> EngagementDocument:
    """One of this engagement's files. Raises NotFound, also for another engagement's."""
    found = session.get(EngagementDocument, document_id)
    if found is None or found.engagement_id != engagement.id:
        raise NotFound("There is no such file here.")
    return found


def _name(name: str) -> str:
    """The last part of the name, in letters that any disk takes."""
    last = re.split(r"[/\\]", name)[-1]
    cleaned = re.sub(r"[^\w.()+ -]", "_", last).strip(" .")
    path = PurePosixPath(cleaned)
    return f"{path.stem[:120]}{path.suffix[:10]}"
