"""The wheel: built from what is committed, unpacked elsewhere, it serves a page from its own templates."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

RENDER = """
import json, sys
from seminars.app import create_app, template_dir
from seminars.config import Settings
app = create_app(Settings.from_env(json.load(sys.stdin)))
page = app.test_client().get("/no-such-page", base_url="http://localhost")
print(json.dumps({"templates": str(template_dir()), "status": page.status_code, "page": page.text}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel's files in a folder, as an installer puts them."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place], cwd=ROOT, check=True, capture_output=True)
    [wheel] = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def test_it_brings_templates_statics_migrations_and_workers(installed):
    for pattern in ("seminars/_templates/**/*.html", "seminars/web/static/**/*.css", "seminars/migrations/versions/*.py", "workers/app.py",
                    "seminars/local/mailbox/pages/*.html"):
        assert list(installed.glob(pattern)), pattern


def test_it_leaves_tests_and_data_behind(installed):
    assert {path.name for path in installed.iterdir()} == {"seminars", "workers", *(path.name for path in installed.glob("*.dist-info"))}
    assert not list(installed.rglob("conftest.py"))


def test_it_names_the_command(installed):
    [names] = installed.glob("*.dist-info/entry_points.txt")

    assert "seminars = seminars.cli:main" in names.read_text()


def test_it_serves_a_page_from_its_own_templates(installed, settings, tmp_path):
    given = {
        "BASE_URL": "http://localhost", "SECRET_KEY": settings.secret_key, "DATABASE_URL": settings.database_url,
        "CELERY_BROKER_URL": settings.celery_broker_url, "SMTP_URL": settings.smtp_url, "MAIL_FROM": settings.mail_from,
        "STRIPE_API_BASE": settings.stripe_api_base, "STRIPE_SECRET_KEY": settings.stripe_secret_key,
        "STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secrets[0],
    }
    done = subprocess.run([sys.executable, "-c", RENDER], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)},
                          input=json.dumps(given), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["templates"] == str(installed / "seminars" / "_templates")
    assert told["status"] == 404
    assert settings.center.name in told["page"]
