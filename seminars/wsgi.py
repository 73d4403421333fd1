"""What a WSGI server runs: gunicorn seminars.wsgi:app."""

from seminars.app import create_app
from seminars.config import Settings

app = create_app(Settings.from_env())
