"""What the proofs are made of: mail with other ids, planted words that are found, pages that are kept."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from engine.mail.headers import parse_headers
from prove.mail import play_mail, renamed
from prove.planted import PLACES, find, forms, planted, word
from prove.proof import Proof, as_section, put_section
from prove.sampling import assert_flat

RAW = (
    b"Message-ID: <a@x>\r\nSubject: <a@x>\r\nReferences: <b@x>\r\n <c@x>\r\n"
    b"In-Reply-To: <c@x>\r\n\r\nMessage-ID: <a@x>\r\n"
)


def test_ids_are_renamed_together_and_nothing_else_is() -> None:
    assert renamed(RAW, 3) == (
        b"Message-ID: <3.a@x>\r\nSubject: <a@x>\r\nReferences: <3.b@x>\r\n <3.c@x>\r\n"
        b"In-Reply-To: <3.c@x>\r\n\r\nMessage-ID: <a@x>\r\n"
    )


def test_mail_that_is_repeated_has_ids_that_none_had_before() -> None:
    raws = play_mail(20) + [renamed(raw, 1) for raw in play_mail(20)]
    ids = [parse_headers(raw).text("Message-ID") for raw in raws]
    assert not {own for own in ids[:20] if own} & {own for own in ids[20:] if own}


@pytest.mark.parametrize("place", PLACES)
def test_a_planted_word_is_found_in_what_a_log_may_show(place: str) -> None:
    hidden = forms({place: word(place)})
    for shift in range(3):
        code = base64.b64encode(b"x" * shift + f"said {word(place)} and more".encode()).decode()
        assert find(f"decoding {code} failed", hidden) == {place}
    assert find(f"the subject was {word(place).upper()}!", hidden) == {place}
    assert find("nothing of it", hidden) == set()


def test_every_place_is_planted() -> None:
    raw = planted(3)
    encoded = forms({place: word(place) for place in PLACES})
    assert find(raw.decode().replace("\n", ""), encoded) == set(PLACES)


def test_a_section_takes_the_place_of_its_older_one(tmp_path: Path) -> None:
    page = tmp_path / "proofs.md"
    for facts in (["first"], ["second"]):
        for title in ("One", "Two"):
            put_section(page, title, as_section(title, "make prove", Proof(list(facts)), 60.0))
    text = page.read_text()
    assert text.count("## One\n") == text.count("## Two\n") == 1
    assert (text.count("- first"), text.count("- second")) == (0, 2)
    assert text.index("## One") < text.index("## Two")


def test_what_a_person_has_to_settle_is_counted() -> None:
    proof = Proof(["a fact"])
    proof.persons["no address"] += 3
    assert "3 × no address" in as_section("One", "make prove", proof, 1.0)


@pytest.mark.parametrize(
    ("values", "flat"),
    [
        pytest.param([50.0, 80, 80, 81, 80, 81, 80, 81], True, id="a warm-up and then a plateau"),
        pytest.param([80.0, 82, 84, 88, 92, 96, 100, 104], False, id="growth all along"),
    ],
)
def test_growth_is_told_from_a_warm_up(values: list[float], flat: bool) -> None:
    if flat:
        assert_flat("it", values)
        return
    with pytest.raises(AssertionError, match="it grows"):
        assert_flat("it", values)
