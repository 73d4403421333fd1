"""The demo world: a fictional center with made-up people and hospitals, built only with the verbs that the web uses.

Time is told, chance is seeded: two worlds filled on the same day are equal but for their secrets. `staff.py` says who may sign in,
`catalogue.py` what is taught, `advice.py` who advises on what, `customers.py` who comes, `world.py` what happened: `meetings.py` by
the hour, `larger.py` by proposal and retainer.
"""
