"""What people call the things that rooms name by reference: `order/118` is NC-2027-0118, `session/7` a day of an event."""

from collections.abc import Collection, Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from seminars.catalog.models import Event, EventSession, RefundPolicy, Venue
from seminars.consulting.models import Appointment, Consultant, Offering
from seminars.desk.today import name_of
from seminars.engagements.models import Engagement, Milestone, Proposal, Retainer, TimeLog
from seminars.invoices.models import CreditNote, Invoice
from seminars.kit.references import reference
from seminars.orders.models import Order
from seminars.payments.models import Payment, Refund
from seminars.people import queries as people
from seminars.registration.models import Registration

LONGEST = 18
"""Digits of a number that can be held against the id of a row (bigint)."""


def names_of(session: Session, references: Collection[str]) -> dict[str, str]:
    """Names by reference, in one statement per kind of thing. What is not known keeps its reference as its name."""
    names = {one: one.replace("_", " ").replace("/", " ") for one in references if one}
    for kind, ids in _by_kind(references).items():
        names |= {reference(kind, number): name for number, name in _names(session, kind, ids)}
    return names


def _by_kind(references: Iterable[str]) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for one in references:
        kind, _, number = one.partition("/")
        if number.isascii() and number.isdecimal() and len(number) <= LONGEST:
            found.setdefault(kind, set()).add(int(number))
    return found


def _names(session: Session, kind: str, ids: set[int]) -> list[tuple[int, str]]:
    match kind:
        case "order":
            return [(row.id, f"order {row.number}") for row in session.execute(select(Order.id, Order.number).where(Order.id.in_(ids)))]
        case "event":
            return [(row.id, row.title) for row in session.execute(select(Event.id, Event.title).where(Event.id.in_(ids)))]
        case "session":
            parts = session.scalars(select(EventSession).where(EventSession.id.in_(ids)).options(joinedload(EventSession.event)))
            return [(part.id, name_of(part)) for part in parts]
        case "registration":
            seats = session.execute(select(Registration.id, Registration.attendee_name).where(Registration.id.in_(ids)))
            return [(row.id, f"seat of {row.attendee_name or 'nobody yet'}") for row in seats]
        case "invoice":
            papers = session.execute(select(Invoice.id, Invoice.number).where(Invoice.id.in_(ids)))
            return [(row.id, f"invoice {row.number}") for row in papers]
        case "credit_note":
            papers = session.execute(select(CreditNote.id, CreditNote.number).where(CreditNote.id.in_(ids)))
            return [(row.id, f"credit note {row.number}") for row in papers]
        case "payment":
            paid = session.execute(select(Payment.id, Order.number).join(Order, Order.id == Payment.order_id).where(Payment.id.in_(ids)))
            return [(row.id, f"payment of order {row.number}") for row in paid]
        case "refund":
            given = select(Refund.id, Order.number).join(Payment, Payment.id == Refund.payment_id).join(Order, Order.id == Payment.order_id)
            return [(row.id, f"refund on order {row.number}") for row in session.execute(given.where(Refund.id.in_(ids)))]
        case "venue":
            return [(row.id, row.name) for row in session.execute(select(Venue.id, Venue.name).where(Venue.id.in_(ids)))]
        case "policy":
            return [
                (row.id, row.name) for row in session.execute(select(RefundPolicy.id, RefundPolicy.name).where(RefundPolicy.id.in_(ids)))
            ]
        case "appointment":
            meetings = session.scalars(select(Appointment).where(Appointment.id.in_(ids)).options(joinedload(Appointment.offering)))
            return [(one.id, f"{one.offering.title} with {one.client_name}" if one.client_name else one.offering.title) for one in meetings]
        case "offering":
            return [(row.id, row.title) for row in session.execute(select(Offering.id, Offering.title).where(Offering.id.in_(ids)))]
        case "consultant":
            return [(row.id, row.name) for row in session.execute(select(Consultant.id, Consultant.name).where(Consultant.id.in_(ids)))]
        case "proposal":
            offered = session.execute(select(Proposal.id, Proposal.number, Proposal.version).where(Proposal.id.in_(ids)))
            return [(row.id, f"proposal {row.number}, version {row.version}") for row in offered]
        case "engagement":
            agreed = session.execute(select(Engagement.id, Engagement.number).where(Engagement.id.in_(ids)))
            return [(row.id, f"engagement {row.number}") for row in agreed]
        case "milestone":
            parts_of = select(Milestone.id, Milestone.title, Engagement.number).join(Engagement, Engagement.id == Milestone.engagement_id)
            return [(row.id, f"{row.title}, {row.number}") for row in session.execute(parts_of.where(Milestone.id.in_(ids)))]
        case "retainer":
            sold = session.execute(select(Retainer.id, Retainer.number).where(Retainer.id.in_(ids)))
            return [(row.id, f"retainer {row.number}") for row in sold]
        case "timesheet":
            worked = select(TimeLog.id, TimeLog.worked_on, Retainer.number).join(Retainer, Retainer.id == TimeLog.retainer_id)
            logs = session.execute(worked.where(TimeLog.id.in_(ids)))
            return [(row.id, f"hours of {row.worked_on.isoformat()}, {row.number}") for row in logs]
        case "user":
            return [(number, f"login of {name}") for number, name in people.names(session, ids).items()]
        case _:
            return []
