"""Zoom Mail's operations, typed in and out. Labels are ids here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from engine.providers.zoom_mail import models, operations
from engine.providers.zoom_mail.caller import Ask, Caller
from engine.providers.zoom_mail.models import encode_base64url

PAGE = 500
"""The most that any list gives (docs/api/mail)."""


class ZoomMailClient:
    """The operations of all mailboxes of one account. Raises ProviderErrors and nothing else."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def profile(self, mailbox: str) -> models.ProfileAnswer:
        return await self._caller.read(models.ProfileAnswer, Ask(operations.PROFILE, mailbox))

    async def history(self, mailbox: str, start: int, page: str = "") -> models.HistoryAnswer:
        """Read the records after `start`. Raises CursorExpired.

        No `historyTypes`: its values are contradictory in the reference, so records are filtered here.
        """
        params = {"startHistoryId": str(start), "maxResults": str(PAGE), "pageToken": page}
        return await self._caller.read(
            models.HistoryAnswer, Ask(operations.HISTORY, mailbox, params=_given(params))
        )

    async def list_messages(
        self, mailbox: str, *, query: str = "", label: str = "", page: str = ""
    ) -> models.MessageList:
        """List messages, of one label if given, spam and trash included."""
        params = _listing(query, page, label)
        return await self._caller.read(
            models.MessageList, Ask(operations.LIST_MESSAGES, mailbox, params=params)
        )

    async def message(self, mailbox: str, key: str, format_: str, header: str = "") -> models.MessageAnswer:
        """Get a message as `minimal`, `metadata` (of one header if given), `full` or `raw`."""
        params = _given({"format": format_, "metadataHeaders": header})
        return await self._caller.read(
            models.MessageAnswer, Ask(operations.GET_MESSAGE, mailbox, (key,), params=params)
        )

    async def attachment(self, mailbox: str, key: str, attachment: str) -> bytes:
        answer = await self._caller.read(
            models.AttachmentAnswer, Ask(operations.GET_ATTACHMENT, mailbox, (key, attachment))
        )
        return answer.data or b""

    async def insert(
        self, mailbox: str, raw: bytes, labels: Iterable[str] = (), *, deleted: bool = False
    ) -> models.Reference:
        """Store a message without sending it, in the trash if `deleted`. Raises OutcomeUnknown."""
        ask = Ask(
            operations.INSERT,
            mailbox,
            params={"deleted": "true"} if deleted else None,
            json={"raw": encode_base64url(raw), "labelIds": list(labels)},
        )
        return await self._caller.read(models.Reference, ask)

    async def send(self, mailbox: str, raw: bytes) -> models.Reference:
        """Send once. Raises OutcomeUnknown."""
        ask = Ask(operations.SEND, mailbox, json={"raw": encode_base64url(raw)})
        return await self._caller.read(models.Reference, ask)

    async def modify(
        self, mailbox: str, key: str, add: Iterable[str], remove: Iterable[str]
    ) -> models.Reference:
        ask = Ask(operations.MODIFY, mailbox, (key,), json=_change(add, remove))
        return await self._caller.read(models.Reference, ask)

    async def batch_modify(
        self, mailbox: str, keys: Iterable[str], add: Iterable[str], remove: Iterable[str]
    ) -> None:
        json = {"ids": list(keys), **_change(add, remove)}
        await self._caller.do(Ask(operations.BATCH_MODIFY, mailbox, json=json))

    async def trash(self, mailbox: str, key: str) -> models.Reference:
        return await self._caller.read(models.Reference, Ask(operations.TRASH, mailbox, (key,)))

    async def untrash(self, mailbox: str, key: str) -> models.Reference:
        return await self._caller.read(models.Reference, Ask(operations.UNTRASH, mailbox, (key,)))

    async def delete(self, mailbox: str, key: str) -> None:
        """Delete for good."""
        await self._caller.do(Ask(operations.DELETE, mailbox, (key,)))

    async def list_drafts(self, mailbox: str, *, query: str = "", page: str = "") -> models.DraftList:
        """List drafts, those in the trash included."""
        return await self._caller.read(
            models.DraftList, Ask(operations.LIST_DRAFTS, mailbox, params=_listing(query, page))
        )

    async def create_draft(self, mailbox: str, raw: bytes) -> models.Draft:
        """Leave a draft once. Raises OutcomeUnknown."""
        json = {"message": {"raw": encode_base64url(raw)}}
        return await self._caller.read(models.Draft, Ask(operations.CREATE_DRAFT, mailbox, json=json))

    async def draft(self, mailbox: str, draft: str, format_: str = "full") -> models.Draft:
        params = {"format": format_}
        return await self._caller.read(
            models.Draft, Ask(operations.GET_DRAFT, mailbox, (draft,), params=params)
        )

    async def delete_draft(self, mailbox: str, draft: str) -> None:
        await self._caller.do(Ask(operations.DELETE_DRAFT, mailbox, (draft,)))

    async def labels(self, mailbox: str) -> tuple[models.Label, ...]:
        answer = await self._caller.read(models.Labels, Ask(operations.LIST_LABELS, mailbox))
        return answer.labels

    async def label(self, mailbox: str, label: str) -> models.Label:
        return await self._caller.read(models.Label, Ask(operations.GET_LABEL, mailbox, (label,)))

    async def create_label(self, mailbox: str, name: str, parent: str = "") -> models.Label:
        """Create a label below `parent` ("" for the top level). Raises NameTaken."""
        json = {"name": name, "parentId": parent}
        return await self._caller.read(models.Label, Ask(operations.CREATE_LABEL, mailbox, json=json))

    async def aclose(self) -> None:
        await self._caller.aclose()


def _given(params: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in params.items() if value}


def _listing(query: str, page: str, label: str = "") -> dict[str, str]:
    params = {"maxResults": str(PAGE), "includeSpamTrash": "true", "q": query, "pageToken": page}
    params["labelIds"] = label
    return _given(params)


def _change(add: Iterable[str], remove: Iterable[str]) -> dict[str, Any]:
    lists = {"addLabelIds": list(add), "removeLabelIds": list(remove)}
    return {key: value for key, value in lists.items() if value}
