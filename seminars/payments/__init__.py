"""Payments: money as Stripe tells it, never as a browser claims it.

A PaymentAttempt is one try to be paid by a Checkout Session: intent (row, key and parameters committed), submitting, open, processing,
then succeeded, failed, expired, superseded; unknown when the answer was lost. A Payment is a captured charge. A Refund is promised
(requested) and paid out by a job under the promise's key. A StripeEvent is a webhook message, stored once under its id; it carries no
truth, only the name of what to fetch. `checkout.py` begins attempts, `inbox.py` files events, `events.py` picks the act, `capture.py`
settles from a fresh retrieve, `refunds.py` and `cancelling.py` give back, `resolving.py` and `polling.py` find what the rest missed.
"""
