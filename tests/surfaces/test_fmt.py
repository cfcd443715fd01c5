"""Goal: `edca fmt` writes what it should and nothing else, and says so to people, tools and editors."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Callable[..., Any]  # see conftest.py

UGLY = 'edca 1 machine m version "1"\r\nrole a model # one'
PRETTY = 'edca 1\n\nmachine m version "1"\nrole a model  # one\n'


@pytest.fixture
def ugly(tmp_path: Path) -> Path:
    """A spec in a layout of its own."""
    path = tmp_path / "ugly.edca"
    path.write_bytes(UGLY.encode())
    path.chmod(0o640)
    return path


def test_files_are_written_once(edca: Edca, ugly: Path) -> None:
    ran = edca("fmt", ugly)
    assert (ran.code, ran.out, ran.err) == (0, f"{ugly}: formatted\n", "")
    assert ugly.read_bytes() == PRETTY.encode()
    assert ugly.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in ugly.parent.iterdir()] == [ugly.name]
    ran = edca("fmt", ugly)
    assert (ran.code, ran.out) == (0, "")


def test_a_link_stays_a_link(edca: Edca, ugly: Path) -> None:
    link = ugly.with_name("link.edca")
    link.symlink_to(ugly)
    edca("fmt", link)
    assert link.is_symlink() and ugly.read_bytes() == PRETTY.encode()


def test_check_and_diff_write_nothing(edca: Edca, ugly: Path) -> None:
    ran = edca("fmt", "--check", ugly)
    assert (ran.code, ran.out) == (1, f"{ugly}: would be formatted\n")
    ran = edca("fmt", "--diff", ugly)
    assert ran.code == 0
    assert '-edca 1 machine m version "1"\r\n-role a model # one\n\\ No newline at end of file\n+edca 1\n' in ran.out
    assert edca("fmt", "--check", "--diff", ugly).code == 1
    assert ugly.read_bytes() == UGLY.encode()
    ugly.write_bytes(PRETTY.encode())
    assert (edca("fmt", "--check", "--diff", ugly).code, edca("fmt", "--diff", ugly).out) == (0, "")


def test_stdin_goes_to_stdout(edca: Edca) -> None:
    ran = edca("fmt", "-", stdin=UGLY.encode())
    assert (ran.code, ran.out, ran.err) == (0, PRETTY, "")
    ran = edca("fmt", "-", stdin=b"edca 1 machin")
    assert (ran.code, ran.out) == (1, "") and "error[P" in ran.err
    assert edca("fmt", "--check", "-", stdin=PRETTY.encode()).code == 0
    ran = edca("fmt", "-", stdin=b"\xff")
    assert ran.code == 2 and "not UTF-8" in ran.err


def test_a_spec_with_a_mistake_is_left_untouched_and_the_others_are_formatted(edca: Edca, ugly: Path) -> None:
    wrong = ugly.with_name("wrong.edca")
    wrong.write_text("edca 1 machine m", encoding="utf-8")
    ran = edca("fmt", wrong, ugly, "--error-format", "concise")
    assert (ran.code, ran.out) == (1, f"{ugly}: formatted\n")
    assert "error[P001]" in ran.err
    assert wrong.read_text("utf-8") == "edca 1 machine m"


def test_nothing_is_written_where_a_file_is_missing(edca: Edca, ugly: Path) -> None:
    ran = edca("fmt", ugly, ugly.with_name("nowhere.edca"))
    assert ran.code == 2 and "no such file" in ran.err
    assert ugly.read_bytes() == UGLY.encode()


def test_a_failed_write_leaves_the_spec(edca: Edca, ugly: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    ran = edca("fmt", ugly)
    assert ran.code == 2 and "no space left" in ran.err
    assert ugly.read_bytes() == UGLY.encode()
    assert [path.name for path in ugly.parent.iterdir()] == [ugly.name]


def test_one_document_for_tools(edca: Edca, ugly: Path) -> None:
    document = edca("fmt", "--check", ugly, "--json").json
    assert document == {"diagnostics": [], "ok": False, "specs": [{"changed": True, "path": ugly.as_posix()}]}
    document = edca("fmt", "-", "--json", stdin=UGLY.encode()).json
    assert document["specs"] == [{"changed": True, "path": "<stdin>", "text": PRETTY}]
