"""Migrations: how a database becomes this version of the tables. Run by the owner role; the application's role owns nothing."""
