"""The provider over real HTTP, where connections really break."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from engine.errors import OutcomeUnknown
from engine.mail.needs import Need
from engine.providers.zoom_mail import ZoomMail, zoom_mail
from tests.providers.conftest import SERVED as BOX
from tests.providers.fakes import LONG_AGO, MemoryBudget, MemoryTokens

RAW = f"From: {BOX}\r\nTo: ann@partner.example\r\nMessage-ID: <ours+1@acme.example>\r\n\r\nHi\r\n".encode()


@pytest.fixture
async def provider(url: str) -> AsyncIterator[ZoomMail]:
    made = zoom_mail(
        account_id="sandbox",
        client_id="sandbox",
        client_secret="sandbox",
        budget=MemoryBudget(),
        tokens=MemoryTokens(),
        url=url,
    )
    yield made
    await made.aclose()


async def cut(url: str, operation: str) -> None:
    """Let the sandbox do what is asked next, and hang up instead of answering."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as control:
        await control.post("/_sandbox/faults", json=[{"operation": operation, "drop_after": True}])


async def test_a_send_whose_answer_is_lost_is_found(url: str, provider: ZoomMail) -> None:
    await provider.profile(BOX)
    await cut(url, "send_email")
    with pytest.raises(OutcomeUnknown):
        await provider.send(BOX, RAW)
    found = await provider.find(BOX, "<ours+1@acme.example>", LONG_AGO)
    assert found
    assert found.labels == ("SENT",)
    assert (await provider.list_messages(BOX)).keys == (found.key,)


async def test_a_read_whose_answer_is_lost_is_repeated(url: str, provider: ZoomMail) -> None:
    before = await provider.profile(BOX)
    await cut(url, "get_mailbox_profile")
    assert await provider.profile(BOX) == before


async def test_a_label_change_whose_answer_is_lost_is_repeated(url: str, provider: ZoomMail) -> None:
    keys = [await provider.save_draft(BOX, RAW) for _ in range(2)]
    await cut(url, "batch_modify_emails")
    await provider.change_labels(BOX, keys, ["Finance/Paid"], [])
    message = await provider.fetch(BOX, keys[0], frozenset({Need.LABELS}))
    assert message.labels == {"DRAFT", "Finance/Paid"}


async def test_many_calls_go_side_by_side(provider: ZoomMail) -> None:
    key = await provider.save_draft(BOX, RAW)
    fetches = (provider.fetch(BOX, key, frozenset({Need.CONTENT})) for _ in range(150))
    assert {message.text.strip() for message in await asyncio.gather(*fetches)} == {"Hi"}
