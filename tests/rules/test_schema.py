"""The JSON Schema says what the loader says, as far as a schema can."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from engine.rules.findings import RuleErrors
from engine.rules.loader import load_rules
from engine.rules.registry import ACTIONS, CONDITIONS
from engine.rules.schema import rules_schema
from engine.rules.yaml import parse_yaml, plain

SCHEMA = rules_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def as_file(when: str = "{subject: x}", then: str = "{archive: true}") -> Any:
    text = f"version: 1\nrules: [{{id: a, when: {when}, then: [{then}]}}]\n"
    return _typed(plain(parse_yaml(text, "f")))


def _typed(value: Any) -> Any:
    """Resolve texts as an editor's YAML reader does."""
    if isinstance(value, dict):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    return {"true": True, "false": False, "1": 1}.get(value, value)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("text", [text for each in CONDITIONS.values() for text in each.examples])
def test_examples_of_conditions_fit(text: str) -> None:
    VALIDATOR.validate(as_file(when="{" + text + "}" if not text.startswith("{") else text))


@pytest.mark.parametrize("text", [text for each in ACTIONS.values() for text in each.examples])
def test_examples_of_actions_fit(text: str) -> None:
    VALIDATOR.validate(as_file(then="{" + text + "}"))


@pytest.mark.parametrize(
    ("when", "then"),
    [
        pytest.param("{form: x}", "{archive: true}", id="an unknown condition"),
        pytest.param("{from: {domian: x}}", "{archive: true}", id="an unknown kind"),
        pytest.param("{all: []}", "{archive: true}", id="all of nothing"),
        pytest.param("{subject: x, from: y}", "{archive: true}", id="two conditions in one map"),
        pytest.param("{is: unred}", "{archive: true}", id="an unknown fact"),
        pytest.param("{subject: x}", "{lable: x}", id="an unknown action"),
        pytest.param(
            "{subject: x}", "{http: {endpoint: e, keep: {x-id: id}}}", id="no name for what is kept"
        ),
        pytest.param("{subject: x}", "{http: {endpoint: e, as: status}}", id="a step's name that is taken"),
        pytest.param("{subject: x}", "{reply: {template: x, mode: ask}}", id="an unknown mode"),
        pytest.param(
            "{subject: x}", "{reply: {template: x, expires: 1d}}", id="an end of what does not wait"
        ),
        pytest.param("{subject: x}", "{send: {template: x}}", id="a message for nobody"),
    ],
)
def test_mistakes_do_not_fit(when: str, then: str) -> None:
    assert not VALIDATOR.is_valid(as_file(when, then))


def test_keys_that_begin_with_x_fit_anywhere() -> None:
    VALIDATOR.validate(as_file("{subject: {contains: a, x-why: b}, x-b: c}", "{label: {add: L, x-d: e}}"))


def test_every_component_and_key_is_described() -> None:
    described = str(SCHEMA)
    for component in [*CONDITIONS.values(), *ACTIONS.values()]:
        assert component.__doc__
        assert component.__doc__.splitlines()[0] in described


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"id": "a b", "then": [{"archive": True}]}, id="an id with a blank"),
        pytest.param({"id": "a"}, id="a rule that does nothing"),
        pytest.param({"id": "a", "then": []}, id="nothing to do"),
        pytest.param({"id": "a", "stop": False}, id="nothing to do, and no stop"),
        pytest.param({"id": "a", "then": [{"label": {}}]}, id="an empty action"),
        pytest.param({"id": "a", "stop": True, "when": {"subject": {}}}, id="an empty text kind"),
        pytest.param({"id": "a", "stop": True, "when": {"from": {}}}, id="an empty address kind"),
        pytest.param({"id": "a", "stop": True, "when": {"size": {}}}, id="an empty number kind"),
        pytest.param({"id": "a", "stop": True, "when": {"attachment": {}}}, id="an empty attachment"),
        pytest.param({"id": "a", "stop": True, "when": {"subject": []}}, id="any of no subjects"),
        pytest.param({"id": "a", "stop": True, "when": {"subject": {"regex": ""}}}, id="an empty pattern"),
        pytest.param({"id": "a", "stop": True, "tests": [{"name": "t", "expect": {}}]}, id="no expectation"),
    ],
)
def test_what_the_loader_refuses_by_shape_does_not_fit(rule: dict[str, Any]) -> None:
    text = {"rules": [{"when": {"subject": "x"}, **rule}]}
    assert not VALIDATOR.is_valid(text)
    with pytest.raises(RuleErrors):
        load_rules({"r.yaml": json.dumps(text)}, None)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"id": "a", "then": [{"archive": None}]}, id="archive without a value"),
        pytest.param({"id": "a", "stop": True}, id="a stop alone"),
        pytest.param({"id": 12, "then": [{"trash": {}}]}, id="an id of digits"),
        pytest.param(
            {
                "id": "a",
                "stop": True,
                "tests": [{"name": "t", "given": {"labels": []}, "expect": {"stop": True}}],
            },
            id="a message without labels",
        ),
    ],
)
def test_what_the_loader_takes_fits(rule: dict[str, Any]) -> None:
    text = {"rules": [{"when": {"subject": "x"}, **rule}]}
    VALIDATOR.validate(text)
    assert load_rules({"r.yaml": json.dumps(text).replace("null", "")}, None).rules
