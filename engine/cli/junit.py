"""A report on rule tests as CI systems read it: the form of JUnit that most of them share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from engine.errors import RuleError
from engine.rules.testing import Outcome

LOADING = "rules load"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Outcome], errors: Sequence[RuleError]) -> bytes:
    """Write one case for each test, and one with an error for each problem that kept rules from loading."""
    failed = sum(not result.passed for result in results)
    totals = {"tests": len(results) + len(errors), "failures": failed, "errors": len(errors), "skipped": 0}
    suite = ElementTree.Element(
        "testsuite", {"name": "postroom"} | {name: str(count) for name, count in totals.items()}
    )
    for error in errors:
        _error(suite, error)
    for result in results:
        _case(suite, result)
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))


def _case(suite: ElementTree.Element, result: Outcome) -> None:
    where = {"file": _xml(result.place.file), "line": str(result.place.line)}
    names = {"classname": result.rule, "name": _xml(result.name)}
    case = ElementTree.SubElement(suite, "testcase", names | where)
    if not result.passed:
        said = [_xml(problem) for problem in result.problems]
        ElementTree.SubElement(case, "failure", {"message": said[0]}).text = "\n".join(said)


def _error(suite: ElementTree.Element, error: RuleError) -> None:
    where = {"file": _xml(error.place.file), "line": str(error.place.line)}
    names = {"classname": LOADING, "name": _xml(str(error.place))}
    case = ElementTree.SubElement(suite, "testcase", names | where)
    ElementTree.SubElement(case, "error", {"message": _xml(error.message)}).text = _xml(str(error))


def _xml(text: str) -> str:
    """Put U+FFFD for what no XML document may hold (XML 1.0, section 2.2)."""
    return _NOT_XML.sub("\ufffd", text)
