"""Hostile texts of any length, by what is the matter with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

Make = Callable[[int], str]
"""Gives about so many characters, and exactly twice as much for twice the number."""

PIECES: Mapping[str, str] = {
    "one huge word": "a",
    "many small words": "a ",
    "words with commas": "a, ",
    "blanks": " ",
    "line breaks": "\n",
    "carriage returns": "\r",
    "folded lines": "a\r\n ",
    "tabs": "\t",
    "zero bytes": "\0",
    "opened parentheses": "(",
    "closed parentheses": ")",
    "comments one by one": "(a)",
    "opened brackets": "[",
    "opened braces": "{",
    "opened angles": "<",
    "angles one by one": "<a@b> ",
    "quotation marks": '"',
    "quotation marks with text": '"a" ',
    "alternating quotes": "\"'",
    "backslashes": "\\",
    "escaped quotes": '\\"',
    "at signs": "@",
    "addresses": "a@b.example, ",
    "routes": "@a,",
    "groups": "a:b@c;",
    "colons": ":",
    "semicolons": ";",
    "parameters": ";a=b",
    "quoted parameters": ';a="b',
    "sections of a parameter": ";a*1*=b",
    "results of checks": "; spf=pass",
    "encoded words": "=?utf-8?q?a?= ",
    "encoded words in base64": "=?utf-8?b?w6k=?=",
    "encoded words left open": "=?utf-8?q?",
    "equals signs": "=",
    "padded base64": "Zg==",
    "base64 with dirt": "Zg=!",
    "written-out bytes": "=41",
    "soft line breaks": "=\n",
    "tags": "<p>a",
    "tags left open": "<a ",
    "attributes left open": "<a b='",
    "comments left open": "<!--",
    "scripts left open": "<script>",
    "ends of nothing": "</",
    "references": "&amp",
    "numbers of characters": "&#1",
    "numbers": "1",
    "dates": "1 Jan 2026 ",
    "percent signs": "%4",
    "dots": ".",
    "labels of a domain": "a.",
    "labels of an A-domain": "xn--a.",
    "labels of a foreign domain": "é.",
    "dashes": "-",
    "minus signs": "- ",
    "stars": "*",
    "wildcards": "*a?",
    "placeholders": "{{ from }}",
    "placeholders left open": "{{ a",
    "codes left open": "${hex:4",
    "fields of a search": "from:a ",
    "groups of a search": "(a ",
    "alternatives of a search": "a OR ",
    "items": "- a\n",
    "items in items": "- - ",
    "keys": "a: b\n",
    "keys in braces": "{a: ",
    "commands": "keep; ",
    "blocks": "if true { ",
    "tests in tests": "not ",
    "lists of tests": "anyof(",
    "prefixes of answers": "re: ",
    "words of machines": "no-reply-",
    "letters that fold to two": "ß",
    "letters that fold to three": "\ufb03",
    "letters that fold to marks": "İ",
    "combining marks": "\u0301",
    "combining marks out of order": "\u0301\u0323",
    "combining marks far away": "\U0001d165\u0301",
    "letters with marks": "a\u0301",
    "letters that decompose to eighteen": "\ufdfa",
    "syllables": "가",
    "emoji": "😀\u200d",
    "half characters": "\ud800",
}

ENDS: Mapping[str, tuple[str, str, str]] = {
    "a pattern that nearly fits": ("", "a", "!"),
    "a comment that is never closed": ("x (", "(a)", ""),
    "a text that is never closed": ('x "', "a\\", ""),
    "an address behind much": ("", "(a) ", "<a@b>"),
    "much behind an address": ("<a@b>", ' "a"', ""),
    "blanks before an end": ("{{ a", " ", "b"),
    "a code that is never closed": ("${hex:", "4", ""),
    "brackets that are all closed": ("[", "[],", "]"),
    "an attribute of much": ('<a b="', "<", '">'),
}


def repeated(piece: str, size: int) -> str:
    """Repeat a piece up to about so many characters."""
    return piece * max(1, size // len(piece))


def _between(before: str, piece: str, behind: str, size: int) -> str:
    return before + repeated(piece, size) + behind


def _nested(opened: str, closed: str, size: int) -> str:
    depth = max(1, size // (len(opened) + len(closed)))
    return opened * depth + closed * depth


TEXTS: Mapping[str, Make] = {
    **{name: partial(repeated, piece) for name, piece in PIECES.items()},
    **{name: partial(_between, *each) for name, each in ENDS.items()},
    "nested parentheses": partial(_nested, "(", ")"),
    "nested brackets": partial(_nested, "[", "]"),
    "nested braces": partial(_nested, "{a: ", "}"),
    "nested tags": partial(_nested, "<b>", "</b>"),
    "nested blocks": partial(_nested, "if true {", "}"),
}
