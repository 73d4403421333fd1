"""What a checkout session can be created and listed with."""

from seminars.sandbox.fields import (
    EXPAND,
    METADATA,
    PAGING,
    Boolean,
    Choice,
    Elsewhere,
    Email,
    Field,
    Group,
    Integer,
    Many,
    Metadata,
    Span,
    Text,
    Url,
)
from seminars.sandbox.forms import words
from seminars.sandbox.methods import KNOWN

LOCALES = words(
    """auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv ms mt nb nl pl pt pt-BR ro ru sk
    sl sv th tr vi zh zh-HK zh-TW"""
)
METHODS = Many(of=Choice(of=KNOWN))
MESSAGE = Group(of={"message": Text(most=1200, required=True)}, clearable=True)
OFF = Group(of={"enabled": Boolean(required=True)})

PRODUCT_DATA = Group(
    of={
        "name": Text(required=True),
        "description": Text(),
        "images": Many(of=Url(), most=8),
        "metadata": Metadata(),
        "tax_code": Text(),
        "tax_details": Elsewhere(),
        "unit_label": Text(most=12),
    }
)
PRICE_DATA = Group(
    of={
        "currency": Text(required=True),
        "product": Text(),
        "product_data": PRODUCT_DATA,
        "recurring": Elsewhere(),
        "tax_behavior": Choice(of=("exclusive", "inclusive", "unspecified")),
        "unit_amount": Integer(least=0),
        "unit_amount_decimal": Elsewhere(),
    }
)
LINE_ITEM = Group(
    of={
        "adjustable_quantity": OFF,
        "metadata": METADATA,
        "price": Text(),
        "price_data": PRICE_DATA,
        "quantity": Integer(least=1, most=999_999),
        "tax_rates": Elsewhere(),
    }
)
INTENT_DATA = Group(
    of={
        "capture_method": Choice(of=("automatic", "automatic_async")),
        "description": Text(most=1000),
        "metadata": METADATA,
        "receipt_email": Email(),
        "statement_descriptor": Text(most=22),
        "statement_descriptor_suffix": Text(most=22),
        "transfer_group": Text(),
        **{name: Elsewhere() for name in ("application_fee_amount", "on_behalf_of", "setup_future_usage", "shipping", "transfer_data")},
    }
)
NOT_IMITATED = words(
    """after_expiration consent_collection custom_fields customer_account discounts managed_payments name_collection
    optional_items payment_method_collection payment_method_configuration payment_method_data payment_method_options permissions
    redirect_on_completion return_url saved_payment_method_options setup_intent_data shipping_address_collection
    shipping_options subscription_data wallet_options"""
)

CREATE: dict[str, Field] = {
    **EXPAND,
    **{name: Elsewhere() for name in NOT_IMITATED},
    "adaptive_pricing": Group(of={"enabled": Boolean()}),
    "allow_promotion_codes": Boolean(),
    "allowed_payment_method_types": METHODS,
    "automatic_tax": OFF,
    "billing_address_collection": Choice(of=("auto", "required")),
    "branding_settings": Group(
        of={
            **{name: Text(clearable=True) for name in ("background_color", "border_style", "button_color", "font_family")},
            "display_name": Text(),
            "icon": Elsewhere(),
            "logo": Elsewhere(),
        }
    ),
    "cancel_url": Url(),
    "client_reference_id": Text(most=200),
    "currency": Text(),
    "custom_text": Group(of=dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance"), MESSAGE)),
    "customer": Text(),
    "customer_creation": Choice(of=("always", "if_required")),
    "customer_email": Email(most=800),
    "customer_update": Group(of={name: Choice(of=("auto", "never")) for name in ("address", "name", "shipping")}),
    "excluded_payment_method_types": METHODS,
    "expires_at": Integer(),
    "integration_identifier": Text(),
    "invoice_creation": OFF,
    "line_items": Many(of=LINE_ITEM),
    "locale": Choice(of=LOCALES),
    "metadata": METADATA,
    "mode": Choice(of=("payment", "setup", "subscription"), required=True),
    "origin_context": Choice(of=("mobile_app", "web")),
    "payment_intent_data": INTENT_DATA,
    "payment_method_types": Many(of=Text()),
    "phone_number_collection": OFF,
    "submit_type": Choice(of=("auto", "book", "donate", "pay", "subscribe")),
    "success_url": Url(),
    "tax_id_collection": OFF,
    "ui_mode": Choice(of=("elements", "embedded_page", "form", "hosted_page")),
}

LIST: dict[str, Field] = {
    **PAGING,
    "created": Span(),
    "customer": Text(),
    "customer_account": Text(),
    "customer_details": Group(of={"email": Text(required=True)}),
    "payment_intent": Text(),
    "payment_link": Text(),
    "status": Choice(of=("complete", "expired", "open")),
    "subscription": Text(),
}
