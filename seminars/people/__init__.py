"""People: who may sign in, and as what. Attendees and buyers need no login; they hold the secret link of their order.

A User has roles (program, front_desk, consultant, finance, finance_approver, admin). A sign-in is a BrowserSession row: deleting the
row ends it at once. `users.py` makes and changes logins, `permissions.py` says who may do what, `queries.py` reads.
"""
