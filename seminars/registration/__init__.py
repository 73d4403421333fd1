"""Registration: who has a seat, or is holding one.

A Hold sets seats aside for a cart until it ends (active, consumed, released); placing the order consumes it, and from there the seats
are held by registrations that only what Stripe says can release. A Registration is one person, or a seat not yet named, in one event:
held, confirmed, then attended or no_show; or cancelled. `capacity.py` is the gate (a guarded counter per quota), `holds.py` and
`places.py` pass through it, `letters.py` states the facts of mails, `queries.py` reads.
"""
