"""Makes `worlds`, `setups` and `machines` importable for the tests of this folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "laws"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
