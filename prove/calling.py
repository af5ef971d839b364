"""Other systems that call: they repeat keys, try again until they are answered, and some of them give up."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from prove.planted import word

AT_ONCE = 24
TIMEOUT_S = 3.0
TRIES = 1_000
PAUSE_S = (0.05, 0.4)
REPEATED = 5
"""Of so many calls one repeats a key."""
GIVES_UP = 25
"""Of so many keys one is called once, whatever comes of it."""
BY_API = 4
"""Of so many keys one is a request to send."""
WITH_FILE = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that another system wants told, under one key."""

    number: int

    @property
    def key(self) -> str:
        return f"key-{self.number}"

    @property
    def gives_up(self) -> bool:
        return self.number % GIVES_UP == 3

    @property
    def by_api(self) -> bool:
        return self.number % BY_API == 1

    @property
    def file(self) -> bytes:
        """What is attached, b"" for nothing."""
        text = f"file of {self.number} {word('content')} "
        return text.encode() * 50 if self.number % WITH_FILE == 7 else b""

    @property
    def body(self) -> bytes:
        said: dict[str, object] = (
            {"template": "notice", "to": "sales@customer.example", "with": {"order": self.number}}
            if self.by_api
            else {"order": {"id": self.number, "status": "paid"}, "note": word("body")}
        )
        if self.file:
            content = base64.b64encode(self.file).decode()
            said["attachments"] = [{"name": "order.txt", "type": "text/plain", "content": content}]
        return json.dumps(said).encode()


@dataclass
class Callers:
    """Calls, and what was answered."""

    client: httpx.AsyncClient
    secrets: Mapping[str, str]
    answers: dict[int, set[str]] = field(default_factory=dict)
    """By number, every run that a 2xx told of."""
    statuses: Counter[int] = field(default_factory=Counter)
    """0 where there was no answer."""
    called: set[int] = field(default_factory=set)

    async def call_all(self, wanted: Sequence[Wanted], pace: Callable[[int], Awaitable[object]]) -> None:
        """Make every call, some at a time; `pace` is awaited before each."""
        left = iter(enumerate(wanted))

        async def caller() -> None:
            for index, one in left:
                await pace(index)
                await self._call(one)

        await asyncio.gather(*(caller() for _ in range(AT_ONCE)))

    async def _call(self, one: Wanted) -> None:
        self.called.add(one.number)
        for _ in range(1 if one.gives_up else TRIES):
            if await self._try(one):
                return
            await asyncio.sleep(random.uniform(*PAUSE_S))
        assert one.gives_up, f"{one.key} was never accepted"

    async def _try(self, one: Wanted) -> bool:
        with contextlib.suppress(httpx.TransportError):
            answer = await self._post(one)
            self.statuses[answer.status_code] += 1
            assert answer.status_code in (202, 503), f"{answer.status_code}: {answer.text[:200]}"
            if answer.is_success:
                self.answers.setdefault(one.number, set()).add(answer.json()["run"])
            return answer.is_success
        self.statuses[0] += 1
        return False

    async def _post(self, one: Wanted) -> httpx.Response:
        body, headers = one.body, {"idempotency-key": one.key}
        if one.by_api:
            headers["authorization"] = f"Bearer {self.secrets['api']}"
        else:
            headers["x-postroom-signature"] = signature(self.secrets["hook"], body)
        path = "/api/v1/send" if one.by_api else "/hooks/in/orders"
        return await self.client.post(path, content=body, headers=headers, timeout=TIMEOUT_S)


def calls(count: int, seed: int) -> list[Wanted]:
    """So many calls of which a fifth repeats an earlier key, some at once and some much later."""
    dice, made = random.Random(seed), list[Wanted]()
    fresh = iter(range(count))
    for index in range(count):
        earlier = [one for one in made[-200:] if not one.gives_up] if index % REPEATED == REPEATED - 1 else []
        made.append(dice.choice(earlier) if earlier else Wanted(next(fresh)))
    return made


def signature(secret: str, body: bytes) -> str:
    return f"sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}"
