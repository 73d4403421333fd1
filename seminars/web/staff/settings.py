"""What this installation is set up with, to be read; it is changed in the environment and in the center's file."""

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from seminars.operations.models import Heartbeat
from seminars.people import permissions as may
from seminars.web.shared import joined
from seminars.web.shared.guards import needs
from seminars.web.staff.door import page, reading, staff


@staff.get("/settings")
@needs(may.see_settings)
def settings() -> ResponseReturnValue:
    """Settings without their secrets, and what the workers say of the neighbours."""
    found = joined().settings
    beats = reading().scalars(select(Heartbeat).order_by(Heartbeat.name)).all()
    return page("settings.html", section="Settings", settings=found, beats=beats)
