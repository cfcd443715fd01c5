"""The complaints desk of these tests, before and after its work."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from complaints_desk import Desk


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.close()
    made.engine.dispose()


@pytest.fixture
def worked(desk):
    desk.work()
    return desk
