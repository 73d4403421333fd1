"""The cart that this browser holds, and reading how many seats of what are wanted."""

import re
from collections.abc import Mapping

from flask import Response, request
from sqlalchemy.orm import Session

from seminars.kit.refusals import BadInputs
from seminars.orders import cart as verbs
from seminars.orders import fairness
from seminars.orders.models import Cart
from seminars.web.shared import cookies, joined
from seminars.web.shared.base import CART

FIELD = re.compile(r"places-(\d{1,18})")
NUMBER = re.compile(r"\d{1,4}")
MOST = 20
A_DAY = 24 * 3600


def held(session: Session) -> Cart | None:
    """The open cart of this browser."""
    secret = cookie()
    return verbs.cart_by_secret(session, secret) if secret else None


def cookie() -> str:
    """The secret that this browser shows for its cart."""
    return request.cookies.get(cookies.personal_name(joined().settings, CART), "")[:40]


def client() -> str:
    """What stands for the visitor's address, which is the one that the trusted proxies tell of."""
    return fairness.client_of(request.remote_addr or "", key=joined().settings.secret_key)


def remember(response: Response, cart: Cart) -> Response:
    """Give the browser the cart's secret."""
    if cookie() != cart.secret:
        cookies.set_personal(response, CART, cart.secret, seconds=A_DAY)
    return response


def forget(response: Response) -> Response:
    """The cart is an order now, or empty."""
    cookies.forget_personal(response, CART)
    return response


def wanted(form: Mapping[str, str]) -> dict[int, int]:
    """Seats by ticket type from the fields `places-<id>`. Raises BadInputs for what is no number of seats: -1, 1.5, 1e9."""
    found: dict[int, int] = {}
    errors: dict[str, str] = {}
    for field, typed in form.items():
        named = FIELD.fullmatch(field)
        if not named:
            continue
        text = typed.strip() or "0"
        if not NUMBER.fullmatch(text) or not text.isascii() or int(text) > MOST:
            errors[field] = f"«{text[:12]}» is no number of seats. Write a whole number from 0 to {MOST}."
        elif int(named[1]) < 2**63:
            found[int(named[1])] = int(text)
    if errors:
        raise BadInputs(errors)
    return found
