"""Scripts made at random: what is done, in which order, and what is remembered meanwhile."""

from __future__ import annotations

import random
from collections.abc import Mapping
from itertools import product

HEADERS = ("X-A", "X-B", "X-C", "X-D")
VALUES: Mapping[str, tuple[str, ...]] = {
    "X-A": ("", "red", "Blue Sky"),
    "X-B": ("", "one"),
    "X-C": ("", "yes", "7"),
    "X-D": ("", "x-y"),
}
"""What a header field may hold; nothing means that it is not there."""
FLAGS = ("\\\\Seen", "\\\\Flagged", "work", "later")
FOLDERS = ("One", "Two", "Three/Four", "INBOX")
REQUIRES = (
    '["fileinto", "copy", "imap4flags", "variables", "regex", "relational", "comparator-i;ascii-numeric"]'
)
CASEMAP = ':comparator "i;ascii-casemap"'
"""Said, since Pigeonhole minds case in `string` unless it is told not to (against RFC 5229, section 5)."""
MAX_DEPTH = 3


def messages() -> dict[str, bytes]:
    """Every message that can be made of the values."""
    found = {}
    for number, values in enumerate(product(*VALUES.values())):
        lines = [f"{name}: {value}" for name, value in zip(VALUES, values, strict=True) if value]
        head = "\n".join(["From: Ann <ann@x.example>", "Subject: made", *lines])
        found[f"{number:06d}.eml"] = f"{head}\n\nhello\n".encode()
    return found


def script(chance: random.Random) -> str:
    """Make a script: one that takes flags off, or one that stores more than once in a folder.

    Of two stores in one folder, the later one's flags count to Pigeonhole, and both to us; and it forgets
    that the second one ends the implicit keep, if the first one was a copy. Flags are a message's own to us,
    and so they are where a copy of it is all that stays.
    """
    body = _block(chance, 0, chance.randint(2, 6)).replace(':copy "', ':copy "Copies/')
    if ":copy" in body:
        body = body.replace("discard;", "keep;")
    if chance.random() < 0.5:
        return f"require {REQUIRES};\n" + body.replace("removeflag", "addflag").replace("setflag", "addflag")
    lines = [line for line in body.splitlines() if not line.startswith("keep") and '"INBOX"' not in line]
    numbered = (
        line.replace('fileinto "', f'fileinto "{at}-').replace('copy "', f'copy "{at}-')
        for at, line in enumerate(lines)
    )
    return f"require {REQUIRES};\n" + "\n".join(numbered) + "\n"


def _block(chance: random.Random, depth: int, length: int) -> str:
    return "".join(_statement(chance, depth) for _ in range(length))


def _statement(chance: random.Random, depth: int) -> str:
    if depth < MAX_DEPTH and chance.random() < 0.45:
        return _if(chance, depth)
    return chance.choices(_ACTIONS, weights=[5, 2, 2, 1, 4, 3, 2])[0](chance) + "\n"


def _if(chance: random.Random, depth: int) -> str:
    made = f"if {_test(chance)} {{\n{_block(chance, depth + 1, chance.randint(0, 2))}}}\n"
    for _ in range(chance.choice([0, 0, 1, 2])):
        made += f"elsif {_test(chance)} {{\n{_block(chance, depth + 1, chance.randint(0, 2))}}}\n"
    if chance.random() < 0.4:
        made += f"else {{\n{_block(chance, depth + 1, chance.randint(0, 2))}}}\n"
    return made


def _test(chance: random.Random, depth: int = 0) -> str:
    kind = chance.random()
    if depth < 2 and kind < 0.15:
        return f"not {_test(chance, depth + 1)}"
    if depth < 2 and kind < 0.35:
        members = ", ".join(_test(chance, depth + 1) for _ in range(2))
        return f"{chance.choice(['anyof', 'allof'])} ({members})"
    name = chance.choice(HEADERS)
    value = chance.choice(VALUES[name][1:])
    return chance.choice(
        [
            f'exists "{name}"',
            f'header :is "{name}" "{value}"',
            f'header :contains "{name}" "{value[:2]}"',
            f'header :matches "{name}" "*{value[-1]}*"',
            f'header :regex "{name}" "^([a-z]+)[ -]?(.*)$"',
            f'header :value "ge" :comparator "i;ascii-numeric" "{name}" "7"',
            f'hasflag :is "{chance.choice(FLAGS)}"',
            f'string :is {CASEMAP} "${{v}}" "{chance.choice(["red", "blue", "seven", ""])}"',
            f'string :matches {CASEMAP} "${{w}}" "{value[0]}*"',
        ]
    )


_ACTIONS = (
    lambda chance: f'fileinto{chance.choice(["", "", " :copy"])} "{chance.choice(FOLDERS)}";',
    lambda chance: "keep;",
    lambda chance: "discard;",
    lambda chance: "stop;",
    lambda chance: (
        f'{chance.choice(["addflag", "addflag", "setflag", "removeflag"])} "{chance.choice(FLAGS)}";'
    ),
    lambda chance: (
        f'set{chance.choice(["", " :lower", " :upper"])} "{chance.choice("vw")}" '
        f'"{chance.choice(["red", "blue", "${1}", "${v}-${1}", "${w}"])}";'
    ),
    lambda chance: f'fileinto "V-{chance.choice(["${v}", "${w}", "${1}"])}";',
)
