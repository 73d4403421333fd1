"""The program that sets documents, a process of its own (pdf.py starts it): once typst has set a page, it keeps its memory for good.

    python typesetting.py FOLDER_OF_FONTS

It reads orders from its standard input, one JSON object a line. Each is answered by a JSON line and as many bytes of PDF as that says.
It ends when its input does.
"""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import typst

STANDARDS: tuple[Literal["a-3a"], Literal["ua-1"]] = ("a-3a", "ua-1")
"""For archives (PDF/A-3a) and for those who have documents read to them (PDF/UA-1)."""
Order = dict[str, Any]


def main() -> None:
    """Answer order after order."""
    # What typst brings along and what we give it, but no font of the machine: the same document on every one.
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=sys.argv[1:])
    for line in sys.stdin.buffer:
        said, pdf = answer(json.loads(line), fonts)
        sys.stdout.buffer.write(json.dumps({**said, "bytes": len(pdf)}).encode() + b"\n" + pdf)
        sys.stdout.buffer.flush()


def answer(order: Order, fonts: typst.Fonts) -> tuple[dict[str, str], bytes]:
    """The PDF, and what must be said about it: `refused` why there is none, `missing` which text has no font."""
    try:
        return {}, set_it(order, fonts, STANDARDS)
    except typst.TypstError as trouble:
        # A name in a script that no font of ours knows: the customer gets a document with empty boxes in it rather than none.
        if "could not be displayed" not in trouble.message:
            return {"refused": trouble.message}, b""
        missing = trouble.message
    try:
        return {"missing": missing}, set_it(order, fonts, ())
    except typst.TypstError as trouble:
        return {"refused": trouble.message}, b""


def set_it(order: Order, fonts: typst.Fonts, standards: tuple[Literal["a-3a", "ua-1"], ...]) -> bytes:
    """The PDF of an order. Raises TypstError."""
    inputs = {"facts": json.dumps(order["facts"], ensure_ascii=False), "logo": json.dumps(picture(order["logo"]))}
    compiler = typst.Compiler(root=order["folder"], font_paths=fonts, sys_inputs=inputs)
    source = str(Path(order["folder"], order["template"] + ".typ"))
    # A file's date has whole seconds (ISO 32000-1 section 7.9.4); typst refuses others.
    dated = datetime.fromisoformat(order["dated"]).replace(microsecond=0)
    pdf = compiler.compile(source, format="pdf", pdf_standards=list(standards), timestamp=dated)
    assert isinstance(pdf, bytes)
    return pdf


def picture(path: str) -> dict[str, Any] | None:
    """A picture file as typst takes it; None where there is no such file."""
    file = Path(path)
    if not path or not file.is_file():
        return None
    return {"format": file.suffix.lstrip(".").lower().replace("jpeg", "jpg"), "bytes": list(file.read_bytes())}


if __name__ == "__main__":
    main()
