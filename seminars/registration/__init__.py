"""Registration: who has a seat, or is holding one.

A Hold sets seats aside until it ends (active, consumed, released); once paying has begun it has no end of its own and only what Stripe
says releases it. A Registration is one person, or a seat not yet named, in one event: held, confirmed, then attended or no_show; or
cancelled. `capacity.py` is the gate (a guarded counter per quota), `holds.py` and `places.py` pass through it, `letters.py` states the
facts of mails, `queries.py` reads.
"""
