"""From bytes to text, or one clear sentence why not."""

from seminars.catalog.reading.plan import MOST_BYTES, Unreadable

ENCODINGS = ("utf-8", "windows-1252", "iso-8859-15")

KNOWN_BY_THEIR_FIRST_BYTES = (
    (
        b"PK\x03\x04",
        "This is a packed file, such as an Excel workbook or a ZIP archive. Save the sheet as “CSV UTF-8” and try again.",
    ),
    (b"\xd0\xcf\x11\xe0", "This is an old Excel or Word file. Save the sheet as “CSV UTF-8” and try again."),
    (b"%PDF", "This is a PDF. A CSV or iCalendar (.ics) file is needed."),
    (b"\x89PNG", "This is a picture. A CSV or iCalendar (.ics) file is needed."),
    (b"\xff\xd8\xff", "This is a picture. A CSV or iCalendar (.ics) file is needed."),
    (b"GIF8", "This is a picture. A CSV or iCalendar (.ics) file is needed."),
    (b"\x1f\x8b", "This is a packed file. Unpack it first."),
    (b"\xff\xfe", "This file is in UTF-16. Save it as “CSV UTF-8” (or as UTF-8) and try again."),
    (b"\xfe\xff", "This file is in UTF-16. Save it as “CSV UTF-8” (or as UTF-8) and try again."),
)
MARK = b"\xef\xbb\xbf"


def text_bytes(data: bytes) -> bytes:
    """The bytes of a text file without its byte order mark. Raises Unreadable for what is too large, empty or no text."""
    if len(data) >= MOST_BYTES:
        raise Unreadable(f"This file has {len(data) / 1e6:.1f} MB; files of less than {MOST_BYTES // 10**6} MB can be read. Split it.")
    for beginning, sentence in KNOWN_BY_THEIR_FIRST_BYTES:
        if data.startswith(beginning):
            raise Unreadable(sentence)
    plain = data.removeprefix(MARK)
    if not plain.strip():
        raise Unreadable("This file is empty.")
    if (zero := plain.find(b"\0")) >= 0:
        raise Unreadable(f"This is no text file: there is a zero byte in line {_line_of(plain, zero)}. Save it as UTF-8 text.")
    if plain.lstrip()[:1] == b"<":
        raise Unreadable("This is a web page or XML. A CSV or iCalendar (.ics) file is needed.")
    return plain


def decoded(plain: bytes, encoding: str | None = None, *, only_utf8: bool = False) -> str:
    """Text in the encoding that was chosen, or else in UTF-8. Raises Unreadable, names the line, and says what can be done.

    `only_utf8`: the format allows nothing else, so that no other encoding is offered.
    """
    if encoding is not None and encoding not in ENCODINGS:
        raise Unreadable(f"“{encoding}” is no encoding we read; choose one of {', '.join(ENCODINGS)}.")
    try:
        return plain.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        line = _line_of(plain, error.start)
        if encoding in (None, "utf-8"):
            remedy = (
                "Save it as UTF-8 and try again." if only_utf8 else "Save it as UTF-8, or choose the encoding it has, often windows-1252."
            )
            raise Unreadable(f"This file isn't in UTF-8 (line {line} has the byte {plain[error.start]:#04x}). {remedy}") from error
        raise Unreadable(f"This file isn't in {encoding}: line {line} has a byte that means nothing there.") from error


def _line_of(plain: bytes, position: int) -> int:
    return plain.count(b"\n", 0, position) + 1
