"""The token in every form that changes something. The webhook door is exempt: it checks signatures instead."""

from flask_wtf.csrf import CSRFProtect

csrf = CSRFProtect()
