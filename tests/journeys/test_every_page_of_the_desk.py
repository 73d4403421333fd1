"""Ines opens every page of the desk once; the inspector looks each over, in both themes and at both widths."""

from __future__ import annotations

from sqlalchemy import select

from seminars.catalog.models import Event, ImportRun
from seminars.demo.staff import LOGINS
from seminars.messages.models import Message
from tests.journeys import working

ADMIN = LOGINS[-1]
TABLE = b"Title,Date,Start,End\nOpen office,2027-06-01,09:00,10:00\nRetreat,someday,09:00,10:00\n"
PAGES = (
    "/staff/search?q=residency",
    "/staff/sign-ins",
    "/staff/second-factor",
    "/staff/second-factor/authenticator",
    "/staff/second-factor/passkeys",
    "/staff/second-factor/recovery-codes",
    "/staff/password",
    "/staff/sign-in/again",
    "/staff/events",
    "/staff/events/new",
    "/staff/events/{event}",
    "/staff/events/{event}/edit",
    "/staff/events/{event}/copy",
    "/staff/events/{event}/roster",
    "/staff/events/{event}/register?places=2",
    "/staff/events/{event}/sessions/new",
    "/staff/sessions/{session}",
    "/staff/events/{event}/tickets/new",
    "/staff/tickets/{ticket}",
    "/staff/events/{event}/seats/new",
    "/staff/seats/{quota}",
    "/staff/seminars",
    "/staff/seminars/new",
    "/staff/seminars/{seminar}",
    "/staff/seminars/{seminar}/edit",
    "/staff/speakers",
    "/staff/speakers/new",
    "/staff/speakers/{speaker}",
    "/staff/venues",
    "/staff/venues/new",
    "/staff/venues/{venue}",
    "/staff/refund-rules",
    "/staff/refund-rules/new",
    "/staff/refund-rules/{policy}",
    "/staff/codes",
    "/staff/codes/new",
    "/staff/import",
    "/staff/import/{run}",
    "/staff/orders",
    "/staff/messages",
    "/staff/messages/{message}",
    "/staff/people",
    "/staff/people/new",
    "/staff/people/1",
    "/staff/settings",
)


def test_ines_opens_every_page_of_the_desk(running_center, visiting, tmp_path):
    event = running_center.residency("rochester", in_days=260).id
    (tmp_path / "office.csv").write_bytes(TABLE)
    with visiting() as ines:
        working.sign_in(ines, ADMIN)
        ines.open("/staff/import")
        ines.page.get_by_label("File").set_input_files(tmp_path / "office.csv")
        ines.press("Look at the file")
        ines.reads("Wait for your choice")
        ines.open("/staff/people/1")
        ines.press("Send the link that sets a password")
        ines.reads("gets a mail with a link")
        names = ids(running_center, event)
        for page in PAGES:
            ines.open(page.format(**names))
            assert ines.page.get_by_role("heading", level=1).count() == 1, page


def ids(center, number):
    """The numbers of one of each kind."""
    with center.work() as session:
        event = session.get_one(Event, number)
        return {
            "event": event.id, "session": event.sessions[0].id, "ticket": event.ticket_types[0].id, "quota": event.quotas[0].id,
            "seminar": event.seminar_id, "speaker": event.speakers[0].id, "venue": event.venue_id, "policy": event.policy_id,
            "run": session.scalar(select(ImportRun.id).order_by(ImportRun.id.desc()).limit(1)),
            "message": session.scalar(select(Message.id).order_by(Message.id.desc()).limit(1)),
        }  # fmt: skip
