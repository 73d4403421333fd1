"""The post office of the mail tests, for stories about what clients and consultants are told."""

from tests.messages.conftest import post_office, statements

__all__ = ["post_office", "statements"]
