"""What the tests of this folder share: an office of their own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))

from office import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.setenv("EDCA_TEST_OFFICE_URL", f"sqlite:///{tmp_path / 'office.db'}")
    return World(tmp_path)
