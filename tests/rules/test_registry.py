"""What every condition and every action owes."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from engine.errors import Missing
from engine.mail.message import Attachment, Message
from engine.mail.needs import Need, Needs
from engine.rules import conditions
from engine.rules.action import Action
from engine.rules.condition import Condition, walk
from engine.rules.evaluation import Verdict
from engine.rules.registry import ACTIONS, CONDITIONS, AnyAction, collect
from engine.rules.strict import Strict
from engine.rules.view import View
from engine.rules.yaml import parse_yaml, plain
from tests.rules.making import NOW, condition, make_message

ACTION: TypeAdapter[Action] = TypeAdapter(AnyAction)

EXAMPLES = [pytest.param(text, id=text) for each in CONDITIONS.values() for text in each.examples]
ACTION_EXAMPLES = [pytest.param(text, id=text) for each in ACTIONS.values() for text in each.examples]
COMPONENTS: list[type[Strict]] = [*CONDITIONS.values(), *ACTIONS.values()]


def test_the_first_set_is_there() -> None:
    wanted = "all any none not from to cc recipient subject header label attachment size is automated"
    assert set(wanted.split()) <= set(CONDITIONS)
    done = "label archive mark trash untrash spam delete reply forward send draft http save emit summary"
    assert set(done.split()) <= set(ACTIONS)


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_is_described_with_its_fields_and_has_examples(component: type[Strict]) -> None:
    assert component.__doc__
    assert component.__doc__.splitlines()[0].endswith(".")
    assert getattr(component, "examples", ())
    assert all(field.description for field in component.model_fields.values())


@pytest.mark.parametrize("component", COMPONENTS)
def test_an_unknown_key_is_refused(component: type[Strict]) -> None:
    with pytest.raises(ValidationError):
        component.model_validate({"nonsense": "1"})


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_is_frozen(component: type[Strict]) -> None:
    assert component.model_config["frozen"]
    assert component.model_config["extra"] == "forbid"


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_loads_and_is_judged_and_explained(text: str) -> None:
    loaded = condition(text)
    view = View(make_message(("From", "a@b.example"), files=[Attachment("a", "x/y", 1, "", "")]), NOW)
    assert loaded.judge(view).verdict is not Verdict.UNDECIDED
    for each in walk(loaded):
        assert each.members or each.seen(view)
        assert each.wanted()


@pytest.mark.parametrize("text", ACTION_EXAMPLES)
def test_an_example_of_an_action_loads_and_has_effects(text: str) -> None:
    action = ACTION.validate_python(plain(parse_yaml(text, "a.yaml")))
    assert action.effects({})
    assert ACTION.validate_python({action.key: _as_yaml(action.dump())}) == action


def _as_yaml(value: object) -> object:
    """Values as the YAML reader gives them: texts."""
    if isinstance(value, dict):
        return {key: _as_yaml(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_yaml(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else value


class Watched(Message):
    """A message that fails a test when a part is read that nobody asked for."""

    def _read(self, value: object, need: Need) -> object:  # type: ignore[override]
        if need not in ALLOWED:
            raise AssertionError(f"{need} is read and not among the needs")
        raise Missing(need)


ALLOWED: set[Need] = set()


@pytest.mark.parametrize("text", EXAMPLES)
def test_nothing_is_read_that_the_needs_do_not_name(text: str) -> None:
    loaded: Condition = condition(text)
    needs: Needs = loaded.needs
    ALLOWED.clear()
    ALLOWED.update(needs)
    judged = loaded.judge(View(Watched(key="k"), NOW))
    assert "AssertionError" not in judged.why
    assert judged.needs <= needs


def test_a_key_taken_twice_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CONDITIONS["subject"], "key", "size")
    with pytest.raises(TypeError, match="a second time"):
        collect(conditions, Condition)
