"""A template folder as it lies on disk: what is read of it, and what is left out."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from engine.errors import PostroomError
from engine.templating.folder import MAX_FILE, MAX_FILES, read_folder
from engine.templating.library import TemplateErrors, load_templates


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def test_templates_are_text_and_files_are_base64(tmp_path: Path) -> None:
    write(
        tmp_path,
        "a.md",
        "sub/b.html",
        "layouts/l.html",
        "layouts/l.txt",
        "partials/p.txt",
        "files/i/logo.png",
    )
    found = read_folder(tmp_path)
    assert list(found) == [
        "a.md", "files/i/logo.png", "layouts/l.html", "layouts/l.txt", "partials/p.txt", "sub/b.html",
    ]  # fmt: skip
    assert found["files/i/logo.png"] == base64.b64encode(b"x").decode()
    assert found["a.md"] == "x"


def test_what_is_no_template_is_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    write(folder, "README", "notes.txt", ".git/a.md", "..data/b.md", "files/.DS_Store", "x.py", "c.md")
    write(tmp_path, "outside.md")
    (folder / "link.md").symlink_to(tmp_path / "outside.md")
    (folder / "files" / "passwd").symlink_to("/etc/passwd")
    assert list(read_folder(folder)) == ["c.md"]


def test_links_inside_of_the_folder_are_followed(tmp_path: Path) -> None:
    write(tmp_path, "..2026/a.md")
    (tmp_path / "a.md").symlink_to(tmp_path / "..2026" / "a.md")
    assert list(read_folder(tmp_path)) == ["a.md"]


def test_files_that_are_too_large_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "files/big.pdf")
    (tmp_path / "files" / "big.pdf").write_bytes(b"\0" * (MAX_FILE + 1))
    with pytest.raises(PostroomError, match=r"big\.pdf has more than 3,000,000 bytes"):
        read_folder(tmp_path)
    half = base64.b64encode(b"\0" * (MAX_FILES // 2 + 1)).decode()
    with pytest.raises(TemplateErrors, match="the files have more than 6,000,000 bytes in all"):
        load_templates({"files/a": half, "files/b": half})


def test_text_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xff")
    with pytest.raises(PostroomError, match=r"a\.md cannot be read"):
        read_folder(tmp_path)
