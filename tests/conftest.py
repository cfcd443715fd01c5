"""What all tests share: where the repository is, and property tests that try the same examples each time."""

from pathlib import Path

import pytest
from hypothesis import settings

# A failure must be repeatable by whoever reads it, and a slow machine isn't a failure.
settings.register_profile("edca", derandomize=True, deadline=None, database=None)
settings.load_profile("edca")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root folder of the repository."""
    return Path(__file__).resolve().parents[1]
