"""Goal: a trace is read in full or complained about by line; nothing in it is skipped or believed."""

import json
from pathlib import Path
from typing import Any

import pytest

from edca.cli.errors import CLIError
from edca.cli.trial.trace import LINE_SIZE_MAX, Context, read_trace


def against(*tasks: Path) -> Context:
    return Context(tasks, ("ann", "bo"), ("take", "leave"))


def recorded(**changes: Any) -> dict[str, Any]:
    events = [
        {"t": "user", "text": "Seat a1, please."},
        {"t": "call", "i": 0, "name": "look", "kind": "read", "args": {}, "result": "free", "error": False},
        {"t": "agent", "text": "Shall I?"},
        {"t": "user", "text": "Yes."},
        {
            "t": "call",
            "i": 1,
            "name": "take",
            "kind": "write",
            "args": {"seat": "a1", "offer": 2.50},
            "error": False,
            "mutated": True,
            "gt_touches_target": True,
        },
    ]
    row = {"traj_id": "run-0", "task_id": 0, "model": "m-1", "db_match": True, "events": events, "gt_actions": []}
    return row | changes


def call(**changes: Any) -> dict[str, Any]:
    return {"t": "call", "i": 0, "name": "take", "kind": "write", "args": {}} | changes


def task(**changes: Any) -> dict[str, Any]:
    actions = [
        {"name": "look", "kind": "read", "kwargs": {}},
        {"name": "take", "kind": "write", "kwargs": {"seat": "a1"}, "gt_replay_mutated": True},
    ]
    return {"task_id": 0, "user_id": "ann", "instruction": "Take a1.", "actions": actions, "split": "test"} | changes


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    return write(tmp_path / "tasks.jsonl", task())


def test_a_recorded_run_keeps_its_calls_and_what_was_said_before_them(tmp_path: Path, tasks: Path) -> None:
    trace = read_trace(write(tmp_path / "t.jsonl", recorded()), against(tasks))
    assert trace.flaws == ()
    (run,) = trace.runs
    assert (run.id, run.subject, run.model, run.matched, run.outside_count) == ("run-0", "ann", "m-1", True, 1)
    (call,) = run.calls
    assert (call.place, call.name, call.arguments) == (1, "take", {"seat": "a1", "offer": 2.5})
    assert run.dialogue[: call.said][-1] == ("user", "Yes.")


def test_a_task_is_a_run_of_its_ground_truth(tasks: Path) -> None:
    (run,) = read_trace(tasks, against()).runs
    assert run.is_ground_truth and run.id == "task-0" and run.model is None
    assert [call.name for call in run.calls] == ["take"]
    assert run.truth == (("take", {"seat": "a1"}),)
    assert run.dialogue == (("user", "Take a1."),)


def test_ground_truth_comes_from_the_task_where_the_run_has_none(tmp_path: Path, tasks: Path) -> None:
    row = recorded()
    del row["gt_actions"]
    (run,) = read_trace(write(tmp_path / "t.jsonl", row), against(tasks)).runs
    assert run.truth == (("take", {"seat": "a1"}),)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"{", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "neither `events`"),
        (b'{"events": NaN}', "NaN"),
        (b'{"events": [], "events": []}', "key twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"events": %s}' % (b"9" * 5000), "number that is too long"),
        (b'{"events": 5}', "`traj_id`"),
        (json.dumps(recorded(task_id=7, gt_actions=None)).encode(), "no task 7"),
        (json.dumps(recorded(traj_id="a/b")).encode(), "letters, digits"),
        (json.dumps(recorded(traj_id="run-0")).encode(), "stands in the trace already"),
        (json.dumps(recorded(model="m\ud800")).encode(), "printable"),
        (json.dumps(recorded(events=[{"t": "dance"}])).encode(), "`events.0`"),
        (
            json.dumps(recorded(events=[{"t": "call", "i": 0, "name": "take", "kind": "write", "args": []}])).encode(),
            "args",
        ),
        (json.dumps(task(user_id="")).encode(), "user id"),
        (b'{"events": "' + b"x" * LINE_SIZE_MAX + b'"}', "longer than"),
    ],
)
def test_a_line_that_can_t_be_read_is_named_and_the_others_are_run(
    tmp_path: Path, tasks: Path, line: bytes, problem: str
) -> None:
    path = tmp_path / "t.jsonl"
    good = json.dumps(recorded()).encode()
    path.write_bytes(good + b"\n\n" + line + b"\n" + json.dumps(recorded(traj_id="run-9")).encode())
    trace = read_trace(path, against(tasks))
    assert [run.id for run in trace.runs] == ["run-0", "run-9"]
    (flaw,) = trace.flaws
    assert flaw.line == 3
    assert problem in flaw.problem


def test_a_write_that_the_world_does_not_know_can_t_be_followed(tmp_path: Path, tasks: Path) -> None:
    burn = call(name="burn", mutated=True)
    path = write(tmp_path / "t.jsonl", recorded(), recorded(traj_id="run-1", events=[burn]))
    (flaw,) = read_trace(path, against(tasks)).flaws
    assert "`burn`" in flaw.problem


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\x00\x01\x02", b"{}\n{}"])
def test_a_file_without_a_run_is_no_trace(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(content)
    with pytest.raises(CLIError, match="is no trace"):
        read_trace(path, against())


def test_whose_run_it_was_can_stand_in_what_the_user_was_told(tmp_path: Path, tasks: Path) -> None:
    told = recorded(task_id=7, instruction="You are bo.")
    both = recorded(task_id=7, traj_id="run-1", instruction="You are bo, or ann.")
    trace = read_trace(write(tmp_path / "t.jsonl", told, both), against(tasks))
    assert [run.subject for run in trace.runs] == ["bo"]
    assert "no task 7" in trace.flaws[0].problem


def test_the_first_file_that_has_a_task_counts(tmp_path: Path, tasks: Path) -> None:
    other = write(tmp_path / "other.jsonl", task(user_id="bo"), task(task_id=1, user_id="bo"))
    path = write(tmp_path / "t.jsonl", recorded(), recorded(traj_id="run-1", task_id=1))
    assert [run.subject for run in read_trace(path, against(tasks, other)).runs] == ["ann", "bo"]


def test_damaged_tasks_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_text("{}\n", encoding="utf-8")
    with pytest.raises(CLIError, match="line 1"):
        read_trace(write(tmp_path / "t.jsonl", recorded()), against(path))
