"""All tables in one place, for migrations and for mappers that name each other: importing this imports every room's models."""

from seminars.audit import models as _audit
from seminars.calendars import models as _calendars
from seminars.catalog import models as _catalog
from seminars.consulting import models as _consulting
from seminars.db import Base
from seminars.engagements import models as _engagements
from seminars.invoices import models as _invoices
from seminars.ledger import models as _ledger
from seminars.messages import models as _messages
from seminars.operations import models as _operations
from seminars.orders import models as _orders
from seminars.payments import models as _payments
from seminars.people import models as _people
from seminars.registration import models as _registration
from seminars.schedule import models as _schedule

ROOMS = (
    _audit, _operations, _messages, _ledger, _calendars, _people, _schedule, _catalog, _registration, _consulting, _orders, _invoices,
    _payments, _engagements,
)  # fmt: skip
metadata = Base.metadata
