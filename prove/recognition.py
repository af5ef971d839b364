"""Automatic mail is recognised, and no person's is taken for it: real mail, labelled by reading it."""

from __future__ import annotations

import csv
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from engine.mail.automated import automated, is_no_reply
from engine.mail.compose import answer_to
from engine.mail.mime import from_raw
from prove.mail import corpus
from prove.proof import CHECKOUT, Proof, Sizes, table

LABELS = CHECKOUT / "prove" / "automated.tsv"
ECHOES = ("auto_reply", "bounce")
GOAL = 0.99


@dataclass(frozen=True, slots=True)
class Label:
    """What somebody who read a message says it is."""

    archive: str
    member: str
    kind: str
    """A kind of automatic mail, or `human`, or `spam`."""
    how: str
    """`folder`: its origin holds nothing else; `fields`: it came through a list; `hand`: it was read."""

    @property
    def name(self) -> str:
        return f"{self.archive}/{self.member}"


@dataclass
class Tally:
    """How the labelled mail was judged, by the kind of the label."""

    total: Counter[str] = field(default_factory=Counter)
    recognised: Counter[str] = field(default_factory=Counter)
    """As automatic mail of any kind: it is never answered."""
    exactly: Counter[str] = field(default_factory=Counter)
    by_address: Counter[str] = field(default_factory=Counter)
    """Not recognised, and held back since an answer would go to an address that nobody reads."""
    missed: list[str] = field(default_factory=list)
    """Auto-replies and bounces that would be answered."""
    wrong: list[str] = field(default_factory=list)
    """People's mail that would not be answered, with what it is taken for."""


def labels() -> list[Label]:
    """Read the table."""
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        next(rows)
        return [Label(*row) for row in rows]


def judge(labelled: Iterable[Label], folder: Path) -> Tally:
    """Judge every labelled message that the corpus in `folder` holds."""
    tally = Tally()
    for label, raw in messages(labelled, folder):
        message = from_raw(raw, key=label.name)
        kinds = automated(message.headers)
        to = answer_to(message)
        nobody = not kinds and to is not None and is_no_reply(to.address)
        tally.total[label.kind] += 1
        tally.recognised[label.kind] += bool(kinds)
        tally.exactly[label.kind] += label.kind in kinds
        tally.by_address[label.kind] += nobody
        if label.kind in ECHOES and not kinds:
            tally.missed.append(label.name)
        if label.kind == "human" and (kinds or nobody):
            taken_for = ", ".join(sorted(kinds)) or "its address is no person's"
            tally.wrong.append(f"{label.name}: {taken_for}")
    return tally


def messages(labelled: Iterable[Label], folder: Path) -> Iterator[tuple[Label, bytes]]:
    """Give the labelled messages of the corpus in `folder`."""
    by_archive: defaultdict[str, list[Label]] = defaultdict(list)
    for label in labelled:
        by_archive[label.archive].append(label)
    for archive, members in sorted(by_archive.items()):
        with zipfile.ZipFile(folder / archive / "messages.zip") as file:
            for label in members:
                yield label, file.read(label.member)


async def prove(sizes: Sizes, folder: Path) -> Proof:
    """Judge the whole table."""
    found = corpus()
    assert found is not None, "this part needs the outside corpus: set POSTROOM_CORPUS"
    labelled = labels()
    tally = judge(labelled, found)
    echoes = sum(tally.total[kind] for kind in ECHOES)
    share = sum(tally.recognised[kind] for kind in ECHOES) / echoes
    taken = [name for name in tally.wrong if "its address" not in name]
    assert share >= GOAL, f"only {share:.2%} of auto-replies and bounces are recognised: {tally.missed}"
    assert not taken, f"people's mail is held back: {taken}"
    by_how = Counter(label.how for label in labelled)
    hows = ", ".join(f"{count:,} by {how}" for how, count in sorted(by_how.items()))
    return Proof(
        [
            f"{sum(tally.total.values()):,} real messages, labelled {hows}",
            f"{share:.2%} of {echoes} auto-replies and bounces are recognised as automatic mail",
            f"of {tally.total['human']} people's mails, {len(taken)} are taken for it",
        ],
        [_by_kind(tally), *_named(tally)],
    )


def _by_kind(tally: Tally) -> str:
    head = ["read as", "messages", "automatic", "as that kind", "else held, by its address"]
    parts = (tally.recognised, tally.exactly, tally.by_address)
    rows: list[list[object]] = [
        [kind, total, *(part[kind] for part in parts)] for kind, total in sorted(tally.total.items())
    ]
    return table(head, rows)


def _named(tally: Tally) -> Iterator[str]:
    """List by file what came out otherwise than it was read."""
    if tally.missed:
        yield table(["auto-replies and bounces that are not recognised"], [[name] for name in tally.missed])
    if tally.wrong:
        yield table(["people's mail that is not answered"], [[name] for name in tally.wrong])
