"""What was acknowledged survives a power cut, on the SQLite at hand; on weaker settings the same test finds losses.

A sample of `make campaign-powercuts`, which says how it is done.
"""

import shutil
import sys
from pathlib import Path

import pytest

POWERCUT = Path(__file__).resolve().parents[1] / "campaigns" / "powercut"
sys.path.insert(0, str(POWERCUT))

from campaign import SETTINGS, Setting, build_shim, cut, run_workload  # noqa: E402

CUTS = 400


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("cc") is None and shutil.which("gcc") is None:
        pytest.skip("there is no C compiler")
    if not sys.platform.startswith("linux"):
        pytest.skip("the shim is for Linux")
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_power_cut_loses_nothing_and_the_control_finds_losses(shim: Path, setting: Setting) -> None:
    run = run_workload(shim, "sample", setting, commits=8)
    found = cut(run, setting, "sample", CUTS)
    assert found.cuts == CUTS
    assert bool(found.lost) is setting.loses, (found.lost, found.losses)
