"""What is handed in at the doors: settings, the neighbours, and the clock."""

from dataclasses import dataclass

from seminars.config import Settings
from seminars.gateways.smtp import Postman
from seminars.gateways.stripe import Gateway
from seminars.kit.clock import Clock


@dataclass(frozen=True)
class Joined:
    """One installation's settings, gateways and clock, joined once by `create_app`."""

    settings: Settings
    stripe: Gateway
    smtp: Postman
    clock: Clock
