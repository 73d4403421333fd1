"""Finance: what was earned, what is owed, and whether the books hold.

`recognition.py` marks a session delivered and turns what was deferred for it into revenue; `checks.py` holds the books against the
invariants of the ledger; `queries.py` reads payments with all they are made of, and deferred revenue by session.
"""
