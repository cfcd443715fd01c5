"""Goal: "the model decided" can't be written: no model stands as anchor or approver, by type and at run time."""

import copy
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edca.kernel.roster import Person, Principal, Roster, person_on_record
from edca.kernel.verdict import Anchor

ROOT = Path(__file__).resolve().parents[2]
SNIPPET = Path(__file__).with_name("model_as_anchor.py")
BOT = Principal("bot", ("supervisor",), model="small-model-2026-01-15")
SVEN = Principal("sven", ("supervisor",))
ROSTER = Roster((BOT, SVEN), ())


def test_a_model_in_a_persons_place_does_not_type_check(tmp_path: Path) -> None:
    """Each marked line is an error to mypy, and no other line is."""
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", tmp_path, "--follow-imports", "silent", SNIPPET],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    marked = {place for place, line in enumerate(SNIPPET.read_text("utf-8").splitlines(), 1) if line.endswith("# no")}
    assert len(marked) == 12
    found = {int(place) for place in re.findall(rf"{SNIPPET.name}:(\d+): error", checked.stdout)}
    assert found == marked, checked.stdout + checked.stderr


def test_a_model_cannot_be_made_a_person_by_code_that_nobody_checks() -> None:
    with pytest.raises(ValueError, match="`bot` is the account of a model, and a model answers for nothing"):
        Person(BOT)  # type: ignore[arg-type]
    assert ROSTER.answerer("bot") is None


def test_whoever_is_no_model_answers_as_themselves() -> None:
    sven, guest = ROSTER.answerer("sven"), ROSTER.answerer("guest")
    assert sven is not None
    assert (sven, guest) == ("sven", "guest")
    assert type(Anchor(sven, "supervisor", None).to_raw()["principal"]) is str
    for again in (copy.deepcopy(sven), pickle.loads(pickle.dumps(sven))):  # noqa: S301  our own bytes
        assert (type(again), again) == (Person, "sven")


def test_people_are_taken_from_records_only_where_records_are_read() -> None:
    """`person_on_record` asks no roster: whatever decides must have its people from one."""
    users = {
        path.relative_to(ROOT).as_posix()
        for folder in ("kernel", "semantic", "routing", "surfaces", "dsl")
        for path in (ROOT / folder).rglob("*.py")
        if person_on_record.__name__ in path.read_text("utf-8")
    }
    assert users == {"kernel/edca/kernel/roster.py", "kernel/edca/runtime/verdicts.py"}
