"""Checkout sessions: made, paid, expired."""

from dataclasses import dataclass
from typing import Any

from seminars.sandbox import customers, events, intents, methods, money, shapes
from seminars.sandbox.errors import ApiError, missing, refused
from seminars.sandbox.forms import where
from seminars.sandbox.instruments import Card, Instrument, Refusal
from seminars.sandbox.intents import Payer
from seminars.sandbox.metadata import merged
from seminars.sandbox.store import Body, Store
from seminars.sandbox.world import Act

SHORTEST, LONGEST = 30 * 60, 24 * 3600  # seconds a session may be open (Stripe documentation, Manage limited inventory)
SETTABLE = (
    "adaptive_pricing", "allow_promotion_codes", "allowed_payment_method_types", "billing_address_collection", "cancel_url",
    "client_reference_id", "customer", "customer_email", "excluded_payment_method_types", "integration_identifier", "locale",
    "origin_context", "phone_number_collection", "submit_type", "success_url",
)  # fmt: skip
UNCOUNTED = ("automatic_tax", "invoice_creation", "phone_number_collection", "tax_id_collection")


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt to pay: done, refused, or the bank asks first."""

    session: Body
    refusal: Refusal | None = None
    asked: bool = False


def create(act: Act, params: dict[str, Any]) -> Body:
    """POST /v1/checkout/sessions."""
    _check(params)
    ends = _ending(act, params.get("expires_at"))
    currency = _currency(params)
    offered = methods.offered(
        currency,
        allowed=params.get("allowed_payment_method_types"),
        excluded=params.get("excluded_payment_method_types", []),
    )
    email = params.get("customer_email")
    if "customer" in params:
        email = customers.known(act, params["customer"], param="customer")["email"]
    id_ = act.store.mint("cs_test_a1", 58)
    session = shapes.new(
        shapes.SESSION,
        id=id_,
        **{name: params[name] for name in SETTABLE if name in params},
        adaptive_pricing=params.get("adaptive_pricing", {"enabled": False}),
        created=act.now,
        currency=currency,
        custom_text=shapes.SESSION["custom_text"] | params.get("custom_text", {}),
        customer_creation=params.get("customer_creation", None if "customer" in params else "if_required"),
        customer_details=shapes.CUSTOMER_DETAILS | {"email": email} if email else None,
        expires_at=ends,
        metadata=_given(params.get("metadata")),
        payment_method_collection="if_required",
        payment_method_types=offered,
        status="open",
        ui_mode="hosted_page",
        url=f"{act.world.options.public_url}/c/pay/{id_}",
    )
    session["branding_settings"] = _branding(act, params.get("branding_settings", {}))
    act.store.add(session, {"intent_data": params.get("payment_intent_data", {})})
    total = sum(_line(act, session, line, where("line_items", nth))["amount_total"] for nth, line in enumerate(params["line_items"]))
    money.check_total(total, currency)
    session |= {"amount_subtotal": total, "amount_total": total}
    if total == 0:
        session["payment_status"] = "no_payment_required"
    act.store.save(session)
    act.store.plan("expire_session", id_, due=ends)
    return session


def update(act: Act, session: Body, params: dict[str, Any]) -> Body:
    """POST /v1/checkout/sessions/{id}: metadata only."""
    if "metadata" in params:
        session["metadata"] = merged(session["metadata"], params["metadata"])
    return act.store.save(session)


def expire(act: Act, session: Body, params: dict[str, Any]) -> Body:
    """POST /v1/checkout/sessions/{id}/expire: only while open."""
    if session["status"] != "open":
        raise refused(
            f'Only Checkout Sessions with a status in ["open"] can be expired. This Session has a status of `{session["status"]}`.'
        )
    return _end(act, session)


def lapse(act: Act, id_: str) -> None:
    """The session's time is over."""
    session = act.store.get(id_)
    if session and session["status"] == "open":
        _end(act, session)


def pay(act: Act, session: Body, instrument: Instrument, payer: Payer) -> Outcome:
    """The payer presses Pay on an open session."""
    assert session["status"] == "open"
    intent = _intent(act, session)
    method = intents.describe(act, instrument, payer)
    act.store.hide(session["id"], payer=vars(payer), method=method["id"])
    if isinstance(instrument, Card):
        if instrument.asks:
            intents.ask(act, intent, method, url=f"{session['url']}/authenticate")
            return Outcome(session, asked=True)
        return _charge(act, session, intent, method, instrument)
    intents.process(act, intent, method)
    return Outcome(_complete(act, session, payer, payment_status="unpaid"))


