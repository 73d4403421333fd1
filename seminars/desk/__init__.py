"""Desk: reads from every room for the people who work here: what waits for a person today, search, one timeline per order."""
