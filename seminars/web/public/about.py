"""What a visitor may want to know before giving names and money: refunds, privacy, accessibility, and who answers."""

from collections.abc import Sequence

from flask import Blueprint, Response, make_response, render_template

from seminars.catalog import queries
from seminars.catalog.policies import rule_sentence
from seminars.db import db
from seminars.orders.fairness import MOST_UNPAID
from seminars.registration.holds import HOLD_LASTS, LONGEST
from seminars.web.public.carts import A_DAY, MOST
from seminars.web.public.programme import public
from seminars.web.shared import joined, now
from seminars.web.shared.cookies import A_YEAR

blueprint = Blueprint("about", __name__)

PATHS = ("/refunds", "/privacy", "/accessibility", "/contact")
MINUTE, HOUR, DAY = 60, 3600, 24 * 3600


@blueprint.get("/refunds")
def refunds() -> Response:
    """What comes back when plans change: the rules of the dates that are on sale now."""
    rules = queries.policies_on_sale(db.session(), now=now())
    page = render_template("public/refunds.html", rules=[(rule_sentence(rule.policy), _of(rule.titles)) for rule in rules])
    return public(make_response(page))


def _of(titles: Sequence[str]) -> str:
    """«Crisis Day, Measuring Reach and 3 others»."""
    named, more = list(titles[:3]), len(titles) - 3
    if more > 0:
        named.append("one other" if more == 1 else f"{more} others")
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


@blueprint.get("/privacy")
def privacy() -> Response:
    """What is stored of whom, what for, for how long, and who else sees it."""
    page = render_template(
        "public/privacy.html",
        most_unpaid=MOST_UNPAID,
        held_minutes=HOLD_LASTS.seconds // MINUTE,
        held_hours=LONGEST.seconds // HOUR,
        cart_days=A_DAY // DAY,
        preference_days=A_YEAR // DAY,
        test_mode=joined().settings.stripe_test_mode,
    )
    return public(make_response(page))


@blueprint.get("/accessibility")
def accessibility() -> Response:
    """What was tested, what is known to be short, and whom to tell."""
    return public(make_response(render_template("public/accessibility.html")))


@blueprint.get("/contact")
def contact() -> Response:
    """Who sells here, where, and who answers."""
    return public(make_response(render_template("public/contact.html", most=MOST)))
