"""Stripe's webhook: verify the signature over the raw bytes, file the message, answer. A worker does the rest."""

import logging

from flask import Blueprint, request
from sqlalchemy.exc import OperationalError

from seminars.db import transaction
from seminars.gateways.stripe import BadSignature
from seminars.payments import inbox
from seminars.web.shared import joined
from seminars.web.shared.csrf import csrf

LARGEST_MESSAGE = 1024 * 1024

bp = Blueprint("hooks_stripe", __name__, url_prefix="/hooks")
csrf.exempt(bp)
log = logging.getLogger(__name__)


@bp.post("/stripe")
def receive() -> tuple[str, int]:
    """File one message. 200 also for one that was filed before; 400 unless Stripe signed it for us; 503 when it cannot be kept."""
    request.max_content_length = LARGEST_MESSAGE
    outside = joined()
    try:
        notice = outside.stripe.verified(request.get_data(), request.headers.get("Stripe-Signature"))
    except BadSignature as wrong:
        log.warning("webhook refused: %s", wrong)
        return "signature not accepted", 400
    try:
        with transaction(by="stripe") as session:
            inbox.accept(session, notice, source="webhook", now=outside.clock())
    except OperationalError:
        log.exception("webhook could not be filed")
        return "not now", 503
    return "", 200
