"""Words for several of something; apart, since every command counts and few of them judge."""

from __future__ import annotations


def plural(key: str) -> str:
    """Name several of one action."""
    if key.endswith("y"):
        return f"{key[:-1]}ies"
    return f"{key}es" if key.endswith(("s", "sh")) else f"{key}s"
