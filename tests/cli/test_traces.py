"""Real processes send their spans, and what one webhook set off is one trace."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from pathlib import Path

import httpx
import pytest

from engine.cli.stage import Play, Stage, staged
from tests.otlp import Receiver, receiving
from tests.waiting import wait_for

BOX = "support@acme.example"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
MAIL = b"From: Ann <ann@partner.example>\r\nTo: support@acme.example\r\nSubject: hello\r\n\r\nHi.\r\n"
RULES = "version: 1\nrules:\n  - {id: answer, when: {subject: hello}, then: [label: Seen, reply: hi]}\n"


async def ring(stage: Stage) -> None:
    """A webhook as the service sends it, with a traceparent of its own."""
    event = {"event": "mail.history_event", "payload": {"object": {"email": BOX, "history_id": 1}}}
    body, stamp = json.dumps(event).encode(), f"{time.time():.0f}"
    secret = stage.settings.accounts["sandbox"].webhook_secret or ""
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    headers = {
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": f"v0={digest}",
        "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
    }
    async with httpx.AsyncClient() as client:
        answer = await client.post(f"{stage.web_url}/hooks/zoom/sandbox", content=body, headers=headers)
    assert answer.status_code == 204


def names(receiver: Receiver) -> set[str]:
    """Of the spans of the webhook's trace."""
    return {span.name for span in receiver.spans if span.trace_id.hex() == TRACE}


@pytest.mark.e2e
async def test_what_one_webhook_sets_off_is_one_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, templates = tmp_path / "rules", tmp_path / "templates"
    for folder, name, text in (
        (rules, "r.yaml", RULES),
        (templates, "hi.md", "---\nsubject: Hi\n---\nHello.\n"),
    ):
        folder.mkdir()
        (folder / name).write_text(text)
    with receiving() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        async with staged(Play({BOX: "off"}, rules, templates, webhooks=False), tmp_path) as stage:
            await wait_for(lambda: "poll" in {span.name for span in receiver.spans}, seconds=20)
            await stage.deliver(BOX, MAIL)
            await ring(stage)
            wanted = {"webhook", "poll", "drain", "labels", "execute", "provider call"}
            await wait_for(lambda: names(receiver) >= wanted, seconds=20, what=f"{wanted} in one trace")
        said = b"".join(request.SerializeToString() for request in receiver.requests)
    assert b"ann@partner.example" not in said
    assert b"hello" not in said
