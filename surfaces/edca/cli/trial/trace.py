"""Traces: recorded runs, or the ground-truth actions of tasks, one JSON object a line.

A trace is other people's text. A line that can't be read is a flaw with its number, never skipped in silence; what can
be read is checked in full before anything is run.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edca.cli.errors import CLIError

LINE_SIZE_MAX: Final = 16 << 20
"""Longest line, in bytes."""

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # it becomes part of a case's id
_ID_LENGTH_MAX = 128

Action: TypeAlias = "tuple[str, Mapping[str, Any]]"  # a tool's name and its arguments


@dataclass(frozen=True, slots=True)
class Call:
    """One recorded call that a kernel governs: a write, or a read that is a query of the spec (then `asks` is true).

    `place` is its number in the run; `said` how many utterances came before it. `mutated` and `failed` say what the
    recorded tool made of it; `on_target` whether it touches what the ground truth touches.
    """

    place: int
    name: str
    arguments: Mapping[str, Any]
    said: int
    mutated: bool
    failed: bool
    on_target: bool
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a trace.

    `subject` is the user on whose behalf the calls were made; `model` is null where the trace names none. `truth` are
    the writes that the task asks for, and `matched` whether the recording ended where they end. `outside_count` counts
    the calls that the spec governs by nothing: thoughts, calculations, and reads that are no query of it.
    """

    id: str
    subject: str
    model: str | None
    dialogue: tuple[tuple[str, str], ...]
    calls: tuple[Call, ...]
    truth: tuple[Action, ...]
    matched: bool
    is_ground_truth: bool
    outside_count: int


@dataclass(frozen=True, slots=True)
class Flaw:
    """A line of a trace that can't be run; lines count from 1."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class Trace:
    """The runs of a file in its order, and the lines that are none."""

    runs: tuple[Run, ...]
    flaws: tuple[Flaw, ...]


class _Row(BaseModel):
    # Extra keys are measurements we don't use; a wrong type in a key we do use is a flaw.
    model_config = ConfigDict(strict=True, extra="ignore")


class _Action(_Row):
    name: str
    kind: Literal["read", "write", "generic", "think"] = "write"
    kwargs: dict[str, Any]
    gt_replay_error: bool = False
    gt_replay_mutated: bool = False


class _Utterance(_Row):
    t: Literal["user", "agent", "agent_note"]
    text: str


class _CallEvent(_Row):
    t: Literal["call"]
    i: Annotated[int, Field(ge=0, lt=1_000_000)]
    name: str
    kind: Literal["read", "write", "generic", "think"]
    args: dict[str, Any]
    error: bool = False
    mutated: bool = False
    gt_touches_target: bool = False


class _Task(_Row):
    task_id: int
    user_id: str
    split: str = "test"
    instruction: str
    actions: list[_Action]


class _Trajectory(_Row):
    traj_id: str
    task_id: int
    split: str = "test"
    model: str
    db_match: bool
    user_id: str | None = None
    instruction: str = ""
    gt_actions: list[_Action] | None = None
    events: list[Annotated[_Utterance | _CallEvent, Field(discriminator="t")]]


_AnyRow = TypeVar("_AnyRow", bound=_Row)
TaskKey: TypeAlias = "tuple[str, int]"


@dataclass(frozen=True, slots=True)
class Context:
    """What a trace is read against.

    `tasks` are the files that say whose task a recorded run was; the first that has a task counts. `users` are the ids
    of everybody the data knows, `write_tools` the recorded tools that change the world, `queries` the
    reads that the spec governs.
    """

    tasks: tuple[Path, ...]
    users: Collection[str]
    write_tools: Sequence[str]
    queries: Collection[str] = ()


def read_trace(path: Path, context: Context) -> Trace:
    """Read a trace.

    Raises `CLIError` where no line can be read at all, `OSError` where the file can't.
    """
    known = _Tasks(context.tasks)
    runs: dict[str, Run] = {}
    flaws: list[Flaw] = []
    for number, content in _lines(path):
        try:
            run = _run(content, known, context)
            if run.id in runs:
                raise _FlawError(f"the run `{run.id}` stands in the trace already")
            runs[run.id] = run
        except _FlawError as flaw:
            flaws.append(Flaw(number, flaw.problem))
    if not runs:
        why = f"line {flaws[0].line}: {flaws[0].problem}" if flaws else "it is empty"
        raise CLIError(
            f"`{path}` is no trace: {why}", "give a file of recorded runs or of tasks, one JSON object a line"
        )
    return Trace(tuple(runs.values()), tuple(flaws))


class _FlawError(Exception):
    """A line can't be run."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines that hold anything; an overlong one comes cut, and so is no JSON."""
    with path.open("rb") as file:
        number = 0
        while content := file.readline(LINE_SIZE_MAX):
            number += 1
            rest = content
            while rest and not rest.endswith(b"\n"):
                rest = file.readline(LINE_SIZE_MAX)
            if content.strip():
                yield number, content


