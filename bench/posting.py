"""Calls of a hook as they go over the wire, and a generator of them that is not the bottleneck.

Run as `python -m bench.posting URL SECRET CONNECTIONS`: for every number on its input it sends so many
signed calls, each with a key of its own, and prints how long each took, in milliseconds.
"""

from __future__ import annotations

import hmac
import json
import secrets
import sys
import time
from itertools import count
from urllib.parse import urlsplit

import uvloop

from bench.load import send_all

SERIAL = count(1)
RUN = secrets.token_hex(4)


def call(url: str, secret: str, status: str) -> bytes:
    """One signed call of some 2 KB; no two are alike."""
    place, number = urlsplit(url), next(SERIAL)
    said = {"order": {"id": number, "status": status}, "note": "x" * 1_900}
    body = json.dumps(said).encode()
    head = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"x-postroom-signature: sha256={hmac.new(secret.encode(), body, 'sha256').hexdigest()}\r\n"
        f"idempotency-key: {RUN}-{number}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _main(url: str, secret: str, connections: int) -> None:
    for line in sys.stdin:
        # Signed before the first is sent, so that only sending is measured.
        requests = [call(url, secret, "open") for _ in range(int(line))]
        began = time.perf_counter()
        took = await send_all(url, iter(requests), connections)
        print(json.dumps({"seconds": time.perf_counter() - began, "took": took}), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
