"""run.py: what it says to a Python that cannot, and what it can do without one package installed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import run

ROOT = Path(__file__).resolve().parents[2]


def imports_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        if isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]


def test_an_old_python_can_read_it():
    ast.parse((ROOT / "run.py").read_text(), feature_version=(3, 6))


def test_it_needs_the_standard_library_only():
    found = set(imports_of(ast.parse((ROOT / "run.py").read_text())))

    assert found - sys.stdlib_module_names == set()


def said(capsys_or_exit):
    return str(capsys_or_exit.value)


def test_a_python_that_is_too_old_gets_one_sentence(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))

    with pytest.raises(SystemExit) as told:
        run.refuse_unfit_python()

    assert said(told).startswith("Seminars needs Python 3.11 or newer")
    assert said(told).count("\n") == 0


def test_a_missing_ensurepip_gets_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "ensurepip", None)

    with pytest.raises(SystemExit) as told:
        run.refuse_unfit_python()

    assert "apt-get install python3-venv" in said(told)
    assert said(told).count("\n") == 0


def test_uv_is_installed_by_hash():
    lines = run.locked("uv").splitlines()

    assert lines[0].startswith("uv==")
    assert len(lines) > 1 and all("--hash=sha256:" in line for line in lines[1:])


def test_an_unknown_word_is_answered_with_the_known_ones():
    done = subprocess.run([sys.executable, "run.py", "tset"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "There is no «tset»" in done.stderr and "run.py test" in done.stderr


def test_what_ci_runs_is_what_a_person_runs():
    text = (ROOT / ".ci" / "run").read_text()

    assert "python3 run.py test" in text
    assert "apt-get install -y --no-install-recommends chromium" in text
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_an_environment_that_is_a_link_to_another_checkouts_is_not_emptied(tmp_path):
    other = tmp_path / "other" / ".venv"
    other.mkdir(parents=True)
    (other / "kept").touch()
    ours = tmp_path / "ours"
    ours.mkdir()
    for name in ("run.py", "requirements.lock"):
        (ours / name).write_bytes((ROOT / name).read_bytes())
    (ours / ".venv").symlink_to(other)

    done = subprocess.run([sys.executable, "run.py", "check"], cwd=ours, capture_output=True, text=True, check=False)

    assert done.returncode != 0 and "Remove the link" in done.stderr
    assert [one.name for one in other.iterdir()] == ["kept"]
