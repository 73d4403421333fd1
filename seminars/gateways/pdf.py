"""Documents as PDF, set by typst: the same facts give the same bytes on every machine."""

import functools
import importlib.util
import json
import logging
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

FONTS = ("font_source_serif_pro", "font_source_sans_pro")
PACKAGE = Path(__file__).parent.parent
log = logging.getLogger(__name__)
STANDARDS: tuple[Literal["a-3a"], Literal["ua-1"]] = ("a-3a", "ua-1")
"""For archives (PDF/A-3a) and for those who have documents read to them (PDF/UA-1)."""


def render(template: str, facts: dict[str, Any], *, dated: datetime, logo: str = "") -> bytes:
    """Set `templates/documents/<template>.typ` with these facts (anything JSON can hold) and return the PDF.

    Facts come in as data, so that no text in them is ever read as markup. `dated` is the time that the file says it was made;
    `logo` the path of a picture (PNG, JPEG or SVG), left out when there is no such file.
    """
    # Imported when the first document is due: it is large, and no page needs it.
    import typst

    folder = _templates()
    inputs = {"facts": json.dumps(facts, ensure_ascii=False), "logo": json.dumps(_picture(logo))}
    compiler = typst.Compiler(root=str(folder), font_paths=_fonts(), sys_inputs=inputs)
    source = str(folder / f"{template}.typ")
    # A file's date has whole seconds (ISO 32000-1 section 7.9.4); typst refuses others.
    made_at = dated.replace(microsecond=0)
    try:
        pdf = compiler.compile(source, format="pdf", pdf_standards=list(STANDARDS), timestamp=made_at)
    except typst.TypstError as refused:
        # A name in a script that our fonts lack: the customer gets a document with empty boxes in it rather than none.
        if "could not be displayed" not in refused.message:
            raise
        log.warning("%s %s is no archive document: %s", template, facts.get("number", ""), refused.message)
        pdf = compiler.compile(source, format="pdf", timestamp=made_at)
    assert isinstance(pdf, bytes)
    return pdf


def _templates() -> Path:
    """The documents' templates: inside the installed package, or in the checkout."""
    return next(place / "documents" for place in (PACKAGE / "_templates", PACKAGE.parent / "templates") if place.is_dir())


@functools.cache
def _fonts() -> Any:
    """Our two families, what typst brings along for other alphabets, and no font of the machine."""
    import typst

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[_font_folder().name])


@functools.cache
def _font_folder() -> "tempfile.TemporaryDirectory[str]":
    # The wheels hold every face twice, as .otf and .ttf. Which one is taken would depend on the order of a folder on this disk.
    folder = tempfile.TemporaryDirectory(prefix="seminars-fonts-")
    for wheel in FONTS:
        spec = importlib.util.find_spec(wheel)
        for place in spec.submodule_search_locations or [] if spec else []:
            for face in Path(place, "files").glob("*.ttf"):
                Path(folder.name, face.name).symlink_to(face)
    return folder


def _picture(path: str) -> dict[str, Any] | None:
    file = Path(path)
    if not path or not file.is_file():
        return None
    return {"format": file.suffix.lstrip(".").lower().replace("jpeg", "jpg"), "bytes": list(file.read_bytes())}
