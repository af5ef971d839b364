"""The operations on drafts."""

from __future__ import annotations

from typing import Any

from engine.providers.zoom_mail import models, operations
from engine.providers.zoom_mail.client.calls import Calls, listing
from engine.providers.zoom_mail.values import encode_base64url


class DraftCalls(Calls):
    """Drafts: list, get, create, replace, send, delete."""

    async def list_drafts(self, mailbox: str, *, query: str = "", page: str = "") -> models.DraftList:
        """List drafts, those in the trash included."""
        params = listing(query, page=page)
        return await self._read(models.DraftList, operations.LIST_DRAFTS, mailbox, params=params)

    async def create_draft(self, mailbox: str, raw: bytes) -> models.Draft:
        """Leave a draft once. Raises OutcomeUnknown."""
        return await self._read(models.Draft, operations.CREATE_DRAFT, mailbox, json=_message(raw))

    async def draft(self, mailbox: str, draft: str, format_: str = "full") -> models.Draft:
        """Get a draft as `minimal`, `metadata`, `full` or `raw`."""
        params = {"format": format_}
        return await self._read(models.Draft, operations.GET_DRAFT, mailbox, draft, params=params)

    async def update_draft(self, mailbox: str, draft: str, raw: bytes) -> models.Draft:
        """Replace a draft's whole message."""
        return await self._read(models.Draft, operations.UPDATE_DRAFT, mailbox, draft, json=_message(raw))

    async def send_draft(self, mailbox: str, draft: str, raw: bytes | None = None) -> models.Reference:
        """Send a draft once, with `raw` as its last version if given. Raises OutcomeUnknown."""
        json = {"id": draft} | ({} if raw is None else _message(raw))
        return await self._read(models.Reference, operations.SEND_DRAFT, mailbox, json=json)

    async def delete_draft(self, mailbox: str, draft: str) -> None:
        await self._do(operations.DELETE_DRAFT, mailbox, draft)


def _message(raw: bytes) -> dict[str, Any]:
    return {"message": {"raw": encode_base64url(raw)}}
