"""Whole objects with every nullable field present as null, as the API answers them.

Left out, because the API leaves them out too: fields that appear only when expanded (`charge.refunds`,
`checkout.session.line_items`), only on deleted objects, or only under Connect.
"""

from copy import deepcopy
from typing import Any

from seminars.sandbox.store import Body


def _nulls(names: str) -> Body:
    return dict.fromkeys(names.split())


ADDRESS = _nulls("city country line1 line2 postal_code state")
BILLING = {"address": ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}

SESSION: Body = {
    "id": "",
    "object": "checkout.session",
    **_nulls(
        """adaptive_pricing after_expiration allow_promotion_codes allowed_payment_method_types amount_subtotal amount_total
        billing_address_collection branding_settings cancel_url client_reference_id client_secret collected_information consent
        consent_collection currency currency_conversion customer customer_account customer_creation customer_details
        customer_email excluded_payment_method_types integration_identifier invoice invoice_creation locale managed_payments
        name_collection optional_items origin_context payment_intent payment_link payment_method_collection
        payment_method_configuration_details presentment_details recovered_from redirect_on_completion return_url
        saved_payment_method_options setup_intent shipping_address_collection shipping_cost status submit_type subscription
        success_url tax_id_collection ui_mode url wallet_options permissions"""
    ),
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "created": 0,
    "custom_fields": [],
    "custom_text": _nulls("after_submit shipping_address submit terms_of_service_acceptance"),
    "discounts": [],
    "expires_at": 0,
    "invoice_creation": {
        "enabled": False,
        "invoice_data": {
            **_nulls("account_tax_ids custom_fields description footer issuer rendering_options"),
            "metadata": {},
        },
    },
    "livemode": False,
    "metadata": {},
    "mode": "payment",
    "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
    "payment_method_types": [],
    "payment_status": "unpaid",
    "phone_number_collection": {"enabled": False},
    "shipping_options": [],
    "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
}

CUSTOMER_DETAILS: Body = {
    **_nulls("address business_name email individual_name name phone"),
    "tax_exempt": "none",
    "tax_ids": [],
}

LINE_ITEM: Body = {
    "id": "",
    "object": "item",
    **_nulls("adjustable_quantity description price"),
    "amount_discount": 0,
    "amount_subtotal": 0,
    "amount_tax": 0,
    "amount_total": 0,
    "currency": "",
    "metadata": {},
    "quantity": 1,
}

PRICE: Body = {
    "id": "",
    "object": "price",
    "active": False,
    "billing_scheme": "per_unit",
    "created": 0,
    "currency": "",
    "livemode": False,
    "metadata": {},
    "product": "",
    "tax_behavior": "unspecified",
    "type": "one_time",
    "unit_amount": 0,
    "unit_amount_decimal": "0",
    **_nulls("custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity"),
}

PRODUCT: Body = {
    "id": "",
    "object": "product",
    "active": False,
    "created": 0,
    "images": [],
    "livemode": False,
    "marketing_features": [],
    "metadata": {},
    "name": "",
    "type": "service",
    "updated": 0,
    **_nulls("default_price description package_dimensions shippable statement_descriptor tax_code tax_details unit_label url"),
}

PAYMENT_INTENT: Body = {
    "id": "",
    "object": "payment_intent",
    "amount": 0,
    "amount_capturable": 0,
    "amount_details": {"tip": {}},
    "amount_received": 0,
    "capture_method": "automatic_async",
    "client_secret": "",
    "confirmation_method": "automatic",
    "created": 0,
    "currency": "",
    "livemode": False,
    "metadata": {},
    "payment_method_options": {
        "card": _nulls("installments mandate_options network") | {"request_three_d_secure": "automatic"},
    },
    "payment_method_types": [],
    "status": "requires_payment_method",
    **_nulls(
        """allowed_payment_method_types application application_fee_amount automatic_payment_methods canceled_at
        cancellation_reason customer customer_account description excluded_payment_method_types hooks last_payment_error
        latest_charge managed_payments next_action on_behalf_of payment_details payment_method
        payment_method_configuration_details payment_record presentment_details processing receipt_email review
        setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data transfer_group"""
    ),
}

CHARGE: Body = {
    "id": "",
    "object": "charge",
    "amount": 0,
    "amount_captured": 0,
    "amount_refunded": 0,
    "billing_details": BILLING,
    "captured": True,
    "created": 0,
    "currency": "",
    "disputed": False,
    "fraud_details": {},
    "livemode": False,
    "metadata": {},
    "paid": True,
    "radar_options": {},
    "refunded": False,
    "status": "succeeded",
    **_nulls(
        """application application_fee application_fee_amount authorization_code balance_transaction
        calculated_statement_descriptor customer description failure_balance_transaction failure_code failure_message
        on_behalf_of outcome payment_intent payment_method payment_method_details presentment_details receipt_email
        receipt_number receipt_url review shipping source source_transfer statement_descriptor statement_descriptor_suffix
        transfer transfer_data transfer_group"""
    ),
}

