"""`explain` of calls of hooks."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.called import call_of_run
from engine.cli.main import main
from engine.errors import PostroomError
from engine.flow.plan import Run
from engine.mail.events import SEND_REQUESTED, EventKind
from engine.settings import Settings
from engine.store.base import Base
from engine.wiring import Office

RULE = """
rules:
  - id: paid
    event: hook.orders
    when: {payload: {path: status, is: paid}}
    then: [{send: {template: paid, to: [a@x.example]}}]
"""


def explained(folder: Path, body: str, hook: str = "orders") -> Result:
    (folder / "rules.yaml").write_text(RULE)
    (folder / "body.json").write_text(body)
    words = ["explain", "--rules", str(folder / "rules.yaml"), "--hook", hook, str(folder / "body.json")]
    return CliRunner().invoke(main, words)


def test_the_body_of_a_call_is_explained(tmp_path: Path) -> None:
    assert "+ paid" in explained(tmp_path, '{"status": "paid"}').stdout
    not_matched = explained(tmp_path, '{"status": "open"}').stdout
    assert "- paid" in not_matched
    assert "open" in not_matched


def test_a_call_of_another_hook_is_not_heard(tmp_path: Path) -> None:
    assert "listens to hook.orders, not to hook.refunds" in explained(tmp_path, "{}", "refunds").stdout


@pytest.mark.parametrize(
    ("body", "hook", "why"),
    [
        pytest.param("{", "orders", "is no JSON", id="no JSON"),
        pytest.param("{}", "or ders", "names no hook", id="no name"),
    ],
)
def test_what_is_no_call_is_refused(tmp_path: Path, body: str, hook: str, why: str) -> None:
    result = explained(tmp_path, body, hook)
    assert result.exit_code
    assert why in str(result.exception)


async def test_a_run_is_explained_while_its_call_is_kept(redis: object, redis_url: str) -> None:
    office = Office(Settings(), Base(redis), redis_url)
    run = Run(id="r1", rule="paid", event="e", kind=EventKind("hook.orders"), mailbox="m@x.example", key="",
              digest="d", created=1.0)  # fmt: skip
    with pytest.raises(PostroomError, match="erased when the run was settled"):
        await call_of_run(office, run)
    await office.base.redis.hset(office.base.key("content", "r1"), "payload", '{"status": "paid"}')
    assert (await call_of_run(office, run)).payload == '{"status": "paid"}'
    with pytest.raises(PostroomError, match="no rule was asked"):
        await call_of_run(office, run.model_copy(update={"kind": SEND_REQUESTED}))
