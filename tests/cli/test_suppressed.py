"""`suppressed`, as a person calls it."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Console


async def test_a_person_suppresses_an_address_and_frees_it(console: Console) -> None:
    assert (await console.call("suppressed")).stdout == "nobody is suppressed\n"
    added = await console.call("suppressed", "--add", "Ann@X.Example", "--reason", "she asked us to stop")
    assert added.stdout == "ann@x.example is suppressed\n"
    again = await console.call("suppressed", "--add", "ann@x.example", "--reason", "once more")
    assert again.stdout == "ann@x.example was suppressed already\n"
    shown = json.loads((await console.call("suppressed", "--json")).stdout)
    assert (shown["address"], shown["why"], shown["run"]) == ("ann@x.example", "she asked us to stop", "")
    assert (await console.call("suppressed", "--remove", "ANN@x.example")).exit_code == 0
    missing = await console.call("suppressed", "--remove", "ann@x.example")
    assert (missing.exit_code, "is not suppressed" in missing.output) == (1, True)


async def test_the_list_of_the_configuration_is_shown_too(console: Console) -> None:
    text = console.config.read_text() + "outbound: {suppress: ['@gone.example', ben@x.example]}\n"
    console.config.write_text(text)
    lines = (await console.call("suppressed")).stdout.splitlines()
    assert lines == [
        "@gone.example  outbound.suppress in the configuration",
        "ben@x.example  outbound.suppress in the configuration",
    ]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        pytest.param(["--add", "ann@x.example"], "--add takes a --reason", id="no reason"),
        pytest.param(["--reason", "spam"], "--add takes a --reason", id="a reason for nothing"),
        pytest.param(["--add", "ann", "--reason", "x"], "'ann' is no address", id="no address"),
        pytest.param(["--add", "a@x.example", "--remove", "a@x.example"], "two commands", id="both"),
    ],
)
async def test_mistakes_are_named(console: Console, args: list[str], said: str) -> None:
    result = await console.call("suppressed", *args)
    assert result.exit_code != 0
    assert said in result.output
