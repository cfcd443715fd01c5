"""`edca check` reads scenarios too: a name that isn't there is a finding, another outcome than stated is none."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SPEC = """edca 1
machine m version "1"
role person human
entity thing key (thing_id: id) { whole: bool }
case about thing by thing_id
state open initial "Open."
state closed final "Closed." success
transition close(thing_id: id) from open to closed {
  means "Close."
  by person
  answers person
  require thing.whole else refuse broken "It is broken."
}
scenario "one" {
  given opened
  given thing("t") { whol = true }
  when person proposes close(thing_id: "t")
  then refused broken
}
"""


def _check(path: Path, text: str) -> subprocess.CompletedProcess[str]:
    path.write_text(text, "utf-8")
    command = [sys.executable, "-m", "edca.cli", "check", str(path), "--error-format", "concise"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_mistake_in_a_scenario_is_found(tmp_path: Path) -> None:
    done = _check(tmp_path / "m.edca", SPEC)
    assert done.returncode == 1
    assert "N006" in done.stdout and "N005" in done.stdout


def test_a_scenario_that_comes_out_otherwise_is_for_test_to_say(tmp_path: Path) -> None:
    text = SPEC.replace("given opened", "given open").replace("whol =", "whole =")
    assert _check(tmp_path / "m.edca", text).returncode == 0
