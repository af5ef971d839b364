"""Conditions made of what occurs in real mail, each as a rule has it and as Sieve has it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.mail.address import Address
from engine.mail.message import Message

FIELDS = {"from": "from", "to": "to", "cc": "cc", "reply_to": "reply-to"}
"""Conditions on addresses, and the header fields that Sieve names instead."""
OTHERS = ("Sender", "Delivered-To", "Errors-To", "Resent-From")
NEVER = frozenset({"received", "dkim-signature", "arc-seal", "arc-message-signature", "subject"})
MAX_KEY = 60


@dataclass(frozen=True)
class Made:
    """One condition in both languages."""

    condition: dict[str, Any]
    test: str


@dataclass
class Material:
    """What occurs: texts by header field, addresses by field, sizes."""

    texts: list[tuple[str, str]]
    addresses: list[tuple[str, Address]]
    sizes: list[int]


def gather(messages: Sequence[Message]) -> Material:
    """Gather what messages hold."""
    texts, addresses, sizes = [], [], []
    for message in messages:
        sizes.append(message.size)
        for name in message.headers.names - NEVER:
            if name.isascii() and name.replace("-", "").isalnum():
                texts += [(name, text) for text in message.headers.texts(name)[:2] if text]
        texts += [("subject", message.subject)] * 3 if message.subject else []
        for field in (*FIELDS.values(), *OTHERS):
            addresses += [(field, one) for one in message.addresses(field)[:3] if one.domain and one.local]
    return Material(texts, addresses, sizes)


def make(material: Material, chance: random.Random) -> Iterator[Made]:
    """Make conditions without end."""
    while True:
        made = _one(material, chance)
        if chance.random() < 0.4:
            made = _joined(made, material, chance)
        yield made


def _joined(first: Made, material: Material, chance: random.Random) -> Made:
    kind = chance.choice(["all", "any", "none", "not"])
    if kind == "not":
        return Made({"not": first.condition}, f"not {first.test}")
    members = [first, *(_one(material, chance) for _ in range(chance.randint(1, 2)))]
    if kind == "all" and chance.random() < 0.7:  # two facts of one message seldom hold together otherwise
        members[1] = Made({"not": members[1].condition}, f"not {members[1].test}")
    tests = ", ".join(member.test for member in members)
    word = "allof" if kind == "all" else "anyof"
    sign = "not " if kind == "none" else ""
    return Made({kind: [member.condition for member in members]}, f"{sign}{word} ({tests})")


def _one(material: Material, chance: random.Random) -> Made:
    made = chance.choices(_MAKERS, weights=[6, 6, 2, 1])[0](material, chance)
    return made or _one(material, chance)


def _header(material: Material, chance: random.Random) -> Made | None:
    name, text = chance.choice(material.texts)
    kind = chance.choice(["is", "contains", "contains", "starts_with", "ends_with", "glob", "regex"])
    key = text if kind == "is" else _fragment(text, kind, chance)
    if not key or len(key) > MAX_KEY * (10 if kind == "is" else 1) or not key.isprintable():
        return None
    key = _recased(key, chance)
    if kind == "regex":
        key, tag, written = f"(?is){_escaped(key)}", ":regex", _escaped(key)
    else:
        tag = {"is": ":is", "contains": ":contains"}.get(kind, ":matches")
        written = _pattern(kind, key)
    if kind == "glob":
        key = _pattern(kind, key)
    condition = {"subject": {kind: key}} if name == "subject" else {"header": {"name": name, kind: key}}
    return Made(condition, f"header {tag} {quoted(name)} {quoted(written)}")


def _fragment(text: str, kind: str, chance: random.Random) -> str:
    """Cut a piece that the kind will find."""
    length = chance.randint(3, 20)
    if kind == "starts_with":
        return text[:length]
    if kind == "ends_with":
        return text[-length:]
    begin = chance.randrange(max(1, len(text) - length))
    return text[begin : begin + length]


def _pattern(kind: str, key: str) -> str:
    if kind in ("is", "contains"):
        return key
    plain = "".join("\\" + char if char in "*?\\" else char for char in key)
    if kind == "glob":
        middle = len(key) // 2
        head, tail = plain[:middle], plain[middle + 1 :]
        return f"*{head.rstrip(chr(92))}?{tail}*"
    return f"{plain}*" if kind == "starts_with" else f"*{plain}"


def _escaped(key: str) -> str:
    return "".join(f"\\{char}" if char in "\\.+*?()|[]{}^$" else char for char in key)


def _recased(key: str, chance: random.Random) -> str:
    return chance.choice([key.upper(), key.lower(), key]) if key.isascii() else key


def _address(material: Material, chance: random.Random) -> Made | None:
    field, address = chance.choice(material.addresses)
    local, domain = address.local, address.domain
    kind = chance.choice(["is", "domain", "domain", "parent", "glob", "local"])
    if any(char in '*?\\"<>,@ ' or not char.isprintable() for char in local + domain):
        return None
    whole = _recased(f"{local}@{domain}", chance)
    above = domain.partition(".")[2]
    if kind == "parent" and "." not in above:
        return None
    kinds, test = {
        "is": ({"is": whole}, f":is {{}} {quoted(whole)}"),
        "domain": ({"domain": domain}, f":domain :is {{}} {quoted(_recased(domain, chance))}"),
        "parent": ({"domain": f"*.{above}"}, f":domain :matches {{}} {quoted('*.' + above)}"),
        "glob": ({"glob": f"*{whole[2:]}"}, f":matches {{}} {quoted('*' + whole[2:])}"),
        "local": ({"glob": f"{local}@*"}, f":localpart :is {{}} {quoted(local)}"),
    }[kind]
    named = {header: condition for condition, header in FIELDS.items()}
    condition = {named[field]: kinds} if field in named else {"address": {"header": field, **kinds}}
    return Made(condition, "address " + test.format(quoted(field)))


def _exists(material: Material, chance: random.Random) -> Made | None:
    name, _ = chance.choice(material.texts)
    return Made({"header": {"name": name, "exists": True}}, f"exists {quoted(name)}")


def _size(material: Material, chance: random.Random) -> Made | None:
    size = max(1, chance.choice(material.sizes) + chance.choice([-1, 0, 1]))
    over = chance.random() < 0.5
    condition = {"size": {"gt" if over else "lt": f"{size}B"}}
    return Made(condition, f"size :{'over' if over else 'under'} {size}")


_MAKERS: Sequence[Callable[[Material, random.Random], Made | None]] = (_header, _address, _exists, _size)


def quoted(text: str) -> str:
    """Write a text as Sieve has it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
