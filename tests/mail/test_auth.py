"""Results that the receiving server itself wrote, and none that others wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.auth import METHODS, RESULTS, auth_results
from engine.mail.headers import parse_headers
from tests.growth import is_linear

OURS = frozenset({"mx.acme.example"})
FIELD = "Authentication-Results: "
HOP = "Received: from x by mx.acme.example; Sun, 1 Mar 2026 09:00:00 +0000\n"
THEIR_HOP = "Received: from y by z.example; Sun, 1 Mar 2026 08:59:00 +0000\n"
FORGED = FIELD + "mx.acme.example; spf=pass; dkim=pass; dmarc=pass\n"


def found(text: str, servers: frozenset[str] = OURS) -> dict[str, set[str]]:
    return {
        method: set(results)
        for method, results in auth_results(parse_headers(text.encode()), servers).items()
    }


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        pytest.param("mx.acme.example; spf=pass", {"spf": {"pass"}}, id="one result"),
        pytest.param("MX.Acme.Example; SPF=Pass", {"spf": {"pass"}}, id="case does not matter"),
        pytest.param("mx.acme.example 1; spf=fail", {"spf": {"fail"}}, id="a version behind the name"),
        pytest.param('"mx.acme.example"; spf=fail', {"spf": {"fail"}}, id="the name in quotes"),
        pytest.param(
            "(hi) mx.acme.example (you); spf=fail", {"spf": {"fail"}}, id="comments around the name"
        ),
        pytest.param("mx.acme.example; none", {}, id="nothing was checked"),
        pytest.param("mx.acme.example", {}, id="the name alone"),
        pytest.param("", {}, id="an empty field"),
        pytest.param(";;;", {}, id="semicolons alone"),
        pytest.param("evil.example; spf=pass", {}, id="another server"),
        pytest.param("evil.example mx.acme.example; spf=pass", {}, id="another server, then our name"),
        pytest.param("x.mx.acme.example; spf=pass", {}, id="a server below our name"),
        pytest.param("spf=pass smtp.mailfrom=x; dkim=pass", {}, id="a field that names no server"),
        pytest.param(
            "mx.acme.example; spf=softfail smtp.mailfrom=a@b; dkim=none; dmarc=fail (p=none) header.from=b",
            {"spf": {"softfail"}, "dkim": {"none"}, "dmarc": {"fail"}},
            id="all three",
        ),
        pytest.param(
            "mx.acme.example; dkim/1 = pass header.d=b", {"dkim": {"pass"}}, id="a method's version"
        ),
        pytest.param("mx.acme.example; spf=hardfail", {"spf": {"fail"}}, id="a result by its former name"),
        pytest.param("mx.acme.example; dkim=(ok)pass", {"dkim": {"pass"}}, id="a comment before the result"),
        pytest.param("mx.acme.example; dkim=passed", {"dkim": {"passed"}}, id="a result that nobody knows"),
        pytest.param(
            "mx.acme.example; dkim=fail (; dmarc=pass) header.d=b",
            {"dkim": {"fail"}},
            id="a result in a comment",
        ),
        pytest.param(
            "mx.acme.example; dkim=fail (a (b) ; dmarc=pass) x=y",
            {"dkim": {"fail"}},
            id="in a nested comment",
        ),
        pytest.param(
            r"mx.acme.example; dkim=fail (a \) ; dmarc=pass)", {"dkim": {"fail"}}, id="an escaped parenthesis"
        ),
        pytest.param(
            'mx.acme.example; dkim=fail reason="x; dmarc=pass"', {"dkim": {"fail"}}, id="a result in a reason"
        ),
        pytest.param('mx.acme.example; "dmarc=pass"', {}, id="a result in quotes"),
        pytest.param(
            r'mx.acme.example; spf=fail reason="\"; dmarc=pass"', {"spf": {"fail"}}, id="an escaped quote"
        ),
        pytest.param(
            "mx.acme.example; dkim=fail (x; dmarc=pass", {"dkim": {"fail"}}, id="a comment left open"
        ),
        pytest.param(
            "mx.acme.example; dkim=fail header.d=a; dkim=pass header.d=b",
            {"dkim": {"pass"}},
            id="one good signature",
        ),
        pytest.param(
            "mx.acme.example; dkim=fail; dkim=neutral", {"dkim": {"fail", "neutral"}}, id="no good signature"
        ),
        pytest.param(
            "mx.acme.example; spf=pass smtp.helo=h; spf=fail smtp.mailfrom=a@b",
            {"spf": {"fail"}},
            id="the envelope sender before the greeting",
        ),
        pytest.param("mx.acme.example; spf=pass smtp.helo=h", {"spf": {"pass"}}, id="the greeting alone"),
        pytest.param("mx.acme.example; dmarc=pass; dmarc=fail", {"dmarc": {"fail"}}, id="passed and failed"),
    ],
)
def test_a_field_is_read(value: str, wanted: dict[str, set[str]]) -> None:
    assert found(FIELD + value + "\n") == wanted


REAL = FIELD + "mx.acme.example; dmarc=fail\n"


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        pytest.param(HOP + REAL + FORGED, {"dmarc": {"fail"}}, id="a forged one right below ours"),
        pytest.param(HOP + REAL + THEIR_HOP + FORGED, {"dmarc": {"fail"}}, id="a forged one further down"),
        pytest.param(REAL + HOP + FORGED, {"dmarc": {"fail"}}, id="ours on top, a forged one below the hop"),
        pytest.param(REAL + FORGED, {"dmarc": {"fail"}}, id="no hop tells where ours end"),
        pytest.param(
            REAL + FIELD + "mx.acme.example; spf=none\n" + HOP + FORGED,
            {"dmarc": {"fail"}, "spf": {"none"}},
            id="two of ours on top, by two filters",
        ),
        pytest.param(
            FIELD + "relay.example; dmarc=pass\n" + HOP + REAL,
            {"dmarc": {"fail"}},
            id="another server's on top",
        ),
        pytest.param(
            "ARC-Authentication-Results: i=1; mx.acme.example; dmarc=pass\n" + HOP + REAL,
            {"dmarc": {"fail"}},
            id="a chain's copy is no result",
        ),
    ],
)
def test_only_what_our_server_put_on_top_is_believed(header: str, wanted: dict[str, set[str]]) -> None:
    assert found(header) == wanted


def test_a_server_may_have_several_names() -> None:
    servers = OURS | {"mx2.acme.example"}
    assert found(FIELD + "mx2.acme.example; spf=pass\n", servers) == {"spf": {"pass"}}


def test_nobody_is_believed_without_a_name() -> None:
    assert found(FORGED, frozenset()) == {}


@given(st.text(alphabet='mx;()"\\= \tspfas/1.', max_size=60))
def test_whatever_stands_there_is_read(text: str) -> None:
    results = found(FIELD + "mx.acme.example;" + text.replace("\n", "") + "\n")
    assert results.keys() <= set(METHODS)


@pytest.mark.parametrize("piece", ["(", '"', "\\", ";", "=", "a=b;", "dkim=pass;", "(()", "dkim / "])
def test_a_long_field_takes_linear_time(piece: str) -> None:
    assert is_linear(lambda size: found(FIELD + "mx.acme.example; " + piece * size + "\n"), 2_000)


def test_the_results_are_those_of_the_standard() -> None:
    assert {"pass", "fail", "softfail", "neutral", "none", "policy", "temperror", "permerror"} == RESULTS
