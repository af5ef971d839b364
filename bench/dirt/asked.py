"""For every condition, hostile ways to ask: patterns of the exponential kind, and lists of any length."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Ask = Callable[[int], str]
"""Writes the condition as YAML, with a list of about so many members where it takes one."""

PATTERNS = (
    "glob: '*a*a*a*a*b'",
    "regex: ['(a|aa)*b$', '(?i)(x+x+)+y', '(.*a){20}', '(a?){30}a{30}', '(?P<n>[aß]+)$']",
)
PATTERNS_OF_PEOPLE = (
    "glob: '*a*a*@*a*b'",
    "regex: '(a|aa)*@$'",
    "exists: false",
    "name: {regex: '(?i)(a+a+)+b|(?P<n>[aß]+)$', glob: '*a*a*b'}",
)


def _list(member: str, size: int) -> str:
    """Write so many members, each with its number where the member says %d."""
    return f"[{', '.join(member % n if '%d' in member else member for n in range(max(1, size)))}]"


def _fixed(text: str) -> Ask:
    return lambda size: text


def _texts(before: str, after: str) -> tuple[Ask, ...]:
    lists = {"is": "b%d", "contains": "ab%d", "starts_with": "b%d", "ends_with": "b%d", "glob": "'*a%d*a*'"}
    lists["regex"] = "'(a|aa)*b%d$'"
    growing = tuple(
        lambda size, kind=kind, member=member: f"{before}{kind}: {_list(member, size)}{after}"
        for kind, member in lists.items()
    )
    return (*(_fixed(f"{before}{pattern}{after}") for pattern in PATTERNS), *growing)


def _people(before: str, after: str = "}") -> tuple[Ask, ...]:
    lists = {
        "is": "b%d@c.example",
        "domain": "'*.b%d.example'",
        "glob": "'*a%d*@*'",
        "regex": "'(a|aa)*b%d$'",
    }
    growing = tuple(
        lambda size, kind=kind, member=member: f"{before}{kind}: {_list(member, size)}{after}"
        for kind, member in lists.items()
    )
    return (*(_fixed(f"{before}{pattern}{after}") for pattern in PATTERNS_OF_PEOPLE), *growing)


def _of_each(text: str, values: tuple[str, ...]) -> tuple[Ask, ...]:
    return tuple(_fixed(text % value) for value in values)


def _members(key: str, *members: str) -> tuple[Ask, ...]:
    return tuple(lambda size, member=member: f"{key}: {_list(member, size)}" for member in members)


MEMBERS = (
    "{subject: {contains: b%d}}",
    "{subject: {regex: '(?P<n%d>a)'}}",
    "{auth: {spf: pass}}",
    "{rate: {more_than: 3, per: subject, within: 1h}}",
)
KEYS = ("message_id", "subject", "from", "to", "list_id", "sender", "thread", "{header: X-A}")
TEMPLATE = "{template: '{{ from }} {{ subject }} {{ header.X-A }} {{ payload.a }}'}"
LINES = ("a", '"a a" OR -b', "from:a", "from:@a", "subject:a", "filename:a", "list:a", "label:a", "to:me")
HEADER = "{header: {name: X-A, regex: '(?P<n>.*)'}}"

ASKED: Mapping[str, tuple[Ask, ...]] = {
    **{key: _people(f"{key}: {{") for key in ("from", "to", "cc", "bcc", "reply_to", "sender", "recipient")},
    "address": _people("address: {header: X-A, "),
    **{key: _texts(f"{key}: {{", "}") for key in ("subject", "body", "list_id", "label")},
    "header": _texts("header: {name: X-A, ", "}"),
    "attachment": (
        *_texts("attachment: {name: {", "}}"),
        lambda size: f"attachment: {{type: {_list('application/x%d', size)}}}",
        _fixed(f"attachment: {{sha256: {'ab' * 32}}}"),
    ),
    "attachments": (_fixed("attachments: {count: {gt: 3}, total_size: {gt: 1GB}}"),),
    "captured": _texts(f"captured: {{of: {HEADER}, name: n, ", "}"),
    "payload": (*_texts("payload: {path: 'b[*].c', ", "}"), _fixed("payload: {path: a, gt: 3}")),
    "query": (
        *_of_each("query: '%s'", LINES),
        lambda size: f"query: '{'a ' * min(size, 400)}'",
        lambda size: f"query: '{'-a OR ' * min(size, 400)} b'",
        _fixed(f"query: '{'(' * 40}a{')' * 40}'"),
    ),
    "is": (_fixed("is: [unread, starred, important, reply, forward, encrypted, signed, calendar]"),),
    "automated": (_fixed("automated: true"), _fixed("automated: [bounce, auto_reply, list]")),
    "auth": (_fixed("auth: {spf: pass, dkim: [fail, none], dmarc: none}"),),
    "duplicate": _of_each("duplicate: {by: %s, within: 1h}", (*KEYS, TEMPLATE)),
    "rate": _of_each("rate: {more_than: 9, per: %s, within: 1h}", (*KEYS, TEMPLATE)),
    "received": (
        lambda size: f"received: {{weekday: mon, after: 2026-01-01, between: {_list('08:00-18:00', size)}}}",
    ),
    "thread": (_fixed("thread: {first: true, messages: {gt: 3}, replied_by_us: true}"),),
    "size": (_fixed("size: {gt: 1MB}"),),
    **{key: _members(key, *MEMBERS) for key in ("all", "any", "none")},
    "not": (_fixed("not: {any: [{subject: {contains: b}}, {not: {body: {regex: '(a|aa)*b'}}}]}"),),
}
"""By the key of the condition: a new condition has to be here."""
