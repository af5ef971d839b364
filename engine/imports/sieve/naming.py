"""Names for what tests capture, and the texts that use them."""

from __future__ import annotations

from engine.imports.sieve.expression import Untranslatable
from engine.imports.sieve.values import Unknown, Use, Value


class Names:
    """The names of captures: one for each group that is used, none twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def text(self, value: Value) -> str:
        """Write a value down, with captures to be filled in. Raises Untranslatable."""
        return "".join(map(self._piece, value))

    def name(self, use: Use) -> str:
        """Name the group that captured something."""
        return use.site.name(use.group, use.wish, self._taken)

    def _piece(self, piece: str | Use | Unknown) -> str:
        if isinstance(piece, Unknown):
            raise Untranslatable(piece.why)
        if isinstance(piece, str):
            return piece
        name = self.name(piece)
        return f"{{{{ captures.{name} | {piece.case} }}}}" if piece.case else f"{{{{ captures.{name} }}}}"
