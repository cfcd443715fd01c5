"""Makes `worlds`, and the machines and worlds of the runtime's tests, importable for the tests of this folder."""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "faults"), str(_HERE.parent / "unit" / "runtime")]
