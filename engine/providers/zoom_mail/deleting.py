"""Delete messages for good, with as few calls as can be."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from engine.errors import MessageGone, Rejected
from engine.providers.zoom_mail.client import ZoomMailClient
from engine.providers.zoom_mail.labelling import AT_ONCE, BATCH


async def delete_all(client: ZoomMailClient, mailbox: str, keys: Sequence[str]) -> None:
    """Delete messages; those that are gone already are passed over."""
    for start in range(0, len(keys), BATCH):
        await _delete_batch(client, mailbox, keys[start : start + BATCH])


async def _delete_batch(client: ZoomMailClient, mailbox: str, keys: Sequence[str]) -> None:
    if len(keys) > 1:
        try:
            await client.batch_delete(mailbox, keys)
        except Rejected:
            pass  # All or none: where one of them is gone already, each is deleted by itself.
        else:
            return
    for start in range(0, len(keys), AT_ONCE):
        calls = (_delete(client, mailbox, key) for key in keys[start : start + AT_ONCE])
        for result in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result


async def _delete(client: ZoomMailClient, mailbox: str, key: str) -> None:
    try:
        await client.delete(mailbox, key)
    except MessageGone:
        return
