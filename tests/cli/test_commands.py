"""Every command ends with a sentence where a setting is wrong or something is refused: nobody reads a traceback."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from seminars.cli import main

HERE = str(Path(__file__))
COMMANDS = (
    ["run", "web"],
    ["run", "worker"],
    ["run", "beat"],
    ["db", "upgrade"],
    ["db", "shell"],
    ["jobs", "run", "deliver_outbox"],
    ["demo", "fill"],
    ["import", HERE],
    ["user", "create", "--name", "Ines", "--email", "ines@northfield.example", "--role", "admin", "--password", "long enough for us"],
    ["books"],
    ["check"],
)


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_wrong_setting_is_told_in_one_sentence(words: list[str]) -> None:
    told = CliRunner().invoke(main, words, env={"BASE_URL": "ftp://northfield.example"})

    assert told.exit_code == 1
    assert told.output.splitlines()[-1].startswith("Error: BASE_URL is «ftp://northfield.example»."), told.output
    assert isinstance(told.exception, SystemExit)
