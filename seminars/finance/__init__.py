"""Finance: recognising revenue at delivery, and the reports that explain it. Above every room that money passes through.

`recognition.py` marks a session delivered and turns its deferred revenue into revenue; `queries.py` reads.
"""
