"""Goal: killed at any write, limits and timers end as if nothing had happened: no credit is made, and none is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

_VICTIM = Path(__file__).with_name("desk_victim.py")


@pytest.fixture(scope="module")
def ends(tmp_path_factory):
    done = subprocess.run(
        [sys.executable, str(_VICTIM), str(tmp_path_factory.mktemp("desk"))],
        capture_output=True,
        text=True,
        check=False,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_every_point_ends_where_the_uninterrupted_story_does(ends):
    assert [point for point, end in ends.items() if end != ends["whole"]] == []
    assert len(ends) > 20


def test_that_story_is_the_one_that_was_meant(ends):
    cells, held, desk, sound = json.loads(ends["whole"])
    assert len(cells["counter"]) == 3
    assert held == []
    assert json.loads(desk)[0]["j1"]["spent"] == 60_00
    assert sound == [0, 0, 0, 0]
