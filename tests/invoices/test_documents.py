"""Documents: rendered once from frozen facts, kept, sent, and read back."""

import functools
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from seminars.config import Letterhead
from seminars.gateways.pdf import Typesetter, TypesettingFailed
from seminars.invoices import credit_notes, documents
from seminars.invoices.documents import pdf_of, render_due
from seminars.invoices.issuing import issue
from seminars.invoices.models import CreditNote, Document, Invoice
from seminars.messages.models import Message
from seminars.messages.render import Press
from tests.factories.books import CENTER, NOON, an_event, an_order

LETTERHEAD = Letterhead(CENTER, "https://seminars.example", "seminars@northfield.example")
PAID = {"method": "card", "brand": "visa", "last4": "4242", "on": NOON.isoformat()}
AWKWARD = "Klinik #lorem(5) *x* <b>& $a$ @here `code` \\ «Süd» Łódź Ελλάδα Київ שלום"


@contextmanager
def work(session: Session) -> Iterator[Session]:
    yield session
    session.flush()


def rendering(session: Session) -> Callable[[], AbstractContextManager[Session]]:
    return functools.partial(work, session)


def issued(session: Session, **order: object) -> Invoice:
    return issue(session, an_order(session, an_event(session), **order), center=CENTER, paid=PAID, now=NOON)


def words_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(BytesIO(pdf)).pages)


def test_an_invoice_of_any_instant_is_rendered(session: Session) -> None:
    order = an_order(session, an_event(session))
    invoice = issue(session, order, center=CENTER, paid=PAID, now=NOON + timedelta(microseconds=123_456))

    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    made = pdf_of(session, invoice.reference)
    assert made is not None
    assert PdfReader(BytesIO(made)).metadata.creation_date == NOON


def test_an_invoice_is_rendered_once_kept_and_sent(session: Session) -> None:
    invoice = issued(session)

    tried = [render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON) for _ in range(2)]

    made = pdf_of(session, invoice.reference)
    assert tried == [1, 0] and made is not None
    assert session.scalar(select(Document.sha256)) == sha256(made).hexdigest()
    [letter] = session.scalars(select(Message)).all()
    assert (letter.kind, letter.recipient, letter.references) == (
        "invoices/receipt",
        "maren.holt@lakeside.example",
        [invoice.order.reference, invoice.reference],
    )
    assert letter.facts["attachments"] == [{"reference": invoice.reference, "name": "invoice-2027-0001.pdf"}]


def test_the_page_says_who_what_how_much_and_how_it_was_paid(session: Session) -> None:
    issued(session, seats=2, names=("Ana Ruiz",), discount=5_000, tax_percent=8)
    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    made = session.scalars(select(Document.pdf)).one()
    words = words_of(made).replace("\u00a0", " ")
    for told in (
        "2027-0001", "1 March 2027", "Lakeside Hospital", "Maren Holt", "Duluth, Minnesota 55802", "PO-4711",
        "For Ana Ruiz and 1 seat not yet named",
        "22 and 23 March 2027, Siebens Building, Rochester", "−100.00", "Tax 8 % of $900.00", "$972.00", "−$972.00",
        "Paid on 1 March 2027 with Visa ending in 4242.", CENTER.name,
    ):  # fmt: skip
        assert told in words, told


def test_what_people_typed_is_never_markup(session: Session) -> None:
    issued(session, organisation=AWKWARD, po_number="]#panic()[", address='"); #read("/etc/passwd")')
    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    words = words_of(session.scalars(select(Document.pdf)).one())
    assert "#lorem(5) *x* <b>& $a$ @here `code`" in words and "]#panic()[" in words and '"); #read("/etc/passwd")' in words