def authenticate(act: Act, session: Body, *, passed: bool) -> Outcome:
    """The payer answers the bank's question."""
    intent = _intent(act, session)
    method = act.store.get(act.store.hidden(session["id"])["method"])
    assert method is not None
    if not passed:
        intents.fail_authentication(act, intent, method)
        return Outcome(session, refusal=intents.AUTHENTICATION_FAILED)
    instrument = intents.instrument_of(act, method)
    assert isinstance(instrument, Card)
    return _charge(act, session, intent, method, instrument)


def take_nothing(act: Act, session: Body, payer: Payer) -> Outcome:
    """Complete a session whose total is zero."""
    return Outcome(_complete(act, session, payer, payment_status="no_payment_required"))


def asked(act: Act, session: Body) -> bool:
    """Whether the bank's question stands open."""
    intent = act.store.get(session["payment_intent"]) if session["payment_intent"] else None
    return intent is not None and intent["status"] == "requires_action"


def bank_answers(act: Act, intent_id: str) -> None:
    """A delayed payment ends, days after the session was completed."""
    intent = act.store.get(intent_id)
    if intent is None or intent["status"] != "processing":
        return
    method = act.store.get(intent["payment_method"])
    assert method is not None
    refusal = intents.instrument_of(act, method).refusal
    if refusal is None:
        intents.bank_paid(act, intent)
    else:
        intents.bank_refused(act, intent, refusal)
    for session in act.store.every("checkout.session", payment_intent=intent_id):
        if refusal is None:
            events.change(act, session, "checkout.session.async_payment_succeeded", payment_status="paid")
        else:
            events.happened(act, "checkout.session.async_payment_failed", session)


def lines(store: Store, session_id: str) -> list[Body]:
    """The line items of a session in their order."""
    return [item for id_ in store.hidden(session_id).get("items", []) if (item := store.get(id_)) is not None]


def _given(metadata: dict[str, str] | None) -> dict[str, str]:
    return merged({}, metadata)


def _check(params: dict[str, Any]) -> None:
    if "payment_method_types" in params:
        raise ApiError(
            "The `payment_method_types` parameter is no longer supported when creating a Checkout Session. Use dynamic payment "
            "methods, `allowed_payment_method_types` or `excluded_payment_method_types`.",
            code="payment_method_types_no_longer_supported", param="payment_method_types",
        )  # fmt: skip
    if params["mode"] != "payment":
        raise ApiError("The sandbox imitates mode `payment` only.", param="mode")
    if params.get("ui_mode", "hosted_page") != "hosted_page":
        raise ApiError("The sandbox imitates ui_mode `hosted_page` only.", param="ui_mode")
    for name in ("success_url", "line_items"):
        if not params.get(name):
            raise ApiError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    for name in UNCOUNTED:
        if params.get(name, {}).get("enabled"):
            raise ApiError(f"The sandbox does not imitate {name}. Leave it out.", param=f"{name}[enabled]")
    if params.get("allow_promotion_codes"):
        raise ApiError("The sandbox does not imitate promotion codes. Leave it out.", param="allow_promotion_codes")
    for one, other in (("customer", "customer_email"), ("customer", "customer_creation"),
                       ("allowed_payment_method_types", "excluded_payment_method_types")):  # fmt: skip
        if one in params and other in params:
            raise ApiError(f"You may only specify one of these parameters: {one}, {other}.", param=one)


def _ending(act: Act, asked_for: int | None) -> int:
    if asked_for is None:
        return act.now + LONGEST
    if asked_for < act.now + SHORTEST:
        text = "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation."
        raise ApiError(text, param="expires_at")
    if asked_for > act.now + LONGEST:
        raise ApiError("The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.", param="expires_at")
    return asked_for


def _currency(params: dict[str, Any]) -> str:
    seen = params.get("currency")
    if seen is not None:
        seen = money.check_currency(seen, "currency")
    for nth, line in enumerate(params["line_items"]):
        at = where("line_items", nth)
        if "price" in line:
            continue
        if "price_data" not in line:
            raise ApiError(f"You must specify either `price` or `price_data` for {at}.", code="parameter_missing", param=at)
        at = where(where(at, "price_data"), "currency")
        currency = money.check_currency(line["price_data"]["currency"], at)
        if seen not in (None, currency):
            text = f"All prices of a Checkout Session must have the same currency. Expected {seen}, but got {currency}."
            raise ApiError(text, param=at)
        seen = currency
    return seen or "usd"


