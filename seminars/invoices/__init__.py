"""Invoices: numbered, frozen documents.

An Invoice is issued, then paid, credited or void; its facts are frozen with their hash when it is issued, its number comes from a
Series under a row lock in the same transaction (so there is no gap), and its PDF is rendered from the facts by a job and kept. A
CreditNote has a series of its own and names the invoice. `numbering.py`, `issuing.py`, `documents.py` and `credit_notes.py` change them.
"""
