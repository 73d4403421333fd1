"""What is installed, and from where: hashes, and no address of any registry in any committed file."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

THIS = Path(__file__).resolve()
ROOT = THIS.parents[2]
EVERYTHING, PRODUCTION = ROOT / "requirements.lock", ROOT / "requirements-production.lock"
REGISTRIES = re.compile(r"(?:pypi\.org|pythonhosted\.org|npmjs\.org|index-url|find-links|artifactory)", re.IGNORECASE)
OLDEST_SAFE = {"jinja2": (3, 1, 6), "werkzeug": (3, 0, 6), "flask": (2, 3, 2), "celery": (5, 2, 2)}
"""From advisories: Jinja2 CVE-2025-27516, Werkzeug CVE-2024-34069, Flask CVE-2023-30861, Celery CVE-2021-23727."""


def versions(lock):
    return dict(re.findall(r"^([\w.-]+)==([^ \\;]+)", lock.read_text(), re.MULTILINE))


def wanted(*extras):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {re.split(r"[\[<>=~! ]", line)[0].lower().replace("_", "-") for line in lines}


@pytest.mark.parametrize("lock", [EVERYTHING, PRODUCTION], ids=lambda lock: lock.name)
def test_every_package_has_hashes_and_no_address(lock):
    text = lock.read_text()

    assert "://" not in text
    assert [block for block in re.split(r"\n(?=\w)", text) if "--hash=sha256:" not in block] == []


def test_the_locks_hold_what_the_project_asks_for():
    assert wanted("local", "test") - set(versions(EVERYTHING)) == set()
    assert wanted() - set(versions(PRODUCTION)) == set()


def test_production_is_a_part_of_everything_and_has_no_server_of_its_own():
    everything, production = versions(EVERYTHING), versions(PRODUCTION)

    assert {name: version for name, version in production.items() if everything.get(name) != version} == {}
    assert set(production) & wanted("local", "test") - wanted() == set()


@pytest.mark.parametrize("name", OLDEST_SAFE)
def test_known_holes_are_closed(name):
    found = tuple(int(part) for part in versions(PRODUCTION)[name].split("."))

    assert found >= OLDEST_SAFE[name]


def test_no_committed_file_names_a_registry():
    files = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True).split("\0")
    there = [ROOT / name for name in files if name and (ROOT / name).is_file()]

    assert [str(file) for file in there if file != THIS and REGISTRIES.search(file.read_text(errors="replace"))] == []