def _line(act: Act, session: Body, line: dict[str, Any], at: str) -> Body:
    if "quantity" not in line:
        raise ApiError(f"Missing required param: {at}[quantity].", code="parameter_missing", param=f"{at}[quantity]")
    price, name = _price(act, session, line, at)
    amount = price["unit_amount"] * line["quantity"]
    item = shapes.new(
        shapes.LINE_ITEM,
        id=act.store.mint("li_1"),
        amount_subtotal=amount,
        amount_total=amount,
        currency=session["currency"],
        description=name,
        metadata=_given(line.get("metadata")),
        price=price,
        quantity=line["quantity"],
    )
    act.store.add(item, {"session": session["id"]})
    act.store.hide(session["id"], items=[*act.store.hidden(session["id"]).get("items", []), item["id"]])
    return item


def _price(act: Act, session: Body, line: dict[str, Any], at: str) -> tuple[Body, str]:
    """The price of a line and the name of what is sold."""
    if "price" in line:
        price = act.store.get(line["price"], "price")
        if price is None:
            raise missing("price", line["price"], param=f"{at}[price]", status=400)
        raise ApiError("The price specified is inactive. This field only accepts active prices.", param=f"{at}[price]")
    data = line["price_data"]
    inside = where(at, "price_data")
    if "product_data" not in data:
        if "product" in data:
            raise missing("product", data["product"], param=f"{inside}[product]", status=400)
        text = "You must specify either `product` or `product_data` when creating a price."
        raise ApiError(text, code="parameter_missing", param=inside)
    if "unit_amount" not in data:
        raise ApiError(f"Missing required param: {inside}[unit_amount].", code="parameter_missing", param=f"{inside}[unit_amount]")
    money.check_step(data["unit_amount"], session["currency"], f"{inside}[unit_amount]")
    described = data["product_data"]
    product = shapes.new(
        shapes.PRODUCT,
        id=act.store.mint("prod_", 14),
        created=act.now,
        updated=act.now,
        metadata=_given(described.get("metadata")),
        **{name: described[name] for name in ("name", "description", "images", "tax_code", "unit_label") if name in described},
    )
    price = shapes.new(
        shapes.PRICE,
        id=act.store.mint("price_1"),
        created=act.now,
        currency=session["currency"],
        product=product["id"],
        tax_behavior=data.get("tax_behavior", "unspecified"),
        unit_amount=data["unit_amount"],
        unit_amount_decimal=str(data["unit_amount"]),
    )
    act.store.add(product)
    act.store.add(price)
    return price, product["name"]


def _branding(act: Act, given: dict[str, Any]) -> Body:
    return {
        "background_color": given.get("background_color") or "#ffffff",
        "border_style": given.get("border_style") or "rounded",
        "button_color": given.get("button_color") or "#0074d4",
        "display_name": given.get("display_name") or act.world.options.shop,
        "font_family": given.get("font_family") or "default",
        "icon": None,
        "logo": None,
    }


def _intent(act: Act, session: Body) -> Body:
    """The session's payment intent, made at the first attempt to pay."""
    if session["payment_intent"]:
        known = act.store.get(session["payment_intent"])
        assert known is not None
        return known
    data = act.store.hidden(session["id"])["intent_data"]
    intent = intents.start(
        act,
        amount=session["amount_total"],
        currency=session["currency"],
        methods=session["payment_method_types"],
        customer=session["customer"],
        **{name: value for name, value in data.items() if name != "metadata"},
        metadata=_given(data.get("metadata")),
    )
    session["payment_intent"] = intent["id"]
    act.store.save(session)
    return intent


def _charge(act: Act, session: Body, intent: Body, method: Body, card: Card) -> Outcome:
    if card.refusal is not None:
        intents.decline(act, intent, method, card.refusal)
        return Outcome(session, refusal=card.refusal)
    intents.succeed(act, intent, method)
    payer = Payer(**act.store.hidden(session["id"])["payer"])
    return Outcome(_complete(act, session, payer, payment_status="paid"))


def _complete(act: Act, session: Body, payer: Payer, *, payment_status: str) -> Body:
    details = shapes.CUSTOMER_DETAILS | {
        "address": payer.billing()["address"], "email": payer.email, "name": payer.name, "individual_name": None,
    }  # fmt: skip
    if session["customer_creation"] == "always":
        session["customer"] = customers.create(act, {"email": payer.email, "name": payer.name})["id"]
    act.store.unplan("expire_session", session["id"])
    return events.change(
        act, session, "checkout.session.completed",
        status="complete", payment_status=payment_status, customer_details=details, url=None,
        collected_information={"business_name": None, "individual_name": None, "shipping_details": None},
    )  # fmt: skip


def _end(act: Act, session: Body) -> Body:
    act.store.unplan("expire_session", session["id"])
    intent = act.store.get(session["payment_intent"]) if session["payment_intent"] else None
    if intent is not None and intent["status"] in ("requires_payment_method", "requires_action"):
        intents.cancel(act, intent, reason="expired")
    return events.change(act, session, "checkout.session.expired", status="expired", url=None)
