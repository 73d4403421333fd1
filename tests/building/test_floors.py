"""The import contracts name every folder: a room that was forgotten would be a room without rules."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
NO_ROOMS = {"cli", "web", "migrations", "gateways", "kit", "sandbox", "local", "demo", "mailin"}
NO_FLOOR = {"__init__"}


def contract(kind):
    return next(found for found in CONTRACTS if found["type"] == kind)


def named_in_layers():
    return {word for layer in contract("layers")["layers"] for word in re.findall(r"seminars\.(\w+)", layer)}


def on_disk():
    files = {file.stem for file in (ROOT / "seminars").glob("*.py")} - NO_FLOOR
    return files | {folder.parent.name for folder in (ROOT / "seminars").glob("*/__init__.py")}


def rooms():
    return {folder.parent.name for folder in (ROOT / "seminars").glob("*/__init__.py")} - NO_ROOMS


def test_every_folder_and_file_has_a_floor():
    assert on_disk() - named_in_layers() == set()


def test_no_floor_is_named_that_is_not_there():
    optional = set(re.findall(r"\(seminars\.(\w+)\)", " ".join(contract("layers")["layers"])))

    assert named_in_layers() - optional - on_disk() == set()


def test_every_room_is_kept_from_web_queue_stripe_and_smtp():
    assert {name.removeprefix("seminars.") for name in contract("forbidden")["source_modules"]} == rooms()


@pytest.mark.parametrize("room", sorted(rooms()))
def test_a_room_says_what_it_is_and_holds_no_code_in_its_door(room):
    text = (ROOT / "seminars" / room / "__init__.py").read_text().strip()

    assert text.startswith('"""') and text.endswith('"""') and text.count('"""') == 2


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "services", "managers"])
def test_no_file_has_a_name_into_which_anything_fits(word):
    assert [str(path) for path in (ROOT / "seminars").rglob(f"{word}*") if path.suffix in ("", ".py")] == []
