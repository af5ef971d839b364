"""The id that a webhook brings, and what is counted and noted of webhooks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

import pytest

from engine import metrics
from engine.metrics import WEBHOOKS
from engine.web.bodies import MAX_BODY
from tests.web.conftest import EVENT, Site, as_json

HEADER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
OTHER = HEADER.replace("4bf9", "5bf9")
VALIDATION = {"event": "endpoint.url_validation", "payload": {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"}}


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    metrics.take()
    yield
    metrics.take()


async def test_a_traceparent_goes_with_the_ring(site: Site) -> None:
    await site.post(as_json(EVENT), traceparent=HEADER)
    assert site.traces == [{"Support@acme.example": HEADER}]


async def test_a_ring_without_one_that_holds_gets_its_own(site: Site) -> None:
    await site.post(as_json(EVENT), traceparent="00-zz-1-01")
    (made,) = site.traces[0].values()
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)


async def test_of_rings_that_go_together_the_newest_names_the_cause(site: Site) -> None:
    await asyncio.gather(*(site.post(as_json(EVENT), traceparent=cause) for cause in (HEADER, OTHER)))
    assert site.traces[-1] == {"Support@acme.example": OTHER}


@pytest.mark.parametrize(
    ("event", "headers", "outcome", "marks"),
    [
        pytest.param(EVENT, {}, "taken", {"signed"}, id="a ring"),
        pytest.param(VALIDATION, {}, "validated", {"signed", "validated"}, id="a validation"),
        pytest.param(
            VALIDATION | {"payload": {"plainToken": "v0:1:{}"}}, {}, "malformed", {"signed", "refused"},
            id="a validation that would sign what its sender likes",
        ),
        pytest.param({"event": "x"}, {}, "ignored", {"signed"}, id="another event"),
        pytest.param(EVENT, {"x-zm-signature": "v0=00"}, "forged", {"forged"}, id="a wrong signature"),
    ],
)  # fmt: skip
async def test_what_became_of_it_is_counted_and_noted(
    site: Site, event: dict[str, object], headers: dict[str, str], outcome: str, marks: set[str]
) -> None:
    await site.post(as_json(event), **headers)
    taken = metrics.take()
    assert taken.counts == {(WEBHOOKS.name, "acme", outcome): 1}
    assert taken.marks.keys() == {(mark, "acme") for mark in marks}


async def test_a_webhook_that_redis_did_not_take_has_failed(site: Site) -> None:
    site.down = True
    await site.post(as_json(EVENT))
    assert metrics.take().counts == {(WEBHOOKS.name, "acme", "failed"): 1}


async def test_a_body_that_is_too_large_is_counted(site: Site) -> None:
    assert (await site.post(b"x" * (MAX_BODY + 1))).status_code == 413
    assert metrics.take().counts == {(WEBHOOKS.name, "acme", "unreadable"): 1}
