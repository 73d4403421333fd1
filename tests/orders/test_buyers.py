"""What people type into the checkout form, and what we do not take."""

import pytest

from seminars.kit.refusals import BadInputs
from seminars.orders.buyers import Buyer, Party, read_attendee, read_party, twins_of
from seminars.registration.places import Attendee

GOOD = {"name": "Maren Holt", "mail": "maren.holt@lakeside.example"}
SAMIR = {"p2-name": "Samir Belhadj-Roux", "p2-mail": "samir@lakeside.example"}


def errors(typed: dict[str, str], places: int = 1) -> dict[str, str]:
    with pytest.raises(BadInputs) as refused:
        read_party(typed, places)
    return refused.value.errors


def test_the_buyer_and_everybody_who_comes() -> None:
    typed = GOOD | SAMIR | {
        "self": "1", "org": " Lakeside  Hospital ", "address": "12 Shore Road\r\nDuluth", "country": "us", "po": "PO-4711",
        "zone": "America/Chicago", "p1-prof": "Nurse", "p1-need": "Vegetarian", "p3-later": "1",
    }  # fmt: skip

    party = read_party(typed, 3)

    address, zone = "12 Shore Road\nDuluth", "America/Chicago"
    buyer = Buyer("Maren Holt", "maren.holt@lakeside.example", "Lakeside Hospital", address, "US", "PO-4711", zone)
    assert party == Party(
        buyer,
        (
            Attendee("Maren Holt", "maren.holt@lakeside.example", "Nurse", "Vegetarian"),
            Attendee("Samir Belhadj-Roux", "samir@lakeside.example"),
            None,
        ),
    )


def test_nothing_typed_says_what_is_missing_and_where() -> None:
    assert errors({}, 1) == {
        "name": "Write your name.",
        "mail": "Write an email address, such as name@hospital.example.",
        "p1-name": "Write the person's name.",
        "p1-mail": "Write an email address, such as name@hospital.example.",
    }


@pytest.mark.parametrize(
    "name",
    [
        "Anna\r\nBcc: everybody@lakeside.example",
        "Anna\nX",
        "Anna\rX",
        "Anna\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Party",
        "Anna\x00",
        "Anna\x1b[31m",
        "Anna\x7f",
        "Anna\x85X",
        "Anna\u2028X",
        "Anna\u2029X",
        "Anna\u202egnp.exe",
        "Anna\u2066X",
        "Anna\tX",
        "Anna\ud800",
    ],
)
@pytest.mark.parametrize("field", ["name", "org", "po", "p2-name", "p2-prof", "p2-need"])
def test_line_breaks_and_signs_nobody_sees_are_refused_in_every_line(field: str, name: str) -> None:
    found = errors(GOOD | SAMIR | {"self": "1", field: name}, 2)

    assert list(found) == [field]
    assert "Write it again by hand" in found[field]


@pytest.mark.parametrize(
    "name", ["BEGIN:VCALENDAR", "ATTENDEE;CN=x:mailto:y@z.example", "=cmd|' /C calc'!A0", "<script>x</script>", "O'Brien, Ångström 渡辺"]
)
def test_odd_names_that_are_text_stay_as_they_were_typed(name: str) -> None:
    assert read_party(GOOD | {"self": "1", "name": name}, 1).buyer.name == name


@pytest.mark.parametrize(
    "mail",
    [
        "a" * 308 + "@lakeside.example",
        "a@" + "b" * 310 + ".example",
        "maren",
        "maren@",
        "@lakeside.example",
        "maren@lakeside",
        "maren holt@lakeside.example",
        "maren@lakeside.example,other@lakeside.example",
        "maren@lakeside.example;other@lakeside.example",
        "maren@lakeside.example\r\nBcc: all@lakeside.example",
        "Maren <maren@lakeside.example>",
        '"a b"@lakeside.example',
        "maren@[127.0.0.1]",
        "maren..holt@lakeside.example",
        "mären@lakeside.example",
        "maren@lakeside.example\x00",
    ],
)
@pytest.mark.parametrize("field", ["mail", "p2-mail"])
def test_what_is_no_single_address_is_refused(field: str, mail: str) -> None:
    found = errors(GOOD | SAMIR | {"self": "1", field: mail}, 2)

    assert found == {field: "This address is not complete. Write it in full, such as name@hospital.example."}