def test_a_name_in_a_script_without_a_font_still_gets_its_document(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    invoice = issued(session, organisation="བོད་ལྗོངས་སྨན་ཁང")

    with caplog.at_level(logging.WARNING):
        render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    assert "$500.00" in words_of(pdf_of(session, invoice.reference) or b"")
    assert "2027-0001 is no archive document" in caplog.text


def test_it_is_tagged_titled_and_fit_for_archives(session: Session) -> None:
    issued(session)
    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    reader = PdfReader(BytesIO(session.scalars(select(Document.pdf)).one()))
    assert reader.metadata is not None and reader.metadata.title == "Invoice 2027-0001"
    root = reader.root_object
    assert root["/Lang"] == "en" and root["/MarkInfo"]["/Marked"]
    about = reader.xmp_metadata.stream.get_data().decode() if reader.xmp_metadata else ""
    assert "pdfaid:part>3<" in about.replace("&gt;", ">") and "pdfuaid:part>1<" in about
    used = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    fonts = {font["/BaseFont"].split("+")[-1] for font in used}
    assert all(font.startswith("Source") for font in fonts), fonts


def test_the_same_facts_give_the_same_bytes(session: Session) -> None:
    invoice = issued(session)

    def set_by(typesetter: Typesetter, dated: datetime = NOON) -> bytes:
        return documents.bytes_of(invoice.facts, dated=dated, typesetter=typesetter)

    with Typesetter() as one, Typesetter() as other:
        assert set_by(one) == set_by(one) == set_by(other) != set_by(one, NOON + timedelta(seconds=1))


def test_many_lines_flow_over_pages_that_are_counted(session: Session) -> None:
    events = [an_event(session, title=f"Writing for clinicians, part {n}: {'a workshop in small groups ' * 3}") for n in range(20)]
    orders = [an_order(session, event) for event in events]
    first = orders[0]
    for n, order in enumerate(orders[1:], start=2):
        line = order.lines[0]
        line.order, line.position = first, n
    first.net = first.total = 50_000 * 20
    session.flush()

    issue(session, first, center=CENTER, paid=PAID, now=NOON)
    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    words = words_of(session.scalars(select(Document.pdf)).one())
    assert "Page 1 of 3" in words and "Page 3 of 3" in words and "$10,000.00" in words
    assert all(f"part {n}:" in words for n in range(20))


def test_a_credit_note_names_its_invoice(session: Session) -> None:
    invoice = issued(session)
    credit_notes.issue(
        session, invoice, key="k", lines=credit_notes.left(session, invoice), reason="Cancelled by you", center=CENTER, now=NOON
    )
    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    note = session.scalars(select(CreditNote)).one()
    words = words_of(pdf_of(session, note.reference) or b"").replace("\u00a0", " ")
    assert "CN2027-0001" in words and "2027-0001 of 1 March 2027" in words and "Reason: Cancelled by you." in words
    assert sorted(session.scalars(select(Message.kind))) == ["invoices/credited", "invoices/receipt"]


def test_one_that_cannot_be_rendered_holds_up_no_other(session: Session) -> None:
    center = replace(CENTER, accent="no colour")
    broken, fine = issue(session, an_order(session, an_event(session)), center=center, paid=PAID, now=NOON), issued(session)

    with pytest.raises(ExceptionGroup) as told:
        render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    assert told.value.exceptions[0].__notes__ == [f"while rendering {broken.reference}"]
    assert pdf_of(session, fine.reference) is not None and pdf_of(session, broken.reference) is None


@pytest.mark.parametrize("kind", ["invoices/receipt", "invoices/credited"])
def test_both_letters_can_be_worded(session: Session, kind: str) -> None:
    invoice = issued(session)
    credit_notes.issue(session, invoice, key="k", lines=credit_notes.left(session, invoice), reason="Moved", center=CENTER, now=NOON)
    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)
    row = session.scalars(select(Message).where(Message.kind == kind)).one()

    words = Press(LETTERHEAD, "s" * 40).words(row.kind, row.facts, row.recipient_name)

    assert (
        "$500.00" in words.subject and "2027-0001" in words.text and f"https://seminars.example/orders/{invoice.order.secret}" in words.html
    )


def typesetters() -> list[int]:
    """The processes that this one has started to set documents."""
    children = " ".join(task.read_text() for task in Path("/proc/self/task").glob("*/children")).split()
    return [int(pid) for pid in children if b"typesetting" in Path(f"/proc/{pid}/cmdline").read_bytes()]


def test_a_document_whose_typesetter_is_killed_waits_for_the_next_tick(session: Session) -> None:
    first, second, third = (issued(session) for _ in range(3))
    looks = 0

    @contextmanager
    def killing_after_the_first() -> Iterator[Session]:
        nonlocal looks
        looks += 1
        if looks == 2:  # the first look is for what is due, the second keeps the first document
            [pid] = typesetters()
            os.kill(pid, signal.SIGKILL)
        yield session
        session.flush()

    with pytest.raises(ExceptionGroup) as told:
        render_due(killing_after_the_first, letterhead=LETTERHEAD, clock=lambda: NOON)

    assert [type(one) for one in told.value.exceptions] == [TypesettingFailed]
    assert told.value.exceptions[0].__notes__ == [f"while rendering {second.reference}"]
    assert [pdf_of(session, one.reference) is not None for one in (first, second, third)] == [True, False, True]
    assert typesetters() == []

    assert render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON) == 1
    assert pdf_of(session, second.reference) is not None
    assert len(session.scalars(select(Message)).all()) == 3


@pytest.mark.parametrize("name", ["北京协和医院", "北海道大学病院", "서울대학교병원", "Клиника «Север»", "🏥"])
def test_a_buyer_is_named_in_their_own_script(session: Session, name: str, caplog: pytest.LogCaptureFixture) -> None:
    invoice = issued(session, organisation=name)

    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    assert name in words_of(pdf_of(session, invoice.reference) or b"")
    assert "no archive document" not in caplog.text


@pytest.mark.parametrize("name", ["جامعة الرياض", "בית חולים", "มหาวิทยาลัยมหิดล", "अखिल भारतीय"])
def test_scripts_that_are_read_in_another_order_have_all_their_letters(
    session: Session, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    invoice = issued(session, organisation=name)

    render_due(rendering(session), letterhead=LETTERHEAD, clock=lambda: NOON)

    assert set(name) - set(words_of(pdf_of(session, invoice.reference) or b"")) == set()
    assert "no archive document" not in caplog.text
