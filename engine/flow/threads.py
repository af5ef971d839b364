"""What a message's thread tells of it: one call for each thread of a batch, however many messages ask."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from engine.flow.ports import Fellow, Provider
from engine.mail.message import Conversation, Message
from engine.mail.needs import Need

NO_THREAD = ((Need.THREAD, "the service names no thread"),)


class Threads:
    """The threads of one batch of one mailbox, each fetched once."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._asked: dict[str, asyncio.Task[tuple[Fellow, ...]]] = {}

    async def joined(self, message: Message) -> Message:
        """Give the message with what its thread tells of it. Raises what the provider raises."""
        thread = message.thread
        if not thread:
            return replace(message, unreadable=message.unreadable + NO_THREAD)
        if thread not in self._asked:
            asking = self._provider.thread(message.mailbox, thread)
            self._asked[thread] = asyncio.ensure_future(asking)
        return replace(message, _conversation=conversation(message, await self._asked[thread]))


def conversation(message: Message, fellows: Sequence[Fellow]) -> Conversation:
    """Say what a message's thread, itself included or not yet, tells of it."""
    others = [one for one in fellows if one.key != message.key and "DRAFT" not in one.labels]
    itself = (one.received for one in fellows if one.key == message.key)
    came = message.received or next(itself, None)
    return Conversation(
        first=not any(_is_older(one.received, came) for one in others),
        messages=len(others) + 1,
        replied=any("SENT" in one.labels for one in others),
        answered=any(
            "SENT" in one.labels and not one.automatic and not _is_older(one.received, came) for one in others
        ),
    )


def _is_older(fellow: datetime | None, came: datetime | None) -> bool:
    """Of two that came in the same instant neither is; what came at no known time may be."""
    return fellow is None or came is None or fellow < came
