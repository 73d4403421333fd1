"""Who may do what: one right per thing that a page or a button does, and the roles that have it.

Asked by the doors before a page is shown, and again by a verb where money moves. The admin keeps logins and settings and has
every right of the desk, but none of finance: whoever hands out rights does not also move money.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from seminars.people.models import ROLES


class Named(Protocol):
    """Anything with a name, such as a role."""

    @property
    def name(self) -> str: ...


class Holder(Protocol):
    """Whoever signs in: active or not, with roles."""

    @property
    def active(self) -> bool: ...

    @property
    def roles(self) -> Iterable[Named]: ...


@dataclass(frozen=True)
class Right:
    """Something that staff of certain roles may do. `second_factor`: a center can ask for a second proof of identity first."""

    name: str
    roles: frozenset[str]
    second_factor: bool = False

    def __call__(self, user: Holder | None) -> bool:
        """Whether that person may. An inactive login may nothing."""
        return user is not None and user.active and any(role.name in self.roles for role in user.roles)


def _right(name: str, *roles: str, second_factor: bool = False) -> Right:
    return Right(name, frozenset(roles), second_factor)


_FINANCE = ("finance", "finance_approver")

use_desk = _right("use_desk", *ROLES)
see_programme = _right("see_programme", *ROLES)
change_programme = _right("change_programme", "program", "admin")
mark_delivered = _right("mark_delivered", "program", "admin")
see_people_registered = _right("see_people_registered", "program", "front_desk", "consultant", "admin")
export_roster = _right("export_roster", "program", "front_desk", "admin")
register_people = _right("register_people", "program", "front_desk", "admin")
comp_seats = _right("comp_seats", "program", "admin")
cancel_registrations = _right("cancel_registrations", "program", "front_desk", "admin")
see_orders = _right("see_orders", "program", "front_desk", "finance", "finance_approver", "admin")
see_consulting = _right("see_consulting", "program", "front_desk", "consultant", "admin")
change_consulting = _right("change_consulting", "program", "admin")
manage_appointments = _right("manage_appointments", "program", "front_desk", "admin")
own_week = _right("own_week", "program", "front_desk", "consultant", "admin")
keep_hours = _right("keep_hours", "program", "consultant", "admin")
see_engagements = _right("see_engagements", "program", "consultant", "finance", "finance_approver", "admin")
write_proposals = _right("write_proposals", "program", "admin")
run_engagements = _right("run_engagements", "program", "consultant", "admin")
log_time = _right("log_time", "program", "consultant", "admin")
bill_time = _right("bill_time", "program", "finance", "admin")
see_messages = _right("see_messages", "program", "front_desk", "admin")
send_again = _right("send_again", "program", "front_desk", "admin")
see_finance = _right("see_finance", *_FINANCE, second_factor=True)
settle_money = _right("settle_money", *_FINANCE, second_factor=True)
manage_people = _right("manage_people", "admin")
see_settings = _right("see_settings", "admin")

RIGHTS: dict[str, Right] = {right.name: right for right in list(globals().values()) if isinstance(right, Right)}

ROLE_WORDS = {
    "program": "Program: makes and changes seminars, events and consulting, sees who comes",
    "front_desk": "Front desk: registers people, answers requests, moves and cancels, sends mails again",
    "consultant": "Consultant: keeps their own week and hours, sees the programme and who comes",
    "finance": "Finance: sees payments, invoices, the journal and reports",
    "finance_approver": "Finance approver: finance, and may approve what others ask for",
    "admin": "Admin: keeps logins and settings, and everything at the desk except finance",
}
