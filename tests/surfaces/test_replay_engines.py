"""Goal: a replay can be made by either engine, says what differs, and says plainly what it lacks for it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.reference import evaluate

Edca = Callable[..., Any]  # see conftest.py


def test_both_engines_decide_every_record_alike(edca: Edca, ledger: Path, theatre: Path) -> None:
    both = edca("replay", ledger, "--engine", "both", "--spec", theatre / "seats.edca")
    assert (both.code, both.out) == (0, "compiled: 9 of 9 records equal\nreference: 9 of 9 records equal\n")
    alone = edca("replay", ledger, "--engine", "reference", "--spec", theatre / "seats.edca")
    assert (alone.code, alone.out) == (0, "reference: 9 of 9 records equal\n")
    assert edca("replay", ledger, "--engine", "compiled").out == "9 of 9 records equal\n"


def test_json_has_each_engine(edca: Edca, ledger: Path, theatre: Path) -> None:
    spec = ("--spec", theatre / "seats.edca", "--json")
    both = edca("replay", ledger, "--engine", "both", *spec).json
    assert both["ok"] is True and sorted(both["engines"]) == ["compiled", "reference"]
    alone = edca("replay", ledger, "--engine", "reference", *spec).json
    assert alone == both["engines"]["reference"] and alone["equal"] == 9


def test_a_difference_is_told_per_record(
    edca: Edca, ledger: Path, theatre: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "_compare", lambda comparison, left, right: True)
    ran = edca("replay", ledger, "--engine", "both", "--spec", theatre / "seats.edca")
    assert ran.code == 1
    assert "compiled: 9 of 9 records equal" in ran.out
    assert "reference: record 7: " in ran.out and "reference: 9 of 9" not in ran.out


def test_what_the_reference_lacks_is_said(
    edca: Edca, ledger: Path, theatre: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = edca("replay", ledger, "--engine", "both")
    assert without.code == 2 and "needs the spec of seats" in without.err and "--spec FILE" in without.err
    other = theatre / "other.edca"
    other.write_text((theatre / "seats.edca").read_text("utf-8").replace('version "', 'version "9.'), "utf-8")
    wrong = edca("replay", ledger, "--engine", "reference", "--spec", theatre / "seats.edca", "--spec", other)
    assert wrong.code == 2 and "other.edca` is not the spec of any machine" in wrong.err
    needless = edca("replay", ledger, "--spec", other)
    assert needless.code == 2 and "--engine both" in needless.err
    for name in [name for name in sys.modules if name.startswith("edca.reference")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "transitions", None)
    bare = edca("replay", ledger, "--engine", "both", "--spec", theatre / "seats.edca")
    assert bare.code == 2 and "edca[reference]" in bare.err
