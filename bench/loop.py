"""The rules of the mix as plain functions, asked one after the other."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from bench.mix import Spec
from engine.mail.message import Message
from engine.rules.text import fold, nfc


class Read:
    """A message whose fields are decoded and parsed, and nothing compared yet."""

    def __init__(self, message: Message) -> None:
        self.subject = message.subject
        self.people = message.addresses("From")
        self.lists = message.headers.texts("List-Id")
        self.files = message.attachments
        self.size = message.size
        self.text = message.text


class Facts:
    """What the functions look at: every text folded once, as the rule language compares it."""

    def __init__(self, read: Read, *, bodies: bool) -> None:
        self.subject = fold(read.subject)
        self.written = nfc(read.subject)
        self.senders = {person.normal for person in read.people}
        self.domains = {person.domain for person in read.people}
        self.lists = {fold(text) for text in read.lists}
        self.files, self.size = read.files, read.size
        self.body = fold(read.text) if bodies else ""


Rule = Callable[[Facts], object]


def compiled(spec: Spec) -> Rule:
    """Make one rule's function."""
    text = fold(spec.text)
    search = re.compile(spec.text, re.ASCII).search if spec.kind == "regex" else None
    rules: dict[str, Rule] = {
        "from": lambda it: text in it.senders,
        "domain": lambda it: text in it.domains,
        "subject": lambda it: text in it.subject,
        "list": lambda it: text in it.lists,
        "regex": lambda it: search and search(it.written),
        "body": lambda it: text in it.body,
        "both": lambda it: text in it.domains and it.size > 10_000 and _has_pdf(it),
    }
    return rules[spec.kind]


def loop(specs: Sequence[Spec]) -> Callable[[Read], list[int]]:
    """Make the function that asks every rule in turn and gives the numbers of those that hold."""
    rules = [compiled(spec) for spec in specs]
    bodies = any(spec.kind == "body" for spec in specs)

    def matching(read: Read) -> list[int]:
        facts = Facts(read, bodies=bodies)
        return [number for number, rule in enumerate(rules) if rule(facts)]

    return matching


def _has_pdf(it: Facts) -> bool:
    return any(fold(file.name).endswith(".pdf") for file in it.files)
