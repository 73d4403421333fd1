"""Desk: what staff look at across all rooms. Reads only, and changes nothing.

`today.py` is the work queue, `search.py` finds anything, `timeline.py` tells what happened to an order or an event in one list,
`programme.py` reads the catalogue and `roster.py` who comes, as staff need them.
"""
