"""Goal: a trial judges recorded calls as they were made, follows either world, and is the same on every machine."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Callable[..., Any]  # see conftest.py
Trial = Callable[..., Any]


@pytest.fixture
def trial(edca: Edca, theatre: Path) -> Trial:
    """Run a trial in the theatre: `trial("trajectories", "--follow", "recording")`."""

    def run(trace: str, *options: object) -> Any:
        routes, file = theatre / "seats.arp", theatre / "data" / f"{trace}.jsonl"
        return edca("trial", theatre / "seats.edca", "--routes", routes, "--trace", file, *options)

    return run


def rows(document: Any) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["run"], row["i"]): row for row in document["rows"]}


def test_the_world_changes_only_by_what_the_kernel_accepted(trial: Trial) -> None:
    ran = trial("trajectories", "--json")
    assert ran.code == 0
    document = ran.json
    found = {key: (row["label"], row["verdict"], row["code"], row["outcome"]) for key, row in rows(document).items()}
    assert found == {
        ("fair", 1): ("A", "accepted", "accepted", "confirmed"),
        ("cheap", 0): ("C", "refused", "too_little", None),
        # The recorded tool turned this down because of the call before, which this world has not seen.
        ("cheap", 1): ("D", "accepted", "accepted", "confirmed"),
        ("cheap", 2): ("B", "accepted", "accepted", "confirmed"),
        ("hasty", 0): ("A", "escalated", "agreed", None),
        ("odd", 0): ("D", "accepted", "accepted", "confirmed"),
        ("odd", 1): ("B", "refused", "no_such_transition", None),
    }
    runs = {run["run"]: run for run in document["runs"]}
    assert runs["fair"]["equal"] and runs["fair"]["none_held_up"] and runs["fair"]["outside"] == 1
    assert not runs["hasty"]["equal"] and runs["hasty"]["as_recorded"] is None
    assert document["summary"]["by_label"]["B"] == {"accepted": 1, "escalated": 0, "refused": 2}
    assert document["summary"]["by_label"]["C"] == {"accepted": 0, "escalated": 0, "refused": 1}
    assert document["replay"]["ok"] and document["verification"]["ok"] and document["problems"] == []


def test_a_held_up_call_names_clause_and_sentence(trial: Trial) -> None:
    row = rows(trial("trajectories", "--json").json)["cheap", 0]
    assert row["clauses"] == [{"code": "too_little", "reason": None, "text": "The seat costs more than that."}]
    report = trial("trajectories").out
    assert "too_little: The seat costs more than that." in report and "root " in report


def test_the_world_can_change_as_it_was_recorded(trial: Trial, edca: Edca, theatre: Path) -> None:
    kept = theatre / "kept.ledger"
    document = trial("trajectories", "--follow", "recording", "--ledger", kept, "--json").json
    found = {key: (row["verdict"], row["code"], row["outcome"]) for key, row in rows(document).items()}
    # The seat was sold against the kernel's word; so the next call meets a seat that is sold.
    assert found["cheap", 0] == ("refused", "too_little", None)
    assert found["cheap", 1] == ("refused", "no_such_transition", None)
    # The recorded tool turned down what the kernel accepts; so the effect failed, and the seat is still there.
    assert found["odd", 0] == ("accepted", "accepted", "failed")
    assert found["odd", 1] == ("accepted", "accepted", "confirmed")
    assert all(run["as_recorded"] for run in document["runs"])
    assert {run["run"] for run in document["runs"] if run["equal"]} == {"fair", "hasty"}
    observed = [row["case"] for row in edca("log", kept, "--json").json if row["kind"] == "observed"]
    assert observed == []  # what the ledger has moved nowhere stands where its source says
    assert edca("verify", kept, "--expect-root", document["ledger"]["root"]).code == 0
    assert edca("replay", kept).code == 0


def test_a_ledger_that_is_there_is_not_mixed_with_another_trial(trial: Trial, theatre: Path) -> None:
    kept = theatre / "kept.ledger"
    assert trial("tasks", "--ledger", kept).code == 0
    ran = trial("tasks", "--ledger", kept)
    assert ran.code == 2 and "is there already" in ran.err


def test_ground_truth_is_a_trace_too(trial: Trial) -> None:
    asked = trial("tasks", "--json").json
    assert [(row["run"], row["label"], row["code"]) for row in asked["rows"]] == [
        ("task-0", "G", "agreed"),
        ("task-1", "G", "too_dear"),
    ]
    confirmed = trial("tasks", "--assume-confirmed", "--json").json
    assert [row["verdict"] for row in confirmed["rows"]] == ["accepted", "escalated"]
    assert [run["equal"] for run in confirmed["runs"]] == [True, False]


def test_attestations_of_a_trial_carry_its_source(trial: Trial, edca: Edca, theatre: Path) -> None:
    kept = theatre / "kept.ledger"
    trial("tasks", "--assume-confirmed", "--ledger", kept)
    assert "agreed = true by ann as guest, through trial-heuristic" in edca("explain", 3, "--ledger", kept).out


def test_timings_stand_apart(trial: Trial) -> None:
    plain, timed = trial("tasks", "--json").json, trial("tasks", "--json", "--timings").json
    assert timed.pop("timings")["total_ms"] >= 0
    assert timed == plain


@pytest.mark.parametrize("trace", ["tasks", "trajectories"])
def test_a_line_that_can_t_be_run_is_a_finding(trial: Trial, theatre: Path, trace: str) -> None:
    path = theatre / "data" / f"{trace}.jsonl"
    lines = path.read_bytes().splitlines()
    path.write_bytes(b"\n".join([lines[0], b'{"task_id": NaN}', *lines[1:]]))
    ran = trial(trace, "--json")
    assert ran.code == 1
    assert ran.json["problems"] == ["line 2 of the trace was not run: it holds NaN, which is no JSON number"]
    assert len(ran.json["runs"]) == len(lines)
    assert "problem: line 2 of the trace was not run" in trial(trace).out


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("trial.toml", b"\xff", "not UTF-8"),
        ("trial.toml", b"now = ", "not TOML"),
        ("trial.toml", b"now = 2026-03-20", "`now`"),
        ("trial.toml", None, "a trial needs one beside the spec"),
        ("world.py", None, "is no world module"),
        ("world.py", b"raise RuntimeError('no')", "can't be imported: RuntimeError: no"),
        ("world.py", b"x = 1", "lacks `WRITE_TOOLS`"),
        ("data/trajectories.jsonl", b"\x00\xff\x01" * 99, "is no trace: line 1"),
        ("data/trajectories.jsonl", b"", "it is empty"),
        ("data/trajectories.jsonl", None, "no such file"),
        ("data/tasks.jsonl", b"{}\n", "tasks.jsonl is damaged"),
        ("data/db/seats.json", b"{", "the data folder is damaged"),
        ("data/db/seats.json", None, "no such file"),
    ],
)
def test_what_a_trial_can_t_use_is_told(
    trial: Trial, theatre: Path, file: str, content: bytes | None, message: str
) -> None:
    if content is None:
        (theatre / file).unlink()
    else:
        (theatre / file).write_bytes(content)
    ran = trial("trajectories")
    assert ran.code == 2, ran.out
    assert message in ran.err + ran.out and "Traceback" not in ran.err


def test_a_call_that_the_world_module_can_t_take_is_a_finding(trial: Trial, theatre: Path) -> None:
    path = theatre / "data" / "trajectories.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0].replace('"seat_id": "a1"', '"seat_id": ["a1"]'), *lines[1:]]), encoding="utf-8")
    ran = trial("trajectories", "--follow", "recording", "--json")
    assert ran.code == 1
    assert rows(ran.json)["fair", 1]["verdict"] == "refused"
    assert "run fair: call 1: the world module raised TypeError" in ran.json["problems"]


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ('role = "assistant"', 'role = "goat"', "names the role `goat`"),
        ('agreed   = "guest"', "", "`attestors` does not name"),
        ('machine     = "seats"', 'machine = "boats"', "for the machine `boats`"),
        ('observer     = "mo"', 'observer = "al"', "none of the `principals`"),
        ('id    = "mo"', 'id    = "agent"', "none of the `principals`"),
    ],
)
def test_settings_that_do_not_fit_are_told(trial: Trial, theatre: Path, right: str, wrong: str, message: str) -> None:
    path = theatre / "trial.toml"
    text = path.read_text(encoding="utf-8")
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    ran = trial("trajectories")
    assert ran.code == 2 and message in ran.err


def test_no_data_folder_is_told(trial: Trial, theatre: Path) -> None:
    ran = trial("trajectories", "--data", theatre)
    assert ran.code == 2 and "no data folder" in ran.err
    (theatre / "data" / "db").rename(theatre / "elsewhere")
    ran = trial("trajectories")
    assert ran.code == 2 and "--data" in ran.err


# --- the airline's recordings, where they are beside the checkout ---


@pytest.fixture(scope="session")
def recordings(repository: Path) -> Path:
    """The folder of the airline's recordings."""
    folder = repository.parent / "shared" / "data" / "taubench" / "airline"
    if not folder.is_dir():
        pytest.skip("the recordings aren't beside the checkout (../shared/data)")
    return folder


