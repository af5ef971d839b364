"""Find a text that fits, without detours where one kind alone is asked for."""

from __future__ import annotations

from collections.abc import Callable

from engine.rules.text import Captures, Text, TextKinds


def text_finder(kinds: TextKinds) -> Callable[[tuple[Text, ...]], Captures | None]:
    """Make the function that finds the first text that all kinds hold of."""
    if kinds.exists is False or len(kinds.tests) != 1:
        return kinds.match_any
    test = kinds.tests[0]

    def find(texts: tuple[Text, ...]) -> Captures | None:
        for text in texts:
            found = test(text)
            if found is not None:
                return found
        return None

    return find
