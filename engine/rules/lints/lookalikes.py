"""Tests of a sender's domain that a domain which only looks like it passes as well."""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.rules.addresses import AddressKinds
from engine.rules.condition import Condition, walk
from engine.rules.evaluation import Verdict
from engine.rules.home import SOMEWHERE
from engine.rules.lints.draft import Draft
from engine.rules.lints.flaw import Flaw, flaw
from engine.rules.lints.ground import Ground
from engine.rules.strict import Strict
from engine.rules.text import TextKinds

SENDING = frozenset({"from", "sender", "reply-to", "return-path"})
"""Header fields that say who wrote."""
OTHERS = "attacker.example"
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,24}(?![a-z0-9-])", re.I)
_ESCAPED = re.compile(r"\\([.@-])")
MOST_TEXTS = 20


def lookalikes(ground: Ground) -> Iterator[Flaw]:
    """Find conditions on a sender that hold of a domain, and of another that looks like it."""
    for rule in ground.rules:
        for node in walk(rule.when):
            found = next(_passing(node), None)
            if found:
                domain, draft, address = found
                message = (
                    f"in '{rule.id}', {node.key} is meant for {domain}, and {address} passes as well; "
                    f"write from: {{domain: {domain}}}, or '*.{domain}' for its subdomains"
                )
                yield flaw("lookalike", message, rule.place, certain=False, proof=draft)


def _passing(node: Condition) -> Iterator[tuple[str, Draft, str]]:
    """Give a domain that a condition names, with a message from a look-alike that passes."""
    field = _field(node)
    if not field:
        return
    for domain in dict.fromkeys(domain for text in _texts(node) for domain in _domains(text)):
        honest = (f"x@{domain}", f"x@mail.{domain}", f"X <x@{domain}>")
        if not any(_holds(node, Draft().with_field(field, address)) for address in honest):
            continue
        for address in _like(domain):
            draft = Draft().with_field(field, address)
            if _holds(node, draft):
                yield domain, draft, address


def _field(node: Condition) -> str:
    """The header field of a sender that a condition looks at, "" if it is no such condition."""
    fields = getattr(node, "fields", None) or (getattr(node, "name", None),)
    names = [str(name).lower() for name in fields if isinstance(name, str)]
    return names[0] if names and SENDING.issuperset(names) else ""


def _texts(node: Strict) -> Iterator[str]:
    """What of a condition may pass more than was meant: parts and patterns, never whole domains."""
    if isinstance(node, AddressKinds | TextKinds):
        for pattern in [*(node.glob or ()), *(node.regex or ())][:MOST_TEXTS]:
            yield _ESCAPED.sub(r"\1", pattern.source)
    if isinstance(node, TextKinds):
        yield from [*(node.contains or ()), *(node.ends_with or ())][:MOST_TEXTS]


def _domains(text: str) -> Iterator[str]:
    yield from (found[0].lower() for found in _DOMAIN.finditer(text))


def _like(domain: str) -> Iterator[str]:
    """Addresses that are not of a domain and look as if they were."""
    yield f"x@evil-{domain}"
    yield f"x@evil{domain}"
    yield f"x@{domain}.{OTHERS}"
    if domain.count(".") == 1:
        yield f"x@{domain.replace('.', 'x')}.{OTHERS}"
    yield f"x@{domain.replace('.', '-')}.{domain.rpartition('.')[2]}"


def _holds(node: Condition, draft: Draft) -> bool:
    return node.judge(draft.view(SOMEWHERE)).verdict is Verdict.MATCHED