def test_an_address_is_kept_in_the_form_that_mail_servers_compare() -> None:
    assert read_party(GOOD | {"self": "1", "mail": " Maren.Holt@LAKESIDE.Example "}, 1).buyer.email == "Maren.Holt@lakeside.example"


@pytest.mark.parametrize(
    ("field", "most"), [("name", 200), ("org", 200), ("po", 80), ("address", 1_000), ("p2-need", 500), ("p2-prof", 200)]
)
def test_every_text_has_a_longest_length(field: str, most: int) -> None:
    typed = GOOD | SAMIR | {"self": "1"}
    read_party(typed | {field: "x" * most}, 2)

    assert errors(typed | {field: "x" * (most + 1)}, 2) == {field: f"This is longer than {most} characters. Shorten it."}


@pytest.mark.parametrize("sign", ["\x00", "\x0b", "\x1b", "\x7f", "\ud800"])
def test_an_address_of_several_lines_has_no_control_signs(sign: str) -> None:
    assert list(errors(GOOD | {"self": "1", "address": f"12 Shore Road{sign}\nDuluth"})) == ["address"]


@pytest.mark.parametrize("country", ["USA", "U1", "U", "Ünited", "../", "🇺🇸"])
def test_a_country_is_two_letters(country: str) -> None:
    assert errors(GOOD | {"self": "1", "country": country}) == {"country": "Choose a country from the list."}


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "America/Chicago\r\nX", "x" * 5_000])
def test_a_zone_that_does_not_exist_is_dropped(zone: str) -> None:
    assert read_party(GOOD | {"self": "1", "zone": zone}, 1).buyer.zone == ""


def test_fields_of_people_beyond_the_seats_are_not_read() -> None:
    assert len(read_party(GOOD | {"self": "1", "p2-name": "\x00", "p999-name": "x"}, 1).attendees) == 1


def test_one_person_from_the_order_page() -> None:
    assert read_attendee({"x-name": "Samir", "x-mail": "s@lakeside.example"}, "x-") == Attendee("Samir", "s@lakeside.example")
    with pytest.raises(BadInputs) as refused:
        read_attendee({"name": "", "mail": "s"})
    assert list(refused.value.errors) == ["name", "mail"]


@pytest.mark.parametrize(
    ("events", "twins"),
    [
        ([7, 7], {}),
        ([7, 9], {2: 1}),
        ([7, 7, 9, 9, 9], {3: 1, 4: 2}),
        ([7, 9, 7, 9, 8], {2: 1, 4: 3, 5: 1}),
    ],
)
def test_each_seat_of_a_further_event_has_its_twin_in_the_first(events: list[int], twins: dict[int, int]) -> None:
    assert twins_of(events) == twins


def test_the_same_people_are_typed_once() -> None:
    typed = GOOD | {"self": "1", "p1-need": "no nuts", "p2-name": "Bo Ek", "p2-mail": "bo@lakeside.example"}

    party = read_party(typed | {"p3-same": "1", "p4-same": "1", "p4-name": "left over"}, 4, twins={3: 1, 4: 2})

    assert party.attendees[2:] == party.attendees[:2] and party.attendees[3] is not None


def test_who_has_no_twin_must_be_named_whatever_is_ticked() -> None:
    with pytest.raises(BadInputs) as wrong:
        read_party(GOOD | {"self": "1", "p1-same": "1", "p2-same": "1"}, 2)

    assert set(wrong.value.errors) == {"p2-name", "p2-mail"}
