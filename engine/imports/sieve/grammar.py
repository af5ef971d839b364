"""Sieve's grammar (RFC 5228, section 8.2): commands, their arguments, tests and blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from engine.errors import Place, RuleError
from engine.imports.sieve.lexer import Kind, Token, tokens

MAX_DEPTH = 32
"""How deep blocks, and tests within tests, may stand in each other."""
_UNITS = {"K": 1024, "M": 1024**2, "G": 1024**3}
MAX_NUMBER = 2**63


@dataclass(frozen=True, slots=True)
class Tag:
    """Such as `:contains`, in lower case."""

    name: str
    place: Place


@dataclass(frozen=True, slots=True)
class Number:
    value: int
    place: Place


@dataclass(frozen=True, slots=True)
class Texts:
    """One text, or a list of them in brackets."""

    values: tuple[str, ...]
    place: Place
    listed: bool = False


Argument = Tag | Number | Texts


@dataclass(frozen=True, slots=True)
class Node:
    """A command or a test as written: nothing is known yet of what it may be given."""

    name: str
    place: Place
    arguments: tuple[Argument, ...] = ()
    tests: tuple[Node, ...] = ()
    block: tuple[Node, ...] | None = None
    comment: str = ""
    """What is said of it right before it."""
    test_list: bool = field(default=False)


def parse(script: str, file: str) -> tuple[Node, ...]:
    """Read a script. Raises RuleError."""
    return tuple(_Parser(tokens(script, file), file).script())


class _Parser:
    """Recursive descent with one token of foresight."""

    def __init__(self, stream: Iterator[Token], file: str) -> None:
        self._stream, self._file = stream, file
        self._token = next(stream)

    def script(self) -> Iterator[Node]:
        while self._token.kind is not Kind.END:
            yield self._command(1)

    def _command(self, depth: int) -> Node:
        token = self._token
        if token.kind is not Kind.WORD:
            raise self._error(f"expected a command, found {_shown(token)}")
        self._next()
        arguments = tuple(self._arguments())
        tests, listed = self._tests(1)
        block = None
        if self._is("{"):
            block = tuple(self._block(depth))
        else:
            self._expect(";", f"after '{token.text}'")
        return Node(token.text.lower(), self._place(token), arguments, tests, block, token.comment, listed)

    def _block(self, depth: int) -> Iterator[Node]:
        if depth > MAX_DEPTH:
            raise self._error(f"blocks are nested deeper than {MAX_DEPTH}")
        opened = self._token
        self._next()
        while not self._is("}"):
            if self._token.kind is Kind.END:
                raise RuleError("this block has no end: write } after it", self._place(opened))
            yield self._command(depth + 1)
        self._next()

    def _tests(self, depth: int) -> tuple[tuple[Node, ...], bool]:
        if self._token.kind is Kind.WORD:
            return (self._test(depth),), False
        if not self._is("("):
            return (), False
        self._next()
        tests = [self._test(depth)]
        while self._is(","):
            self._next()
            tests.append(self._test(depth))
        self._expect(")", "after the tests")
        return tuple(tests), True

    def _test(self, depth: int) -> Node:
        token = self._token
        if depth > MAX_DEPTH:
            raise self._error(f"tests are nested deeper than {MAX_DEPTH}")
        if token.kind is not Kind.WORD:
            raise self._error(f"expected a test, found {_shown(token)}")
        self._next()
        arguments = tuple(self._arguments())
        tests, listed = self._tests(depth + 1)
        return Node(token.text.lower(), self._place(token), arguments, tests, test_list=listed)

    def _arguments(self) -> Iterator[Argument]:
        while True:
            token = self._token
            if token.kind is Kind.TAG:
                yield Tag(token.text.lower(), self._place(token))
            elif token.kind is Kind.NUMBER:
                yield Number(self._number(token), self._place(token))
            elif token.kind is Kind.TEXT:
                yield Texts((token.text,), self._place(token))
            elif self._is("["):
                yield self._list()
                continue
            else:
                return
            self._next()

    def _list(self) -> Texts:
        place, values = self._place(self._token), []
        self._next()
        while True:
            if self._token.kind is not Kind.TEXT:
                raise self._error(f"expected a text in quotes, found {_shown(self._token)}")
            values.append(self._token.text)
            self._next()
            if not self._is(","):
                break
            self._next()
        self._expect("]", "after the list")
        return Texts(tuple(values), place, listed=True)

    def _number(self, token: Token) -> int:
        unit = _UNITS.get(token.text[-1].upper(), 1)
        digits = token.text if unit == 1 else token.text[:-1]
        if len(digits) > 18 or int(digits) * unit > MAX_NUMBER:
            raise self._error("this number is too large")
        return int(digits) * unit

    def _is(self, sign: str) -> bool:
        return self._token.kind is Kind.SIGN and self._token.text == sign

    def _expect(self, sign: str, where: str) -> None:
        if not self._is(sign):
            raise self._error(f"expected '{sign}' {where}, found {_shown(self._token)}")
        self._next()

    def _next(self) -> None:
        self._token = next(self._stream)

    def _place(self, token: Token) -> Place:
        return Place(self._file, token.line, token.column)

    def _error(self, message: str) -> RuleError:
        return RuleError(message, self._place(self._token))


def _shown(token: Token) -> str:
    if token.kind is Kind.END:
        return token.kind.value
    if token.kind is Kind.TEXT:
        return "a text"
    return f"':{token.text}'" if token.kind is Kind.TAG else f"'{token.text}'"
