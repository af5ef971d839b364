"""From Sieve's grammar to commands and tests that have what they must have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from engine.errors import Place, RuleError
from engine.imports.sieve import catalog
from engine.imports.sieve.catalog import Kind, Shape
from engine.imports.sieve.grammar import Argument, Node, Number, Tag, Texts, parse
from engine.rules.findings import unknown

MATCH_TYPES = ("is", "contains", "matches", "regex", "value", "count", "list")
ADDRESS_PARTS = tuple(catalog.PART)
RELATIONS = frozenset({"gt", "ge", "lt", "le", "eq", "ne"})
_SAID: Mapping[Kind, str] = {"text": "a text", "texts": "texts", "number": "a number", "": "nothing"}


@dataclass(frozen=True)
class Call:
    """A command or a test with its arguments; of those that may be left out, None."""

    name: str
    place: Place
    tags: Mapping[str, Texts | Number | None] = field(default_factory=dict)
    given: tuple[Texts | Number | None, ...] = ()
    tests: tuple[Call, ...] = ()
    block: tuple[Statement, ...] = ()
    comment: str = ""

    def texts(self, index: int) -> tuple[str, ...]:
        value = self.given[index]
        return value.values if isinstance(value, Texts) else ()

    def text(self, index: int) -> str:
        return next(iter(self.texts(index)), "")

    def tag_texts(self, name: str) -> tuple[str, ...]:
        value = self.tags.get(name)
        return value.values if isinstance(value, Texts) else ()

    def tag_text(self, name: str, otherwise: str = "") -> str:
        return next(iter(self.tag_texts(name)), otherwise)

    def tag_number(self, name: str) -> int | None:
        value = self.tags.get(name)
        return value.value if isinstance(value, Number) else None

    @property
    def match(self) -> str:
        """The match type of a test."""
        return next((name for name in MATCH_TYPES if name in self.tags), "is")

    @property
    def part(self) -> str:
        """The part of an address that is compared."""
        return next((name for name in ADDRESS_PARTS if name in self.tags), "all")

    @property
    def comparator(self) -> str:
        return self.tag_text("comparator", "i;ascii-casemap")


@dataclass(frozen=True)
class If:
    """`if`, `elsif` and `else`, which has no test."""

    place: Place
    branches: tuple[tuple[Call, tuple[Statement, ...]], ...]
    otherwise: tuple[Statement, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Include:
    """Another script in the place of the command that includes it; `return` leaves it."""

    place: Place
    body: tuple[Statement, ...]


Statement = Call | If | Include


@dataclass(frozen=True)
class Script:
    """A script, and whether its texts are decoded and hold variables."""

    statements: tuple[Statement, ...]
    encoded: bool = False


def read_script(script: str, file: str) -> Script:
    """Read and check a script. Raises RuleError."""
    nodes = parse(script, file)
    required = {name for node in nodes if node.name == "require" for name in _names(node)}
    return Script(tuple(_statements(nodes)), encoded="encoded-character" in required)


def _names(node: Node) -> Iterator[str]:
    for argument in node.arguments:
        if isinstance(argument, Texts):
            yield from argument.values


def _statements(nodes: Sequence[Node]) -> Iterator[Statement]:
    at = 0
    while at < len(nodes):
        node = nodes[at]
        at += 1
        if node.name in ("elsif", "else"):
            raise RuleError(f"'{node.name}' must follow 'if' or 'elsif' at once", node.place)
        if node.name == "if":
            chain = [node]
            while at < len(nodes) and nodes[at].name in ("elsif", "else") and chain[-1].name != "else":
                chain.append(nodes[at])
                at += 1
            yield _if(chain)
        else:
            call = _call(node, catalog.COMMANDS, "command")
            if call.name == "require":
                _check_extensions(call)
            else:
                yield call


def _if(chain: Sequence[Node]) -> If:
    calls = [_call(node, catalog.COMMANDS, "command") for node in chain]
    branches = tuple((call.tests[0], call.block) for call in calls if call.name != "else")
    otherwise = calls[-1].block if calls[-1].name == "else" else ()
    return If(calls[0].place, branches, otherwise, calls[0].comment)


def _check_extensions(call: Call) -> None:
    for name in call.texts(0):
        if name not in catalog.EXTENSIONS and not name.startswith(catalog.VENDOR):
            raise RuleError(
                f"the extension '{name}' is not known; nothing that needs it can be imported", call.place
            )


def _call(node: Node, shapes: Mapping[str, Shape], kind: str) -> Call:
    if node.name not in shapes:
        raise RuleError(unknown(kind, node.name, shapes), node.place)
    shape = shapes[node.name]
    tags, given = _arguments(node, shape)
    _check_children(node, shape)
    tests = tuple(_call(test, catalog.TESTS, "test") for test in node.tests)
    block = tuple(_statements(node.block or ()))
    call = Call(node.name, node.place, tags, given, tests, block, node.comment)
    _check_comparison(call)
    return call


def _arguments(
    node: Node, shape: Shape
) -> tuple[dict[str, Texts | Number | None], tuple[Texts | Number | None, ...]]:
    tags: dict[str, Texts | Number | None] = {}
    given: list[Texts | Number] = []
    arguments = iter(node.arguments)
    for argument in arguments:
        if not isinstance(argument, Tag):
            given.append(argument)
            continue
        if argument.name not in shape.tags:
            raise RuleError(f"'{node.name}': " + unknown("tag", argument.name, shape.tags), argument.place)
        kind = shape.tags[argument.name]
        tags[argument.name] = _value(node, argument, next(arguments, None), kind) if kind else None
    return tags, _positional(node, shape, given)


def _value(node: Node, tag: Tag, value: Argument | None, kind: Kind) -> Texts | Number:
    if value is None or isinstance(value, Tag) or not _fits(value, kind):
        raise RuleError(f"':{tag.name}' of '{node.name}' takes {_SAID[kind]}", tag.place)
    return value


def _positional(
    node: Node, shape: Shape, given: Sequence[Texts | Number]
) -> tuple[Texts | Number | None, ...]:
    missing = len(shape.takes) - len(given)
    if missing < 0 or missing > shape.optional:
        takes = " and ".join(_SAID[kind] for kind in shape.takes) or "nothing"
        raise RuleError(f"'{node.name}' takes {takes}; {len(given)} of {len(shape.takes)} given", node.place)
    for value, kind in zip(given, shape.takes[missing:], strict=True):
        if not _fits(value, kind):
            raise RuleError(f"'{node.name}' takes {_SAID[kind]} here", value.place)
    return (None,) * missing + tuple(given)


def _fits(value: Texts | Number, kind: Kind) -> bool:
    if isinstance(value, Number):
        return kind == "number"
    return kind == "texts" or (kind == "text" and not value.listed)


def _check_children(node: Node, shape: Shape) -> None:
    wanted = {0: "no test", 1: "one test", "list": "a list of tests in ( )"}[shape.tests]
    fits = {
        0: not node.tests,
        1: len(node.tests) == 1 and not node.test_list,
        "list": bool(node.tests) and node.test_list,
    }[shape.tests]
    if not fits:
        raise RuleError(f"'{node.name}' takes {wanted}", node.place)
    if shape.block and node.block is None:
        raise RuleError(f"'{node.name}' takes a block in {{ }}", node.place)
    if not shape.block and node.block is not None:
        raise RuleError(f"'{node.name}' takes no block; write ; after it", node.place)


def _check_comparison(call: Call) -> None:
    for group in (MATCH_TYPES, ADDRESS_PARTS):
        both = [name for name in group if name in call.tags]
        if len(both) > 1 and call.name != "deleteheader":
            raise RuleError(f"':{both[0]}' and ':{both[1]}' exclude each other", call.place)
    if call.comparator not in catalog.COMPARATORS:
        raise RuleError(unknown("comparator", call.comparator, catalog.COMPARATORS), call.place)
    for relation in (*call.tag_texts("value"), *call.tag_texts("count")):
        if relation.lower() not in RELATIONS:
            raise RuleError(unknown("relation", relation, RELATIONS), call.place)
    if call.comparator == "i;ascii-numeric" and call.match in ("contains", "matches", "regex"):
        raise RuleError(f"numbers (i;ascii-numeric) cannot be compared by ':{call.match}'", call.place)
    if call.name in ("address", "size"):
        _check_subject(call)


def _check_subject(call: Call) -> None:
    strange = [
        name for name in call.texts(0) if name.lower() not in catalog.ADDRESS_FIELDS and "${" not in name
    ]
    if call.name == "address" and strange:
        raise RuleError(f"'{strange[0]}' holds no addresses; test it with 'header'", call.place)
    if call.name == "size" and len(call.tags) != 1:
        raise RuleError("'size' takes ':over' or ':under' before the number", call.place)
