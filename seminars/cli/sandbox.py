"""The local server that speaks Stripe, by itself."""

from __future__ import annotations

import os
import sys

import click


@click.command(context_settings={"ignore_unknown_options": True}, add_help_option=False)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
def command(words: tuple[str, ...]) -> None:
    """Start the Stripe sandbox; --help says with what."""
    os.execv(sys.executable, [sys.executable, "-m", "seminars.sandbox", *words])
