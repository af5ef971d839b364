"""Delivery: an arriving message meets the filters and the vacation responder of its mailbox.

What those send goes the same way. The same letter is carried once in one journey, so that mailboxes which
forward to each other come to an end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from engine.sandbox.filtering import filter_mail
from engine.sandbox.letters import Letter, members, post
from engine.sandbox.mailbox import Stored, add_message
from engine.sandbox.responder import vacation_reply
from engine.sandbox.store import Mailbox, Store

ARRIVING = frozenset({"INBOX", "UNREAD"})


def deliver(store: Store, box: Mailbox, raw: bytes, labels: Collection[str] = ARRIVING) -> Stored:
    """Take a message in with the labels that filters leave it, and send what it sets off."""
    message, letters = _receive(store, box, raw, labels)
    carry(store, letters)
    return message


def carry(store: Store, letters: Iterable[Letter]) -> None:
    """Bring letters, and all that they set off, to the mailboxes here and to the outbox."""
    waiting, carried = deque(letters), set[Letter]()
    while waiting:
        letter = waiting.popleft()
        if letter in carried:
            continue
        carried.add(letter)
        hosted = {address: found for address in letter.recipients if (found := members(store, address))}
        for box in dict.fromkeys(box for boxes in hosted.values() for box in boxes):
            waiting += _receive(store, box, letter.raw, ARRIVING)[1]
        if outside := [address for address in letter.recipients if address not in hosted]:
            post(store, letter, outside)


def _receive(store: Store, box: Mailbox, raw: bytes, labels: Collection[str]) -> tuple[Stored, list[Letter]]:
    filtered = filter_mail(store, box, raw, labels)
    message = add_message(store, box, raw, filtered.labels)
    letters = [Letter(box.address, raw, (address,)) for address in filtered.forwards]
    reply = vacation_reply(store, box, raw, filtered.labels)
    return message, [*letters, reply] if reply else letters
