"""Intake: what a client is asked before a meeting. Which questions apply, and what was typed for them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seminars.kit.refusals import BadInput
from seminars.kit.typed import Fields, one_line, paragraphs

KINDS = ("line", "text", "choice", "yes_no")
YES, NO = "yes", "no"
MOST_QUESTIONS = 30
MOST_CHOICES = 30
LONGEST_LINE, LONGEST_TEXT = 300, 5_000


@dataclass(frozen=True)
class Question:
    """One question. With `when_key` it is asked only if the earlier question of that key was answered with `when_equals`."""

    key: str
    label: str
    kind: str = "line"
    choices: tuple[str, ...] = ()
    required: bool = False
    when_key: str = ""
    when_equals: str = ""

    @property
    def field(self) -> str:
        """The name of its field in a form."""
        return f"answer_{self.key}"


def questions_of(stored: Iterable[Mapping[str, Any]]) -> list[Question]:
    """The questions as an offering keeps them."""
    found = []
    for one in stored:
        when = one.get("when") or {}
        found.append(
            Question(
                key=one["key"],
                label=one["label"],
                kind=one["kind"],
                choices=tuple(one.get("choices") or ()),
                required=bool(one.get("required")),
                when_key=when.get("key", ""),
                when_equals=when.get("equals", ""),
            )
        )
    return found


def stored(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Questions, checked, as an offering keeps them. Raises BadInputs, its fields named `questions.<number>`."""
    fields = Fields()
    if len(questions) > MOST_QUESTIONS:
        fields.wrong("questions", f"Please ask at most {MOST_QUESTIONS} questions.")
    earlier: dict[str, Question] = {}
    kept = []
    for number, question in enumerate(questions, start=1):
        field = f"questions.{number}"
        fields.read(lambda each=question, name=field: _assert_usable(each, earlier, name), None)  # type: ignore[misc]
        earlier[question.key] = question
        when = {"key": question.when_key, "equals": question.when_equals} if question.when_key else None
        kept.append(
            {
                "key": question.key,
                "label": fields.line(field, question.label, most=LONGEST_LINE),
                "kind": question.kind,
                "choices": [fields.line(field, choice, most=LONGEST_LINE) for choice in question.choices],
                "required": question.required,
                "when": when,
            }
        )
    fields.finish()
    return kept


def asked(questions: Sequence[Question], typed: Mapping[str, str]) -> list[Question]:
    """The questions that apply, given what was typed (by the questions' keys), in their order.

    A question whose condition hangs on one that does not apply does not apply either.
    """
    found: dict[str, Question] = {}
    for question in questions:
        met = question.when_key in found and typed.get(question.when_key, "").strip() == question.when_equals
        if not question.when_key or met:
            found[question.key] = question
    return list(found.values())


def read(questions: Sequence[Question], typed: Mapping[str, str]) -> list[dict[str, str]]:
    """What an appointment keeps of what was typed: [{key, label, answer}] of the questions that apply and were answered.

    Raises BadInputs at the fields.
    """
    fields = Fields()
    kept = []
    for question in asked(questions, typed):
        answer = fields.read(lambda each=question: _answer(each, typed.get(each.key, "")), "")  # type: ignore[misc]
        if answer:
            kept.append({"key": question.key, "label": question.label, "answer": answer})
    fields.finish()
    return kept


def unanswered(questions: Sequence[Question], answers: Iterable[Mapping[str, str]]) -> list[Question]:
    """The required questions that apply and that these kept answers leave open."""
    given = {one.get("key", ""): one["answer"] for one in answers}
    typed = {key: _typed(answer) for key, answer in given.items()}
    return [question for question in asked(questions, typed) if question.required and question.key not in given]


def _typed(answer: str) -> str:
    """A kept answer as it was typed: only yes and no are kept in other words."""
    return {"Yes": YES, "No": NO}.get(answer, answer)


def _answer(question: Question, text: str) -> str:
    match question.kind:
        case "text":
            return paragraphs(text, field=question.field, most=LONGEST_TEXT, required=question.required)
        case "line":
            return one_line(text, field=question.field, most=LONGEST_LINE, required=question.required)
    plain = text.strip()
    if not plain and question.required:
        raise BadInput("Please choose an answer.", question.field)
    allowed = {YES: "Yes", NO: "No"} if question.kind == "yes_no" else {choice: choice for choice in question.choices}
    if plain and plain not in allowed:
        raise BadInput("Please choose one of the answers that are given.", question.field)
    return allowed[plain] if plain else ""


def _assert_usable(question: Question, earlier: Mapping[str, Question], field: str) -> None:
    """Raises BadInput for a question that could not be asked, or whose condition could never be met."""
    if not question.key.isidentifier() or len(question.key) > 40:
        raise BadInput("Please give the question a key of letters, digits and underscores.", field)
    if question.key in earlier:
        raise BadInput("Two questions have the same key.", field)
    if question.kind not in KINDS:
        raise BadInput("Please choose how the question is answered.", field)
    if question.kind == "choice" and not 2 <= len(set(question.choices)) == len(question.choices) <= MOST_CHOICES:
        raise BadInput(f"Please give from 2 to {MOST_CHOICES} different answers to choose from.", field)
    if not question.when_key:
        return
    above = earlier.get(question.when_key)
    if above is None:
        raise BadInput("The condition names no question above this one.", field)
    possible = {"choice": above.choices, "yes_no": (YES, NO)}.get(above.kind)
    if possible is not None and question.when_equals not in possible:
        raise BadInput("The condition waits for an answer that cannot be given.", field)
    if not question.when_equals:
        raise BadInput("Please say for which answer this is asked.", field)
