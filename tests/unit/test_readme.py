"""The README's Python block runs as written, and prints what its comment says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path


def test_the_readme_example_runs_as_written(repository: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (repository / "README.md").read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 1
    shutil.copytree(repository / "specs" / "refund", tmp_path / "specs" / "refund")
    environment = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run(
        [sys.executable, "-c", blocks[0]], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert (done.stdout, done.returncode) == ("refused: over_total\n", 0), done.stderr


def test_the_clauses_that_the_readme_shows_are_the_specs(repository: Path) -> None:
    shown = re.findall(r"^  (?:require|confirm) .*$", (repository / "README.md").read_text("utf-8"), re.MULTILINE)
    assert shown
    spec = " ".join((repository / "specs" / "refund" / "refund.edca").read_text("utf-8").split())
    assert [line for line in shown if " ".join(line.split()) not in spec] == []
