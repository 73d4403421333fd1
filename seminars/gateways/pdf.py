"""Documents as PDF, set by typst: the same facts give the same bytes on every machine."""

import importlib.util
import json
import logging
import subprocess
import sys
import tempfile
import threading
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PACKAGE = Path(__file__).parent.parent
PROGRAM = Path(__file__).with_name("typesetting.py")
FACES = {
    "font_source_serif_pro": "files/*.ttf",
    "font_source_sans_pro": "files/*.ttf",
    "manimgx_fonts": "*.ttf",
    "manimgx_fonts_cjk": "*.ttc",
}
"""Our two families, and Noto for the alphabets that they lack: which files of which wheel."""
PATIENCE = 60.0
"""Seconds that one document may take. A usual one takes a twentieth of one."""
log = logging.getLogger(__name__)


class TypesettingFailed(Exception):
    """There is no PDF: typst refused these facts, or its process ended or was too slow. The next try starts a new process."""


class Typesetter:
    """Sets documents in a process of its own, which starts with the first one and ends with the block: `with Typesetter() as typesetter`.

    What typst needs for its fonts and caches would otherwise stay in the worker for good, and what makes it crash would end the worker.
    """

    def __init__(self, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._fonts = _font_folder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._end()
        self._fonts.cleanup()

    @property
    def pid(self) -> int | None:
        """The process that sets the documents; None while there is none."""
        return self._process.pid if self._process else None

    def render(self, template: str, facts: dict[str, Any], *, dated: datetime, logo: str = "") -> bytes:
        """Set `templates/documents/<template>.typ` with these facts (anything JSON can hold) and return the PDF.

        Facts go in as data, so that no text in them is ever read as markup. `dated` is the time that the file says it was made;
        `logo` the path of a picture (PNG, JPEG or SVG), left out when there is no such file. Raises TypesettingFailed.
        """
        order = {"folder": str(_templates()), "template": template, "facts": facts, "dated": dated.isoformat(), "logo": logo}
        said, pdf = self._ask(json.dumps(order).encode() + b"\n")
        if "refused" in said:
            raise TypesettingFailed(f"typst refused {template} {facts.get('number', '')}: {said['refused']}")
        if "missing" in said:
            log.warning("%s %s is no archive document: %s", template, facts.get("number", ""), said["missing"])
        return pdf

    def _ask(self, order: bytes) -> tuple[dict[str, Any], bytes]:
        process = self._process = self._process or _start(self._fonts.name)
        assert process.stdin and process.stdout
        too_long = threading.Timer(self._patience, process.kill)
        too_long.start()
        try:
            process.stdin.write(order)
            process.stdin.flush()
            said = json.loads(process.stdout.readline())
            pdf = process.stdout.read(said["bytes"])
            if len(pdf) < said["bytes"]:
                raise EOFError
            return said, pdf
        except (BrokenPipeError, EOFError, json.JSONDecodeError) as broken:
            self._end()
            raise TypesettingFailed(
                f"the process that sets documents ended with {process.returncode} before it had answered; "
                f"a document gets {self._patience:.0f} s, and what it said stands in this worker's log"
            ) from broken
        except BaseException:
            self._end()  # asked to stop in the middle of an answer: its rest must not be taken for the next one
            raise
        finally:
            too_long.cancel()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _close(pipe)


def _start(fonts: str) -> subprocess.Popen[bytes]:
    # -P: the folder of the program stays off its path, for our gateways are named after the libraries that they use. A process group of
    # its own: who presses Ctrl+C means the worker, which then ends this.
    return subprocess.Popen([sys.executable, "-P", str(PROGRAM), fonts], stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0)


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what was left to say is said to nobody


def _templates() -> Path:
    """The documents' templates: inside the installed package, or in the checkout."""
    return next(place / "documents" for place in (PACKAGE / "_templates", PACKAGE.parent / "templates") if place.is_dir())


def _font_folder() -> "tempfile.TemporaryDirectory[str]":
    # Two of the wheels hold every face twice, as .otf and .ttf. Which one is taken would depend on the order of a folder on this disk.
    folder = tempfile.TemporaryDirectory(prefix="seminars-fonts-")
    for wheel, pattern in FACES.items():
        spec = importlib.util.find_spec(wheel)
        for place in spec.submodule_search_locations or [] if spec else []:
            for face in Path(place).glob(pattern):
                Path(folder.name, face.name).symlink_to(face)
    return folder
