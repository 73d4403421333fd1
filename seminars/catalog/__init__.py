"""Catalog: what can be bought. A Seminar is what is taught; an Event is one dated run of it; its EventSessions are the blocks.

An Event is draft, then published, then archived; or cancelled. A session is planned, delivered or cancelled. What stands on the public
list is a Listing, one row per thing on sale with its search text. `seminars.py` and `events.py` change them, `reading/` understands
files of other systems, `importing.py` takes what a dry run showed, `listings.py` keeps the list, `queries.py` reads.
"""
