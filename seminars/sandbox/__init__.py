"""A local server that speaks Stripe: an outside party for one person's machine and for tests.

It holds checkout sessions, payment intents, charges, refunds, balance transactions, events and webhook
endpoints in a store of its own, answers `/v1/...` as the API version `2026-10-28.endive` does, shows the hosted
payment page, and delivers signed webhooks. A session is open, complete or expired; a payment intent requires a
payment method, requires action, is processing, succeeded or canceled; a refund is pending, requires action,
succeeded, failed or canceled.

The product talks to it over HTTP only. Nothing here imports the product and the product imports nothing here.
What the real API does not have (moving the clock, chaos, a log) stands under `/_sandbox/`. Amounts are not
converted: a charge in euro gives a balance transaction in euro.

From the ground up: `store`, `clock`, `chaos`, `world`; `forms`, `fields`, `errors`, `shapes`; the acts in
`events`, `money`, `customers`, `intents`, `refunds`, `sessions`, `endpoints`; `upcoming` does what time brings;
the doors are `protocol` with `routes` (the API), `hosted` (the payer) and `control`; `delivery` sends webhooks.
"""
