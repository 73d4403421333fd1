"""Offerings at the desk: what can be booked by the hour, written, priced, put on sale and away."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from seminars.catalog.models import RefundPolicy
from seminars.consulting import intake, offerings, queries
from seminars.consulting.intake import Question
from seminars.consulting.models import Consultant, Offering
from seminars.consulting.offerings import LIMITS, OfferingFacts
from seminars.desk import consulting as reads
from seminars.desk import programme as catalogue
from seminars.desk import timeline
from seminars.kit.format import amount
from seminars.kit.money import Money
from seminars.kit.refusals import BadInputs, Refusal
from seminars.people import permissions as may
from seminars.web.shared import joined, now
from seminars.web.shared.errors import status_of
from seminars.web.shared.guards import needs
from seminars.web.staff import rows
from seminars.web.staff.door import Typed, acting, errors_of, page, positive, reading, staff
from seminars.web.staff.links import address_of

MODE_WORDS = {"video": "By video", "in_person": "In person, at our place", "client_site": "At the client’s site"}
KIND_WORDS = {"line": "One line", "text": "Several lines", "choice": "A choice", "yes_no": "Yes or no"}
LENGTHS = rows.Kind("length", ("minutes", "price"))
QUESTIONS = rows.Kind("question", ("key", "label", "kind", "choices", "required", "when", "equals"), idle=("key", "kind", "required"))
NEW_QUESTION = {"kind": "line"}


@staff.get("/consulting/offerings")
@needs(may.see_consulting)
def offerings_list() -> ResponseReturnValue:
    """All offerings."""
    return page("consulting/offerings.html", section="Consulting", offerings=queries.every_offering(reading()), modes=MODE_WORDS)


@staff.get("/consulting/offerings/<int:offering_id>")
@needs(may.see_consulting)
def offering(offering_id: int) -> ResponseReturnValue:
    """One offering: its rules, what is missing before it can be sold, and what happened to it."""
    found = reads.offering_by_id(reading(), offering_id)
    return page(
        "consulting/offering.html",
        section="Consulting",
        offering=found,
        modes=MODE_WORDS,
        kinds=KIND_WORDS,
        questions=intake.questions_of(found.questions),
        missing=offerings.missing(found) if found.state != "published" else [],
        public=f"{joined().settings.base_url}/consulting/{found.slug}",
        address_of=address_of,
        entries=[
            (entry, address_of(entry.reference))
            for entry in timeline.changes_of(reading(), [found.reference], zone=joined().settings.center.zone)[:30]
        ],
    )


@staff.route("/consulting/offerings/new", methods=["GET", "POST"])
@needs(may.change_consulting)
def new_offering() -> ResponseReturnValue:
    """Describe a service; it is a draft until it is published."""
    if request.method == "GET":
        facts = OfferingFacts(title="", currency=joined().settings.center.currency)
        return _form(None, typed=_shown(facts), lengths=[{"minutes": "60", "price": ""}], questions=[], people=set())
    return _keep(None)


@staff.route("/consulting/offerings/<int:offering_id>/edit", methods=["GET", "POST"])
@needs(may.change_consulting)
def edit_offering(offering_id: int) -> ResponseReturnValue:
    """Describe a service anew: what was booked keeps its time and its price."""
    found = reads.offering_by_id(reading(), offering_id)
    if request.method == "POST":
        return _keep(found)
    shown = [
        {"minutes": str(one.minutes), "price": amount(Money(one.price, found.currency))} for one in found.lengths if one.offered
    ]  # fmt: skip
    people = {one.id for one in found.consultants}
    return _form(found, typed=_shown(found), lengths=shown, questions=_question_rows(found), people=people)


@staff.post("/consulting/offerings/<int:offering_id>/publish")
@needs(may.change_consulting)
def publish_offering(offering_id: int) -> ResponseReturnValue:
    """Put it on sale."""
    with acting() as session:
        found = offerings.publish(session, reads.offering_by_id(session, offering_id), now=now())
    flash(f"{found.title} is on sale.")
    return redirect(url_for("staff.offering", offering_id=offering_id), 303)


@staff.post("/consulting/offerings/<int:offering_id>/archive")
@needs(may.change_consulting)
def archive_offering(offering_id: int) -> ResponseReturnValue:
    """Take it off sale; what is booked stays booked."""
    with acting() as session:
        found = offerings.archive(session, reads.offering_by_id(session, offering_id), now=now())
    flash(f"{found.title} is put away. What is booked stays booked.")
    return redirect(url_for("staff.offering", offering_id=offering_id), 303)


def _keep(before: Offering | None) -> ResponseReturnValue:
    typed = Typed(request.form)
    people = {number for text in request.form.getlist("consultants") if (number := positive(text))}
    if rows.changing():
        lengths = LENGTHS.as_changed(request.form, {})
        questions = _keyed(QUESTIONS.as_changed(request.form, NEW_QUESTION))
        return _form(before, typed=request.form, lengths=lengths, questions=questions, people=people)
    lengths, questions = LENGTHS.typed(request.form), _keyed(QUESTIONS.typed(request.form))
    try:
        with acting(typed.text("why")[:300]) as session:
            kept = _write(session, before.id if before else None, typed, lengths, questions, people)
    except Refusal as refusal:
        reading().expire_all()
        errors = rows.named(errors_of(refusal), QUESTIONS, "questions", ("label",))
        page_ = _form(before, typed=request.form, lengths=lengths, questions=questions, people=people, errors=errors)
        return page_, status_of(refusal)
    flash(f"{kept.title} is kept." + ("" if before else " Publish it when it is complete."))
    return redirect(url_for("staff.offering", offering_id=kept.id), 303)


def _write(
    session: Session,
    offering_id: int | None,
    typed: Typed,
    lengths: Sequence[Mapping[str, str]],
    questions: Sequence[Mapping[str, str]],
    people: set[int],
) -> Offering:
    facts, prices = _facts(session, typed), _prices(typed, lengths)
    asked = [_question(row, questions) for row in questions]
    named = [one for one in queries.every_consultant(session) if one.id in people]
    typed.finish()
    if offering_id is None:
        found = offerings.create(session, facts, now=now())
    else:
        found = offerings.change(session, reads.offering_by_id(session, offering_id), facts, now=now())
    offerings.set_consultants(session, found, named, now=now())
    try:
        offerings.set_lengths(session, found, prices, now=now())
    except BadInputs as wrong:
        raise BadInputs(_at_rows(wrong.errors, lengths)) from wrong
    return offerings.set_questions(session, found, asked)


def _facts(session: Session, typed: Typed) -> OfferingFacts:
    number = typed.choice("policy")
    policy = session.get(RefundPolicy, number) if number else None
    if number and policy is None:
        typed.wrong("policy", "Please choose from the list.")
    numbers = {name: typed.whole(name, low=low, high=high) for name, (low, high) in LIMITS.items()}
    cap = typed.whole("daily_cap", low=1, high=100) if typed.text("daily_cap").strip() else None
    return OfferingFacts(
        title=typed.text("title"),
        summary=typed.text("summary"),
        description=typed.text("description"),
        topic=typed.text("topic"),
        mode=typed.text("mode"),
        place=typed.text("place"),
        currency=typed.text("currency").strip().upper(),
        listed=typed.ticked("listed"),
        needs_approval=typed.ticked("needs_approval"),
        daily_cap=cap,
        policy=policy,
        **numbers,
    )


def _prices(typed: Typed, lengths: Sequence[Mapping[str, str]]) -> dict[int, int]:
    """What each length costs, in minor units."""
    currency, found = typed.text("currency").strip().upper(), dict[int, int]()
    for number, _ in enumerate(lengths, start=1):
        # The rows were closed up, so that a number in the form may be another than the row's: both are read from the row.
        row = Typed({f"length-{number}-{name}": value for name, value in lengths[number - 1].items()})
        minutes = row.whole(f"length-{number}-minutes", low=offerings.SHORTEST, high=offerings.LONGEST)
        price = row.money(f"length-{number}-price", currency)
        if minutes in found and not row.errors:
            row.wrong(f"length-{number}-minutes", "This length stands here twice.")
        typed.errors.update(row.errors)
        found[minutes] = price.amount
    return found


def _at_rows(errors: Mapping[str, str], lengths: Sequence[Mapping[str, str]]) -> dict[str, str]:
    at = {row["minutes"].strip(): number for number, row in enumerate(lengths, start=1)}
    return {
        f"length-{at[minutes]}-price" if (minutes := name.partition(".")[2]) in at else name: sentence for name, sentence in errors.items()
    }


def _question(row: Mapping[str, str], every: Sequence[Mapping[str, str]]) -> Question:
    above = next((one for one in every if one["key"] == row["when"]), None)
    equals = row["equals"].strip()
    return Question(
        key=row["key"],
        label=row["label"],
        kind=row["kind"],
        choices=tuple(line.strip() for line in row["choices"].splitlines() if line.strip()) if row["kind"] == "choice" else (),
        required=bool(row["required"]),
        when_key=row["when"],
        when_equals=equals.lower() if above is not None and above["kind"] == "yes_no" else equals if row["when"] else "",
    )


def _keyed(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """Questions with a key each: those that are new get the next that is free."""
    taken = {row["key"] for row in found}
    free = (f"q{number}" for number in range(1, rows.MOST * 2) if f"q{number}" not in taken)
    return [row | {"key": row["key"] or next(free)} for row in found]


def _question_rows(found: Offering) -> list[dict[str, str]]:
    return [
        {
            "key": one.key,
            "label": one.label,
            "kind": one.kind,
            "choices": "\n".join(one.choices),
            "required": "1" if one.required else "",
            "when": one.when_key,
            "equals": one.when_equals,
        }
        for one in intake.questions_of(found.questions)
    ]


def _shown(facts: OfferingFacts | Offering) -> dict[str, Any]:
    names = ("title", "summary", "description", "topic", "mode", "place", "currency", "listed", "needs_approval", "daily_cap", *LIMITS)
    return {name: getattr(facts, name) for name in names} | {"policy": facts.policy.id if facts.policy else None}


def _form(
    found: Offering | None,
    *,
    typed: Any,
    lengths: Sequence[Mapping[str, str]],
    questions: Sequence[Mapping[str, str]],
    people: set[int],
    errors: Mapping[str, str] | None = None,
) -> str:
    everyone: Sequence[Consultant] = queries.every_consultant(reading())
    return page(
        "consulting/offering_edit.html",
        section="Consulting",
        offering=found,
        typed=typed,
        errors=errors or {},
        lengths=lengths,
        questions=questions,
        people=people,
        consultants=[one for one in everyone if one.active or one.id in people],
        modes=MODE_WORDS,
        kinds=KIND_WORDS,
        policies=[(one.id, one.name) for one in catalogue.policies(reading())],
        topics=list(joined().settings.center.topics),
    )
