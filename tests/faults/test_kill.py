"""Goal: killed at any point, nothing acknowledged is lost, nothing happens twice, nothing happens off the record."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import refund_world

from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify
from edca.runtime.cases import load_row
from edca.runtime.replay import replay

_VICTIM = Path(__file__).with_name("victim.py")

# Commit 1 is configuration, 2 the first verdict (no effects), 3 the second one, 4 its permit spent, 5 its outcome.
_ONE_EFFECT = [
    f"{side} {call}"
    for call in ("commit 2", "commit 3", "commit 4", "perform 1", "commit 5")
    for side in ("before", "after")
]
# With a second effect, commit 5 spends its permit and commit 6 is the outcome.
_TWO_EFFECTS = [f"{side} {call}" for call in ("commit 5", "perform 2", "commit 6") for side in ("before", "after")]


def _run(folder, transition, point="", **environment):
    done = subprocess.run(
        [sys.executable, str(_VICTIM), str(folder), transition],
        env=os.environ | {"EDCA_TEST_DIE": point} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return done, [line[1:] for line in lines if line[0] == "answered"]


def _done_count(folder):
    with closing(sqlite3.connect(folder / "world.db")) as connection:
        return connection.execute("SELECT count(*) FROM done").fetchone()[0]


@pytest.mark.parametrize(
    ("transition", "effect_count", "point"),
    [("pay", 1, point) for point in _ONE_EFFECT] + [("pay_and_stamp", 2, point) for point in _TWO_EFFECTS],
)
def test_killed_at_any_point_it_comes_out_the_same(tmp_path, transition, effect_count, point):
    refund_world.create_world(tmp_path / "world.db", "o1")
    killed, acknowledged = _run(tmp_path, transition, point)
    assert killed.returncode == -9, killed.stderr

    with SQLiteLedger.open(tmp_path / "ledger.db", readonly=True) as ledger:
        kinds = [parse(stored.body).kind for stored in ledger.records()]
        # No effect without its record: the second verdict is there before anything moved.
        assert _done_count(tmp_path) == 0 or kinds.count("verdict") == 2

    again, answers = _run(tmp_path, transition)
    assert again.returncode == 0, again.stderr
    assert answers[: len(acknowledged)] == acknowledged
    assert [answer[2:] for answer in answers] == [["-", "approved"], ["confirmed", "paid"]]
    assert _done_count(tmp_path) == effect_count
    assert refund_world.row(tmp_path / "world.db", "o1") == (10000, 2000, 100 * (effect_count - 1))

    with SQLiteLedger.open(tmp_path / "ledger.db", readonly=True) as ledger:
        kinds = [parse(stored.body).kind for stored in ledger.records()]
        assert (kinds.count("verdict"), kinds.count("outcome")) == (2, 1)
        found = replay(ledger)
    assert found.equal == found.total
    assert found.unfinished == ()
    assert verify(tmp_path / "ledger.db").findings == ()


# `vouch` is escalated by commit 3; each signature is a commit of its own, and so is the verdict that it leads to.
_ANSWERS = [f"{side} commit {number}" for number in range(3, 8) for side in ("before", "after")]


@pytest.mark.parametrize("point", _ANSWERS)
def test_killed_between_an_answer_and_its_decision_it_is_decided_once(tmp_path, point):
    refund_world.create_world(tmp_path / "world.db", "o1")
    killed, _ = _run(tmp_path, "vouch", point)
    assert killed.returncode == -9, killed.stderr
    again, _ = _run(tmp_path, "vouch")
    assert again.returncode == 0, again.stderr
    with SQLiteLedger.open(tmp_path / "ledger.db", readonly=True) as ledger:
        records = [parse(stored.body) for stored in ledger.records()]
        found = replay(ledger)
        row = load_row(ledger, '/order:["o1"]')
    verdicts = [record.content["verdict"]["outcome"] for record in records if record.kind == "verdict"]
    assert verdicts == ["accepted", "escalated", "escalated", "accepted"]
    approvals = [record.content for record in records if record.kind == "approval"]
    assert [(content["by"], content["void"]) for content in approvals] == [("sam", None), ("sia", None)]
    assert (row.case.state, row.case.signers["vouched"]) == ("approved", ("sam", "sia"))
    assert (found.equal, found.unfinished) == (found.total, ())
    assert verify(tmp_path / "ledger.db").findings == ()


# With a deadline the same commits come, and the effects run in threads of their own.
@pytest.mark.parametrize("point", _ONE_EFFECT)
def test_killed_with_a_deadline_running_it_comes_out_the_same(tmp_path, point):
    refund_world.create_world(tmp_path / "world.db", "o1")
    killed, acknowledged = _run(tmp_path, "pay", point, EDCA_TEST_STORY="timed")
    assert killed.returncode == -9, killed.stderr
    again, answers = _run(tmp_path, "pay", EDCA_TEST_STORY="timed")
    assert again.returncode == 0, again.stderr
    assert answers[: len(acknowledged)] == acknowledged
    assert [answer[2:] for answer in answers] == [["-", "approved"], ["confirmed", "paid"]]
    assert _done_count(tmp_path) == 1
    _assert_sound(tmp_path)


# Commit 2 takes the case over, 3 hands it back, 4 enters a mode and 5 leaves it, 6 halts and 7 resumes; then the
# effect of the second verdict, between whose commit and whose spending another halt comes and goes.
@pytest.mark.parametrize(
    "point", [f"{side} commit {number}" for number in range(2, 13) for side in ("before", "after")]
)
def test_killed_while_it_is_operated_it_comes_out_the_same(tmp_path, point):
    refund_world.create_world(tmp_path / "world.db", "o1")
    killed, _ = _run(tmp_path, "pay", point, EDCA_TEST_STORY="operated")
    assert killed.returncode == -9, killed.stderr
    again, answers = _run(tmp_path, "pay", EDCA_TEST_STORY="operated")
    assert again.returncode == 0, again.stderr
    assert answers[-1][2:] == ["confirmed", "paid"]
    assert _done_count(tmp_path) == 1
    _assert_sound(tmp_path)


def _assert_sound(folder):
    with SQLiteLedger.open(folder / "ledger.db", readonly=True) as ledger:
        found = replay(ledger)
    assert (found.equal, found.unfinished) == (found.total, ())
    assert verify(folder / "ledger.db").findings == ()


def test_killed_again_and_again_it_still_comes_out_once(tmp_path):
    refund_world.create_world(tmp_path / "world.db", "o1")
    for point in ("after commit 3", "before perform 1", "after performed 1", "after perform 1", "before commit 1"):
        _run(tmp_path, "pay", point)
    _, answers = _run(tmp_path, "pay")
    assert answers[-1][2:] == ["confirmed", "paid"]
    assert _done_count(tmp_path) == 1


def test_the_ledger_is_the_same_to_the_byte_in_every_process(tmp_path):
    roots = set()
    for seed, zone in (("1", "UTC"), ("2", "Asia/Kathmandu")):
        folder = tmp_path / seed
        folder.mkdir()
        refund_world.create_world(folder / "world.db", "o1")
        _run(folder, "pay_and_stamp", PYTHONHASHSEED=seed, TZ=zone, LC_ALL="C")
        with SQLiteLedger.open(folder / "ledger.db", readonly=True) as ledger:
            assert ledger.size == 8
            roots.add(ledger.root())
    assert len(roots) == 1
