"""Consulting: offerings that are booked by the hour, and the people who deliver them.

An **Offering** (draft, published, archived) has lengths with prices, questions, and rules of when it can be booked; a **Consultant** has
weekly hours, exceptions and leave, and a resource of `schedule` that says when he is taken. **Slots** are computed, never stored
(`availability.py`, pure). An **Appointment** is one meeting: it is made *held* when a visitor chooses a slot, kept when the order is
placed, *confirmed* when that is paid, then *delivered* or *no_show*; or *cancelled*. With approval it begins as *requested*.
`offerings.py` and `consultants.py` keep what can be booked, `intake.py` (pure) what is asked, `rules.py` what the rules allow,
`assigning.py` who delivers it, `booking.py` holds and keeps slots, `appointments.py` confirms, moves, cancels and marks, `busy.py` reads
people's own calendars (`busy_times.py`, pure), `announcing.py` and `letters.py` tell both sides, `listings.py` writes the public list,
`queries.py` reads.
"""
