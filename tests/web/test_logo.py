"""A center's own logo stands on its pages; without one, its initial."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from seminars.app import create_app
from seminars.config import Settings, WrongSetting

LOGO = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'


def _page(app: Flask) -> str:
    return app.test_client().get("/no-such-page", base_url="http://localhost").get_data(as_text=True)


def test_the_initial_of_the_institution_stands_in_for_a_logo(settings: Settings) -> None:
    assert ">N</text>" in _page(create_app(settings))


def test_the_logo_of_the_center_is_shown_and_served(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "ours.svg").write_text(LOGO)
    own = replace(settings, center=replace(settings.center, logo=str(tmp_path / "ours.svg")))
    app = create_app(own)

    source = _page(app).split('class="mark" src="')[1].split('"')[0]

    answer = app.test_client().get(source, base_url="http://localhost")
    assert (answer.status_code, answer.get_data(as_text=True)) == (200, LOGO)


def test_a_logo_that_is_not_there_is_refused_at_the_start(tmp_path: Path) -> None:
    config = tmp_path / "center.toml"
    config.write_text('logo = "nowhere.svg"')

    with pytest.raises(WrongSetting, match="logo"):
        Settings.from_env({**_GOOD, "CENTER_CONFIG": str(config)})


_GOOD = {
    "BASE_URL": "https://seminars.example.org", "SECRET_KEY": "0123456789" * 4, "DATABASE_URL": "postgresql://app@localhost/seminars",
    "CELERY_BROKER_URL": "redis://localhost/0", "SMTP_URL": "smtp://localhost", "MAIL_FROM": "seminars@example.org",
    "STRIPE_SECRET_KEY": "sk_test_of_somebody", "STRIPE_WEBHOOK_SECRET": "whsec_0123456789abcdef",
}  # fmt: skip
