"""Ledger: the book. Double entry in minor units; debit positive, credit negative.

A JournalEntry is one business fact with its date and its source (`invoice/12`, unique: the same fact posts once); its Postings sum to
zero per currency. Nothing in the book is changed or deleted: a correction is another entry that mirrors the first. The database
refuses what breaks this, also to our own role. `chart.py` names accounts, `postings.py` holds every posting rule, `journal.py` writes,
`periods.py` opens and closes months, `balances.py` reads.
"""
