"""The facts of letters about appointments, to clients and to consultants. Their wording lies under templates/mail/consulting/."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.consulting.appointments import change_until
from seminars.consulting.models import Appointment, Consultant
from seminars.kit.money import Money
from seminars.messages.outbox import Letter
from seminars.messages.render import Posted

CONFIRMED = "consulting/confirmed"
MOVED = "consulting/moved"
CANCELLED = "consulting/cancelled"
REQUESTED = "consulting/requested"
APPROVED = "consulting/approved"
DECLINED = "consulting/declined"
MEETING = "consulting/meeting"
MEETING_MOVED = "consulting/meeting_moved"
MEETING_OFF = "consulting/meeting_off"
REQUEST_WAITS = "consulting/request_waits"

CLIENT_SITE = "client_site"


def page_of(letterhead: Letterhead, appointment: Appointment) -> str:
    """The address of the client's own page of an appointment."""
    return f"{letterhead.base_url}/appointments/{appointment.secret}"


def week_page(letterhead: Letterhead) -> str:
    """Where a consultant sees their week."""
    return f"{letterhead.base_url}/staff/week"


def place_of(appointment: Appointment, *, for_client: bool) -> str:
    """Where one has to be; nothing for a video meeting."""
    if appointment.place or appointment.offering.mode != CLIENT_SITE:
        return appointment.place
    return "At your site" if for_client else "At the client’s site"


def client_facts(
    appointment: Appointment, *, letterhead: Letterhead, purchase: Mapping[str, Any] | None = None, now: datetime
) -> dict[str, Any]:
    """What every letter to the client says; of the order behind it what `purchase` tells (order, order_page, paid).

    `change_until` is empty for a meeting so near that the client can change nothing any more.
    """
    until = change_until(appointment)
    return {
        "name": appointment.client_name or "",
        "offering": appointment.offering.title,
        "with_whom": names(appointment.consultants),
        "meeting": _meeting(appointment, appointment.zone, for_client=True),
        "answers": appointment.answers,
        "page": page_of(letterhead, appointment),
        "offering_page": f"{letterhead.base_url}/consulting/{appointment.offering.slug}",
        "change_until": until.isoformat() if until > now else "",
        "reason": appointment.cancel_reason,
        "order": "",
        "order_page": "",
        "paid": False,
        **(purchase or {}),
    }


def consultant_facts(appointment: Appointment, consultant: Consultant, *, letterhead: Letterhead) -> dict[str, Any]:
    """What every letter to one of the consultants says."""
    return {
        "name": consultant.name,
        "offering": appointment.offering.title,
        "client": appointment.client_name or "",
        "client_email": appointment.client_email or "",
        "organisation": appointment.organisation,
        "colleagues": names([one for one in appointment.consultants if one.id != consultant.id]),
        "meeting": _meeting(appointment, consultant.zone, for_client=False),
        "answers": appointment.answers,
        "page": week_page(letterhead),
        "reason": appointment.cancel_reason,
    }


def names(people: Sequence[Consultant]) -> str:
    """«Rosa Castellane and Tomas Ibarra»."""
    each = [one.name for one in people]
    return " and ".join(filter(None, [", ".join(each[:-1]), each[-1]])) if each else ""


def to_client(kind: str, appointment: Appointment, facts: dict[str, Any], since: datetime) -> Letter:
    """A letter to the client without a calendar entry; `since` is when that happened of which it tells."""
    assert appointment.client_email is not None
    return Letter(
        kind=kind,
        key=f"{kind.replace('/', '.')}:{appointment.id}:{since:%Y%m%dT%H%M%S}",
        to=appointment.client_email,
        name=appointment.client_name or "",
        facts=facts,
        references=references_of(appointment),
    )


def to_consultant(kind: str, appointment: Appointment, consultant: Consultant, facts: dict[str, Any], since: datetime) -> Letter:
    """A letter to one of the consultants without a calendar entry."""
    return Letter(
        kind=kind,
        key=f"{kind.replace('/', '.')}:{appointment.id}:{consultant.id}:{since:%Y%m%dT%H%M%S}",
        to=consultant.email,
        name=consultant.name,
        facts=facts,
        references=(*references_of(appointment), consultant.reference),
    )


def money_facts(money: Money | None) -> dict[str, Any] | None:
    """An amount as facts hold it."""
    return {"amount": money.amount, "currency": money.currency} if money else None


def references_of(appointment: Appointment) -> tuple[str, ...]:
    """What a letter about an appointment is about."""
    return tuple(filter(None, (appointment.reference, appointment.order_reference)))


def still_standing(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose appointment stands. News of an end is always wanted."""
    return _in_state(session, messages, ("confirmed",))


def still_asked(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose request nobody has answered."""
    return _in_state(session, messages, ("requested",))


def still_to_pay(session: Session, messages: Sequence[Posted]) -> Collection[int]:
    """The ids of those whose approved appointment waits to be paid."""
    return _in_state(session, messages, ("held",))


def _in_state(session: Session, messages: Sequence[Posted], states: Collection[str]) -> list[int]:
    about = {message.id: _appointment_id(message) for message in messages}
    asked = select(Appointment.id).where(Appointment.id.in_(set(about.values())), Appointment.state.in_(states))
    live = set(session.scalars(asked))
    return [message_id for message_id, appointment_id in about.items() if appointment_id in live]


def _appointment_id(message: Posted) -> int:
    found = (one.partition("/")[2] for one in message.references if one.startswith("appointment/"))
    return next((int(number) for number in found if number.isdecimal()), 0)


def _meeting(appointment: Appointment, zone: str, *, for_client: bool) -> dict[str, Any]:
    return {
        "title": "",
        "starts_at": appointment.starts_at.isoformat(),
        "ends_at": appointment.ends_at.isoformat(),
        "zone": zone,
        "all_day": False,
        "place": place_of(appointment, for_client=for_client),
        "join_url": appointment.join_url,
    }
