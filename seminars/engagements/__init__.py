"""Larger work: proposals, the engagements they become, retainers.

A **Proposal** (draft, sent, accepted, declined, expired, superseded) is a priced offer in versions; accepting the newest one makes, in one
transaction, the **Engagement** (active, completed, cancelled) with its **Milestones** (planned, submitted, accepted), its appointments
and private events, or nothing. A milestone that the client accepts is earned and billed. A **Retainer** is hours bought ahead; a
**TimeLog** draws them down. `drafting.py` writes proposals, `proposals.py` sends them, `acceptance.py` turns one into an engagement,
`milestones.py` delivers and bills it, `closing.py` calls it off, `files.py` shares files with its client; `retainers.py` sells hours
and lets them expire, `timesheets.py` logs and bills them, `hours.py` is their arithmetic, `statement.py` lists them; `documents.py`
makes PDFs, `letters.py` states the facts of mails, `queries.py` reads.
"""
