"""Reading: what a file of another system says, as a plan of events that nobody has made yet. No database, no clock, nothing sent.

A file is refused whole (Unreadable) or read into a Reading: plans, rows left out and why, what was assumed, and questions that
staff must answer first. `csv_guess.py` proposes choices and `csv_rows.py` reads by them; `ics_events.py` reads iCalendar by way
of `ics_lines.py`, `ics_times.py` and `ics_repeats.py`. Nobody named in a file is ever written to: ATTENDEE and ORGANIZER are not
read.
"""
