"""The Celery application. Tasks carry the name of a job and nothing more: the database knows what there is to do.

A task that is lost, late or started twice does no harm, so the settings only see to it that a tick is taken up soon and that a worker
that dies gives its tick back (libraries.md §2.3). No task has a countdown: due times stand in tables.
"""

from celery import Celery  # type: ignore[import-untyped]
from kombu import Queue  # type: ignore[attr-defined]

from seminars.config import Settings
from workers.beat import TimetableInside, schedule

QUEUES = ("short", "long")
settings = Settings.from_env()

app = Celery("seminars", broker=settings.celery_broker_url, include=["workers.tasks"])
app.conf.update(
    broker_connection_retry_on_startup=True,
    broker_transport_options={"visibility_timeout": 1800, "unacked_restore_interval": 10, "unacked_restore_throttle": 1},
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=900,
    task_soft_time_limit=840,
    task_serializer="json",
    accept_content=["json"],
    task_default_queue=QUEUES[0],
    task_queues=[Queue(name) for name in QUEUES],  # type: ignore[no-untyped-call]
    timezone="UTC",
    beat_schedule=schedule(),
    beat_schedule_filename=str(settings.var_dir / "beat-schedule"),
    beat_max_loop_interval=1,
)

app.steps["worker"].add(TimetableInside)

from workers import bell, context  # noqa: E402, F401  they connect to the application's signals
