"""Where `next=` may lead: a path of this site and nowhere else."""

import re

SAFE = re.compile(r"/(?![/\\])[^\\\s\x00-\x1f\x7f]*")


def same_site(path: str | None, otherwise: str) -> str:
    """The path if it stays here; else the other one. `//host`, `/\\host`, schemes and control characters lead away or nowhere."""
    return path if path and SAFE.fullmatch(path) else otherwise
