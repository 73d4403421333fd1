"""Payment methods a session may offer."""

from seminars.sandbox.errors import ApiError
from seminars.sandbox.forms import words

KNOWN = words(
    """acss_debit affirm afterpay_clearpay alipay alma amazon_pay au_becs_debit bacs_debit bancontact billie bizum blik boleto
    card cashapp crypto customer_balance eps fpx giropay grabpay ideal kakao_pay klarna konbini kr_card link mb_way mobilepay
    multibanco naver_pay nz_bank_account oxxo p24 pay_by_bank payco paynow paypal paypay payto pix promptpay revolut_pay
    samsung_pay satispay scalapay sepa_debit sequra sofort sunbit swish twint upi us_bank_account wechat_pay zip"""
)


def offered(currency: str, *, allowed: list[str] | None, excluded: list[str]) -> list[str]:
    """The methods of the sandbox's imaginary Dashboard for a currency, filtered. Raises ApiError when none is left."""
    names = ["card"]
    if currency == "usd":
        names.append("us_bank_account")
    if currency == "eur":
        names.append("sepa_debit")
    left = [name for name in names if name not in excluded and (allowed is None or name in allowed)]
    if not left:
        raise ApiError(
            "No payment method types enabled for the payment method configuration and the parameters provided. "
            "Allow at least one that is available for this currency."
        )
    return left
