"""Who and what is taken when.

A **Resource** is a person or a room that can be taken; a **TimeClaim** says that it is, for a half-open range of time: an event session,
an appointment, a hold, the buffer or the travel around one, leave, or what the person's own calendar says (busy). Claims that block never
overlap for one resource: the database refuses it (`models.py`), whoever writes. `claims.py` writes and moves them, and says who was there
first; `queries.py` reads what is taken in a window. Other rooms name themselves as the holder of a claim: `session/7`, `appointment/3`.
"""
