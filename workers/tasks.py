"""The one task."""

from workers.app import app
from workers.context import perform


@app.task(name="workers.run")  # type: ignore[untyped-decorator]
def run(job: str) -> None:
    """Do a job of the timetable."""
    perform(job)
