"""Consultants at the desk: who advises, as whom they sign in, and under which name they teach."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.calendars.zones import zone_names
from seminars.catalog.models import Speaker
from seminars.consulting import consultants as verbs
from seminars.consulting import queries
from seminars.consulting.consultants import ConsultantFacts
from seminars.consulting.models import Consultant
from seminars.desk import consulting as reads
from seminars.kit.refusals import BadInput, Refusal
from seminars.people import permissions as may
from seminars.people.models import User
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs
from seminars.web.staff.door import Typed, acting, errors_of, page, reading, staff

FACTS = ("name", "email", "zone", "credentials", "role", "bio", "video_link", "listed", "active")


@staff.get("/consulting/consultants")
@needs(may.see_consulting)
def consultants_list() -> ResponseReturnValue:
    """Who advises."""
    return page("consulting/consultants.html", section="Consulting", consultants=queries.every_consultant(reading()))


@staff.get("/consulting/consultants/<int:consultant_id>")
@needs(may.see_consulting)
def consultant(consultant_id: int) -> ResponseReturnValue:
    """One consultant."""
    found = reads.consultant_by_id(reading(), consultant_id)
    return page(
        "consulting/consultant.html",
        section="Consulting",
        consultant=found,
        offerings=[one for one in queries.every_offering(reading()) if found.id in {other.id for other in one.consultants}],
        login=reading().get(User, found.user_id) if found.user_id else None,
        speaker=reads.speaker_of(reading(), found),
        public=f"{joined().settings.base_url}/consultants/{found.slug}",
    )


@staff.route("/consulting/consultants/new", methods=["GET", "POST"])
@needs(may.change_consulting)
def new_consultant() -> ResponseReturnValue:
    """Introduce somebody who advises; who teaches already is chosen, so that nobody books them twice."""
    if request.method == "GET":
        return _form(None, typed={"zone": joined().settings.center.zone, "listed": True, "active": True})
    typed = Typed(request.form)
    try:
        with acting() as session:
            speaker, user_id = _speaker(session, typed), _login(session, typed)
            typed.finish()
            resource = speaker.resource if speaker else None
            made = verbs.create(session, _facts(typed), resource=resource, now=now())
            verbs.link_login(session, made, user_id)
    except Refusal as refusal:
        return _form(None, typed=request.form, errors=errors_of(refusal)), status_of(refusal)
    flash(f"{made.name} is introduced. Say next when they can be booked.")
    return redirect(url_for("staff.availability", consultant_id=made.id), 303)


@staff.route("/consulting/consultants/<int:consultant_id>/edit", methods=["GET", "POST"])
@needs(may.change_consulting)
def edit_consultant(consultant_id: int) -> ResponseReturnValue:
    """Introduce somebody anew."""
    found = reads.consultant_by_id(reading(), consultant_id)
    if request.method == "GET":
        return _form(found, typed={name: getattr(found, name) for name in FACTS} | {"user": found.user_id})
    typed = Typed(request.form)
    try:
        with acting() as session:
            mine, user_id = reads.consultant_by_id(session, consultant_id), _login(session, typed)
            typed.finish()
            verbs.change(session, mine, _facts(typed), now=now())
            verbs.link_login(session, mine, user_id)
    except Refusal as refusal:
        reading().expire_all()
        found = reads.consultant_by_id(reading(), consultant_id)
        return _form(found, typed=request.form, errors=errors_of(refusal)), status_of(refusal)
    flash(f"{mine.name} is kept.")
    return redirect(url_for("staff.consultant", consultant_id=consultant_id), 303)


def _facts(typed: Typed) -> ConsultantFacts:
    words = {name: typed.text(name) for name in FACTS if name not in ("listed", "active")}
    return ConsultantFacts(**words, listed=typed.ticked("listed"), active=typed.ticked("active"))


def _login(session: Session, typed: Typed) -> int | None:
    """The login that was chosen; one that is linked already may have lost the role since."""
    number = typed.choice("user")
    if number and session.get(User, number) is None:
        raise BadInput("Please choose from the list.", "user")
    return number


def _speaker(session: Session, typed: Typed) -> Speaker | None:
    number = typed.choice("speaker")
    if not number:
        return None
    found = next((one for one in reads.speakers_who_do_not_advise(session) if one.id == number), None)
    if found is None:
        typed.wrong("speaker", "Please choose from the list.")
    return found


def _form(found: Consultant | None, *, typed: Any, errors: Mapping[str, str] | None = None) -> str:
    logins = [(one.id, f"{one.name}, {one.email}") for one in reads.logins_of_consultants(reading())]
    if found is not None and found.user_id and found.user_id not in {number for number, _ in logins}:
        kept = reading().get_one(User, found.user_id)
        logins.append((kept.id, f"{kept.name}, {kept.email}"))
    return page(
        "consulting/consultant_edit.html",
        section="Consulting",
        consultant=found,
        typed=typed,
        errors=errors or {},
        logins=logins,
        speakers=[(one.id, one.name) for one in reads.speakers_who_do_not_advise(reading())] if found is None else [],
        zones=sorted(zone_names()),
    )
