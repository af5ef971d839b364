"""Sieve's grammar, and what is refused with a place and a reason."""

from __future__ import annotations

import contextlib

import pytest

from engine.errors import RuleError
from engine.imports.sieve.checked import read_script
from engine.imports.sieve.grammar import Node, Texts, parse
from tests.growth import is_linear
from tests.imports.translating import imported


def texts(script: str) -> list[str]:
    """Every text of the first command."""
    node: Node = parse(script, "my.sieve")[0]
    return [text for argument in node.arguments if isinstance(argument, Texts) for text in argument.values]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param('redirect "a";', ["a"], id="a text in quotes"),
        pytest.param(
            r'redirect "a\"b\\c\d";', ['a"b\\cd'], id="a backslash takes the next character as it is"
        ),
        pytest.param('require ["a", "b"];', ["a", "b"], id="a list"),
        pytest.param(
            "vacation text:\nline\n..dot\n.\n;", ["line\n.dot\n"], id="a text over lines, dots doubled"
        ),
        pytest.param("vacation text: # why\r\nline\r\n.\r\n;", ["line\n"], id="lines that end as in mail"),
        pytest.param("reject text:\n.\n;", [""], id="an empty text over lines"),
        pytest.param('/* not\nme */ redirect /* nor me */ "a"; # end', ["a"], id="comments of both kinds"),
        pytest.param('REDIRECT "a";', ["a"], id="names in any case"),
        pytest.param('redirect "line\nbreak";', ["line\nbreak"], id="a text with a line break"),
    ],
)
def test_texts_are_read(script: str, expected: list[str]) -> None:
    assert texts(script) == expected


@pytest.mark.parametrize(
    ("script", "said"),
    [
        pytest.param(
            "keep", "1:5: expected ';' after 'keep', found the end of the script", id="no semicolon"
        ),
        pytest.param("if true { keep;", "1:9: this block has no end", id="an open block"),
        pytest.param('redirect "a', "1:10: this text has no end", id="an open text"),
        pytest.param(
            "vacation text:\na\n", "1:10: this text has no end", id="a text over lines without a dot"
        ),
        pytest.param("/* a", "1:1: this comment has no end", id="an open comment"),
        pytest.param("keep; }", "1:7: expected a command", id="a brace too many"),
        pytest.param("keep; @", "1:7: '@' means nothing in Sieve", id="a sign that there is not"),
        pytest.param(
            "if size :over 10X { keep; }",
            "1:15: a number may end in K, M or G",
            id="a unit that there is not",
        ),
        pytest.param(
            "if size :over 99999999999999G {}", "1:15: this number is too large", id="a number too large"
        ),
        pytest.param("require [];", "1:10: expected a text in quotes", id="an empty list"),
        pytest.param("\nkep;", "2:1: unknown command 'kep'; did you mean 'keep'?", id="a misspelt command"),
        pytest.param(
            'if hedaer "a" "b" {}', "1:4: unknown test 'hedaer'; did you mean 'header'?", id="a misspelt test"
        ),
        pytest.param('if header :contain "a" "b" {}', "did you mean 'contains'?", id="a misspelt tag"),
        pytest.param(
            'if address "from" {}',
            "1:4: 'address' takes texts and texts; 1 of 2 given",
            id="too few arguments",
        ),
        pytest.param("keep 1;", "'keep' takes nothing; 1 of 0 given", id="too many arguments"),
        pytest.param('if size :over "a" {}', "'size' takes a number here", id="a text for a number"),
        pytest.param('redirect ["a", "b"];', "'redirect' takes a text here", id="a list for a text"),
        pytest.param("if size 10 {}", "takes ':over' or ':under'", id="a size without a direction"),
        pytest.param('if header :is :contains "a" "b" {}', "exclude each other", id="two match types"),
        pytest.param(
            'if header :comparator "i;x" "a" "b" {}', "unknown comparator 'i;x'", id="no such comparator"
        ),
        pytest.param('if header :value "more" "a" "b" {}', "unknown relation 'more'", id="no such relation"),
        pytest.param(
            'if header :contains :comparator "i;ascii-numeric" "a" "1" {}',
            "numbers (i;ascii-numeric) cannot",
            id="parts of numbers",
        ),
        pytest.param(
            'if address "X-Mine" "a" {}', "holds no addresses; test it with 'header'", id="no address field"
        ),
        pytest.param("else { keep; }", "'else' must follow 'if'", id="an else alone"),
        pytest.param("if true {} keep; elsif true {}", "1:18: 'elsif' must follow", id="an elsif too late"),
        pytest.param("if true {} else {} else {}", "'else' must follow", id="two elses"),
        pytest.param("if true;", "'if' takes a block in { }", id="no block"),
        pytest.param("keep {}", "'keep' takes no block", id="a block too many"),
        pytest.param("if {}", "'if' takes one test", id="no test"),
        pytest.param("if anyof true {}", "'anyof' takes a list of tests in ( )", id="no list of tests"),
        pytest.param(
            'require "vnd.x.pipe";', "the extension 'vnd.x.pipe' is not known", id="an unknown extension"
        ),
        pytest.param(
            'include "other";', "'other' is not beside this one", id="an included script that is not there"
        ),
        pytest.param(
            "if not " * 40 + "true {}", "tests are nested deeper than 32", id="tests nested too deep"
        ),
        pytest.param("if true {" * 40, "blocks are nested deeper than 32", id="blocks nested too deep"),
    ],
)
def test_mistakes_are_named_with_their_place(script: str, said: str) -> None:
    with pytest.raises(RuleError) as raised:
        imported(script)
    assert str(raised.value).startswith("my.sieve:")
    assert said in str(raised.value)


def test_a_script_is_bounded() -> None:
    with pytest.raises(RuleError, match="larger than"):
        read_script("#" * 2_000_000, "my.sieve")


@pytest.mark.parametrize(
    ("begin", "middle", "end"),
    [
        pytest.param('redirect "', r"\"", "", id="an open text of escaped quotes"),
        pytest.param("/*", "*", "", id="an open comment of stars"),
        pytest.param("vacation text:\n", "..\n", "", id="an open text of dots"),
        pytest.param("", "# a\n", "", id="comments"),
        pytest.param("", "keep;\n", "", id="commands"),
        pytest.param('require ["a"', ', "a"', "];", id="a long list"),
        pytest.param("if anyof (true", ", true", ") {}", id="a long list of tests"),
        pytest.param("if true {}", " elsif true {}", "", id="a long chain"),
        pytest.param("", 'set "a" "${a}b";\n', "", id="variables of variables"),
        pytest.param(
            "", 'if header :matches "a" "*" { set "v" "${1}"; fileinto "${v}"; stop; }\n', "", id="captures"
        ),
        pytest.param("", 'if exists "a" { addflag "x"; }\n', "", id="flags now and then"),
    ],
)
def test_reading_takes_linear_time(begin: str, middle: str, end: str) -> None:
    def read(size: int) -> None:
        script = begin + middle * size + end
        with contextlib.suppress(RuleError):
            imported(script)

    assert is_linear(read, 300)
