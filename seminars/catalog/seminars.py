"""Seminars: what is taught, written once and run many times."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.catalog import listings
from seminars.catalog.models import Event, Seminar
from seminars.kit.references import slug
from seminars.kit.typed import Fields


@dataclass(frozen=True)
class SeminarFacts:
    """What a seminar says about itself. Texts of several lines may use Markdown."""

    title: str
    summary: str = ""
    abstract: str = ""
    outcomes: str = ""
    audience: str = ""
    credits: str = ""
    topic: str = ""


def create(session: Session, facts: SeminarFacts, *, now: datetime) -> Seminar:
    """Describe a new seminar. Its address is made from its title and stays when the title changes. Raises BadInputs."""
    facts = _checked(facts)
    seminar = Seminar(**vars(facts), slug=_free_slug(session, facts.title), created_at=now)
    session.add(seminar)
    session.flush()
    return seminar


def change(session: Session, seminar: Seminar, facts: SeminarFacts, *, now: datetime) -> Seminar:
    """Describe a seminar anew; the list follows for every event of it. Raises BadInputs."""
    for name, value in vars(_checked(facts)).items():
        setattr(seminar, name, value)
    session.flush()
    listings.refresh_many(session, session.scalars(select(Event.id).where(Event.seminar_id == seminar.id)), now=now)
    return seminar


def _checked(facts: SeminarFacts) -> SeminarFacts:
    fields = Fields()
    checked = SeminarFacts(
        title=fields.line("title", facts.title, most=300),
        summary=fields.text("summary", facts.summary, most=600),
        abstract=fields.text("abstract", facts.abstract),
        outcomes=fields.text("outcomes", facts.outcomes),
        audience=fields.text("audience", facts.audience),
        credits=fields.text("credits", facts.credits),
        topic=fields.line("topic", facts.topic, most=40, required=False),
    )
    fields.finish()
    return checked


def _free_slug(session: Session, title: str) -> str:
    plain = slug(title)
    taken = set(session.scalars(select(Seminar.slug).where(Seminar.slug.startswith(plain, autoescape=True))))
    return next_free(plain, taken)


def next_free(plain: str, taken: set[str]) -> str:
    """The plain address, or the first with a number behind it that is not taken."""
    if plain not in taken:
        return plain
    return next(name for number in range(2, len(taken) + 3) if (name := f"{plain}-{number}") not in taken)
