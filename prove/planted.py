"""Values planted where secrets and message text are, and the search for them where they must not be."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from engine.cli.stage import Stage
from engine.wiring import Office

MARK = "zq7kplantedx4"
"""In every planted text: in each place with a word of its own before it."""
PLACES = ("subject", "body", "html", "name", "from", "replyto", "file", "content", "header")
MAY_NAME_SENDERS = ("once", "suppressed", "soft")
"""Kinds of keys that remember whom we answered."""
MAY_HOLD_TOKENS = ("token",)


def word(place: str) -> str:
    return f"{place}{MARK}"


def planted(number: int) -> bytes:
    """A message with a planted word in every place that holds text; each number has its own sender."""
    message = EmailMessage()
    message["From"] = f'"{word("name")}" <{word("from")}{number}@planted.example>'
    message["To"] = "somebody@ours.example"
    message["Subject"] = f"Re: {word('subject')}" if number % 2 else word("subject")
    message["Message-ID"] = f"<{number}.{MARK}@planted.example>"
    message["X-Note"] = word("header")
    if number % 3 == 0:
        message["Reply-To"] = f"{word('replyto')}{number}@planted.example"
    message.set_content(f"Dear all,\n\n{word('body')}\n")
    message.add_alternative(f"<p>{word('html')}</p>", subtype="html")
    content = f"%PDF-1.4 {word('content')}".encode() + b" " * 2000
    message.add_attachment(content, maintype="application", subtype="pdf", filename=f"{word('file')}.pdf")
    return message.as_bytes()


@dataclass(frozen=True)
class Searched:
    """Where planted values were looked for, and where they were found."""

    lines: int
    keys: int
    page: int
    """Lines of the metrics, 0 when there are none."""
    found: tuple[str, ...]

    @property
    def fact(self) -> str:
        page = f" and a page of {self.page:,} metrics" if self.page else ""
        return f"no planted secret or text in {self.lines:,} log lines, {self.keys:,} Redis keys{page}"


async def search(stage: Stage, office: Office, secrets: Mapping[str, str]) -> Searched:
    """Look through every log line, every key of Redis and the metrics. `secrets` adds tokens seen."""
    hidden = forms({f"secret {name}": value for name, value in secrets.items()})
    texts = forms({f"text of {place}": word(place) for place in PLACES})
    found: list[str] = []
    lines = 0
    for line in _log_lines(stage.folder):
        lines += 1
        found += [f"{what} in a log: {line[:60]}..." for what in find(line, hidden | texts)]
    keys = 0
    async for kind, content in _contents(office):
        keys += 1
        found += [f"{what} in a key of kind {kind}" for what in find(content, _barred(kind, hidden, texts))]
    page = await _metrics(stage)
    found += [f"{what} in the metrics" for what in find(page, hidden | texts)]
    return Searched(lines, keys, page.count("\n"), tuple(sorted(set(found))))


def _log_lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.log")):
        with path.open(encoding="utf-8", errors="replace") as log:
            yield from log


async def tokens(office: Office) -> dict[str, str]:
    """Access tokens that are known just now. The accounts on stage are apps', which have no refresh token."""
    known: dict[str, str] = {}
    for account in office.settings.accounts:
        text = await office.base.redis.get(office.base.key("token", account)) or "{}"
        values = [value for value in json.loads(text).values() if isinstance(value, str)]
        known |= {f"token {one[-4:]}": one for one in values if one and "://" not in one}
    return known


def _barred(kind: str, hidden: dict[str, str], texts: dict[str, str]) -> dict[str, str]:
    if kind in MAY_HOLD_TOKENS:
        return {form: what for form, what in hidden.items() if not what.startswith("secret token")} | texts
    if kind in MAY_NAME_SENDERS:
        return hidden | {form: what for form, what in texts.items() if not what.endswith(("from", "replyto"))}
    return hidden | texts


def forms(values: Mapping[str, str]) -> dict[str, str]:
    """Each value as it is, and as it looks within base64, in lower case, with what it is."""
    forms = {value.lower(): what for what, value in values.items()}
    for what, value in values.items():
        for shift in range(3):
            code = base64.b64encode(b"\0" * shift + value.encode()).decode()
            forms[code[4 if shift else 0 : -4].lower()] = what
    return forms


def find(text: str, wanted: Mapping[str, str]) -> set[str]:
    """Which of these forms a text holds."""
    lowered = text.lower()
    return {what for form, what in wanted.items() if form in lowered}


async def _contents(office: Office) -> AsyncIterator[tuple[str, str]]:
    """Every key as (kind, its name and content as text)."""
    redis, prefix = office.base.redis, office.base.prefix + ":"
    async for key in redis.scan_iter(count=1000):
        kind = key.removeprefix(prefix).partition(":")[0]
        yield kind, f"{key} {await _read(redis, key)}"


async def _read(redis: Any, key: str) -> str:
    kind = await redis.type(key)
    if kind == "string":
        return str(await redis.get(key))
    if kind == "hash":
        return json.dumps(await redis.hgetall(key), ensure_ascii=False)
    if kind == "list":
        return json.dumps(await redis.lrange(key, 0, -1), ensure_ascii=False)
    if kind == "set":
        return " ".join(await redis.smembers(key))
    if kind == "zset":
        return " ".join(await redis.zrange(key, 0, -1))
    return json.dumps(await redis.xrange(key), ensure_ascii=False) if kind == "stream" else ""


async def _metrics(stage: Stage) -> str:
    try:
        answer = await stage.sandbox.get(f"{stage.web_url}/metrics")
    except httpx.HTTPError:
        return ""
    return answer.text if answer.status_code == 200 else ""
