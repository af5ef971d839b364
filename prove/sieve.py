"""Imported Sieve does what Dovecot Pigeonhole does: real scripts on real mail, and made ones."""

from __future__ import annotations

import csv
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.errors import RuleError
from engine.imports.canonical import as_yaml
from engine.imports.outcome import Imported
from engine.imports.sieve.importer import import_sieve
from engine.mail.message import Message
from engine.rules.loader import load_rules
from prove import sieve_programs
from prove.proof import CHECKOUT, Proof, Sizes, table
from prove.sieve_dense import (
    AT_ONCE,
    as_ruleset,
    as_script,
    ask_pigeonhole,
    chunks,
    conditions,
    filed,
    folders,
    imported,
)
from prove.sieve_pairs import Verdicts, as_message, ours, pigeonhole, read_messages, read_verdicts
from prove.sieve_reasons import reasons

VENDOR = ("'expire'", "'unexpire'", "'hasexpiration'", "(':list')")
"""What only extensions of vendors can do, as losses name it."""
LOSSLESS = 31
REFUSED = 11


@dataclass(frozen=True)
class Difference:
    """One pair on which the two do not agree, and why."""

    asked: str
    message: str
    why: tuple[str, ...]


def corpus_folder() -> Path:
    return Path(os.environ.get("POSTROOM_CORPUS") or CHECKOUT.parent / "shared" / "corpus")