class _Tasks:
    """The tasks of a data folder, read when a run first asks for one: ground truth alone needs none."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._known: dict[TaskKey, _Task] | None = None

    def get(self, key: TaskKey) -> _Task | None:
        """Return a task by split and number. Raises `CLIError` where the file is damaged."""
        if self._known is None:
            self._known = {}
            for path in reversed(self._paths):
                self._known |= _read_tasks(path)
        return self._known.get(key)


def _read_tasks(path: Path) -> dict[TaskKey, _Task]:
    """Return the tasks of a file by split and number. Raises `CLIError` for a line that is no task."""
    tasks: dict[TaskKey, _Task] = {}
    for number, content in _lines(path):
        try:
            task = _checked(_Task, _object(content))
        except _FlawError as flaw:
            raise CLIError(
                f"`{path}` line {number}: {flaw.problem}", "the data folder's tasks.jsonl is damaged"
            ) from flaw
        tasks[task.split, task.task_id] = task
    return tasks


def _run(content: bytes, tasks: _Tasks, context: Context) -> Run:
    row = _object(content)
    if "events" in row:
        run = _recorded(_checked(_Trajectory, row), tasks, context)
    elif "actions" in row:
        run = _asked(_checked(_Task, row), context)
    else:
        raise _FlawError("it has neither `events` (a recorded run) nor `actions` (a task)")
    if not _RUN_ID.fullmatch(run.id):
        raise _FlawError("its id must be 1 to 64 letters, digits, dots, dashes and underscores")
    for name, value in (("user", run.subject), ("model", run.model or "-")):
        if not (value.isprintable() and 0 < len(value) <= _ID_LENGTH_MAX):
            raise _FlawError(f"its {name} id must be 1 to {_ID_LENGTH_MAX} printable characters")
    return run


def _recorded(row: _Trajectory, tasks: _Tasks, context: Context) -> Run:
    write_tools = context.write_tools
    task = tasks.get((row.split, row.task_id))
    subject = _subject(row, context.users) if task is None else task.user_id
    truth = task.actions if row.gt_actions is None and task is not None else row.gt_actions
    if subject is None or truth is None:
        raise _FlawError(f"no task {row.task_id} is known, so nobody can tell whose run it was; see --data")
    dialogue: list[tuple[str, str]] = []
    calls: list[Call] = []
    outside_count = 0
    for event in row.events:
        match event:
            case _Utterance():
                dialogue.append(("user" if event.t == "user" else "agent", event.text))
            case _CallEvent(kind=kind, name=name) if kind == "write" or _asks(kind, name, context):
                calls.append(
                    Call(
                        place=event.i,
                        name=event.name,
                        arguments=event.args,
                        said=len(dialogue),
                        mutated=event.mutated,
                        failed=event.error,
                        on_target=event.gt_touches_target,
                        asks=kind == "read",
                    )
                )
            case _CallEvent():
                outside_count += 1
    # A kernel refuses a tool that nobody knows; but a world that such a tool changed can't be followed.
    unknown = [call.name for call in calls if call.mutated and call.name not in write_tools]
    if unknown:
        raise _FlawError(f"`{unknown[0]}` changed the world, and the world module does not know it")
    if len({call.place for call in calls}) != len(calls):
        raise _FlawError("two of its calls have one number")
    return Run(
        id=row.traj_id,
        subject=subject,
        model=row.model,
        dialogue=tuple(dialogue),
        calls=tuple(calls),
        truth=tuple((action.name, action.kwargs) for action in truth if action.name in write_tools),
        matched=row.db_match,
        is_ground_truth=False,
        outside_count=outside_count,
    )


def _subject(row: _Trajectory, users: Collection[str]) -> str | None:
    """Return whose run it was where no task says so: the one user whose id stands in what the task told the user."""
    named = sorted(set(re.findall(r"\w+", row.instruction)) & set(users))
    return row.user_id or (named[0] if len(named) == 1 else None)


def _asks(kind: str, name: str, context: Context) -> bool:
    return kind == "read" and name in context.queries


def _asked(task: _Task, context: Context) -> Run:
    write_tools = context.write_tools
    writes = [(place, action) for place, action in enumerate(task.actions) if action.kind == "write"]
    governed = [
        (p, one) for p, one in enumerate(task.actions) if one.kind == "write" or _asks(one.kind, one.name, context)
    ]
    unknown = [action.name for _, action in writes if action.name not in write_tools]
    if unknown:
        raise _FlawError(f"the world module does not know the write tool `{unknown[0]}`")
    return Run(
        id=f"task-{task.task_id}" if task.split == "test" else f"task-{task.split}-{task.task_id}",
        subject=task.user_id,
        model=None,
        dialogue=(("user", task.instruction),),
        calls=tuple(
            Call(
                place=place,
                name=action.name,
                arguments=action.kwargs,
                said=1,
                mutated=action.gt_replay_mutated,
                failed=action.gt_replay_error,
                on_target=action.kind == "write",
                asks=action.kind == "read",
            )
            for place, action in governed
        ),
        truth=tuple((action.name, action.kwargs) for _, action in writes),
        matched=True,
        is_ground_truth=True,
        outside_count=len(task.actions) - len(governed),
    )


def _object(content: bytes) -> dict[str, Any]:
    """Return the JSON object of a line, strictly. Raises `_FlawError`."""
    if len(content) >= LINE_SIZE_MAX:
        raise _FlawError(f"it is longer than {LINE_SIZE_MAX} bytes")
    try:
        row = json.loads(content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _FlawError("it is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise _FlawError(f"it is not JSON: {error.msg.lower()} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise _FlawError("it is nested too deeply") from error
    except ValueError as error:  # a number with more digits than Python reads
        raise _FlawError("it holds a number that is too long") from error
    if not isinstance(row, dict):
        raise _FlawError("it is not a JSON object")
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise _FlawError("it has a key twice in one object")
    return row


def _no_constant(word: str) -> NoReturn:
    raise _FlawError(f"it holds {word}, which is no JSON number")


def _checked(model: type[_AnyRow], row: Mapping[str, Any]) -> _AnyRow:
    try:
        return model.model_validate(row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise _FlawError(f"`{where}`: {first['msg'][:1].lower()}{first['msg'][1:]}") from error
