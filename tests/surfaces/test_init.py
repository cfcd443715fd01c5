"""Goal: what `edca init` writes checks, passes its own scenarios and decides a candidate, by the README's commands."""

import re
import shlex
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Callable[..., Any]  # see conftest.py

FILES = {"README.md", "candidate.json", "office.db", "roster.toml", "schema.sql"}


def commands(folder: Path) -> list[list[str]]:
    """Return the arguments of the README's commands."""
    (block,) = re.findall(r"^```sh\n(.*?)^```$", (folder / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL)
    lines = [shlex.split(line) for line in block.splitlines()]
    assert all(words[0] == "edca" for words in lines)
    return [words[1:] for words in lines]


@pytest.mark.parametrize(("options", "name"), [((), "my_desk"), (("--name", "travel"), "travel")])
def test_the_commands_of_the_readme_work(
    edca: Edca, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], name: str
) -> None:
    folder = tmp_path / "My desk"
    assert edca("init", folder, *options).code == 0
    assert {path.name for path in folder.iterdir()} == FILES | {f"{name}.edca", f"{name}.arp"}
    monkeypatch.chdir(folder)
    check, test, submit = (edca(*arguments) for arguments in commands(folder))
    assert (check.code, check.out) == (0, f"{name} 0.1.0: no mistakes\n")
    assert test.code == 0 and "15 of 15 scenarios passed" in test.out
    assert submit.code == 0 and submit.out.startswith("accepted grant, asked → granted")
    connection = sqlite3.connect(folder / "office.db")
    assert connection.execute("SELECT bk_f, bud_c FROM t_rq WHERE rq_no = 'r1'").fetchall() == [(1, 6000)]
    connection.close()


def test_the_spec_is_an_example_of_good_habits(edca: Edca, tmp_path: Path) -> None:
    edca("init", tmp_path, "--name", "desk")
    assert edca("fmt", tmp_path / "desk.edca", "--check").code == 0
    assert edca("test", tmp_path / "desk.edca", "--coverage", "--fail-under", "100").code == 0


def test_no_file_is_overwritten(edca: Edca, tmp_path: Path) -> None:
    (tmp_path / "roster.toml").write_text("mine", "utf-8")
    ran = edca("init", tmp_path, "--name", "desk")
    assert ran.code == 2
    assert "roster.toml` is there already; nothing was written" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["roster.toml"]
    assert (tmp_path / "roster.toml").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["", "Desk", "machine", "9", "a b", 'a version "1" #'])
def test_what_is_no_name_is_refused_before_anything_is_written(edca: Edca, tmp_path: Path, name: str) -> None:
    ran = edca("init", tmp_path / "new", "--name", name)
    assert ran.code == 2
    assert "can't be a machine's name" in ran.err
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_way_is_told(edca: Edca, tmp_path: Path) -> None:
    (tmp_path / "desk").write_text("", "utf-8")
    ran = edca("init", tmp_path / "desk")
    assert ran.code == 2
    assert "Traceback" not in ran.err and "desk" in ran.err


def test_the_files_are_listed_as_json(edca: Edca, tmp_path: Path) -> None:
    listed = edca("init", tmp_path / "desk", "--json").json
    assert listed["machine"] == "desk"
    assert all(Path(file).is_file() for file in listed["files"])