def airline(repository: Path, trace: Path, *options: str, **environment: str) -> "subprocess.Popen[bytes]":
    spec, routes = "specs/airline/airline.edca", "specs/airline/airline.arp"
    command = [sys.executable, "-m", "edca.cli", "trial", spec, "--routes", routes, "--trace", str(trace), "--json"]
    return subprocess.Popen(
        [*command, *options],
        cwd=repository,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_airline_s_trial_is_the_same_in_every_process(repository: Path, recordings: Path) -> None:
    trace = recordings / "trajectories.jsonl"
    started = [
        airline(
            repository, trace, "--assume-confirmed", "--follow", "recording", PYTHONHASHSEED=seed, TZ=zone, LC_ALL="C"
        )
        for seed, zone in (("0", "UTC"), ("4242", "Asia/Kathmandu"))
    ]
    ended = [(*process.communicate(timeout=300), process.returncode) for process in started]
    assert [(err, code) for _, err, code in ended] == [(b"", 0), (b"", 0)]
    first, second = (out for out, _, _ in ended)
    assert first == second
    document = json.loads(first)
    assert document["ledger"]["root"] and document["replay"]["ok"] and document["verification"]["ok"]
    assert all(run["as_recorded"] and run["equal"] == run["matched"] for run in document["runs"])
    assert document["summary"]["runs_none_held_up_matched_and_unequal"] == []


def test_where_no_ground_truth_is_held_up_the_databases_end_equal(repository: Path, recordings: Path) -> None:
    process = airline(repository, recordings / "tasks.jsonl", "--assume-confirmed")
    out, err = process.communicate(timeout=300)
    assert (err, process.returncode) == (b"", 0)
    document = json.loads(out)
    assert document["summary"]["calls"] == 42
    assert [run["run"] for run in document["runs"] if run["none_held_up"] and not run["equal"]] == []
    assert {row["verdict"] for row in document["rows"] if row["label"] != "R"} <= {"accepted", "refused"}
