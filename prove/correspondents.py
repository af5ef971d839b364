"""Model correspondents who keep to no convention: nothing in their mail says that a machine wrote it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage

SECOND_MS, MINUTE_MS, HOUR_MS = 1_000, 60_000, 3_600_000
WORDS = ("order", "invoice", "question", "meeting", "offer", "delivery", "contract", "visit", "photos")


@dataclass(frozen=True, slots=True)
class Got:
    """A mail of ours as a correspondent gets it."""

    ours: str
    """The address of ours that it comes from."""
    to: str
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True)
class Said:
    """A mail to us, some time after what it answers or after now."""

    after: int
    sender: str
    to: str
    subject: str
    in_reply_to: str = ""
    reply_to: str = ""
    by_hand: bool = False
    """Whether a person wrote it."""

    def raw(self, message_id: str) -> bytes:
        """Give its bytes."""
        message = EmailMessage()
        fields = {"From": self.sender, "To": self.to, "Subject": self.subject, "Message-ID": message_id}
        fields |= {"Reply-To": self.reply_to, "In-Reply-To": self.in_reply_to, "References": self.in_reply_to}
        for name, value in fields.items():
            if value:
                message[name] = value
        message.set_content("Good day.\n")
        return message.as_bytes()


Answering = Callable[[Got, random.Random], Iterator[Said]]


def at_once(got: Got, chance: random.Random) -> Iterator[Said]:
    """Answer every mail within seconds."""
    yield Said(chance.randint(1, 20) * SECOND_MS, got.to, got.ours, f"Re: {got.subject}")


def by_the_book(got: Got, chance: random.Random) -> Iterator[Said]:
    """Answer every mail as a mail program does, naming what is answered."""
    wait = chance.randint(1, 9) * MINUTE_MS
    yield Said(wait, got.to, got.ours, f"Re: {got.subject}", in_reply_to=got.message_id)


def slowly(got: Got, chance: random.Random) -> Iterator[Said]:
    """Answer hours later, with a subject of its own each time."""
    wait = chance.randint(1, 8) * HOUR_MS
    yield Said(wait, got.to, got.ours, f"We are closed: {chance.choice(WORDS)}")


def bounced(got: Got, chance: random.Random) -> Iterator[Said]:
    """Say that it came to nobody, in words of its own and with no report."""
    subject = f"{chance.choice(WORDS)} {chance.randint(1, 9999)} could not be brought to {got.to}"
    yield Said(chance.randint(1, 60) * SECOND_MS, f"mail@{_domain(got)}", got.ours, subject)


def for_another(got: Got, chance: random.Random) -> Iterator[Said]:
    """Answer from another address than was written to."""
    yield Said(chance.randint(5, 90) * SECOND_MS, f"bob@{_domain(got)}", got.ours, f"Bob here: {got.subject}")


def acknowledged(got: Got, chance: random.Random) -> Iterator[Said]:
    """Acknowledge everything under a fresh number, to be answered to a fresh address."""
    number = chance.randint(10_000, 99_999)
    desk = f"desk@{_domain(got)}"
    subject = f"[Ticket #{number}] We have received your request"
    yield Said(
        chance.randint(2, 300) * SECOND_MS, desk, got.ours, subject, reply_to=desk.replace("@", f"+{number}@")
    )


def taken_in(got: Got, chance: random.Random) -> Iterator[Said]:
    """Acknowledge everything in another's name, to be answered to a fresh address of its own each time."""
    wanted = f"{chance.randint(10_000, 99_999)}@in.{_domain(got).removeprefix('in.')}"
    wait = chance.randint(2, 300) * SECOND_MS
    yield Said(wait, "help@firm.example", got.ours, "We have received your request", reply_to=wanted)


def subscribed(got: Got, chance: random.Random) -> Iterator[Said]:
    """Take every mail for an order that it does not understand."""
    yield Said(chance.randint(1, 5) * SECOND_MS, got.to, got.ours, "Your subscription: unknown command")


def sent_back(got: Got, chance: random.Random) -> Iterator[Said]:
    """Give back what comes, as forwarding rules at both ends do."""
    yield Said(chance.randint(1, 5) * SECOND_MS, got.to, got.ours, got.subject, in_reply_to=got.message_id)


def now_and_then(got: Got, chance: random.Random) -> Iterator[Said]:
    """A person: thanks for some of the mail, by hand."""
    if chance.random() < 0.2:
        wait = chance.randint(5, 600) * MINUTE_MS
        yield Said(wait, got.to, got.ours, f"Re: {got.subject}", in_reply_to=got.message_id, by_hand=True)


BY_DOMAIN: Mapping[str, Answering] = {
    "quick.example": at_once,
    "book.example": by_the_book,
    "slow.example": slowly,
    "gone.example": bounced,
    "alias.example": for_another,
    "tickets.example": acknowledged,
    "intake.example": taken_in,
    "in.intake.example": taken_in,
    "letters.example": subscribed,
    "mirror.example": sent_back,
    "people.example": now_and_then,
}
MACHINES = (
    "away@quick.example",
    "away@book.example",
    "office@slow.example",
    "lisa@gone.example",
    "info@alias.example",
    "desk@tickets.example",
    "queue@intake.example",
    "news@letters.example",
    "back@mirror.example",
)


def answers(got: Got, chance: random.Random) -> Iterator[Said]:
    """What a mail of ours sets off at whoever gets it."""
    answering = BY_DOMAIN.get(_domain(got))
    return answering(got, chance) if answering else iter(())


def of_a_day(ours: tuple[str, ...], people: int, chance: random.Random) -> Iterator[Said]:
    """What begins by itself on a day: each machine writes to one of us, some people to each."""

    def somewhen() -> int:
        return chance.randint(0, 24 * HOUR_MS)

    for machine in MACHINES:
        yield Said(somewhen(), machine, chance.choice(ours), f"{chance.choice(WORDS)} of today")
    for mailbox in ours:
        for _ in range(people):
            person = f"p{chance.randint(1, 200)}@people.example"
            yield Said(somewhen(), person, mailbox, f"A {chance.choice(WORDS)}", by_hand=True)
        for other in ours:
            if other != mailbox:
                yield Said(somewhen(), other, mailbox, "From next door", by_hand=True)


def _domain(got: Got) -> str:
    return got.to.partition("@")[2]
