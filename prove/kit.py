"""A forging kit: every way we know to make a webhook that is not Zoom's."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

from engine.sandbox.webhooks import sign
from engine.web.bodies import MAX_BODY
from prove.planted import word
from prove.wire import Headers, Request, chunk, head, post, signed

HOUR_S = 3600.0
HUGE = 100 * 1024 * 1024
BIG = MAX_BODY - 200
REFUSED, IGNORED = frozenset({401}), frozenset({200})
LARGE = frozenset({0, 413})
"""Who goes on sending to a server that has answered and hung up may lose the answer (RFC 9112, 9.6)."""
NOT_HTTP = frozenset({400, 401})
"""What is no sound HTTP may be refused by the server or by us."""
STAMP, SIGNATURE = "x-zm-request-timestamp", "x-zm-signature"


@dataclass(frozen=True)
class Forgery:
    """One way; `beside` names the good request whose time it is held against."""

    name: str
    request: Request
    wanted: frozenset[int] = REFUSED
    beside: str = "small"


@dataclass(frozen=True)
class Kit:
    """Makes requests for one account's endpoint, some of them with its true secret."""

    secret: str
    mailbox: str
    path: str

    def body(self, size: int = 0) -> bytes:
        """What a true webhook says, made as large as wanted."""
        event = {
            "event": "mail.history_event",
            "payload": {"object": {"email": self.mailbox, "history_id": 1}},
        }
        return json.dumps(event | ({"note": "x" * size} if size else {})).encode()

    def good(self, size: int = 0) -> Request:
        return self.true(self.body(size))

    def true(self, body: bytes, at: float | None = None, path: str = "", method: str = "POST") -> Request:
        """Signed with the true secret, whatever it says."""
        return post(path or self.path, body, signed(self.secret, body, at), method=method)

    def forgeries(self) -> list[Forgery]:
        return [*self._keys(), *self._headers(), *self._http(), *self._large(), *self._unusable()]

    def planted(self) -> list[Request]:
        """Signed and forged, with planted words where an event has text."""
        sender, subject = f"{word('from')}@planted.example", word("subject")
        spoken: list[dict[str, object]] = [
            {"event": "mail.history_event", "payload": {"object": {"email": sender, "subject": subject}}},
            {"event": "endpoint.url_validation", "payload": {"plainToken": word("body") * 20}},
            {"payload": word("body")},
        ]
        bodies = [json.dumps(one).encode() for one in spoken] + [word("body").encode()]
        keys = (self.secret, "another")
        return [post(self.path, body, signed(key, body)) for body in bodies for key in keys]

    def _keys(self) -> Iterator[Forgery]:
        body, big = self.body(), self.body(BIG)
        again = json.dumps(json.loads(body), separators=(",", ":")).encode()
        yield Forgery("another key", post(self.path, body, signed("another", body)))
        yield Forgery("no key", post(self.path, body, signed("", body)))
        yield Forgery("a byte changed", self._signed_for(body, body[:-4] + b"2}}}"))
        yield Forgery("a byte appended", self._signed_for(body, body + b" "))
        yield Forgery("the same JSON written again", self._signed_for(body, again))
        yield Forgery("the headers of another webhook", self._signed_for(big, body))
        yield Forgery("two hours old", self.true(body, time.time() - 2 * HOUR_S))
        yield Forgery("two hours ahead", self.true(body, time.time() + 2 * HOUR_S))
        yield Forgery("a megabyte, another key", post(self.path, big, signed("another", big)), beside="big")

    def _headers(self) -> Iterator[Forgery]:
        stamp = str(int(time.time())).encode()
        true = sign(self.secret, stamp.decode(), self.body()).encode()
        false, kept = b"v0=" + b"0" * 64, (STAMP, stamp)
        refused: list[tuple[str, Headers]] = [
            ("no headers", ()),
            ("no timestamp", ((SIGNATURE, true),)),
            ("no signature", (kept,)),
            ("an empty signature", (kept, (SIGNATURE, b""))),
            ("half a signature", (kept, (SIGNATURE, true[:30]))),
            ("a signature without version", (kept, (SIGNATURE, true[3:]))),
            ("another version", (kept, (SIGNATURE, b"v1" + true[2:]))),
            ("a signature in capitals", (kept, (SIGNATURE, true.upper()))),
            ("a false signature before the true one", (kept, (SIGNATURE, false), (SIGNATURE, true))),
            ("a timestamp that is no number", ((STAMP, b"now"), (SIGNATURE, true))),
            ("a header within a header", (kept, (SIGNATURE, false + b"\r\nx-zm-signature: " + true))),
            ("a trace of 5,000 letters", (kept, ("traceparent", b"00-" + b"f" * 5000 + b"-01"))),
        ]
        broken: list[tuple[str, Headers]] = [
            ("a bare line feed in a header", (kept, (SIGNATURE, false + b"\nx-zm-signature: " + true))),
            ("a folded header", (kept, (SIGNATURE, false + b"\r\n " + true))),
            ("a NUL in a header", (kept, (SIGNATURE, true + b"\0"))),
        ]
        yield from (Forgery(name, post(self.path, self.body(), told)) for name, told in refused)
        yield from (Forgery(name, post(self.path, self.body(), told), NOT_HTTP) for name, told in broken)
        yield Forgery("a timestamp that reaches into the body", self._shifted(stamp, true))
        many = tuple((f"x-{number}", b"y" * 50) for number in range(1000))
        yield Forgery("a thousand headers", post(self.path, self.body(), many), NOT_HTTP, "big")

    def _shifted(self, stamp: bytes, signature: bytes) -> Request:
        """The signed text cut in another place: a part of the body goes into the timestamp."""
        before, _, after = self.body().partition(b":")
        return post(self.path, after, ((STAMP, stamp + b":" + before), (SIGNATURE, signature)))

    def _http(self) -> Iterator[Forgery]:
        body = self.body()
        for method in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS"):
            yield Forgery(method, self.true(body, method=method), frozenset({405}))
        elsewhere = frozenset({404})
        yield Forgery("another account", self.true(body, path="/hooks/zoom/other"), elsewhere)
        yield Forgery("a slash too many", self.true(body, path=self.path + "/"), elsewhere)
        yield Forgery("a path out of the folder", self.true(body, path="/hooks/zoom/../x"), elsewhere)
        true = signed(self.secret, body)
        both, twice = (*true, ("transfer-encoding", b"chunked")), (*true, ("content-length", b"5"))
        yield Forgery("two ways to tell the length", post(self.path, body, both), NOT_HTTP)
        yield Forgery("two lengths", post(self.path, body, twice), NOT_HTTP)
        yield Forgery("a length below zero", post(self.path, body, true, length=-5), NOT_HTTP)

    def _large(self) -> Iterator[Forgery]:
        piece = b"x" * 65_536
        count = HUGE // len(piece)
        told = head("POST", self.path, (("content-length", str(HUGE).encode()),))
        chunked = head("POST", self.path, (("transfer-encoding", b"chunked"),))
        yield Forgery("100 MB, announced", Request(told, (piece,), count), LARGE)
        yield Forgery("100 MB, chunk by chunk", Request(chunked, (chunk(piece),), count), LARGE, "big")
        endless = head("POST", self.path, ())[:-2] + b"x-long: "
        yield Forgery("a header of 100 MB", Request(endless, (piece,), count), frozenset({0, 431}), "big")
        yield Forgery("deep JSON", self._signed_for(b"[", b"[" * BIG), beside="big")

    def _unusable(self) -> Iterator[Forgery]:
        """Truly signed, and of no use: taken, so that they are not repeated, and counted."""
        token = {"event": "endpoint.url_validation", "payload": {"plainToken": f"v0:{time.time():.0f}:{{}}"}}
        elsewhere = self.body().replace(self.mailbox.encode(), b"nobody@elsewhere.example")
        for name, body in {
            "no JSON": b"{",
            "compressed": gzip.compress(self.body()),
            "no UTF-8": b"\xff\xfe\x00",
            "a number of 5,000 digits": b"9" * 5_000,
            "another mailbox": elsewhere,
            "other news": b'{"event": "meeting.started"}',
            "a plainToken that would be a signature": json.dumps(token).encode(),
        }.items():
            yield Forgery(f"signed: {name}", self.true(body), IGNORED)
        maps = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
        yield Forgery("signed: deep JSON", self.true(b"[" * BIG), IGNORED, "big")
        yield Forgery("signed: deep maps", self.true(maps), IGNORED, "big")

    def _signed_for(self, one: bytes, body: bytes) -> Request:
        """One body under another's true headers."""
        return post(self.path, body, signed(self.secret, one))
