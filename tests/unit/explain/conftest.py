"""Makes `setups` and `strategies` importable for the tests of this folder."""

import sys
from pathlib import Path

for folder in ("laws", "property"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / folder))
