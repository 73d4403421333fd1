"""The timetable as Celery's beat reads it."""

from typing import Any

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
