"""Files in folders: nothing escapes, nothing is overwritten, nothing is half written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import Rejected, Unavailable
from engine.rules.file_path import FIELDS, check_pattern, fill_path
from engine.services.folders import LocalFolders

NONE: frozenset[str] = frozenset()


def all_files(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()
    }


async def test_a_file_is_written_below_its_folder(tmp_path: Path) -> None:
    folders = LocalFolders({"f": tmp_path})
    assert await folders.store("f", ["2026", "a.pdf"], b"one") == "2026/a.pdf"
    assert all_files(tmp_path) == {"2026/a.pdf": b"one"}
    assert (tmp_path / "2026" / "a.pdf").stat().st_mode & 0o777 == 0o640


async def test_another_file_of_the_name_gets_a_number_and_the_same_is_found(tmp_path: Path) -> None:
    folders = LocalFolders({"f": tmp_path})
    names = [await folders.store("f", ["a.pdf"], content) for content in (b"one", b"two", b"one", b"two")]
    assert names == ["a.pdf", "a (2).pdf", "a.pdf", "a (2).pdf"]
    assert all_files(tmp_path) == {"a.pdf": b"one", "a (2).pdf": b"two"}


async def test_names_are_chosen_as_they_are_stored(tmp_path: Path) -> None:
    folders = LocalFolders({"f": tmp_path})
    assert (await folders.choose("f", ["x", "a.pdf"], b"one", NONE)).path == "x/a.pdf"
    await folders.store("f", ["x", "a.pdf"], b"one")
    chosen = await folders.choose("f", ["x", "a.pdf"], b"two", NONE)
    assert (chosen.path, chosen.existed) == ("x/a (2).pdf", False)
    assert (await folders.choose("f", ["x", "a.pdf"], b"one", NONE)).existed
    third = await folders.choose("f", ["x", "a.pdf"], b"two", frozenset({"x/a (2).pdf"}))
    assert third.path == "x/a (3).pdf"


@pytest.mark.parametrize("where", ["level", "name"])
async def test_no_link_is_followed(tmp_path: Path, where: str) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    outside.mkdir()
    inside.mkdir()
    (outside / "a.pdf").write_bytes(b"theirs")
    folders = LocalFolders({"f": inside})
    if where == "level":
        (inside / "2026").symlink_to(outside)
        with pytest.raises(Rejected):
            await folders.store("f", ["2026", "a.pdf"], b"ours")
        with pytest.raises(Rejected):
            await folders.choose("f", ["2026", "a.pdf"], b"ours", NONE)
    else:
        (inside / "a.pdf").symlink_to(outside / "a.pdf")
        assert await folders.store("f", ["a.pdf"], b"ours") == "a (2).pdf"
        assert await folders.store("f", ["a.pdf"], b"theirs") == "a (3).pdf"
    assert all_files(outside) == {"a.pdf": b"theirs"}


async def test_a_pipe_under_the_name_stops_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pdf")
    assert await LocalFolders({"f": tmp_path}).store("f", ["a.pdf"], b"x") == "a (2).pdf"


async def test_a_file_where_a_level_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "2026").write_bytes(b"")
    with pytest.raises(Rejected):
        await LocalFolders({"f": tmp_path}).store("f", ["2026", "a.pdf"], b"x")


async def test_what_a_killed_attempt_left_is_written_anew(tmp_path: Path) -> None:
    folders = LocalFolders({"f": tmp_path})
    await folders.store("f", ["a.pdf"], b"x")
    (half,) = {".postroom-2d711642b726b04401627ca9"}
    (tmp_path / half).write_bytes(b"hal")
    (tmp_path / "a.pdf").unlink()
    assert await folders.store("f", ["a.pdf"], b"x") == "a.pdf"
    assert all_files(tmp_path) == {"a.pdf": b"x"}


async def test_a_folder_that_is_not_there_is_waited_for_and_never_made(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        await LocalFolders({"f": tmp_path / "share"}).store("f", ["a.pdf"], b"x")
    assert not (tmp_path / "share").exists()


async def test_a_folder_that_is_no_longer_configured_is_refused() -> None:
    with pytest.raises(Rejected, match="no folder 'f'"):
        await LocalFolders({}).store("f", ["a"], b"x")


@pytest.mark.parametrize(
    "pattern",
    [
        *(
            "/etc/x",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "",
            ".",
            "a\\b",
            "a/./b",
            "a\0b",
            "a\nb",
            "/".join("a" * 11),
        ),
        *("{{ file.nam }}", "{{ env.HOME }}", "{{ message.text }}", "{% if 1 %}", "{{ 1 + 1 }}"),
    ],
)
def test_a_pattern_that_leads_elsewhere_or_says_too_much_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"must be|leads out|nested|unknown field|takes"):
        check_pattern(pattern)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param("../../etc/passwd", "etc passwd", id="a climb"),
        pytest.param("/etc/passwd", "etc passwd", id="an absolute path"),
        pytest.param("..", "file", id="the level above"),
        pytest.param("a\0b", "a b", id="a NUL"),
        pytest.param("CON.txt", "_CON.txt", id="a device"),
        pytest.param("nul", "_nul", id="a device without a suffix"),
        pytest.param("com¹.txt.pdf", "_com¹.txt.pdf", id="a device with an odd digit"),
        pytest.param(".bashrc", "bashrc", id="a hidden file"),
        pytest.param("a\u202efdp.exe", "a fdp.exe", id="a name that reads backwards"),
        pytest.param("x" * 500 + ".pdf", "x" * 116 + ".pdf", id="a long name"),
        pytest.param("ß" * 500 + ".pdf", "ß" * 98 + ".pdf", id="a name long in bytes"),
    ],
)
def test_what_a_message_says_makes_one_plain_name(value: str, name: str) -> None:
    assert fill_path("{{ file.name }}", {"file.name": value}) == (name,)
    assert fill_path("a/{{ captures.x }}/b", {"captures.x": value}) == ("a", name, "b")


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_value_ever_adds_a_level_or_climbs(one: str, two: str) -> None:
    pattern = check_pattern("in/{{ captures.x }}-{{ file.suffix | lower }}/{{ file.name }}")
    path = fill_path(pattern, {"captures.x": one, "file.name": two, "file.suffix": two})
    assert len(path) == 3
    for part in path:
        assert part
        assert part.strip(". ") == part.strip()
        assert not {"/", "\\", "\0"} & set(part)
        assert part not in (".", "..")
        assert len(part.encode("utf-8", "replace")) <= 200


def test_every_field_may_stand_in_a_pattern() -> None:
    for owner, fields in FIELDS.items():
        for field in fields:
            assert check_pattern(f"{{{{ {owner}.{field} }}}}")
