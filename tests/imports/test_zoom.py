"""The filters of a Zoom Mail mailbox as rules."""

from __future__ import annotations

import json

import pytest

from engine.errors import RuleError
from engine.imports.canonical import as_yaml
from engine.imports.zoom import import_zoom
from tests.rules.making import rules

FILTER = {
    "id": "1",
    "criteria": {
        "from": "ann@x.example",
        "negatedQuery": "draft",
        "hasAttachment": True,
        "size": 1000,
        "sizeComparison": "larger",
    },
    "action": {"addLabelIds": ["Orders", "STARRED"], "removeLabelIds": ["INBOX", "UNREAD", "SPAM"]},
}


def test_a_filter_becomes_rules() -> None:
    found = import_zoom(json.dumps({"filter": [FILTER]}), "filters")
    assert found.losses == ()
    first, rescue = found.rules
    assert first["when"] == {"query": "from:ann@x.example -draft has:attachment larger:1000"}
    assert first["then"] == [
        {"label": {"add": ["Orders"]}},
        {"mark": {"starred": True, "read": True}},
        {"archive": True},
    ]
    assert rescue["when"]["all"][0] == {"label": "SPAM"}
    assert rules(as_yaml(found.rules))


def test_mail_goes_into_spam() -> None:
    spam = {**FILTER, "action": {"addLabelIds": ["SPAM"]}}
    assert import_zoom(json.dumps([spam]), "filters").rules[0]["then"] == [{"spam": True}]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"criteria": {"from": "a", "listId": "b"}}, "the criterion 'listId'", id="an unknown criterion"
        ),
        pytest.param({"criteria": {}}, "looks for nothing", id="no criteria"),
        pytest.param({"criteria": None, "action": "x"}, "looks for nothing", id="wrong shapes"),
    ],
)
def test_what_is_lost_is_named_with_its_place(changes: dict[str, object], said: str) -> None:
    found = import_zoom(json.dumps([{**FILTER, **changes}]), "filters")
    assert any(str(loss).startswith("filters filter[0]: ") and said in loss.what for loss in found.losses)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("{", "filters:1:2: is not JSON", id="no JSON"),
        pytest.param("[" * 100_000, "is not JSON", id="nested too deep"),
        pytest.param("{}", "holds no list 'filter'", id="no list"),
        pytest.param("[1]", "a filter must be a map", id="no filter"),
    ],
)
def test_what_is_no_list_of_filters_is_refused(text: str, said: str) -> None:
    with pytest.raises(RuleError) as raised:
        import_zoom(text, "filters")
    assert said in str(raised.value)
