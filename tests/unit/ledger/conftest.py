"""Makes `altered_ledgers` importable for the tests of this folder, and a ledger that several of them begin with."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from altered_ledgers import CHAINS, write


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger of nine records in five chains, closed; tests alter copies of it."""
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    write(path, CHAINS)
    return path
