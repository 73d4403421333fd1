"""Words for money, days and times in templates (kit/format), and prose from staff made safe."""

import re

import nh3
from flask import Flask
from markdown_it import MarkdownIt
from markupsafe import Markup

from seminars.config import Center
from seminars.kit import format as words
from seminars.kit.money import Money
from seminars.web.shared.csrf import csrf

TAGS = {"p", "br", "ul", "ol", "li", "em", "strong", "a", "h3", "h4", "blockquote", "code"}
MARKDOWN = MarkdownIt("commonmark", {"html": False})


def prose(text: str) -> Markup:
    """What staff typed, as paragraphs, lists, emphasis and links; nothing that could run or load anything (allow-list of nh3)."""
    made = nh3.clean(
        MARKDOWN.render(text or ""),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"https", "http", "mailto"},
        link_rel="noopener noreferrer",
    )
    # The only place where text becomes markup: what nh3 let through.
    return Markup(made)  # noqa: S704


def initials(name: str) -> str:
    """«IM» for Ingrid Malmstedt, MD."""
    parts = [part for part in re.split(r"[\s.]+", name.split(",")[0]) if part[:1].isalpha()]
    return "".join(part[0].upper() for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts))


def money_of(minor: int, currency: str) -> str:
    """«$280.00» for an amount in minor units beside its currency."""
    return words.money(Money(minor, currency))


def install(app: Flask, center: Center) -> None:
    """Register the filters, and the center's name for every template."""
    for filter_ in (
        words.money,
        words.amount,
        words.day,
        words.weekday,
        words.time_in,
        words.moment,
        words.time_range,
        words.day_span,
        words.count,
        words.listed,
        words.local,
    ):
        app.add_template_filter(filter_)
    app.add_template_filter(prose)
    app.add_template_filter(money_of)
    app.add_template_filter(initials)
    app.jinja_env.globals["center"] = center
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    csrf.init_app(app)
