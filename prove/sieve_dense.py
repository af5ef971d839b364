"""Many conditions at once: one script of Pigeonhole's files a message under each that holds."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from engine.imports.canonical import as_yaml
from engine.imports.sieve.importer import import_sieve
from engine.mail.message import Message
from engine.rules.loader import load_rules
from engine.rules.ruleset import RuleSet
from prove.sieve_making import Made, gather, make
from prove.sieve_pairs import ours

AT_ONCE = 60
"""Conditions in one script: Pigeonhole carries out at most 64 actions."""


def conditions(messages: Sequence[Message], count: int, seed: int = 1) -> list[Made]:
    """Make this many conditions of what occurs in messages."""
    chance = random.Random(seed)
    return list(islice(make(gather(messages), chance), count))


def chunks(made: Sequence[Made]) -> Iterator[Sequence[Made]]:
    for begin in range(0, len(made), AT_ONCE):
        yield made[begin : begin + AT_ONCE]


def as_script(made: Sequence[Made]) -> str:
    ifs = "\n".join(f'if {one.test} {{ fileinto :copy "c{number}"; }}' for number, one in enumerate(made))
    return f'require ["fileinto", "copy", "regex"];\n{ifs}\n'


def as_ruleset(made: Sequence[Made]) -> RuleSet:
    """The same as rules that were never Sieve."""
    rules = [
        {"id": f"c{number}", "when": one.condition, "then": [{"label": {"add": [f"c{number}"]}}]}
        for number, one in enumerate(made)
    ]
    return load_rules({"made.yaml": as_yaml(rules)}, None)


def imported(made: Sequence[Made]) -> RuleSet:
    """The script, imported. What is lost of it is a failure."""
    found = import_sieve(as_script(made), "made.sieve")
    assert not found.losses, found.losses
    return load_rules({"made.yaml": as_yaml(found.rules)}, None)


def filed(ruleset: RuleSet, message: Message) -> frozenset[str]:
    """The labels that rules put on."""
    return frozenset(
        label for label in ours(ruleset, message).labels if label[0] == "c" and label[1:].isdigit()
    )


Lines = list[dict[str, Mapping[str, Any]]]


def ask_pigeonhole(oracle: Path, scripts: Sequence[str], messages: Mapping[str, bytes]) -> Lines:
    """Run scripts over messages; by script, what Pigeonhole says of each message."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "m").mkdir()
        names = {f"{number:06d}.eml": name for number, name in enumerate(messages)}
        for file, name in names.items():
            (place / "m" / file).write_bytes(messages[name])
        for number, script in enumerate(scripts):
            (place / f"s{number}.sieve").write_text(script, encoding="utf-8")
        files = [str(place / f"s{number}.sieve") for number in range(len(scripts))]
        jobs = str(os.cpu_count() or 2)
        command = [
            sys.executable,
            str(oracle),
            *files,
            "--messages",
            str(place / "m"),
            "--jobs",
            jobs,
            "--timeout",
            "300",
        ]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        return _read(answer.stdout, len(scripts), names)


def _read(lines: str, count: int, names: Mapping[str, str]) -> Lines:
    found: Lines = [{} for _ in range(count)]
    for line in map(json.loads, lines.splitlines()):
        assert line["ok"], line
        found[int(Path(line["script"]).stem[1:])][names[line["message"]]] = line
    return found


def folders(line: Mapping[str, Any]) -> frozenset[str]:
    """Under what a message is filed."""
    return frozenset(action.get("folder", "") for action in line["actions"]) - {"INBOX"}
