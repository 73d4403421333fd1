"""The timetable as Celery's beat reads it, and beat as a thread of the only worker there is."""

from typing import Any

from celery.beat import EmbeddedService  # type: ignore[import-untyped]
from celery.bootsteps import StartStopStep  # type: ignore[import-untyped]

from seminars.jobs import TIMETABLE


def schedule() -> dict[str, dict[str, Any]]:
    """One entry for each row, or several where a row runs several times side by side.

    A tick that nobody took before the next one comes is dropped: after an outage there is one to do and not a thousand.
    """
    return {
        f"{job.name}-{number}": {
            "task": "workers.run",
            "args": [job.name],
            "schedule": job.every,
            "options": {"queue": job.queue, "expires": max(job.every.total_seconds(), 15)},
        }
        for job in TIMETABLE
        for number in range(1, job.times + 1)
    }


class TimetableInside(StartStopStep):  # type: ignore[misc]
    """Beat in a thread. Celery's own --beat forks a second process, which costs as much memory as the worker itself."""

    def __init__(self, worker: Any, timetable: bool = False, **options: Any) -> None:
        super().__init__(worker, **options)
        self.enabled = timetable

    def create(self, worker: Any) -> Any:
        """The thread, not yet started."""
        return EmbeddedService(worker.app, thread=True, schedule_filename=worker.schedule_filename)
