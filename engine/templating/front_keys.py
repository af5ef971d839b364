"""What may stand behind each key of front matter. All raise RuleError, at the place of the mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import RuleError
from engine.mail.address import Address, parse_address
from engine.mail.compose import is_free_field, is_sendable
from engine.templating.front_yaml import Fields, Items, Node, Value, as_data
from engine.templating.grammar import GIVEN, RESERVED, unknown
from engine.templating.inputs import TYPES, Input, Type, convert, plain
from engine.templating.locales import SOURCES, Choice, locale_of

MAX_HEADERS = 20
MAX_ADDRESSES = 10
MAX_GLOB = 200


@dataclass(frozen=True, slots=True)
class Attach:
    """A file of the template folder, or files of the message that the rule matched, by a glob of names."""

    file: Value | None = None
    own: str = ""


def text(key: Value, node: Node) -> Value:
    """One text."""
    if isinstance(node, Items):
        raise RuleError(f"`{key.text}` takes one text", key.place)
    if isinstance(node, Fields):
        raise RuleError("only plain texts and lists of them may stand here", node.place)
    return node


def address(key: Value, node: Node) -> Value:
    """One fixed address, such as `Acme <a@acme.example>`: what a message says never decides who writes."""
    value = text(key, node)
    if "{{" in value.text or "{%" in value.text:
        raise RuleError(f"`{key.text}` is fixed: a message never decides it", value.place)
    if not value.text.isprintable() or not is_sendable(parse_address(value.text)):
        raise RuleError(f"'{value.text}' is no address, such as Acme <a@acme.example>", value.place)
    return value


def name_of(value: Value) -> str:
    return as_address(value).name


def as_address(value: Value) -> Address:
    return parse_address(value.text)


def addresses(key: Value, node: Node) -> tuple[Value, ...]:
    """One address or a list of them."""
    found = tuple(address(key, item) for item in (node.items if isinstance(node, Items) else (node,)))
    if not 0 < len(found) <= MAX_ADDRESSES:
        raise RuleError(f"`{key.text}` takes 1 to {MAX_ADDRESSES} addresses", key.place)
    return found


def headers(key: Value, node: Node) -> tuple[tuple[Value, Value], ...]:
    """A map of field names, which are fixed, and their texts."""
    fields = _map(key, node, "such as {X-Team: support}")
    if len(fields.fields) > MAX_HEADERS:
        raise RuleError(f"adds more than {MAX_HEADERS} header fields", key.place)
    for name, _ in fields.fields.values():
        if not is_free_field(name.text):
            raise RuleError(f"'{name.text}' is no header field that a template may add", name.place)
    return tuple((name, text(name, value)) for name, value in fields.fields.values())


def inputs(key: Value, node: Node) -> tuple[tuple[Value, Input], ...]:
    """Names alone, which take a text each; or a map of names to types, or to {type, default}."""
    if isinstance(node, Items | Value):
        names = [text(key, item) for item in (node.items if isinstance(node, Items) else (node,))]
        _once(names)
        return tuple((name, Input(_name(name))) for name in names)
    return tuple((name, _input(name, value)) for name, value in node.fields.values())


def _once(names: list[Value]) -> None:
    for index, name in enumerate(names):
        if name.text in [other.text for other in names[:index]]:
            raise RuleError(f"'{name.text}' is taken: choose another name", name.place)


def _name(value: Value) -> str:
    if not value.text.isidentifier() or value.text.startswith("_"):
        raise RuleError(f"'{value.text}' is no name: use letters, digits and _", value.place)
    if value.text in RESERVED:
        raise RuleError(f"'{value.text}' is taken: choose another name", value.place)
    return value.text


def _input(key: Value, node: Node) -> Input:
    name = _name(key)
    if isinstance(node, Value):
        return Input(name, _type(node))
    fields = _map(key, node, "such as {type: number, default: 0}").fields
    for setting, _ in fields.values():
        if setting.text not in ("type", "default"):
            raise RuleError(unknown("key of an input", setting.text, {"type", "default"}), setting.place)
    kind = _type(text(*fields["type"])) if "type" in fields else "text"
    if "default" not in fields:
        return Input(name, kind)
    setting, value = fields["default"]
    return Input(name, kind, _converted(kind, value, setting))


def _type(value: Value) -> Type:
    if value.text not in TYPES:
        raise RuleError(
            unknown("type", value.text, set(TYPES)) + f"; there are {', '.join(TYPES)}", value.place
        )
    return value.text


def _converted(kind: Type, node: Node, key: Value) -> Any:
    """A literal of a type; a text is its source text (`0123` stays so)."""
    data = node.text if isinstance(node, Value) and kind in ("text", "date") else as_data(node)
    try:
        return convert(kind, data)
    except ValueError as error:
        raise RuleError(f"`{key.text}` {error}", getattr(node, "place", key.place)) from None


def sample(key: Value, node: Node) -> Mapping[str, Any]:
    """A map of inputs, and of captures, steps and payload, to what `preview` shows them with."""
    fields = _map(key, node, "of inputs, such as {order: A-1}")
    try:
        return {name: plain(as_data(value)) for name, (_, value) in fields.fields.items()}
    except ValueError as error:
        raise RuleError(f"`{key.text}` {error}", key.place) from None


def check_sample(given: Mapping[str, Any], declared: Mapping[str, Input], tree: Fields) -> None:
    """Hold sample data to the inputs that are declared."""
    below = tree.fields["sample"][1] if given else None
    for name in given:
        assert isinstance(below, Fields)  # noqa: S101 # or `sample` had refused it
        key, node = below.fields[name]
        if name in declared:
            _converted(declared[name].type, node, key)
        elif name not in GIVEN:
            raise RuleError(unknown("input", name, declared.keys() | GIVEN), key.place)


def images(key: Value, node: Node) -> tuple[tuple[Value, Value], ...]:
    """A map of names to files, for `{{ images.NAME }}`."""
    fields = _map(key, node, "such as {logo: files/logo.png}")
    for name, _ in fields.fields.values():
        _name(name)
    return tuple((name, text(name, value)) for name, value in fields.fields.values())


def attach(key: Value, node: Node) -> tuple[Attach, ...]:
    """Files of the template folder, and {message: GLOB} for those of the message."""
    return tuple(_attached(key, node))


def _attached(key: Value, node: Node) -> Iterator[Attach]:
    for item in node.items if isinstance(node, Items) else (node,):
        if isinstance(item, Fields):
            if list(item.fields) != ["message"]:
                raise RuleError("write a file, or {message: '*.pdf'} for the message's own", item.place)
            yield Attach(own=_short(text(*item.fields["message"])))
        else:
            yield Attach(file=text(key, item))


def locale(key: Value, node: Node) -> Value:
    """One language, such as de or de-CH."""
    value = text(key, node)
    if locale_of(value.text) is None:
        raise RuleError(f"'{value.text}' is no language that is known, such as de or de-CH", value.place)
    return value


def variants(key: Value, node: Node) -> tuple[Choice, ...]:
    """A list of one-key maps: what is asked, in order."""
    return tuple(_choice(key, item) for item in (node.items if isinstance(node, Items) else (node,)))


def _choice(key: Value, node: Node) -> Choice:
    if not isinstance(node, Fields) or len(node.fields) != 1:
        place = getattr(node, "place", key.place)
        raise RuleError(f"`{key.text}` takes a list such as [header: Content-Language]", place)
    ((name, value),) = node.fields.values()
    if name.text not in SOURCES:
        raise RuleError(unknown("source", name.text, set(SOURCES)), name.place)
    source = name.text
    if source in ("input", "header"):
        return Choice(source, text(name, value).text)
    globs = _map(name, value, "such as {'*.de': de}").fields.values()
    return Choice(source, globs=tuple((_short(glob), locale(glob, tag).text) for glob, tag in globs))


def _short(glob: Value) -> str:
    if not 0 < len(glob.text) <= MAX_GLOB:
        raise RuleError(f"a glob has 1 to {MAX_GLOB} characters", glob.place)
    return f"*{glob.text}" if glob.text.startswith("@") else glob.text


def _map(key: Value, node: Node, such: str) -> Fields:
    if not isinstance(node, Fields):
        raise RuleError(f"`{key.text}` takes a map, {such}", getattr(node, "place", key.place))
    return node
