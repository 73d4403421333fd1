"""Which addresses are the same for every visitor."""

ALIKE = frozenset({"/", "/zone", "/programme.ics", "/sitemap.xml", "/robots.txt"})


def may_be_cached(path: str) -> bool:
    """Whether the cache in front may look at answers of this path. Pages with a form that changes something are never among them."""
    return path in ALIKE or path.startswith("/seminars/")