def oracle_script() -> Path:
    return Path(
        os.environ.get("POSTROOM_SIEVE_ORACLE") or CHECKOUT.parent / "shared" / "tools" / "sieve_oracle.py"
    )


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Compare what Pigeonhole made of real scripts, then as many made conditions as asked for."""
    corpus = corpus_folder()
    verdicts = read_verdicts(corpus / "filters" / "expected-pigeonhole.jsonl.gz")
    raws = dict(read_messages(corpus, dict.fromkeys(verdicts.messages)))
    messages = {name: as_message(name, raw) for name, raw in raws.items()}
    proof = Proof()
    found = {path.name: translate(path) for path in sorted((corpus / "filters" / "sieve").glob("*.sieve"))}
    _tell_imports(proof, found, origins(corpus / "filters" / "ORIGINS.tsv"))
    _tell_real(proof, found, verdicts, messages, raws, corpus)
    assert shutil.which("sieve-test"), "sieve-test is missing: apt-get install dovecot-sieve"
    _tell_dense(proof, sizes.pairs, messages, raws)
    _tell_programs(proof, sizes.programs)
    return proof


def translate(path: Path) -> Imported | RuleError:
    try:
        return import_sieve(path.read_text("utf-8", "surrogateescape"), path.name)
    except RuleError as error:
        return error


def origins(path: Path) -> dict[str, str]:
    """By script: whether Pigeonhole takes it as it is, adapted, or not."""
    with path.open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        return {Path(row["file"]).name: row["pigeonhole_compiles"] or "" for row in rows}


def lossless(found: Mapping[str, Imported | RuleError]) -> set[str]:
    return {name for name, one in found.items() if isinstance(one, Imported) and not one.losses}


def _tell_imports(
    proof: Proof, found: Mapping[str, Imported | RuleError], accepted: Mapping[str, str]
) -> None:
    as_is = {name for name in found if accepted[name] == "as is"}
    adapted = {name for name in found if accepted[name] == "adapted"}
    refused = {name for name, one in found.items() if isinstance(one, RuleError)}
    others = [name for name in adapted - refused if not vendor_only(found[name])]
    whole = as_is & lossless(found)
    more = f" ({', '.join(others)} more)" if others else ""
    proof.facts += [
        f"of {len(as_is)} real scripts that Pigeonhole takes as they are, {len(whole)} import without loss",
        f"of {len(adapted)} that it takes once what vendors added is rewritten, {len(adapted) - len(others)} "
        f"lose that alone{more}",
        f"the {len(refused)} that it refuses are refused, with line and reason",
    ]
    assert len(whole) >= LOSSLESS
    assert len(refused) == REFUSED == len(found) - len(as_is) - len(adapted)
    rows: list[list[object]] = [
        [f"{loss.place.file}:{loss.place.line}", loss.what]
        for name in sorted(as_is | set(others))
        for loss in getattr(found[name], "losses", ())
        if not any(said in loss.what for said in VENDOR)
    ]
    proof.tables.append(table(["lost beyond vendors' extensions", "what"], rows))


def vendor_only(one: Imported | RuleError) -> bool:
    return isinstance(one, Imported) and all(any(said in loss.what for said in VENDOR) for loss in one.losses)


def _tell_real(
    proof: Proof,
    found: Mapping[str, Imported | RuleError],
    verdicts: Verdicts,
    messages: Mapping[str, Message],
    raws: Mapping[str, bytes],
    corpus: Path,
) -> None:
    scripts = [name for name in verdicts.scripts if isinstance(found[name], Imported)]
    differences = [
        difference
        for name in scripts
        for difference in compare(name, found[name], verdicts, messages, raws, corpus)
    ]
    kept = lossless(found)
    told = [difference for difference in differences if difference.asked in kept]
    proof.facts.append(
        f"{len(scripts) * len(messages):,} pairs of script and message, {len(told)} differences among "
        f"scripts that import without loss, {sum(not each.why for each in told)} of them unexplained"
    )
    proof.tables.append(_listed(told))
    assert all(each.why for each in told), [each for each in told if not each.why]


def compare(
    name: str,
    one: Imported | RuleError,
    verdicts: Verdicts,
    messages: Mapping[str, Message],
    raws: Mapping[str, bytes],
    corpus: Path,
) -> Iterator[Difference]:
    """Judge every message by an imported script, and give the pairs on which Pigeonhole differs."""
    assert isinstance(one, Imported)
    ruleset = load_rules({name: as_yaml(one.rules)}, None)
    source = (corpus / "filters" / "sieve" / name).read_text("utf-8", "replace")
    for key, message in messages.items():
        if verdicts.outcome(name, key) != ours(ruleset, message):
            yield Difference(name, key, tuple(reasons(raws[key], source)))


def _tell_dense(proof: Proof, pairs: int, messages: Mapping[str, Message], raws: Mapping[str, bytes]) -> None:
    made = conditions(list(messages.values()), -(-pairs // len(messages) // AT_ONCE) * AT_ONCE)
    parts = list(chunks(made))
    answers = ask_pigeonhole(oracle_script(), [as_script(part) for part in parts], raws)
    held, differences = 0, list[Difference]()
    for part, answer in zip(parts, answers, strict=True):
        own, same = as_ruleset(part), imported(part)
        for key, message in messages.items():
            mine, theirs = filed(own, message), folders(answer[key])
            assert mine == filed(same, message), f"the import differs from the condition: {key}"
            held += len(theirs)
            for label in sorted(mine ^ theirs):
                test = part[int(label[1:])].test
                differences.append(Difference(test, key, tuple(reasons(raws[key], test))))
    unexplained = [each for each in differences if not each.why]
    proof.facts.append(
        f"{len(made) * len(messages):,} pairs of a made condition and a message, {held:,} of which hold: "
        f"{len(differences)} differences, {len(unexplained)} of them unexplained; each condition imported "
        "from its own Sieve judges as it does itself"
    )
    causes = Counter(_kind(each.why[0]) for each in differences if each.why)
    rows: list[list[object]] = [[count, why] for why, count in causes.most_common()]
    proof.tables.append(table(["differences", "why"], rows))
    assert not unexplained, unexplained[:20]


def _tell_programs(proof: Proof, count: int) -> None:
    """Compare scripts made at random: order, flags, variables, what is kept and what is not."""
    chance = random.Random(1)
    scripts = [sieve_programs.script(chance) for _ in range(count)]
    raws = sieve_programs.messages()
    imports = [import_sieve(script, "made.sieve") for script in scripts]
    answers = ask_pigeonhole(oracle_script(), scripts, raws)
    messages = {name: as_message(name, raw) for name, raw in raws.items()}
    pairs = 0
    for script, one, answer in zip(scripts, imports, answers, strict=True):
        if one.losses:
            continue
        ruleset = load_rules({"made.yaml": as_yaml(one.rules)}, None)
        for name, message in messages.items():
            assert ours(ruleset, message) == pigeonhole(answer[name]), f"{raws[name]!r}\n{script}"
            pairs += 1
    whole = sum(not one.losses for one in imports)
    proof.facts.append(
        f"{count} scripts made at random, with variables, flags, copies and stops, {whole} of which import "
        f"without loss: they do the same on all {pairs:,} pairs with made messages"
    )


def _kind(why: str) -> str:
    """A reason without the header field that it names."""
    return f"a field{why[why.index(chr(39), 1) + 1 :]}" if why.startswith("'") else why


def _listed(differences: Sequence[Difference]) -> str:
    rows: list[list[object]] = [[each.asked, each.message, "; ".join(each.why)] for each in differences]
    return table(["script", "message", "why"], rows)
