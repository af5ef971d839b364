"""Real filters: what imports, and that it does what Pigeonhole did."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import RuleError
from engine.imports.canonical import as_yaml
from engine.imports.gmail import import_gmail
from engine.imports.outcome import Imported
from engine.rules.loader import load_rules
from prove.sieve import LOSSLESS, REFUSED, compare, lossless, origins, translate, vendor_only
from prove.sieve_pairs import as_message, read_messages, read_verdicts

pytestmark = pytest.mark.corpus


@pytest.fixture(scope="module")
def filters(corpus: Path) -> Path:
    if not (corpus / "filters").is_dir():
        pytest.skip(f"no real filters in {corpus}: set POSTROOM_CORPUS")
    return corpus / "filters"


@pytest.fixture(scope="module")
def scripts(filters: Path) -> dict[str, Imported | RuleError]:
    return {path.name: translate(path) for path in sorted((filters / "sieve").glob("*.sieve"))}


def test_scripts_that_servers_take_import_without_loss(
    filters: Path, scripts: dict[str, Imported | RuleError]
) -> None:
    accepted = origins(filters / "ORIGINS.tsv")
    as_is = {name for name in scripts if accepted[name] == "as is"}
    assert len(as_is & lossless(scripts)) >= LOSSLESS
    adapted = {name for name in scripts if accepted[name] == "adapted"}
    assert {name for name in adapted if not vendor_only(scripts[name])} == set()


def test_scripts_that_servers_refuse_are_refused_with_their_line(
    filters: Path, scripts: dict[str, Imported | RuleError]
) -> None:
    refused = {name: one for name, one in scripts.items() if isinstance(one, RuleError)}
    accepted = origins(filters / "ORIGINS.tsv")
    assert len(refused) == REFUSED
    assert all(accepted[name].startswith("no") for name in refused)
    assert all(error.place.line > 0 for error in refused.values())


def test_imported_scripts_do_what_pigeonhole_did(
    corpus: Path, filters: Path, scripts: dict[str, Imported | RuleError]
) -> None:
    """Differences have a reason in the message's own bytes; `python -m prove sieve` lists them."""
    verdicts = read_verdicts(filters / "expected-pigeonhole.jsonl.gz")
    raws = dict(read_messages(corpus, dict.fromkeys(verdicts.messages)))
    messages = {name: as_message(name, raw) for name, raw in raws.items()}
    differences = [
        difference
        for name in sorted(lossless(scripts) & set(verdicts.scripts))
        for difference in compare(name, scripts[name], verdicts, messages, raws, corpus)
    ]
    assert [each for each in differences if not each.why] == []
    assert len(differences) <= 12


def test_every_gmail_export_imports(filters: Path) -> None:
    exports = sorted((filters / "gmail-xml").glob("*.xml"))
    assert exports
    for path in exports:
        found = import_gmail(path.read_bytes(), path.name)
        assert load_rules({"f.yaml": as_yaml(found.rules)}, None).rules
        assert [str(loss) for loss in found.losses] == []
