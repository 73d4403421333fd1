"""The README tells the truth: its table of settings is the program's, its commands exist."""

import re
from pathlib import Path

from seminars.config import Settings, WrongSetting

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def _read_by_config() -> set[str]:
    """The names that config.py reads, found by giving it an environment that keeps book."""

    class Asked(dict[str, str]):
        names: set[str] = set()

        def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
            self.names.add(name)
            return GOOD.get(name, default)

    asked = Asked()
    Settings.from_env(asked)
    return asked.names


GOOD = {
    "BASE_URL": "https://seminars.example.org",
    "SECRET_KEY": "0123456789" * 4,
    "DATABASE_URL": "postgresql://app@localhost/seminars",
    "CELERY_BROKER_URL": "redis://localhost/0",
    "SMTP_URL": "smtp://localhost",
    "MAIL_FROM": "seminars@example.org",
    "STRIPE_SECRET_KEY": "sk_test_of_somebody",
    "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef",
}


def test_the_table_of_settings_is_what_the_program_reads() -> None:
    told = set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))

    assert told == _read_by_config()


def test_what_the_table_calls_required_is_refused_when_it_is_missing() -> None:
    required = set(re.findall(r"^\| `([A-Z_]+)` \|.*\| required \|$", README, re.MULTILINE))

    refused: dict[str, str] = {}
    for name in told_names():
        try:
            Settings.from_env({key: value for key, value in GOOD.items() if key != name})
        except WrongSetting as wrong:
            refused[name] = str(wrong)

    assert required == set(refused)
    assert all(sentence.startswith(name) for name, sentence in refused.items())


def told_names() -> set[str]:
    return set(re.findall(r"^\| `([A-Z_]+)` \|", README, re.MULTILINE))


def test_every_program_in_the_table_of_figures_exists() -> None:
    for verb, name in re.findall(r"`run\.py (bench|prove) ([a-z_]+)", README):
        folder = {"bench": "benchmarks", "prove": "proofs"}[verb]
        assert (ROOT / folder / f"{name}.py").is_file(), f"run.py {verb} {name}"


def test_every_picture_is_there() -> None:
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file(), picture