OUTCOME: Body = {
    **_nulls("advice_code network_advice_code network_decline_code reason rule"),
    "network_status": "approved_by_network",
    "risk_level": "normal",
    "risk_score": 20,
    "seller_message": "Payment complete.",
    "type": "authorized",
}

CARD_DETAILS: Body = {
    **_nulls(
        """authorization_code brand capture_before country description electronic_commerce_indicator fingerprint iin
        installments issuer last4 mandate moto network network_transaction_id regulated_status setup_credential_usage
        stored_credential_usage three_d_secure transaction_link_id wallet"""
    ),
    "amount_authorized": 0,
    "checks": _nulls("address_line1_check address_postal_code_check cvc_check"),
    "exp_month": 0,
    "exp_year": 0,
    "extended_authorization": {"status": "disabled"},
    "funding": "credit",
    "incremental_authorization": {"status": "unavailable"},
    "multicapture": {"status": "unavailable"},
    "network_token": {"used": False},
    "overcapture": {"maximum_amount_capturable": 0, "status": "unavailable"},
}

DEBIT_DETAILS: dict[str, Body] = {
    "us_bank_account": {
        **_nulls("expected_debit_date fingerprint last4 mandate payment_reference routing_number"),
        "account_holder_type": "individual",
        "account_type": "checking",
        "bank_name": "STRIPE TEST BANK",
    },
    "sepa_debit": _nulls("bank_code branch_code country expected_debit_date fingerprint last4 mandate"),
}

PAYMENT_METHOD: Body = {
    "id": "",
    "object": "payment_method",
    "allow_redisplay": "limited",
    "billing_details": BILLING,
    "created": 0,
    "customer": None,
    "customer_account": None,
    "livemode": False,
    "metadata": {},
    "type": "",
}

CARD_METHOD: Body = {
    **_nulls("brand country description display_brand fingerprint generated_from iin issuer last4 regulated_status wallet"),
    "checks": _nulls("address_line1_check address_postal_code_check cvc_check"),
    "exp_month": 0,
    "exp_year": 0,
    "funding": "credit",
    "networks": {"available": [], "preferred": None},
    "three_d_secure_usage": {"supported": True},
}

REFUND: Body = {
    "id": "",
    "object": "refund",
    "amount": 0,
    "created": 0,
    "currency": "",
    "metadata": {},
    "status": "succeeded",
    **_nulls(
        """balance_transaction charge customer customer_account description destination_details failure_balance_transaction
        failure_reason instructions_email next_action payment_intent payment_method pending_reason presentment_details reason
        receipt_number source_transfer_reversal transfer_reversal"""
    ),
}

CUSTOMER: Body = {
    "id": "",
    "object": "customer",
    "balance": 0,
    "created": 0,
    "delinquent": False,
    "invoice_credit_balance": {},
    "invoice_settings": _nulls("custom_fields default_payment_method footer rendering_options"),
    "livemode": False,
    "metadata": {},
    "next_invoice_sequence": 1,
    "preferred_locales": [],
    "tax_exempt": "none",
    **_nulls(
        """address business_name cash_balance currency customer_account default_source description discount email individual_name
        invoice_prefix name phone shipping tax test_clock"""
    ),
}

WEBHOOK_ENDPOINT: Body = {
    "id": "",
    "object": "webhook_endpoint",
    "api_version": None,
    "application": None,
    "created": 0,
    "description": None,
    "enabled_events": [],
    "livemode": False,
    "metadata": {},
    "status": "enabled",
    "url": "",
}

ACCOUNT: Body = {
    "id": "",
    "object": "account",
    "business_profile": {
        **_nulls(
            """annual_revenue estimated_worker_count mcc minority_owned_business_designation monthly_estimated_revenue
            product_description specified_commercial_transactions_act_url support_address support_email support_phone
            support_url url"""
        ),
        "name": "Sandbox",
    },
    "business_type": None,
    "capabilities": {"card_payments": "active", "transfers": "active", "us_bank_account_ach_payments": "active"},
    "charges_enabled": True,
    "controller": {"type": "account"},
    "country": "US",
    "created": 0,
    "default_currency": "usd",
    "details_submitted": True,
    "email": None,
    "external_accounts": {"object": "list", "data": [], "has_more": False, "url": ""},
    "metadata": {},
    "payouts_enabled": True,
    "settings": {
        "card_payments": _nulls("statement_descriptor_prefix statement_descriptor_prefix_kana statement_descriptor_prefix_kanji"),
        "dashboard": {"display_name": "Sandbox", "timezone": "Etc/UTC"},
        "payments": _nulls("statement_descriptor statement_descriptor_kana statement_descriptor_kanji"),
    },
    "type": "standard",
}


def new(shape: Body, **fields: Any) -> Body:
    """A fresh object of a shape. A field the shape does not have is a bug."""
    unknown = fields.keys() - shape.keys()
    assert not unknown, f"not in the shape: {unknown}"
    return deepcopy(shape) | fields
