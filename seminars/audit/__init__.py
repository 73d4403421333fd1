"""Audit: who changed what, when, from what to what, and why.

The lowest room. The door opens `transaction(by=…, why=…)`; this room listens to the flush and writes before and after of every
table that declares itself audited (`__audited__`), so that verbs stay ignorant of who is signed in. An entry is never changed:
the application's own database role may only insert and read. `recording.py` writes, `queries.py` reads.
"""
