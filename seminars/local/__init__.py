"""What one person's machine needs and a production machine has already: a PostgreSQL, a Valkey, a mailbox.

Nothing here knows of seminars. The rest is told addresses by environment variables and cannot see the difference.
"""
