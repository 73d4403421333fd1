"""What a center says of itself: the example is right, and what cannot work is refused by name, with the remedy."""

from pathlib import Path

import pytest

from seminars.config import Center, Settings, WrongSetting

GOOD = {
    "BASE_URL": "http://localhost:8000",
    "SECRET_KEY": "a secret key of forty characters or more.",
    "DATABASE_URL": "postgresql://app@localhost/seminars",
    "CELERY_BROKER_URL": "redis://localhost:6379/0",
    "SMTP_URL": "smtp://localhost:2525",
    "MAIL_FROM": "seminars@northfield.example",
    "STRIPE_API_BASE": "http://localhost:12111",
    "STRIPE_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_WEBHOOK_SECRET": "whsec_of_the_local_sandbox",
}
EXAMPLE = Path(__file__).parents[1] / "center.example.toml"


def test_the_example_is_the_center_that_comes_without_a_file() -> None:
    assert Settings.from_env({**GOOD, "CENTER_CONFIG": str(EXAMPLE)}).center == Center()


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("zone = 5", "zone"),
        ('zone = "Rochester"', "zone"),
        ('address = "12 First Street"', "address"),
        ("address = [1, 2]", "address"),
        ('topics = ["strategy"]', "topics"),
        ("topics = { strategy = 1 }", "topics"),
        ('finance_second_factor = "yes"', "finance_second_factor"),
        ("currency = 840", "currency"),
        ('currency = "usd"', "currency"),
        ('accent = "red; }"', "accent"),
        ('order_prefix = "N C/"', "order_prefix"),
        ('colour = "#000000"', "colour"),
    ],
)
def test_a_center_that_cannot_work_is_refused_with_its_remedy(tmp_path: Path, line: str, named: str) -> None:
    config = tmp_path / "center.toml"
    config.write_text(line, "utf-8")

    with pytest.raises(WrongSetting, match=named) as refused:
        Settings.from_env({**GOOD, "CENTER_CONFIG": str(config)})

    assert str(refused.value).count(".") >= 1 and str(refused.value).startswith("CENTER_CONFIG")


def test_the_name_of_an_installation_stays_short_and_tells_two_long_addresses_apart() -> None:
    names = [Settings.from_env({**GOOD, "BASE_URL": f"https://{'a' * 60}.{end}.example.org"}).letterhead.installation for end in ("b", "c")]

    assert [len(name) for name in names] == [60, 60] and len(set(names)) == 2
    assert len(f"seminars:{names[0]}:order:{2**63 - 1}:{10**9}:{'m' * 10}") <= 120
