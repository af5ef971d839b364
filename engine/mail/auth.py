"""What the receiving server found out about a message's sender: Authentication-Results (RFC 8601).

Anybody can write such a field into a message. Its server is named in it, and only what that server put
on top is believed: fields above the first Received, else the first one below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from engine.mail.headers import Headers

FIELD = "authentication-results"
METHODS = ("spf", "dkim", "dmarc")
RESULTS = frozenset({"pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"})
"""RFC 8601, section 2.7, and RFC 7489, section 11.2."""
MAX_FIELD = 20_000
"""Characters of one field that are read."""

_FORMER = {"hardfail": "fail", "error": "temperror", "unknown": "permerror"}
"""Results that earlier versions (RFC 5451) knew by other names."""
_TOKEN = re.compile(r'\\.|[()";]|[^()";\\]+|\\', re.S)
_RESULT = re.compile(r"\s*([a-z0-9-]+)\s*(?:/\s*[0-9]+\s*)?=\s*([a-z]+)(?=\s|$)")
_MAIL_FROM = re.compile(r"\bsmtp\.mail(?:from)?\s*=")


def auth_results(headers: Headers, servers: frozenset[str]) -> Mapping[str, frozenset[str]]:
    """Give the results of spf, dkim and dmarc by a server of one of these names, in lower case.

    A method that the server does not report is absent.
    """
    found: dict[str, list[tuple[str, bool]]] = {}
    for statements in _believed(headers, servers):
        for statement in statements:
            if match := _RESULT.match(statement):
                result = _FORMER.get(match[2], match[2])
                found.setdefault(match[1], []).append((result, bool(_MAIL_FROM.search(statement))))
    return {method: _settled(method, found[method]) for method in METHODS if method in found}


def _believed(headers: Headers, servers: frozenset[str]) -> Iterator[Sequence[str]]:
    """Give the statements of each field that the server put there itself.

    A server puts its fields on top of what it received, Received among them (RFC 5321, section 4.4). What
    stands above the first Received is certainly its own; below that, only its first field is.
    """
    above = "received" in headers
    found = False
    for name, value in headers:
        lower = name.lower()
        if lower == "received":
            if found:
                return
            above = False
        elif lower == FIELD:
            server, *statements = _statements(value)
            if servers.isdisjoint(server.split()[:1]):
                continue
            yield statements
            if not above:
                return
            found = True


def _statements(value: str) -> list[str]:
    """Cut a field at its semicolons, in lower case, comments taken out; quoted text says nothing.

    The first is the server's name, which alone may be quoted.
    """
    statements: list[list[str]] = [[]]
    depth, quoted = 0, False
    for piece in _TOKEN.findall(value[:MAX_FIELD]):
        if quoted:
            quoted = piece != '"'
            if quoted and len(statements) == 1:
                statements[0].append(piece)
        elif piece == "(":
            depth += 1
            statements[-1].append(" ")
        elif piece == ")":
            depth = max(0, depth - 1)
        elif depth:
            continue
        elif piece == ";":
            statements.append([])
        elif piece == '"':
            quoted = True
            statements[-1].append("" if len(statements) == 1 else "_")
        else:
            statements[-1].append(piece)
    return ["".join(pieces).lower() for pieces in statements]


def _settled(method: str, results: Iterable[tuple[str, bool]]) -> frozenset[str]:
    """Settle several results of one method.

    One good signature is enough (RFC 6376, section 6.1). Of SPF, the envelope sender's result counts, and
    the greeting's only without it; else nothing passed unless all did.
    """
    each = list(results)
    if method == "spf" and any(of_sender for _, of_sender in each):
        each = [(result, of_sender) for result, of_sender in each if of_sender]
    found = frozenset(result for result, _ in each)
    if method == "dkim" and "pass" in found:
        return frozenset({"pass"})
    return found if len(found) == 1 else found - {"pass"}
