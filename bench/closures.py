"""Rules as a programmer would write them by hand: plain functions in a loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from fnmatch import fnmatchcase

from engine.mail.automated import automated
from engine.mail.message import Message

FINANCE = re.compile(r"(?i)\b(invoice|rechnung|facture|receipt|order)\b", re.ASCII)
CUSTOMERS = {"redmine.example", "example.com", "customer.example", "partner.example", "gmail.com"}
HELP = ("help", "problem", "question", "error", "bug", "support", "ticket")
SALES = ("quote", "offer", "price", "meeting")
STOPPING = {"marked-as-spam", "bounces"}


class Facts:
    """What the functions look at, read once."""

    def __init__(self, message: Message) -> None:
        headers = message.headers
        self.subject = message.subject.casefold()
        self.senders = message.addresses("From")
        self.automated = automated(headers)
        self.spam = {text.casefold() for text in headers.texts("X-Spam-Flag")}
        self.precedence = {text.casefold() for text in headers.texts("Precedence")}
        self.files = message.attachments
        self.labels = set(message.labels)


Rule = Callable[[Facts], bool]


def _is_finance(it: Facts) -> bool:
    if FINANCE.search(it.subject):
        return True
    pdf = any(file.type == "application/pdf" or file.sniffed == "application/pdf" for file in it.files)
    return pdf and any(fnmatchcase(one.address.casefold(), "*billing*@*") for one in it.senders)


RULES: Mapping[str, tuple[Rule, Set[str]]] = {
    "marked-as-spam": (lambda it: "yes" in it.spam, {"Filtered/Spam"}),
    "bounces": (lambda it: "bounce" in it.automated, {"System/Bounces"}),
    "auto-replies": (lambda it: "auto_reply" in it.automated, {"System/Auto-replies"}),
    "lists": (lambda it: "list" in it.automated or bool(it.precedence & {"list", "bulk"}), {"Lists"}),
    "list-replies": (
        lambda it: "Lists" in it.labels and it.subject.startswith(("re:", "aw:")),
        {"Lists/Replies"},
    ),
    "big-files": (lambda it: any(file.size > 100_000 for file in it.files), {"Large"}),
    "invoices": (_is_finance, {"Finance", "IMPORTANT"}),
    "customers": (lambda it: any(one.domain in CUSTOMERS for one in it.senders), {"Customers", "STARRED"}),
    "acknowledge": (
        lambda it: not it.automated and any(word in it.subject for word in HELP),
        {"Support"},
    ),
    "prepare-an-answer": (
        lambda it: not it.automated and any(word in it.subject for word in SALES),
        frozenset[str](),
    ),
}


def matching(message: Message) -> list[str]:
    """The rules that match, in order."""
    facts, found = Facts(message), []
    for name, (holds, labels) in RULES.items():
        if holds(facts):
            found.append(name)
            facts.labels |= labels
            if name in STOPPING:
                break
    return found
