"""The operations on threads: each changes all messages of one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.providers.zoom_mail import models, operations
from engine.providers.zoom_mail.client.calls import PAGE, Calls, label_change, listing


class ThreadCalls(Calls):
    """Threads: list, get, change labels, trash, delete."""

    async def list_threads(
        self, mailbox: str, *, query: str = "", label: str = "", page: str = ""
    ) -> models.ThreadList:
        """List threads, of one label if given, spam and trash included."""
        params = listing(query, label, page)
        return await self._read(models.ThreadList, operations.LIST_THREADS, mailbox, params=params)

    async def thread(
        self, mailbox: str, thread: str, format_: str = "full", header: str = "", page: str = ""
    ) -> models.Thread:
        """Get a thread with a page of its messages, as `minimal`, `metadata` or `full`."""
        params = {"format": format_, "metadataHeaders": header, "maxResults": str(PAGE), "pageToken": page}
        return await self._read(models.Thread, operations.GET_THREAD, mailbox, thread, params=params)

    async def modify_thread(
        self, mailbox: str, thread: str, add: Iterable[str], remove: Iterable[str]
    ) -> models.Thread:
        json = label_change(add, remove)
        return await self._read(models.Thread, operations.MODIFY_THREAD, mailbox, thread, json=json)

    async def trash_thread(self, mailbox: str, thread: str) -> models.Thread:
        return await self._read(models.Thread, operations.TRASH_THREAD, mailbox, thread)

    async def untrash_thread(self, mailbox: str, thread: str) -> models.Thread:
        return await self._read(models.Thread, operations.UNTRASH_THREAD, mailbox, thread)

    async def delete_thread(self, mailbox: str, thread: str) -> None:
        """Delete all messages of a thread for good."""
        await self._do(operations.DELETE_THREAD, mailbox, thread)
