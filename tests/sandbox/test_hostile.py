"""No call, however made up, finds a defect: schemathesis against the sandbox's own OpenAPI file.

POSTROOM_HOSTILE_EXAMPLES tells how many calls are made up for each operation.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.sandbox.control import CONTROLS
from engine.sandbox.operations import ANSWERS
from tests.sandbox.driving import ANN, drive
from tests.sandbox.hostility import Stocked, calls_of, operations_of, run, stock

EXAMPLES = int(os.environ.get("POSTROOM_HOSTILE_EXAMPLES", "15"))
HOSTILE = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="POSTROOM_HOSTILE_EXAMPLES" not in os.environ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.just(ANN),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
FIELDS = (
    "mailbox", "path", "thread", "status", "aliases", "groupEmails", "faults", "operation", "share", "kinds",
    "kind", "times", "search", "lose", "late", "scheduled", "url", "secret", "imported",
)  # fmt: skip


@pytest.fixture(scope="module")
def stocked() -> Iterator[Stocked]:
    made = asyncio.run(stock())
    yield made
    made.driver.close()
    made.image.close()


@pytest.fixture(scope="module")
def operations(stocked: Stocked) -> dict[str, Any]:
    return operations_of(stocked)


def test_every_operation_is_attacked(operations: dict[str, Any]) -> None:
    assert set(operations) == set(ANSWERS)


@pytest.mark.parametrize("operation", ANSWERS)
def test_no_call_finds_a_defect(stocked: Stocked, operations: dict[str, Any], operation: str) -> None:
    seen: Counter[int] = Counter()

    @HOSTILE
    @given(case=calls_of(operations[operation]))
    def attack(case: Any) -> None:
        response = run(stocked, case)
        assert response.status_code < 500
        seen[response.status_code] += 1

    attack()
    assert seen[200] + seen[204], "no made-up call was a good one"


@pytest.mark.parametrize(
    "operation", ["get_email", "send_email", "list_email_threads", "delete_email_filter"]
)
def test_no_mailbox_finds_a_defect(stocked: Stocked, operations: dict[str, Any], operation: str) -> None:
    @HOSTILE
    @given(case=calls_of(operations[operation], mailbox=None))
    def attack(case: Any) -> None:
        assert run(stocked, case).status_code in (400, 404, 405)

    attack()


@pytest.mark.parametrize("name", [name for method, name in CONTROLS if method == "POST" and name != "load"])
def test_no_control_call_finds_a_defect(stocked: Stocked, name: str) -> None:
    @HOSTILE
    @given(body=JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=4))
    def attack(body: Any) -> None:
        stocked.begin_anew()
        try:
            response = asyncio.run(stocked.driver.http.post(f"/_sandbox/{name}", json=body))
        except ValueError:  # JSON has no word for a float without an end
            return
        assert response.status_code < 500

    attack()


@pytest.mark.parametrize("path", ["token", "revoke"])
def test_no_form_finds_a_defect(stocked: Stocked, path: str) -> None:
    fields = st.sampled_from(["grant_type", "code", "refresh_token", "token", "redirect_uri", "account_id"])
    words = st.sampled_from(["authorization_code", "refresh_token", "account_credentials"]) | st.text(
        max_size=9
    )

    @HOSTILE
    @given(form=st.dictionaries(fields, words), body=st.none() | st.binary(max_size=40))
    def attack(form: dict[str, str], body: bytes | None) -> None:
        stocked.begin_anew()
        given = {"data": form} if body is None else {"content": body, "params": form}
        answer = asyncio.run(stocked.driver.http.post(f"/oauth/{path}", auth=("sandbox", "sandbox"), **given))
        assert answer.status_code in (200, 400)

    attack()


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(b"/messages/%00", id="a NUL"),
        pytest.param(b"/messages/%ff%fe", id="no UTF-8"),
        pytest.param(b"/messages/%2e%2e%2f%2e%2e", id="a way up"),
        pytest.param(b"/messages/" + b"a" * 20_000, id="a very long id"),
        pytest.param(b"/messages?q=%ed%a0%80", id="half a character"),
        pytest.param(b"/messages?q=" + b"(" * 5_000, id="many parentheses"),
        pytest.param(b"/messages?q=" + b"-" * 5_000 + b"a", id="many negations"),
        pytest.param(b"/messages?q=%7B" + b"a%20" * 5_000 + b"%7D", id="many words"),
        pytest.param(b"/messages?labelIds=" + b"INBOX," * 5_000, id="many labels"),
        pytest.param(b"/threads?q=" + b"subject:" * 3_000, id="many fields"),
        pytest.param(b"/history?startHistoryId=1000&pageToken=%f0%9f%92%a9", id="a strange token"),
        pytest.param(b"/messages?maxResults=%d9%a3", id="another script's digit"),
    ],
)
def test_no_path_finds_a_defect(stocked: Stocked, target: bytes) -> None:
    stocked.begin_anew()
    url = httpx.URL("http://sandbox").copy_with(raw_path=f"/v2/emails/mailboxes/{ANN}".encode() + target)
    assert asyncio.run(stocked.driver.http.get(url)).status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 200_000, id="deep JSON"),
        pytest.param(b'{"raw":' * 5_000 + b"1" + b"}" * 5_000, id="deep objects"),
        pytest.param(b'{"raw": "\\ud800"}', id="half a character"),
        pytest.param(b'{"raw": "\\u0000"}', id="a NUL"),
        pytest.param(b"\xff\xfe{}", id="another encoding"),
        pytest.param(b'{"raw": ' + b"9" * 5_000 + b"}", id="a huge number"),
        pytest.param(b'{"raw": NaN, "sendTime": Infinity}', id="no number"),
        pytest.param(b'{"raw": "' + b"A" * 1_000_000 + b'"}', id="a large body"),
    ],
)
@pytest.mark.parametrize("path", ["/messages/send", "/drafts", "/labels", "/settings/filters"])
def test_no_body_finds_a_defect(stocked: Stocked, path: str, body: bytes) -> None:
    stocked.begin_anew()
    response = asyncio.run(stocked.driver.call("POST", path, content=body))
    assert response.status_code < 500


def test_a_defect_would_be_found() -> None:
    """The attack sees what goes wrong: here a table is gone."""
    driver = drive(limits=False)
    driver.sandbox.store.db.execute("DROP TABLE tokens")
    try:
        with pytest.raises(Exception, match="no such table"):
            asyncio.run(driver.http.get(f"/v2/emails/mailboxes/{ANN}/profile"))
    finally:
        driver.close()
