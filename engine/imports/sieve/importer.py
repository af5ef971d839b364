"""A Sieve script (RFC 5228 and its extensions) as rules."""

from __future__ import annotations

from pathlib import PurePosixPath

from engine.errors import Place
from engine.imports.outcome import Imported, Loss
from engine.imports.sieve.checked import read_script
from engine.imports.sieve.deeds import ANSWER
from engine.imports.sieve.including import Read, resolved
from engine.imports.sieve.rules import as_rules
from engine.imports.sieve.run import Run

TEMPLATE = """\
---
subject: "Re: {{ message.subject }}"
inputs: [text]
---
{# What imported rules answer with: the text that stood in the script they come from. #}
{{ text }}
"""


def import_sieve(script: str, file: str, read: Read | None = None) -> Imported:
    """Translate a script. Raises RuleError where it is no Sieve.

    `read` gives the text of a script that is included, by its name, and None where there is none.
    """
    checked = read_script(script, file)
    statements = resolved(checked.statements, read or _nothing)
    run = Run(statements, encoded=checked.encoded)
    rules = tuple(as_rules(run.items, PurePosixPath(file).stem))
    losses = sorted(run.asking.losses, key=lambda loss: (loss.place.file, loss.place.line, loss.place.column))
    if not _answers(rules):
        return Imported(rules, tuple(losses))
    note = Loss(Place(file), f"answers use the template '{ANSWER}'; `--templates DIR` writes it")
    return Imported(rules, tuple(losses), (note,), {f"{ANSWER}.md": TEMPLATE})


def _nothing(_name: str) -> str | None:
    return None


def _answers(rules: object) -> bool:
    """Say whether some rule answers."""
    if isinstance(rules, dict):
        return rules.get("template") == ANSWER or any(map(_answers, rules.values()))
    return isinstance(rules, list | tuple) and any(map(_answers, rules))
