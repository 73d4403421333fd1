"""The application inside a worker: joined once per process, entered once per job."""

import functools
import logging
import time

from celery.signals import worker_process_init  # type: ignore[import-untyped]
from flask import Flask

from seminars.config import Settings
from seminars.db import db
from seminars.jobs import BY_NAME
from seminars.joined import join

log = logging.getLogger("seminars.jobs")


@functools.cache
def flask_app() -> Flask:
    """The joined application of this process, without the doors of the web."""
    return join(Settings.from_env())


def perform(name: str) -> None:
    """Do one job of the timetable. What it raises is logged by the caller's means, and the next tick tries again."""
    began = time.monotonic()
    with flask_app().app_context():
        BY_NAME[name].act(flask_app().extensions["seminars"])
    log.info("%s took %.3f s", name, time.monotonic() - began)


@worker_process_init.connect  # type: ignore[untyped-decorator]
def forget_connections(**_: object) -> None:
    """A forked child must not speak on the connections of its parent."""
    with flask_app().app_context():
        db.engine.dispose(close=False)
