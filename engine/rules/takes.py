"""What a key takes, in a few words, read from its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Definitions = Mapping[str, Any]

LIST = "a list of: "
LINKS: Mapping[str, str] = {
    "Condition": "[a condition](#conditions)",
    "Action": "[an action](#actions)",
    "TextKinds": "[text kinds](#text-kinds)",
    "SizeKinds": "[a size](#sizes-and-counts)",
    "CountKinds": "[a count](#sizes-and-counts)",
    "RuleTest": "[a test](#tests)",
    "RuleModel": "[a rule](#a-rule)",
    "GroupModel": "[a group](#groups)",
    "GroupedRule": "[a rule](#groups)",
    "InnerGroup": "[a group](#groups)",
    "Given": "[a message](#the-message-of-a-test)",
    "Earlier": "[a message](#the-message-of-a-test) and `times`, how many of them came",
    "State": "[what was before](#what-was-before)",
    "Expect": "[what is expected](#what-is-expected)",
}

WORDS: Mapping[str, str] = {
    "integer": "a whole number",
    "number": "a number",
    "boolean": "`true` `false`",
    "null": "nothing",
}


def takes(schema: Mapping[str, Any], definitions: Definitions) -> str:
    """Say it: `a text, or a list`, `true or false`, `one of a, b`."""
    ways = list(dict.fromkeys(_ways(schema, definitions)))
    lists = [way for way in ways if way.startswith(LIST)]
    single = ", or ".join(way for way in ways if way not in lists)
    many = ["a list of them" if single and way == LIST + single else way for way in lists]
    return ", or ".join([single, *many] if single else many) or "anything"


def named(schema: Any) -> Iterator[str]:
    """Give the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        schema = list(schema.values())
    if isinstance(schema, list):
        for each in schema:
            yield from named(each)


def _ways(schema: Mapping[str, Any], definitions: Definitions) -> Iterator[str]:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        yield from [LINKS[name]] if name in LINKS else _ways(definitions[name], definitions)
    elif "else" in schema:
        yield from _ways(schema["else"], definitions)
        yield from _ways(schema["then"]["properties"]["group"], definitions)
    elif "anyOf" in schema and "properties" not in schema:
        for way in schema["anyOf"]:
            yield from _ways(way, definitions)
    elif "enum" in schema:
        yield " ".join(f"`{_word(word)}`" for word in schema["enum"])
    elif "const" in schema:
        yield f"`{_word(schema['const'])}`"
    else:
        yield from _plain(schema, definitions)


def _plain(schema: Mapping[str, Any], definitions: Definitions) -> Iterator[str]:
    kind = schema.get("type")
    if kind == "array":
        yield f"{LIST}{takes(schema.get('items', {}), definitions)}"
    elif kind == "object" and "properties" not in schema and schema.get("maxProperties") != 0:
        yield f"names, each with: {takes(schema.get('additionalProperties', {}), definitions)}"
    elif kind == "object":
        yield from ["a map"] if "properties" in schema else ["nothing"]
    elif schema.get("examples"):
        yield "such as " + ", ".join(f"`{example}`" for example in schema["examples"])
    elif isinstance(kind, list):
        yield "a map, a list or JSON as a text" if "object" in kind else WORDS.get(kind[0], "a text")
    else:
        yield WORDS.get(str(kind), "a text")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
