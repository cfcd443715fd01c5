"""The published list of refused calls is what the trial finds: no more, no less. Skips where the data isn't at hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def _trial(repository: Path, trace: str, *options: str) -> Any:
    data = repository.parent / "shared" / "data" / "taubench" / "airline"
    if not data.is_dir():
        pytest.skip("the recorded runs are not beside this checkout (../shared/data)")
    spec = repository / "specs" / "airline"
    command = [
        sys.executable,
        "-m",
        "edca.cli",
        "trial",
        str(spec / "airline.edca"),
        "--routes",
        str(spec / "airline.arp"),
    ]
    command += ["--trace", str(data / trace), "--assume-confirmed", "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _row(row: Any) -> tuple[str, str, str, str]:
    return row["run"], str(row["i"]), row["name"], row["code"]


def test_the_published_refusals_are_the_trials(repository: Path) -> None:
    truth = _trial(repository, "tasks.jsonl")
    recorded = _trial(repository, "trajectories.jsonl", "--follow", "recording")
    refused = [_row(row) for row in truth["rows"] if row["verdict"] != "accepted" and row["label"] != "R"]
    refused += [_row(row) for row in recorded["rows"] if row["verdict"] != "accepted" and row["label"] == "A"]
    page = (repository / "docs" / "explanation" / "airline-trial.md").read_text("utf-8")
    published = re.findall(r"^\| ((?:task|airline)-\S+) \| (\d+) \| (\w+) \| (\w+) \|", page, re.MULTILINE)
    assert sorted(published) == sorted(refused)

    summary = truth["summary"]
    assert summary["runs_none_held_up_and_equal"] == summary["runs_none_held_up"] == summary["runs_equal"] > 0
    labels = {**recorded["summary"]["by_label"]}
    for label, accepted, held in re.findall(r"^\| ([ABCD]) \| (\d+) \| (\d+) \|", page, re.MULTILINE):
        assert (labels[label]["accepted"], labels[label]["refused"]) == (int(accepted), int(held)), label
    for trial in (truth, recorded):
        assert trial["replay"]["equal"] == trial["replay"]["total"] == trial["ledger"]["size"]
        assert trial["verification"]["findings"] == []


def test_every_call_the_recorded_tool_turned_down_is_held_up_too(repository: Path) -> None:
    recorded = _trial(repository, "trajectories.jsonl", "--follow", "recording")
    assert [_row(row) for row in recorded["rows"] if row["label"] == "D" and row["verdict"] == "accepted"] == []
