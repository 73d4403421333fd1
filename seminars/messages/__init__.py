"""Messages: the post office. It knows letters, lanes and addresses, and no seminar.

A Message is posted in the same commit as the change that caused it (`outbox.post`; the same key posts once). It is pending, then
sending under a lease, then sent; unknown when the answer of the mail server was lost; superseded when a newer revision of its lane
came first; suppressed when nobody wants it any more; failed when the server refused it for good. Its bytes and Message-ID are frozen
at the first attempt, so that every second copy is the same mail. `outbox.py` posts, `delivery.py` sends, `render.py` words it.
"""
