"""Thousands of rules of the kinds that people write.

The first ten are about mail that does come, all others about mail that nearly does, so that a message
sets off as many rules of ten thousand as of ten.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.mail.message import Message

KINDS = {"from": 34, "domain": 20, "subject": 21, "list": 10, "regex": 5, "body": 4, "both": 6}
"""Of a hundred rules, how many of each kind; the last joins a domain, a file and a size."""
REAL = ("from", "domain", "subject", "list", "regex", "from", "domain", "subject", "both", "body")
_WORD = re.compile(r"[^\W\d_]{4,12}")


@dataclass(frozen=True, slots=True)
class Spec:
    """One rule: its kind and the text that it looks for."""

    kind: str
    text: str

    @property
    def condition(self) -> dict[str, object]:
        """The rule as YAML gives it."""
        written: dict[str, dict[str, object]] = {
            "from": {"from": self.text},
            "domain": {"from": "@" + self.text},
            "subject": {"subject": {"contains": self.text}},
            "list": {"header": {"name": "List-Id", "is": self.text}},
            "regex": {"subject": {"regex": self.text}},
            "body": {"body": {"contains": self.text}},
            "both": {
                "all": [
                    {"from": {"domain": self.text}},
                    {"attachment": {"name": {"ends_with": ".pdf"}}},
                    {"size": {"gt": "10KB"}},
                ]
            },
        }
        return written[self.kind]


class Vocabulary:
    """What stands in real mail, the commonest first."""

    def __init__(self, messages: Sequence[Message]) -> None:
        people = [person for message in messages for person in message.addresses("From") if person.domain]
        self.addresses = _common(person.normal for person in people)
        self.domains = _common(person.domain for person in people)
        self.lists = _common(text for message in messages for text in message.headers.texts("List-Id"))
        self.words = _common(word for message in messages for word in _WORD.findall(message.subject))
        self.prose = _common(word for message in messages for word in _WORD.findall(message.text[:5_000]))


def make_rules(words: Vocabulary, count: int, *, bodies: bool) -> list[Spec]:
    """Make so many rules; without `bodies`, those look at the subject instead."""
    chance = random.Random(7)
    kinds = [*REAL, *chance.choices(list(KINDS), weights=list(KINDS.values()), k=max(0, count - len(REAL)))]
    kinds = [kind if bodies or kind != "body" else "subject" for kind in kinds[:count]]
    return [
        Spec(kind, _real(kind, words, number) if number < len(REAL) else _other(kind, words, number, chance))
        for number, kind in enumerate(kinds)
    ]


def _real(kind: str, words: Vocabulary, number: int) -> str:
    places = {"from": words.addresses, "domain": words.domains, "both": words.domains, "list": words.lists}
    if kind == "regex":
        return rf"(?i)\b{words.words[number]}\s+#?\d+"
    found = places.get(kind, words.prose[len(words.prose) // 2 :] if kind == "body" else words.words)
    return found[number % len(found)]


def _other(kind: str, words: Vocabulary, number: int, chance: random.Random) -> str:
    """Say what no mail has, though much of it begins or ends so."""
    if kind == "from":
        return f"{number}.{chance.choice(words.addresses)}"
    if kind in ("domain", "both"):
        return f"d{number}.{chance.choice(words.domains)}"
    if kind == "list":
        return f"{chance.choice(words.lists)} {number}"
    first, second = chance.choice(words.words), chance.choice(words.words)
    if kind == "regex":
        return rf"(?i)\b{first}\s+#?{number}\b" + (f".*{second}" if number % 3 == 0 else "")
    if kind == "body":
        first, second = chance.choice(words.prose), chance.choice(words.prose)
    return f"{first} {second} {number}"


def _common(found: Iterable[str]) -> list[str]:
    return [text for text, _ in Counter(found).most_common()] or ["nothing.example"]
