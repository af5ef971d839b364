"""Included scripts (RFC 6609) in the place of the commands that include them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from engine.errors import RuleError
from engine.imports.sieve.checked import Call, If, Include, Statement, read_script

Read = Callable[[str], str | None]
MAX_DEPTH = 10
"""How deep scripts may include each other."""
MAX_INCLUDES = 255


def resolved(statements: Sequence[Statement], read: Read) -> tuple[Statement, ...]:
    """Put included scripts in. Raises RuleError where one is not there."""
    return _Including(read).block(statements, ())


@dataclass
class _Including:
    read: Read
    once: set[str] = field(default_factory=set)
    count: int = 0

    def block(self, statements: Sequence[Statement], above: tuple[str, ...]) -> tuple[Statement, ...]:
        made: list[Statement] = []
        for statement in statements:
            if isinstance(statement, If):
                made.append(self._if(statement, above))
            elif isinstance(statement, Call) and statement.name == "include":
                made += self._included(statement, above)
            else:
                made.append(statement)
        return tuple(made)

    def _if(self, statement: If, above: tuple[str, ...]) -> If:
        branches = tuple((test, self.block(block, above)) for test, block in statement.branches)
        return replace(statement, branches=branches, otherwise=self.block(statement.otherwise, above))

    def _included(self, call: Call, above: tuple[str, ...]) -> list[Statement]:
        name = call.text(0)
        if name in above or len(above) >= MAX_DEPTH or self.count >= MAX_INCLUDES:
            raise RuleError(f"'{name}' includes itself, or scripts include each other too deep", call.place)
        if name in self.once and "once" in call.tags:
            return []
        text = self.read(name)
        if text is None and "optional" in call.tags:
            return []
        if text is None:
            raise RuleError(f"the included script '{name}' is not beside this one; put it there", call.place)
        self.once.add(name)
        self.count += 1
        body = read_script(text, f"{name}.sieve").statements
        return [Include(call.place, self.block(body, (*above, name)))]
