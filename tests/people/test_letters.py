"""Letters about logins say what to do, in text and in HTML, and keep names inert."""

import pytest

from seminars.config import Center, Letterhead
from seminars.messages.outbox import Letter
from seminars.messages.render import Press
from seminars.people import letters
from seminars.people.models import User
from tests.people.test_users import NOON

PRESS = Press(Letterhead(Center(), "https://seminars.northfield.example", "seminars@northfield.example"), "k" * 40)
ANNA = User(id=7, name="Anna <b>Lindqvist</b>", email="anna@northfield.example")
LINK = "https://seminars.northfield.example/staff/password/forgotten/abc"
LETTERS = (
    letters.invited(ANNA, link=LINK, invited_by="Ines Calloway"),
    letters.password_reset(ANNA, link=LINK),
    letters.password_changed(ANNA, now=NOON),
)


@pytest.mark.parametrize("letter", LETTERS, ids=lambda letter: letter.kind)
def test_a_letter_about_a_login_reads_well(letter: Letter) -> None:
    words = PRESS.words(letter.kind, letter.facts, letter.name)

    assert 10 < len(words.subject) < 60
    assert "Anna <b>Lindqvist</b>" in words.text
    assert "<b>Lindqvist" not in words.html
    assert "None" not in words.text + words.html
    if letter.kind != letters.PASSWORD_CHANGED:
        assert words.text.count(LINK) == 1 and LINK in words.html
    else:
        assert "1 March 2027" in words.text.replace("\u00a0", " ")


def test_the_same_link_is_posted_once_and_another_one_again() -> None:
    again = letters.password_reset(ANNA, link=LINK)

    assert again.key == LETTERS[1].key
    assert letters.password_reset(ANNA, link=LINK + "d").key != again.key
