"""People who may sign in: invited, given roles, closed."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_security.recoverable import generate_reset_password_token
from sqlalchemy.orm import Session

from seminars.desk import timeline
from seminars.kit.references import reference
from seminars.kit.refusals import Conflict, Refusal
from seminars.kit.typed import Fields
from seminars.kit.typed import email as typed_email
from seminars.messages import outbox
from seminars.people import letters, queries, users
from seminars.people import permissions as may
from seminars.people.models import ROLES, User
from seminars.web.shared import joined, now
from seminars.web.shared.guards import needs, the_user
from seminars.web.staff.door import acting, again, page, reading, staff

WORDS = [(role, may.ROLE_WORDS[role]) for role in ROLES]


@staff.get("/people")
@needs(may.manage_people)
def people() -> ResponseReturnValue:
    """All logins."""
    words = request.args.get("q", "")[:120]
    return page("people/list.html", section="People", people=queries.everyone(reading(), words=words), wanted=words)


@staff.get("/people/new")
@needs(may.manage_people)
def new_person() -> ResponseReturnValue:
    """The form of an invitation."""
    return page("people/edit.html", section="People", person=None, typed={}, errors={}, roles=WORDS)


@staff.post("/people/new")
@needs(may.manage_people)
def invite() -> ResponseReturnValue:
    """Make a login and send its owner the link that sets a password."""
    try:
        with acting() as session:
            name, email, roles = _typed()
            person = users.create(session, name=name, email=email, roles=roles, now=now())
            _send_link(session, person)
    except Refusal as refusal:
        return again("people/edit.html", refusal, section="People", person=None, roles=WORDS)
    flash(f"{person.name} gets a mail with a link that sets a password.")
    return redirect(url_for("staff.person", user_id=person.id), 303)


@staff.get("/people/<int:user_id>")
@needs(may.manage_people)
def person(user_id: int) -> ResponseReturnValue:
    """One login."""
    found = queries.user_by_id(reading(), user_id)
    typed = {"name": found.name, "email": found.email, "roles": [role.name for role in found.roles]}
    return _page(found, typed)


@staff.post("/people/<int:user_id>")
@needs(may.manage_people)
def change_person(user_id: int) -> ResponseReturnValue:
    """Change name, address and roles."""
    try:
        with acting(request.form.get("why", "")) as session:
            found = queries.user_by_id(session, user_id)
            name, email, roles = _typed()
            users.change(session, found, name=name, email=email, now=now())
            users.set_roles(session, found, roles, now=now())
    except Refusal as refusal:
        return again("people/edit.html", refusal, section="People", roles=WORDS, **_facts(queries.user_by_id(reading(), user_id)))
    flash("Kept. It holds from the next page on.")
    return redirect(url_for("staff.person", user_id=user_id), 303)


@staff.post("/people/<int:user_id>/close")
@needs(may.manage_people)
def close_person(user_id: int) -> ResponseReturnValue:
    """Close a login: it is signed out everywhere at once."""
    with acting(request.form.get("why", "")) as session:
        found = queries.user_by_id(session, user_id)
        if found.id == the_user().id:
            raise Conflict("You cannot close your own login. Ask another admin.")
        users.deactivate(session, found, now=now())
    flash(f"The login of {found.name} is closed, and signed out everywhere.")
    return redirect(url_for("staff.person", user_id=user_id), 303)


@staff.post("/people/<int:user_id>/open")
@needs(may.manage_people)
def open_person(user_id: int) -> ResponseReturnValue:
    """Open a closed login again."""
    with acting(request.form.get("why", "")) as session:
        found = users.reactivate(session, queries.user_by_id(session, user_id), now=now())
    flash(f"The login of {found.name} is open again.")
    return redirect(url_for("staff.person", user_id=user_id), 303)


@staff.post("/people/<int:user_id>/link")
@needs(may.manage_people)
def send_link(user_id: int) -> ResponseReturnValue:
    """Send the link that sets a password once more."""
    with acting() as session:
        found = queries.user_by_id(session, user_id)
        if not found.active:
            raise Conflict(f"The login of {found.name} is closed. Open it first.")
        _send_link(session, found)
    flash(f"{found.name} gets a mail with a link that sets a password.")
    return redirect(url_for("staff.person", user_id=user_id), 303)


def _typed() -> tuple[str, str, list[str]]:
    """Name, address and roles, with everything that is wrong told at once. Raises BadInputs."""
    fields, roles = Fields(), request.form.getlist("roles")
    name = fields.line("name", request.form.get("name", ""), most=200)
    email = fields.read(lambda: typed_email(request.form.get("email", ""), field="email"), "")
    if not roles:
        fields.wrong("roles", "Please choose at least one role.")
    fields.finish()
    return name, email, roles


def _send_link(session: Session, person: User) -> None:
    token = generate_reset_password_token(person)  # type: ignore[no-untyped-call]
    path = url_for("security.reset_password", token=token)
    letter = letters.invited(person, link=f"{joined().settings.base_url}{path}", invited_by=the_user().name)
    outbox.post(session, letter, now=now())


def _page(found: User, typed: Mapping[str, object]) -> ResponseReturnValue:
    return page("people/edit.html", section="People", typed=typed, errors={}, roles=WORDS, **_facts(found))


def _facts(found: User) -> dict[str, Any]:
    entries = timeline.changes_of(reading(), [reference("user", found.id)], zone=joined().settings.center.zone)
    return {
        "person": found,
        "entries": [(entry, "") for entry in entries],
        "guarded": queries.has_second_factor(reading(), found),
    }
