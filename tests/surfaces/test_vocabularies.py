"""Goal: specs in several files work wherever a spec is named, and a vocabulary file is checked and laid out as one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.api import Kernel, PolicyError
from edca.kernel.roster import Roster

Edca = Callable[..., Any]  # see conftest.py

WORDS = "edca 1\n\nvocabulary money\n\ntype money = decimal(2, 0.00 to 9.00) in eur\n"
SPEC = """edca 1

machine m version "1"

import "words/money.edca"

role person human

entity thing key (thing_id: id) { cost: money }

case about thing by thing_id

state open initial "Open."
state closed final "Closed." success

transition close(thing_id: id)
  from open to closed
{
  means   "Close."
  by      person
  answers person

  require thing.cost > 3 else refuse cheap "It is cheap."
}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "money.edca").write_text(WORDS, "utf-8")
    (tmp_path / "m.edca").write_text(SPEC, "utf-8")
    return tmp_path


def test_a_spec_in_two_files_is_compiled_from_any_folder(edca: Edca, folder: Path) -> None:
    assert edca("check", folder / "m.edca").code == 0
    assert edca("compile", folder / "m.edca").code == 0


def test_what_is_not_there_is_a_finding(edca: Edca, folder: Path) -> None:
    (folder / "words" / "money.edca").unlink()
    ran = edca("check", folder / "m.edca", "--error-format", "concise")
    assert ran.code == 1
    assert [line.split()[1][:11] for line in ran.out.splitlines()] == ["error[N017]"]


def test_a_vocabulary_is_checked_and_laid_out(edca: Edca, folder: Path) -> None:
    words = folder / "words" / "money.edca"
    assert edca("check", words).out == "money: no mistakes\n"
    assert edca("fmt", "--check", words).code == 0
    words.write_text(WORDS.replace("9.00", "nine"), "utf-8")
    assert edca("check", words).code == 1


def test_no_machine_comes_of_a_vocabulary(edca: Edca, folder: Path) -> None:
    words = folder / "words" / "money.edca"
    ran = edca("compile", words, "--error-format", "concise")
    assert ran.code == 1
    assert "N020" in ran.err
    with pytest.raises(PolicyError, match="N020"):
        Kernel.open(words, routes=folder / "none.arp", roster=Roster((), ()), ledger=folder / "m.db")
