"""Operations: what the machines say of themselves.

A worker leaves a Heartbeat for each thing that it reached (broker, mail, Stripe base, beat), so that the web can tell how things
stand without speaking to the broker. `heartbeats.py` writes them; the door that is asked for its health judges them.
"""
