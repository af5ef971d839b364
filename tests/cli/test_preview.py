"""`postroom preview`: a template as HTML and text, with sample data or somebody's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.cli.main import main

EXAMPLES = Path(__file__).parent.parent.parent / "templates"


def preview(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["preview", *arguments, "--templates", str(EXAMPLES)])


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_both_parts_are_written_with_images_inside(tmp_path: Path) -> None:
    result = preview("order-shipped", "--json")
    assert result.exit_code == 0, result.output
    shown = json.loads(result.stdout)
    assert shown["subject"] == "Your order A-4711 is on its way"
    assert shown["headers"] == {"X-Order": "A-4711"}
    html = (tmp_path / shown["html"]).read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,' in html
    assert "cid:" not in html
    assert "Cable, 3 m &lt;black&gt;" in html
    assert "1 x Cable, 3 m <black>: €7.50" in (tmp_path / "preview" / "order-shipped.txt").read_text(
        encoding="utf-8"
    )


def test_data_and_mail_of_ones_own_are_shown(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("order: B-1\n")
    (tmp_path / "m.eml").write_text("From: Bea <b@x.example>\nSubject: Mine\nContent-Language: de\n\nhi\n")
    out = str(tmp_path / "out")
    result = preview("order-received", "--data", "data.yaml", "--mail", "m.eml", "--out", out)
    assert result.exit_code == 0, result.output
    assert "subject: Re: Mine\n" in result.stdout
    assert "language: de\n" in result.stdout
    text = (tmp_path / "out" / "order-received.txt").read_text(encoding="utf-8")
    assert text.startswith("Guten Tag Bea,\n")
    assert "B-1" in text


def test_a_template_is_known_by_its_path_and_language() -> None:
    result = preview(str(EXAMPLES / "order-received.md"), "--language", "de", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["language"] == "de"


@pytest.mark.parametrize(
    ("arguments", "data", "code", "said"),
    [
        pytest.param(
            ["order-receivd"], None, 2, "there are finance-notice, invoice-received", id="no template"
        ),
        pytest.param(
            ["order-received", "--language", "fr"], None, 1, "has no variant in 'fr'", id="no language"
        ),
        pytest.param(
            ["order-received"], "ordr: x", 2, "unknown input 'ordr'; did you mean 'order'?", id="no input"
        ),
        pytest.param(["order-received"], "[1]", 2, "holds no map of inputs", id="a list"),
        pytest.param(["order-received"], "{", 2, "is neither JSON nor YAML", id="broken data"),
        pytest.param(["order-shipped"], "total: many", 1, "the input 'total' is no number", id="no number"),
    ],
)
def test_what_cannot_be_shown_is_said(
    tmp_path: Path, arguments: list[str], data: str | None, code: int, said: str
) -> None:
    if data is not None:
        (tmp_path / "d.yaml").write_text(data)
        arguments = [*arguments, "--data", "d.yaml"]
    result = preview(*arguments)
    message = str(result.exception) if result.exception else ""
    assert said in result.output + message
    assert result.exit_code == (1 if said in message else code)


def test_check_renders_what_has_sample_data(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("rules: []\n")
    (tmp_path / "templates").mkdir()
    source = "---\nsubject: S\ninputs: [a]\nsample: {a: x}\n---\n{{ a }}{{ captures.n }}"
    (tmp_path / "templates" / "t.md").write_text(source)
    result = CliRunner().invoke(main, ["check", "rules"])
    assert result.exit_code == 1
    assert "templates/t.md:1:1: with its sample data: t.md:6: 'n' is not among the captures" in result.output
