"""`POST /hooks/in/{name}`: what is truly called is taken once Redis has it; everything else gets nowhere."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from engine import metrics
from engine.flow.calls import Call, Taken
from engine.settings.hooks import compile_schema
from engine.templating.library import Library, load_templates
from engine.web.api import Api
from engine.web.app import create_app
from engine.web.bodies import MAX_BODY
from engine.web.calls import Calls, Hook, sizes
from engine.web.together import Together
from prove.calling import signature
from tests.web.conftest import NOW, Site

SECRET, TOKEN, BOX = "hook-" + "s3cret", "api-" + "t0ken", "notices@acme.example"
SCHEMA = json.dumps(
    {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "integer"}, "note": {"type": "string", "pattern": "^(a+)+$"}},
    }
)
HOOKS = {
    "orders": Hook("hmac", SECRET, BOX),
    "strict": Hook("hmac", SECRET, BOX, compile_schema(SCHEMA)),
    "files": Hook("hmac", SECRET, BOX, attachments=100_000),
    "plain": Hook("bearer", SECRET, BOX),
    "repo": Hook("github", SECRET, BOX),
    "alerts": Hook("alertmanager", SECRET, BOX),
}
TEMPLATES = load_templates(
    {"hello.md": "---\nsubject: Hello {{ name }}\ninputs: [name]\n---\nDear {{ name }}\n"}
)


@dataclass
class Desk:
    """The application with what it took, and a Redis that only remembers."""

    down: bool = False
    taken: list[Call] = field(default_factory=list)
    known: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    library: Library | None = TEMPLATES
    token: str | None = TOKEN

    def __post_init__(self) -> None:
        intake = Together(self._write, sizes)
        self.calls = Calls(HOOKS, intake, self._salt, lambda: NOW)
        api = Api(self.token, intake, self._salt, self._templates, self._told, (BOX,), 100_000)
        site = Site()
        app = create_app(site.hooks, site._ready, site._look, calls=self.calls, api=api)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://web.test")

    async def _write(self, calls: Sequence[Call]) -> list[Taken]:
        if self.down:
            raise RedisConnectionError("Redis is away")
        self.writes += 1
        return [self._take(call) for call in calls]

    def _take(self, call: Call) -> Taken:
        known = self.known.setdefault(call.id, call.digest)
        repeated = any(call.id == one.id for one in self.taken)
        if not repeated:
            self.taken.append(call)
        return Taken(call.id, repeated, differs=known != call.digest)

    async def _salt(self) -> str:
        return "salt"

    async def _templates(self) -> Library | None:
        return self.library

    async def _told(self, run: str) -> dict[str, Any] | None:
        if self.down:
            raise RedisConnectionError("Redis is away")
        return {"run": run, "state": "done"} if run == "known" else None

    async def hook(self, name: str, body: bytes, key: str = "", **headers: str) -> httpx.Response:
        own = {"x-postroom-signature": signature(SECRET, body)} | ({"idempotency-key": key} if key else {})
        return await self.client.post(f"/hooks/in/{name}", content=body, headers=own | headers)

    async def send(self, said: Any, token: str = TOKEN, **headers: str) -> httpx.Response:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        own = {"authorization": f"Bearer {token}"}
        return await self.client.post("/api/v1/send", content=body, headers=own | headers)


@pytest.fixture
def desk() -> Desk:
    return Desk()


BODY = b'{"id": 7, "total": 9.90}'


async def test_a_true_call_is_taken_as_it_was_written(desk: Desk) -> None:
    answer = await desk.hook("orders", BODY, "k1")
    (call,) = desk.taken
    assert (answer.status_code, answer.json()) == (202, {"run": call.id})
    assert (call.event.kind, call.event.mailbox, call.event.payload) == ("hook.orders", BOX, BODY.decode())


async def test_a_repeated_key_is_answered_the_same_and_other_bytes_are_refused(desk: Desk) -> None:
    first, again = await desk.hook("orders", BODY, "k1"), await desk.hook("orders", BODY, "k1")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    other = await desk.hook("orders", b'{"id": 8}', "k1")
    assert (other.status_code, "another key" in other.json()["error"]) == (422, True)
    assert len(desk.taken) == 1


async def test_calls_without_a_key_are_each_their_own(desk: Desk) -> None:
    answers = [await desk.hook("orders", BODY) for _ in range(3)]
    assert len({answer.json()["run"] for answer in answers}) == 3


@pytest.mark.parametrize(
    ("name", "body", "headers", "status"),
    [
        pytest.param("orders", BODY, {"x-postroom-signature": ""}, 401, id="no signature"),
        pytest.param(
            "orders", BODY, {"x-postroom-signature": signature("x", BODY)}, 401, id="another secret"
        ),
        pytest.param(
            "orders", BODY + b" ", {"x-postroom-signature": signature(SECRET, BODY)}, 401, id="a byte more"
        ),
        pytest.param("plain", BODY, {}, 401, id="a signature where a token is asked for"),
        pytest.param("plain", BODY, {"authorization": f"Bearer {TOKEN}"}, 401, id="the token of the API"),
        pytest.param("alerts", BODY, {"authorization": "Bearer x"}, 401, id="another token"),
        pytest.param("repo", BODY, {}, 401, id="our signature where GitHub's is asked for"),
        pytest.param("other", BODY, {}, 404, id="no such hook"),
        pytest.param("%2e%2e", BODY, {}, 404, id="a name that is a path"),
        pytest.param("orders/", BODY, {}, 404, id="a slash too many"),
        pytest.param("orders", b"{", {}, 400, id="broken JSON"),
        pytest.param("orders", b"", {}, 400, id="no body"),
        pytest.param("orders", b"[" * 90_000, {}, 400, id="deep JSON"),
        pytest.param("orders", b'{"a":' * 50_000 + b"1" + b"}" * 50_000, {}, 400, id="deep maps"),
        pytest.param("orders", b'{"a": "\\ud800"}', {}, 400, id="half a sign"),
        pytest.param("orders", BODY, {"idempotency-key": "x" * 256}, 400, id="a key that is too long"),
        pytest.param("strict", b'{"id": "7"}', {}, 422, id="not as the schema asks"),
        pytest.param("strict", b"[]", {}, 422, id="a list where the schema asks for a map"),
        pytest.param("files", b'{"attachments": [{"name": "x"}]}', {}, 400, id="a file without content"),
        pytest.param("orders", b"x" * (MAX_BODY + 1), {}, 413, id="too large"),
    ],
)
async def test_whatever_else_comes_gets_nowhere(
    desk: Desk,
    name: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await desk.hook(name, body, **headers)
    assert answer.status_code == status
    assert answer.json()["error"]
    assert desk.taken == []
    assert SECRET not in answer.text + caplog.text


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_hook_takes_nothing_but_post(desk: Desk, method: str) -> None:
    assert (await desk.client.request(method, "/hooks/in/orders")).status_code == 405


async def test_who_lacks_the_token_has_no_body_read(desk: Desk) -> None:
    read = 0

    async def endless() -> Any:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1000

    for path in ("/hooks/in/plain", "/api/v1/send"):
        headers = {"authorization": "Bearer x"}
        assert (await desk.client.post(path, content=endless(), headers=headers)).status_code == 401
    assert read <= 2


async def test_a_schema_that_would_stall_others_does_not(desk: Desk) -> None:
    body = json.dumps({"id": 1, "note": "a" * 50_000 + "b"}).encode()
    async with asyncio.timeout(2):
        answer = await desk.hook("strict", body)
    assert answer.status_code == 422
    assert answer.json()["error"] == "note is not what the schema asks for at properties/note/pattern"


async def test_a_call_that_fits_its_schema_is_taken(desk: Desk) -> None:
    assert (await desk.hook("strict", BODY)).status_code == 202


@pytest.mark.parametrize("name", ["plain", "alerts"])
async def test_a_token_is_taken_instead_of_a_signature(desk: Desk, name: str) -> None:
    headers = {"authorization": f"Bearer {SECRET}"}
    answer = await desk.client.post(f"/hooks/in/{name}", content=BODY, headers=headers)
    assert answer.status_code == 202
    assert desk.taken[0].within == (60_000 if name == "alerts" else 0)


async def test_what_github_calls_an_event_is_part_of_the_payload(desk: Desk) -> None:
    headers = {"x-hub-signature-256": signature(SECRET, BODY), "x-github-delivery": "72d3162e"}
    for kind, body in (("issues", BODY), ('"},{', b"{}")):
        headers |= {"x-github-event": kind, "x-hub-signature-256": signature(SECRET, body)}
        headers["x-github-delivery"] += "0"
        answer = await desk.client.post("/hooks/in/repo", content=body, headers=headers)
        assert answer.status_code == 202
        assert json.loads(desk.taken[-1].event.payload) == {"x_github_event": kind, **json.loads(body)}
    again = await desk.client.post("/hooks/in/repo", content=body, headers=headers)
    assert again.json() == answer.json()
    assert len(desk.taken) == 2


async def test_files_come_along_apart(desk: Desk) -> None:
    listed = [{"name": "a.txt", "type": "text/plain", "content": base64.b64encode(b"x" * 60_000).decode()}]
    assert (
        await desk.hook("files", json.dumps({"id": 7, "attachments": listed}).encode())
    ).status_code == 202
    (call,) = desk.taken
    assert [(one.name, len(one.content)) for one in call.files] == [("a.txt", 60_000)]
    assert len(call.event.payload) < 200
    too_many = json.dumps({"attachments": listed * 2}).encode()
    assert (await desk.hook("files", too_many)).status_code == 400
    # A hook that takes no files leaves what is called so to its rules.
    assert (await desk.hook("orders", json.dumps({"attachments": ["x"]}).encode())).status_code == 202
    assert desk.taken[-1].files == ()


async def test_while_redis_is_away_callers_are_asked_to_come_again(desk: Desk) -> None:
    desk.down = True
    for answer in (
        await desk.hook("orders", BODY, "k"),
        await desk.send({"template": "hello", "to": "a@x.example", "with": {"name": "A"}}),
        await desk.client.get("/api/v1/runs/known", headers={"authorization": f"Bearer {TOKEN}"}),
    ):
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    desk.down = False
    assert (await desk.hook("orders", BODY, "k")).status_code == 202


async def test_many_calls_of_one_moment_share_round_trips(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.hook("orders", BODY, f"k{at % 40}") for at in range(50)))
    assert {answer.status_code for answer in answers} == {202}
    assert len(desk.taken) == 40
    assert desk.writes < 10


async def test_outcomes_are_counted(desk: Desk) -> None:
    metrics.take()
    await desk.hook("orders", BODY, "k")
    await desk.hook("orders", BODY, "k")
    await desk.hook("orders", b"{}", "k")
    await desk.hook("orders", b"{", "k")
    await desk.hook("plain", BODY)
    counted = {series[1:]: count for series, count in metrics.take().counts.items()}
    outcomes = ("taken", "repeated", "differs", "malformed")
    assert counted == {("orders", outcome): 1 for outcome in outcomes} | {("plain", "forged"): 1}


async def test_whoever_forges_calls_does_not_write_our_log(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(20):
        await desk.hook("plain", BODY)
    assert len([one for one in caplog.records if "refused" in one.getMessage()]) == 1


async def test_a_message_that_is_asked_for_is_taken(desk: Desk) -> None:
    said = {"template": "hello", "to": "a@x.example", "with": {"name": 9.5}}
    answer = await desk.send(said, **{"idempotency-key": "k"})
    (call,) = desk.taken
    assert (answer.status_code, answer.json()) == (202, {"run": call.id})
    assert json.loads(call.event.payload) == said | {"to": ["a@x.example"]}
    again = await desk.send(said, **{"idempotency-key": "k"})
    assert again.json() == answer.json()
    assert (await desk.send(said | {"to": "b@x.example"}, **{"idempotency-key": "k"})).status_code == 422


@pytest.mark.parametrize(
    ("more", "status", "why"),
    [
        pytest.param({"template": "helo"}, 422, "did you mean 'hello'?", id="no such template"),
        pytest.param({"with": {}}, 422, "needs the input 'name'", id="an input missing"),
        pytest.param({"to": []}, 422, "to", id="nobody"),
        pytest.param({"to": "ann"}, 422, "no address", id="no address"),
        pytest.param({"to": "a@x.example\r\nBcc: b@x.example"}, 422, "no address", id="a line break"),
        pytest.param({"to": "{{ payload.x }}@x.example"}, 422, "fixed", id="an address that is a template"),
        pytest.param({"to": ["a@x.example"] * 101}, 422, "100", id="too many"),
        pytest.param({"to": {"a": 1}}, 422, "to", id="a map of addresses"),
        pytest.param({"with": {"__class__": 1}}, 422, "name", id="a private input"),
        pytest.param({"with": {"a}} {{ 7": 1}}, 422, "name", id="an input that is a template"),
        pytest.param({"with": []}, 422, "with", id="inputs that are a list"),
        pytest.param({"at": "tomorrow"}, 422, "neither a time of day", id="no time"),
        pytest.param({"at": "2026-03-10T08:00"}, 422, "neither a time of day", id="a moment of no zone"),
        pytest.param({"at": "9999-12-31T23:59-23:00"}, 422, "at", id="the end of time"),
        pytest.param({"at": "2199-01-01T08:00Z"}, 422, "more than 7 days ahead", id="a time too far ahead"),
        pytest.param({"bcc": "b@x.example"}, 422, "bcc", id="another key"),
        pytest.param({"mailbox": "other@acme.example"}, 422, BOX, id="another's mailbox"),
        pytest.param({"mailbox": ["x"]}, 422, BOX, id="a mailbox that is a list"),
        pytest.param({"attachments": "x"}, 400, "list", id="files that are a text"),
    ],
)
async def test_what_cannot_be_sent_is_refused_at_once(
    desk: Desk, more: dict[str, Any], status: int, why: str
) -> None:
    answer = await desk.send({"template": "hello", "to": "a@x.example", "with": {"name": "A"}} | more)
    assert (answer.status_code, why in answer.json()["error"]) == (status, True), answer.text
    assert desk.taken == []


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"[" * 100_000])
async def test_what_is_no_request_is_refused(desk: Desk, body: bytes) -> None:
    assert (await desk.send(body)).status_code == 400


async def test_nobody_without_the_token_learns_or_sends_anything(desk: Desk) -> None:
    said = {"template": "hello", "to": "a@x.example", "with": {"name": "A"}}
    for token in ("", "x", SECRET):
        assert (await desk.send(said, token)).status_code == 401
        asked = await desk.client.get("/api/v1/runs/known", headers={"authorization": f"Bearer {token}"})
        assert asked.status_code == 401
    assert desk.taken == []
    closed = Desk(token=None)
    assert (await closed.send(said, "None")).status_code == 401
    assert "web.api_token" in (await closed.send(said, "")).json()["error"]


async def test_how_far_a_run_is_can_be_asked(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    assert (await desk.client.get("/api/v1/runs/known", headers=headers)).json()["state"] == "done"
    assert (await desk.client.get("/api/v1/runs/other", headers=headers)).status_code == 404
    assert (await desk.client.get("/api/v1/runs/*", headers=headers)).status_code == 404


async def test_before_there_are_templates_callers_are_asked_to_come_again(desk: Desk) -> None:
    desk.library = None
    assert (await desk.send({"template": "hello", "to": "a@x.example"})).status_code == 503
