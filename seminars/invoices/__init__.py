"""Invoices: numbered, frozen documents.

An Invoice is issued, then paid, credited or void; its facts are frozen with their hash when it is issued, its number comes from a
Series under a row lock in the same transaction (so there is no gap), and its PDF is rendered from the facts by a job and kept. Each of
its InvoiceLines is one seat; a line's net is split once into RevenueShares, one per session still to come, and these are what delivery
recognises and a CreditNote takes back. A CreditNote has a series of its own and names the invoice. `issuing.py` and `credit_notes.py`
write them with numbers from `numbering.py` and facts from `facts.py`; `documents.py` renders them in the words of `wording.py`.
"""
