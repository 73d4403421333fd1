"""Seminars: how a teaching and consulting center sells, registers, is paid, keeps every calendar right and closes its books."""
