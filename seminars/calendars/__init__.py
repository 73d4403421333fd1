"""Calendars: what one person's calendar should show, and the iCalendar and iTIP bytes that make it so. Knows no seminars.

A CalendarEntry is draft until something was posted about it, then active, then cancelled. Each revision raises SEQUENCE in the same
transaction as the change that caused it and posts one message in the lane of its UID. `ics.py` and `zones.py` make bytes and know no
database; `invites.py` keeps entries and posts. Downloads and feeds are `ics.publish_bytes` of entries that a door puts together.
"""
