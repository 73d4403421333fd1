"""Larger work: proposals, the engagements they become, retainers.

A **Proposal** (draft, sent, accepted, declined, expired, superseded) is a priced offer in versions; accepting the newest one makes, in one
transaction, the **Engagement** (active, completed, cancelled) with its **Milestones** (planned, submitted, accepted), its appointments
and private events, or nothing. A milestone that the client accepts is earned and billed. A **Retainer** is hours bought ahead; a
**TimeLog** draws them down. `proposals.py` writes, sends and answers, `acceptance.py` turns one into an engagement, `milestones.py` and
`retainers.py` deliver and bill, `letters.py` states the facts of mails, `queries.py` reads.
"""
