"""Makes `worlds` and this folder's own strategies importable for its tests."""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent / "laws")]
