"""What to write where a text is no YAML: libyaml names the place, this the remedy."""

from __future__ import annotations

import re
from typing import Any

import yaml as libyaml

from engine.errors import Place, RuleError

LONGEST_QUOTE = 60
_NO_BLANK = re.compile(r"^\s*(?:- +)?([\w-]{1,60}):(?![\s/])(\S.*)$")
_NO_BLANK_DASH = re.compile(r"^\s*-(\w[\w-]*): ")
_COMMENT = re.compile(r"\s#")
_FLOW_VALUE = re.compile(r"^\s*(?:- +)?[\w-]+:\s+([\[{]).*[\]}]\s*[^\s,\]}#]")


def syntax_error(error: libyaml.YAMLError, text: str, file: str) -> RuleError:
    """Name what is wrong, where it is, and what to write."""
    if isinstance(error, libyaml.reader.ReaderError):
        before = text.encode()[: error.position].decode(errors="ignore")
        place = Place(file, *position(before))
        return RuleError('holds a character that YAML does not allow; write it as "\\x.."', place)
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return RuleError(f"is not YAML: {error}", Place(file))
    lines = text.split("\n")
    began = getattr(error, "context_mark", None) or mark
    problem, context = (getattr(error, name, None) or "" for name in ("problem", "context"))
    said = _remedy(problem, context, lines, mark, began)
    if "end of stream" in problem and "quoted" in context:
        mark = began
    return RuleError(f"is not YAML: {said}", Place(file, mark.line + 1, mark.column + 1))


def position(before: str) -> tuple[int, int]:
    """Line and column of what follows a text."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _remedy(problem: str, context: str, lines: list[str], mark: Any, began: Any) -> str:
    line = _line(lines, mark.line)
    char = line[mark.column : mark.column + 1]
    if char == "\t" or ("\t" in line[: mark.column].strip(" ") and not line[: mark.column].strip()):
        return "a tab cannot indent; write blanks"
    if "cannot start any token" in problem:
        return f"no text may begin with '{char}' unless it is quoted: write '{char}...' in quotes"
    if "alias" in context or "anchor" in context or "tag" in context:
        return f"quote a text that begins with '{_line(lines, began.line)[began.column : began.column + 1]}'"
    if "unknown escape" in problem or "hexdecimal" in problem:
        return "in double quotes a backslash begins an escape; write single quotes: '...'"
    if "end of stream" in problem and "quoted" in context:
        return "the quote that opens here is never closed"
    return _structure(problem, lines, mark, began) or " ".join(filter(None, (problem, context)))


def _structure(problem: str, lines: list[str], mark: Any, began: Any) -> str:
    here, above = _line(lines, mark.line), _line(lines, mark.line - 1)
    if "mapping values are not allowed" in problem:
        return _stray_colon(here, above, mark.column)
    if "',' or" in problem:
        closing = problem.rpartition("or ")[2].strip("'")
        opened = _line(lines, began.line)
        if _COMMENT.search(opened[began.column :]):
            return "a '#' after a blank begins a comment; quote the text that holds it"
        return f"the bracket of {began.line + 1}:{began.column + 1} is not closed; write ',' or '{closing}'"
    found = _FLOW_VALUE.match(here)
    if found:
        return f"quote a text that begins with '{found[1]}'"
    if "did not find expected" in problem:
        like = f"as {began.line + 1}:{began.column + 1}, or deeper than the line above"
        return f"this line is indented unlike what it belongs to; let it begin in the same column {like}"
    return ""


def _stray_colon(here: str, above: str, column: int) -> str:
    for line in (here, above):
        found = _NO_BLANK.match(line)
        if found:
            return f"no blank after the colon; write '{found[1]}: {found[2][:LONGEST_QUOTE]}'"
        found = _NO_BLANK_DASH.match(line)
        if found:
            return f"no blank after the dash; write '- {found[1]}: ...'"
    if ": " in here[:column]:
        return "a second ': ' in one line; quote the text that holds it"
    return "a key where none can stand; let it begin in the same column as the key above"


def _line(lines: list[str], number: int) -> str:
    return lines[number] if 0 <= number < len(lines) else ""
