"""Whatever reads what others wrote takes twice the work for twice as much, never more."""

from __future__ import annotations

import ast
import pkgutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bench.dirt.mails import MAILS
from bench.dirt.readers import RAW_READERS, TEXT_READERS, in_mail
from bench.dirt.texts import TEXTS
from engine import imports, mail
from tests.hostile.steps import excess, steps

SIZE = 700
"""Characters, and then twice as many: more than is remembered of a field, less than most bounds."""
NO_READERS = frozenset({"compose", "bodies", "events", "needs", "archive"})
"""Modules that read nothing hostile themselves, or files of ours alone."""

Make = Callable[[int], Any]


def offenders(read: Callable[[Any], object], made: Mapping[str, Make], size: int = SIZE) -> dict[str, str]:
    """Name the inputs that take too much."""

    def work(make: Make, size: int) -> Callable[[], object]:
        return partial(read, make(size))

    found = {name: excess(partial(work, make), size) for name, make in made.items()}
    return {name: said for name, said in found.items() if said}


@pytest.mark.parametrize("name", TEXT_READERS)
def test_texts_are_read_in_linear_work(name: str) -> None:
    assert offenders(TEXT_READERS[name], TEXTS) == {}


@pytest.mark.parametrize("name", RAW_READERS)
def test_messages_are_read_in_linear_work(name: str) -> None:
    assert offenders(RAW_READERS[name], MAILS) == {}


@pytest.mark.parametrize("place", in_mail(bytes))
@pytest.mark.parametrize("name", RAW_READERS)
def test_texts_in_messages_are_read_in_linear_work(name: str, place: str) -> None:
    assert offenders(in_mail(RAW_READERS[name])[place], TEXTS) == {}


def test_every_module_that_reads_mail_is_read_with() -> None:
    read = {module for reader in TEXT_READERS.values() for module in reader.modules}
    read |= {module for reader in RAW_READERS.values() for module in reader.modules}
    assert {info.name for info in pkgutil.iter_modules(mail.__path__)} - NO_READERS <= read


def test_every_importer_is_read_with() -> None:
    found = {
        node.name
        for path in Path(imports.__path__[0]).rglob("*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("import_")
    }
    assert found <= {module for reader in TEXT_READERS.values() for module in reader.modules}


def test_work_in_the_square_of_its_input_is_told() -> None:
    def square(text: str) -> int:
        return sum(1 for _ in text for _ in text)

    assert offenders(square, {"a": lambda size: "a" * size}, 100)
    assert not offenders(lambda text: [sign * 2 for sign in text], {"a": lambda size: "a" * size}, 100)
    assert steps(lambda: None) < 10
