"""Orders: the commercial agreement. A Cart collects what a buyer wants and holds it; an Order freezes what was agreed.

An Order is open while it is being written, placed when the buyer has committed, paid when it is settled, cancelled, or expired when it
was never paid. Flags beside the state: `needs_review` (why a person must look), `dispute_open`, `paid_unplaced` (money came, no
seat). `cart.py` and `checkout.py` make it, `pricing.py` is pure, `discounts.py` counts codes, `settlement.py` turns paid into confirmed
seats, `cancellation.py` gives seats back, `queries.py` reads.
"""
