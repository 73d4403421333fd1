"""The demo world: a fictional center with made-up people and hospitals, built only with the verbs that the web uses.

Time is told, chance is seeded: two worlds filled on the same day are equal but for their secrets. `staff.py` says who may sign in,
`catalogue.py` what is taught, `customers.py` who comes, `world.py` what happened.
"""
