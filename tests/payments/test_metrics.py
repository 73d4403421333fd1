"""The figures say how payments were learned of, so that lost webhooks are seen."""

from tests.payments.center import Center


def test_a_payment_found_by_the_poller_is_counted_as_such(center: Center) -> None:
    order = center.order(center.an_event())
    center.pay(order)
    center.later(minutes=11)
    center.poll()

    told = center.app.test_client().get("/metrics", base_url=center.settings.base_url).text

    assert 'seminars_payments_found_total{by="poll"} 1.0' in told
