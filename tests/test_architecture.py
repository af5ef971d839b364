"""Which part of the package may know which, and how large a part may grow (DESIGN.md, section 3)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

ENGINE = Path(__file__).parent.parent / "engine"
MODULES = sorted(ENGINE.rglob("*.py"))

PURE = {"errors", "lazy", "mail", "rules", "templating"}
LEAVES = {"metrics", "tracing"}
FLOW = PURE | LEAVES | {"flow"}
ALLOWED = {
    "errors": set(),
    "lazy": set(),
    "deadline": {"errors"},
    "ending": set(),
    "errand": set(),
    "metrics": set(),
    "tracing": set(),
    "telemetry": {"errors", "tracing"},
    "mail": {"errors", "lazy"},
    "rules": {"errors", "lazy", "mail"},
    "templating": {"errors", "mail"},
    "imports": {"errors", "mail", "rules"},
    "flow": PURE | LEAVES | {"deadline", "ending", "errand"},
    "record": {"errors", "mail", "rules"},
    "backtest": PURE | {"errand", "flow"},
    "net": {"errors", "deadline"},
    "providers": FLOW | {"net", "deadline"},
    "services": FLOW | {"net", "deadline"},
    "store": FLOW | {"ending"},
    "sandbox": {"errors", "mail"},
    "settings": PURE,
    "web": FLOW | {"settings", "store"},
    "sources": PURE | {"flow", "settings"},
    "wiring": FLOW | {"providers", "services", "settings", "sources", "store", "web"},
    "worker": FLOW | {"ending", "settings", "store", "wiring"},
    "cli": FLOW
    | {
        "backtest",
        "ending",
        "errand",
        "imports",
        "record",
        "sandbox",
        "settings",
        "sources",
        "store",
        "telemetry",
        "web",
        "wiring",
        "worker",
    },
    "__main__": {"cli"},
}
"""What each part may import beside itself. Every part may read the version in engine/__init__.py."""

WITH_SANDBOX = {"engine.cli.sandbox", "engine.cli.demo", "engine.cli.stage"}
LONGEST_MODULE = 300
LONGEST_FUNCTION = 60


@cache
def graph() -> grimp.ImportGraph:
    """Every import inside the package, deferred ones included, those for type checking alone left out."""
    return grimp.build_graph("engine", exclude_type_checking_imports=True, cache_dir=None)


@cache
def imports() -> dict[str, set[str]]:
    return {module: graph().find_modules_directly_imported_by(module) for module in graph().modules}


def part(module: str) -> str:
    """The part that a module belongs to, "" for the package itself."""
    return module.partition(".")[2].partition(".")[0]


def known_by(module: str) -> set[str]:
    return {imported for imported in imports()[module] if part(imported) not in ("", part(module))}


def test_every_part_has_its_place() -> None:
    assert {part(module) for module in imports()} - {""} <= ALLOWED.keys()


@pytest.mark.parametrize("name", ALLOWED)
def test_imports_point_one_way(name: str) -> None:
    wrong = [
        f"{module} imports {imported}"
        for module in imports()
        if part(module) == name
        for imported in known_by(module)
        if part(imported) not in ALLOWED[name]
    ]
    assert wrong == []


def test_no_imports_form_a_circle() -> None:
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        pytest.fail("a circle: " + " is imported by ".join(error.args[1]))


def test_the_sandbox_is_known_to_its_command_and_the_demo_alone() -> None:
    know = {module for module in imports() if any(part(name) == "sandbox" for name in known_by(module))}
    assert know <= WITH_SANDBOX


def test_the_settings_alone_read_the_environment() -> None:
    readers = {path for path in MODULES if any(reads_environment(node) for node in nodes(path))}
    assert readers <= set((ENGINE / "settings").glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ENGINE).as_posix())
def test_modules_and_functions_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    long = [
        f"{node.name}: {length(node)} lines"
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > LONGEST_FUNCTION
    ]
    assert lines <= LONGEST_MODULE
    assert long == []


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def reads_environment(node: ast.AST) -> bool:
    """Recognise os.environ, os.environb and os.getenv, however they are imported."""
    names = {"environ", "environb", "getenv", "getenvb"}
    if isinstance(node, ast.Attribute):
        return isinstance(node.value, ast.Name) and node.value.id == "os" and node.attr in names
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    return False


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("import os\nos.environ['A']", True, id="os.environ is seen"),
        pytest.param("from os import getenv", True, id="an imported getenv is seen"),
        pytest.param("import os\nos.getpid()", False, id="other things of os are free"),
    ],
)
def test_reading_the_environment_is_recognised(source: str, expected: bool) -> None:
    assert any(reads_environment(node) for node in ast.walk(ast.parse(source))) is expected


def test_the_mail_service_alone_starts_without_what_judges() -> None:
    assert graph().find_shortest_chain("engine.cli.sandbox", "engine.rules.registry") is None
