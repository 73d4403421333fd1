"""Who teaches."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog import listings
from seminars.catalog.models import Speaker, event_speakers
from seminars.kit.typed import Fields
from seminars.schedule.models import Resource


@dataclass(frozen=True)
class SpeakerFacts:
    """What stands about a speaker on the event's page."""

    name: str
    credentials: str = ""
    role: str = ""
    bio: str = ""


def create(session: Session, facts: SpeakerFacts, *, resource: Resource | None = None) -> Speaker:
    """Introduce somebody who teaches. Who advises as well is one person with one `resource`. Raises BadInputs."""
    checked = _checked(facts)
    speaker = Speaker(**vars(checked), resource=resource or Resource(kind="person", name=checked.name))
    session.add(speaker)
    session.flush()
    return speaker


def change(session: Session, speaker: Speaker, facts: SpeakerFacts, *, now: datetime) -> Speaker:
    """Introduce a speaker anew; the list follows, because people search it for names. Raises BadInputs."""
    for name, value in vars(_checked(facts)).items():
        setattr(speaker, name, value)
    speaker.resource.name = speaker.name
    session.flush()
    listings.refresh_many(
        session, session.scalars(select(event_speakers.c.event_id).where(event_speakers.c.speaker_id == speaker.id)), now=now
    )
    return speaker


def _checked(facts: SpeakerFacts) -> SpeakerFacts:
    fields = Fields()
    checked = SpeakerFacts(
        name=fields.line("name", facts.name, most=200),
        credentials=fields.line("credentials", facts.credentials, most=100, required=False),
        role=fields.line("role", facts.role, most=300, required=False),
        bio=fields.text("bio", facts.bio),
    )
    fields.finish()
    return checked
