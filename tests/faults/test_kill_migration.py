"""Goal: killed at any point of a migration, each case has moved whole or not at all, and the next run ends it."""

import os
import subprocess
import sys
from pathlib import Path

import migration_victim as victim
import pytest
import refund_world

from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify
from edca.runtime.cases import load_row
from edca.runtime.replay import replay

_VICTIM = Path(__file__).with_name("migration_victim.py")
_ORDERS = (*victim.ORDERS, "o4")
# Commit 1 is configuration, and two cases each are one more; the first of these holds the run's own record, too.
_POINTS = [f"{side} commit {number}" for number in range(1, 4) for side in ("before", "after")]


def _run(folder, point=""):
    return subprocess.run(
        [sys.executable, str(_VICTIM), str(folder)],
        env=os.environ | {"EDCA_TEST_DIE": point},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _rows(ledger):
    return {order: load_row(ledger, f'/order:["{order}"]') for order in _ORDERS}


@pytest.mark.parametrize("point", _POINTS)
def test_killed_at_any_point_every_case_is_moved_once_in_the_end(tmp_path, point):
    refund_world.create_world(tmp_path / "world.db", *_ORDERS)
    victim.begin(tmp_path)
    killed = _run(tmp_path, point)
    assert killed.returncode == -9, killed.stderr

    with SQLiteLedger.open(tmp_path / "ledger.db", readonly=True) as ledger:
        rows = _rows(ledger)
        moved = [parse(stored.body).chain for stored in ledger.records() if parse(stored.body).kind == "migrated"]
        # What a row says and what its chain says are in one commit.
        assert sorted(row.case.id for row in rows.values() if row.case.machine == victim.NEW.digest) == sorted(moved)
        found = replay(ledger)
        assert (found.equal, found.cells) == (found.total, ())

    again = _run(tmp_path)
    assert again.returncode == 0, again.stderr
    with SQLiteLedger.open(tmp_path / "ledger.db", readonly=True) as ledger:
        rows = _rows(ledger)
        assert {row.case.machine for row in rows.values()} == {victim.NEW.digest}
        assert [row.case.state for row in rows.values()] == ["approved"] * 3 + ["requested"]
        records = [parse(stored.body) for stored in ledger.records()]
        assert sorted(record.chain for record in records if record.kind == "migrated") == sorted(
            row.case.id for row in rows.values()
        )
        runs = [record.content["first"] for record in records if record.kind == "migration"]
        assert runs == [True, *[False] * (len(runs) - 1)]
        assert list(ledger.cells("inbox")) == []
        found = replay(ledger)
        assert (found.equal, found.cells) == (found.total, ())
    assert verify(tmp_path / "ledger.db").findings == ()
