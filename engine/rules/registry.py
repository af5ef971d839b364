"""Collects every condition and every action: a file in their folder is all that a new one takes."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from pydantic import TypeAdapter

from engine.rules import actions as action_package
from engine.rules import conditions as condition_package
from engine.rules.action import Action
from engine.rules.components import one_of
from engine.rules.condition import Condition

C = TypeVar("C", Condition, Action)


def collect(package: ModuleType, base: type[C]) -> dict[str, type[C]]:
    """Import every module of a package and gather its components by key; no key twice."""
    found: dict[str, type[C]] = {}
    for info in sorted(pkgutil.iter_modules(package.__path__), key=lambda info: info.name):
        module = import_module(f"{package.__name__}.{info.name}")
        for component in _components(module, base):
            if component.key in found:
                raise TypeError(f"{component.__name__} takes the key '{component.key}' a second time")
            found[component.key] = component
    return found


def _components(module: ModuleType, base: type[C]) -> list[type[C]]:
    return [
        item
        for item in vars(module).values()
        if isinstance(item, type)
        and issubclass(item, base)
        and item.__module__ == module.__name__
        and not item.__name__.startswith("_")
    ]


CONDITIONS: Mapping[str, type[Condition]] = collect(condition_package, Condition)
ACTIONS: Mapping[str, type[Action]] = collect(action_package, Action)

AnyCondition: Any = one_of("condition", CONDITIONS)
AnyAction: Any = one_of("action", ACTIONS)

for _component in CONDITIONS.values():
    _component.model_rebuild(_types_namespace={"AnyCondition": AnyCondition})

ACTION: TypeAdapter[Any] = TypeAdapter(AnyAction)
