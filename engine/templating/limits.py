"""What a template may use up: steps, sizes, nothing else. Jinja's sandbox bounds neither."""

from __future__ import annotations

from collections.abc import Sized

MAX_SOURCE = 65_536
"""Characters of one template file."""
MAX_OUTPUT = 1_000_000
"""Characters of one rendered part, and of any value on the way to it."""
MAX_RANGE = 10_000
MAX_STEPS = 300_000
"""What all pieces of one mail may cost: loop turns, and what is done to values by their size (see `cost`)."""
MAX_BITS = 64
MAX_SMALL = 1 << 53
MAX_HEADER = 300
"""Characters of a rendered subject or sender name; the rest is cut off."""
MAX_FIELD = 900
"""Characters of the text of another header field."""
CHARS_PER_STEP = 16
NODES_PER_STEP = 8


class LimitError(Exception):
    """A template asks for more than it may use; the text is safe to show."""


BUDGET = "#budget"
"""Where a context keeps its budget: no name that a template can write."""


class Budget:
    """The steps left to one rendering."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self.left = self.most = steps

    def spend(self, steps: int) -> None:
        self.left -= steps
        if self.left < 0:
            raise LimitError(f"takes more than {self.most:,} steps")


def cost(value: object) -> int:
    """Count what one look at a value costs, so that work is bounded and not only turns."""
    kind = type(value)
    if kind is float or (kind is int and -MAX_SMALL < value < MAX_SMALL):  # type: ignore[operator]
        return 1
    if isinstance(value, str):
        check_length(len(value))
        return 1 + len(value) // CHARS_PER_STEP
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise LimitError("computes a number that is too large")
    if isinstance(value, tuple):
        return 1 + len(value) + sum(cost(item) for item in value if type(item) is tuple)
    if isinstance(value, list | dict | range) and isinstance(value, Sized):
        return 1 + len(value)
    return 1


def check_length(length: int) -> None:
    """Refuse a text before it is built."""
    if length > MAX_OUTPUT:
        raise LimitError(f"makes a text of more than {MAX_OUTPUT:,} characters")


def bounded_range(*bounds: int) -> range:
    """Make a range of at most MAX_RANGE numbers."""
    numbers = range(*bounds)
    if numbers[MAX_RANGE:]:
        raise LimitError(f"makes a range of more than {MAX_RANGE:,} numbers")
    return numbers
