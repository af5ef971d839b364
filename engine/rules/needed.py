"""Texts that a regex is found in nowhere without: looked for first, since literals are found quicker."""

from __future__ import annotations

import re

LEAST = 3
"""Characters of the longest: shorter texts stand nearly everywhere."""

Parts = tuple[str, ...]
"""The longest first."""

_PIECES = re.compile(
    r"""\\ (?: [pPx]\{[^}]*\} | [pP]. | x.. | [0-7]{1,3} | . )
    | \[ \^? \]? (?: \\. | \[:\^?\w+:\] | [^\]\\] )* \]
    | \{ \d+ (?: ,\d* )? \}
    | .""",
    re.VERBOSE | re.DOTALL,
)
"""What RE2 reads as one: an escape, a class, a count, else one character."""
_PLAIN = re.compile(r"[\w !\"#%&',/:;<=>@`~-]|\\[!-/:-@\[-`{-~]", re.ASCII)
"""What stands for itself; of other scripts, folding changes more than case."""
_REPEATED = ("*", "?", "{")
"""How a count begins that may be none."""


def needed(expression: str) -> tuple[Parts, ...] | None:
    """Give, for each alternative, folded texts that are in every text where RE2 finds it; None if not known.

    Only what stands outside of groups counts. The last sign of each is left out: a mark behind it, as in
    "T\u0308", may join it when the text is folded.
    """
    if r"\Q" in expression:
        return None
    found = tuple(map(_parts, _runs(expression)))
    return found if all(parts and len(parts[0]) >= LEAST for parts in found) else None


def _parts(runs: list[str]) -> Parts:
    return tuple(sorted((run[:-1] for run in runs if len(run) > 1), key=len, reverse=True))


def _runs(expression: str) -> list[list[str]]:
    """Take an expression apart into alternatives, and each into what stands in a row."""
    branches, depth = [[""]], 0
    for piece in _PIECES.findall(expression):
        depth += (piece == "(") - (piece == ")")
        runs = branches[-1]
        if depth == 0 and piece == "|":
            branches.append([""])
        elif depth == 0 and _PLAIN.fullmatch(piece):
            runs[-1] += piece[-1].lower()
        else:
            if piece.startswith(_REPEATED):
                runs[-1] = runs[-1][:-1]
            runs.append("")
    return branches
