"""The process that sets documents: it may be killed, hang or refuse, and the next document is set all the same."""

import os
import re
import signal
import struct
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

from seminars.gateways.pdf import Typesetter, TypesettingFailed

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
FACTS: dict[str, Any] = {
    "number": "2027-0001", "title": "Invoice", "subject": "Invoice", "paper": "us-letter", "language": "en", "accent": "#7a3b1e",
    "seller": {"name": "Northfield", "parent": "Northfield Hospital", "contact": ["1 Main Street"]}, "currency": "USD",
    "addressed": "To", "buyer": ["Maren Holt"], "about": [["Date", "1 March 2027"]], "lines": [], "sums": [["Total", "$1.00", True]],
    "closing": ["Paid."], "colophon": ["Northfield"],
}  # fmt: skip


@pytest.fixture
def typesetter() -> Iterator[Typesetter]:
    with Typesetter() as one:
        yield one


def words_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def alive(pid: int | None) -> bool:
    return Path(f"/proc/{pid}").exists()


def test_a_batch_is_set_by_one_process_that_ends_with_it() -> None:
    with Typesetter() as typesetter:
        made = [typesetter.render("invoice", {**FACTS, "number": f"2027-{n}"}, dated=NOON) for n in range(3)]
        pid = typesetter.pid
        assert alive(pid)

    assert not alive(pid)
    assert [f"2027-{n}" in words_of(pdf) for n, pdf in enumerate(made)] == [True] * 3


def test_none_is_started_where_there_is_nothing_to_set() -> None:
    with Typesetter() as typesetter:
        assert typesetter.pid is None


def test_a_killed_one_is_told_and_followed_by_another(typesetter: Typesetter) -> None:
    first, pid = typesetter.render("invoice", FACTS, dated=NOON), typesetter.pid
    assert pid
    os.kill(pid, signal.SIGKILL)

    with pytest.raises(TypesettingFailed, match="ended with -9"):
        typesetter.render("invoice", FACTS, dated=NOON)

    assert typesetter.render("invoice", FACTS, dated=NOON) == first
    assert typesetter.pid != pid


def test_one_that_hangs_is_ended() -> None:
    with Typesetter(patience=3) as typesetter:
        typesetter.render("invoice", FACTS, dated=NOON)
        pid = typesetter.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)

        with pytest.raises(TypesettingFailed, match="a document gets 3 s"):
            typesetter.render("invoice", FACTS, dated=NOON)

        assert not alive(pid)


def test_what_typst_refuses_is_told_in_its_words_and_costs_no_process(typesetter: Typesetter) -> None:
    typesetter.render("invoice", FACTS, dated=NOON)
    pid = typesetter.pid

    with pytest.raises(TypesettingFailed, match=r"invoice 2027-0001: .*color string"):
        typesetter.render("invoice", {**FACTS, "accent": "no colour"}, dated=NOON)

    assert typesetter.pid == pid and typesetter.render("invoice", FACTS, dated=NOON).startswith(b"%PDF")


def test_typst_stays_out_of_the_process_that_asks(typesetter: Typesetter) -> None:
    typesetter.render("invoice", FACTS, dated=NOON)

    assert "typst" not in Path("/proc/self/maps").read_text()


def picture(kind: str, folder: Path) -> str:
    """A logo of one red square as a file of that kind."""
    file = folder / f"logo.{kind}"
    if kind == "svg":
        file.write_text('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0H9V9H0Z" fill="#f00"/></svg>')
    else:
        rows = b"".join(b"\0" + b"\xff\0\0" * 9 for _ in range(9))
        chunks = (b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
        file.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks)
        )
    return str(file)


def test_a_painted_logo_stands_in_the_letterhead(typesetter: Typesetter, tmp_path: Path) -> None:
    page = PdfReader(BytesIO(typesetter.render("invoice", FACTS, dated=NOON, logo=picture("png", tmp_path)))).pages[0]

    [image] = [one.get_object() for one in page["/Resources"]["/XObject"].values() if one.get_object()["/Subtype"] == "/Image"]
    assert (image["/Width"], image["/Height"]) == (9, 9)


def test_a_drawn_logo_stands_in_the_letterhead(typesetter: Typesetter, tmp_path: Path) -> None:
    without, drawn = (
        PdfReader(BytesIO(typesetter.render("invoice", FACTS, dated=NOON, logo=logo))) for logo in ("", picture("svg", tmp_path))
    )

    assert [FACTS["seller"]["name"] in alternatives(one) for one in (without, drawn)] == [False, True]
    red = re.compile(rb"\b1 0 0 (?:scn|rg)\b")
    assert [bool(red.search(drawing(one))) for one in (without, drawn)] == [False, True]


def test_a_logo_that_is_gone_is_left_out(typesetter: Typesetter, tmp_path: Path) -> None:
    assert typesetter.render("invoice", FACTS, dated=NOON, logo=str(tmp_path / "gone.png")) == typesetter.render(
        "invoice", FACTS, dated=NOON
    )


def alternatives(reader: PdfReader) -> list[str]:
    """What is read out instead of pictures."""
    objects = (reader.get_object(number) for number in range(1, len(reader.xref[0]) + len(reader.xref_objStm) + 1))
    return [str(one["/Alt"]) for one in objects if isinstance(one, dict) and "/Alt" in one]


def drawing(reader: PdfReader) -> bytes:
    """What is drawn on the first page, with the forms it uses."""
    page = reader.pages[0]
    forms = [one.get_object() for one in page["/Resources"].get("/XObject", {}).values()]
    return b"\n".join([page.get_contents().get_data(), *(form.get_data() for form in forms if form["/Subtype"] == "/Form")])
