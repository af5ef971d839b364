"""What the proofs are made of: mail with other ids, planted words that are found, pages that are kept."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from engine.mail.headers import parse_headers
from prove.faults import assert_share
from prove.mail import play_mail, renamed
from prove.planted import PLACES, find, forms, planted, word
from prove.proof import Proof, as_section, put_section
from prove.sampling import assert_flat, assert_no_leak
from prove.tearing import Tear
from prove.torn import assert_torn

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


def test_growth_with_each_message_is_a_leak() -> None:
    assert_no_leak("it", 0.003)
    with pytest.raises(AssertionError, match=r"it grows by 20\.0 KB"):
        assert_no_leak("it", 0.020)


@pytest.mark.parametrize(
    ("found", "of", "said"),
    [
        pytest.param({"a": 1030, "b": 980}, 20_000, "", id="about their share"),
        pytest.param({"a": 7, "b": 3}, 100, "", id="few, and so further off"),
        pytest.param({"a": 3}, 100, "", id="one of few missing, which happens"),
        pytest.param({}, 300, "none was a or b", id="all missing, of few"),
        pytest.param({"a": 1010}, 20_000, "none was b", id="one missing, of many"),
        pytest.param({"a": 1010, "b": 500}, 20_000, "500 were b", id="half of what was asked for"),
        pytest.param({"a": 1010, "b": 2000}, 20_000, "2000 were b", id="twice what was asked for"),
    ],
)
def test_a_share_that_is_not_there_is_seen(found: dict[str, int], of: int, said: str) -> None:
    if not said:
        assert_share("calls", found, ("a", "b"), of, 0.05)
        return
    with pytest.raises(AssertionError, match=said):
        assert_share("calls", found, ("a", "b"), of, 0.05)


@pytest.mark.parametrize(
    ("torn", "said"),
    [
        pytest.param([Tear(100, 40), Tear(90, 0), Tear(80, 79)], "", id="within, and once all"),
        pytest.param([Tear(100, 40), Tear(90, 10)], "2 cuts of 3", id="too few"),
        pytest.param([Tear(100, 40), Tear(90, 90), Tear(80, 1)], "cut nothing off", id="nothing cut off"),
        pytest.param([Tear(100, 0), Tear(90, 0), Tear(80, 0)], "too few cuts within", id="never within"),
    ],
)
def test_cuts_that_cut_nothing_are_seen(torn: list[Tear], said: str) -> None:
    if not said:
        assert_torn(torn, 3)
        return
    with pytest.raises(AssertionError, match=said):
        assert_torn(torn, 3)
