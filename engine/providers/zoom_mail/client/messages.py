"""The operations on messages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from engine.providers.zoom_mail import models, operations
from engine.providers.zoom_mail.client.calls import Calls, label_change, listing
from engine.providers.zoom_mail.values import encode_base64url


class MessageCalls(Calls):
    """Messages: list, get, insert, send, change labels, trash, delete."""

    async def list_messages(
        self, mailbox: str, *, query: str = "", label: str = "", page: str = ""
    ) -> models.MessageList:
        """List messages, of one label if given, spam and trash included."""
        params = listing(query, label, page)
        return await self._read(models.MessageList, operations.LIST_MESSAGES, mailbox, params=params)

    async def message(self, mailbox: str, key: str, format_: str, header: str = "") -> models.MessageAnswer:
        """Get a message as `minimal`, `metadata` (of one header if given), `full` or `raw`."""
        params = {"format": format_, "metadataHeaders": header}
        return await self._read(models.MessageAnswer, operations.GET_MESSAGE, mailbox, key, params=params)

    async def attachment(self, mailbox: str, key: str, attachment: str) -> bytes:
        answer = await self._read(
            models.AttachmentAnswer, operations.GET_ATTACHMENT, mailbox, key, attachment
        )
        return answer.data or b""

    async def insert(
        self, mailbox: str, raw: bytes, labels: Iterable[str] = (), *, deleted: bool = False
    ) -> models.Reference:
        """Store a message without sending it, in the trash if `deleted`. Raises OutcomeUnknown."""
        params = {"deleted": "true"} if deleted else None
        json = {"raw": encode_base64url(raw), "labelIds": list(labels)}
        return await self._read(models.Reference, operations.INSERT, mailbox, params=params, json=json)

    async def send(
        self, mailbox: str, raw: bytes, labels: Iterable[str] = (), *, at: datetime | None = None
    ) -> models.Reference:
        """Send once, later if `at` is given. Raises OutcomeUnknown."""
        json: dict[str, Any] = {"raw": encode_base64url(raw)}
        if chosen := list(labels):
            json["labelIds"] = chosen
        if at is not None:
            json["sendTime"] = str(int(at.timestamp()))
        return await self._read(models.Reference, operations.SEND, mailbox, json=json)

    async def modify(
        self, mailbox: str, key: str, add: Iterable[str], remove: Iterable[str]
    ) -> models.Reference:
        json = label_change(add, remove)
        return await self._read(models.Reference, operations.MODIFY, mailbox, key, json=json)

    async def batch_modify(
        self, mailbox: str, keys: Iterable[str], add: Iterable[str], remove: Iterable[str]
    ) -> None:
        json = {"ids": list(keys), **label_change(add, remove)}
        await self._do(operations.BATCH_MODIFY, mailbox, json=json)

    async def batch_delete(self, mailbox: str, keys: Iterable[str]) -> None:
        """Delete messages for good."""
        await self._do(operations.BATCH_DELETE, mailbox, json={"ids": list(keys)})

    async def trash(self, mailbox: str, key: str) -> models.Reference:
        return await self._read(models.Reference, operations.TRASH, mailbox, key)

    async def untrash(self, mailbox: str, key: str) -> models.Reference:
        return await self._read(models.Reference, operations.UNTRASH, mailbox, key)

    async def delete(self, mailbox: str, key: str) -> None:
        """Delete for good."""
        await self._do(operations.DELETE, mailbox, key)
