"""A disk fails at any call or fills up, a writer is killed: a clear error, the writer stops, nothing is lost.

A sample of `make campaign-disk-faults`, which lets every call fail in every way.
"""

import shutil
import sys
from pathlib import Path

import pytest

POWERCUT = Path(__file__).resolve().parents[1] / "campaigns" / "powercut"
sys.path.insert(0, str(POWERCUT))

from disk_faults import FAULTS, Fault, every_call, full_disk, kill_loop  # noqa: E402

EVERY = 29

needs_shim = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not (shutil.which("cc") or shutil.which("gcc")),
    reason="the shim is for Linux, and needs a C compiler",
)


@needs_shim
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_call_that_fails_is_a_clear_error_stops_the_writer_and_loses_nothing(fault: Fault) -> None:
    tally = every_call((fault,), every=EVERY, jobs=1)
    assert tally.problems == []
    assert tally.runs > 5
    assert any(what.startswith("L00") for what in tally.raised), tally.raised


@needs_shim
def test_a_full_disk_refuses_further_commits_and_goes_on_once_there_is_room() -> None:
    told = full_disk()
    if told is None:
        pytest.skip("this account may not mount a tmpfs")
    assert told["sound"] and told["refused"], told
    assert told["code"] == "L002"
    assert "full" in str(told["message"])
    assert isinstance(told["acknowledged"], int) and told["acknowledged"] > 10


@pytest.mark.skipif(sys.platform == "win32", reason="kills with SIGKILL")
def test_a_writer_that_is_killed_loses_nothing_that_it_acknowledged() -> None:
    tally = kill_loop(8, seed=3)
    assert tally.problems == []
    assert tally.runs == 8
