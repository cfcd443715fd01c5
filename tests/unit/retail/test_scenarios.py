"""Goal: the scenarios show every clause true, false and unknown, as far as it can be."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_outcome_of_every_clause_is_shown() -> None:
    retail = ROOT / "specs" / "retail"
    command = [sys.executable, "-m", "edca.cli", "test", str(retail / "retail.edca"), "--scenarios"]
    command += [str(retail / "scenarios" / "retail.edca"), "--coverage", "--fail-under", "100"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
