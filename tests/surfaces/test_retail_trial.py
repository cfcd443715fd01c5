"""The published list of refused calls is what the trial finds: no more, no less. Skips where the data isn't at hand."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def data(repository: Path) -> Path:
    folder = repository.parent / "shared" / "data" / "taubench" / "retail"
    if not folder.is_dir():
        pytest.skip("the recorded runs are not beside this checkout (../shared/data)")
    return folder


@pytest.fixture(scope="module")
def truth(repository: Path, data: Path) -> Any:
    return _trial(repository, data / "tasks.jsonl")


@pytest.fixture(scope="module")
def recorded(repository: Path, data: Path) -> Any:
    return _trial(repository, data / "trajectories.jsonl", "--follow", "recording")


@pytest.fixture(scope="module")
def unconfirmed(repository: Path, data: Path) -> Any:
    return _trial(repository, data / "trajectories.jsonl", "--follow", "recording", confirmed=False)


def _trial(repository: Path, trace: Path, *options: str, confirmed: bool = True) -> Any:
    spec = repository / "specs" / "retail"
    command = [sys.executable, "-m", "edca.cli", "trial", str(spec / "retail.edca")]
    command += ["--routes", str(spec / "retail.arp"), "--trace", str(trace), "--json", *options]
    command += ["--assume-confirmed"] if confirmed else []
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _row(row: Any) -> tuple[str, str, str, str]:
    return row["run"], str(row["i"]), row["name"], row["code"]


def test_the_published_refusals_are_the_trials(repository: Path, truth: Any, recorded: Any) -> None:
    refused = [_row(row) for row in truth["rows"] if row["verdict"] != "accepted" and row["label"] != "R"]
    refused += [_row(row) for row in recorded["rows"] if row["verdict"] != "accepted" and row["label"] == "A"]
    page = (repository / "docs" / "explanation" / "retail-trial.md").read_text("utf-8")
    published = re.findall(r"^\| ((?:task|retail)-\S+) \| (\d+) \| (\w+) \| (\w+) \|", page, re.MULTILINE)
    assert sorted(published) == sorted(refused)

    labels = recorded["summary"]["by_label"]
    figures = re.findall(r"^\| ([ABCD]) \| (\d+) \| (\d+) \|", page, re.MULTILINE)
    assert len(figures) == 4
    for label, accepted, held in figures:
        assert (labels[label]["accepted"], labels[label]["refused"]) == (int(accepted), int(held)), label


def test_the_ground_truth_s_databases_are_reached(truth: Any) -> None:
    summary = truth["summary"]
    assert summary["runs_none_held_up_and_equal"] == summary["runs_none_held_up"] == summary["runs_equal"] == 79


def test_the_recorded_databases_are_reached(recorded: Any) -> None:
    """What the kernel's own effects leave is what the recorded tools left, whatever they were asked."""
    assert [run["run"] for run in recorded["runs"] if not run["as_recorded"]] == []
    assert [run["run"] for run in recorded["runs"] if run["equal"] is not run["matched"]] == []


def test_every_call_the_recorded_tool_turned_down_is_refused_too(recorded: Any) -> None:
    assert [_row(row) for row in recorded["rows"] if row["label"] == "D" and row["verdict"] != "refused"] == []


def test_calls_without_a_yes_wait_for_one(repository: Path, unconfirmed: Any) -> None:
    waiting = [row for row in unconfirmed["rows"] if row["verdict"] == "escalated"]
    assert {row["code"] for row in waiting} == {"agreed"}
    page = (repository / "docs" / "explanation" / "retail-trial.md").read_text("utf-8")
    assert f"{len(waiting)} calls of labels A and B are escalated" in page


def test_the_ledgers_verify_and_replay(truth: Any, recorded: Any, unconfirmed: Any) -> None:
    for trial in (truth, recorded, unconfirmed):
        assert trial["replay"]["equal"] == trial["replay"]["total"] == trial["ledger"]["size"]
        assert trial["verification"]["findings"] == []
