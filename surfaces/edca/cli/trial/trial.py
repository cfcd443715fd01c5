"""A whole trial: every run over one ledger, which is then verified and replayed."""

import sqlite3
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from edca.cli.errors import CLIError
from edca.cli.findings import replays
from edca.cli.output import progress
from edca.cli.trial.run import Bench, Follow, Label, Row, RunResult, run_one
from edca.cli.trial.settings import Settings, check_settings, find_data
from edca.cli.trial.trace import Context, Flaw, read_trace
from edca.cli.trial.world import Data, World, load_world
from edca.kernel.machine import Machine
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verification import Verification
from edca.ledger.verify import verify
from edca.routing import Routes
from edca.runtime.replay import replay
from edca.runtime.replayed import Replayed

_TASKS: Final = "tasks.jsonl"
_B_LABELS: Final = (Label.B, Label.C)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for. `data` is null where the folder is to be found."""

    machine: Machine
    routes: Routes
    settings: Settings
    trace: Path
    data: Path | None
    follow: Follow
    assume_confirmed: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. `flaws` are lines of the trace that could not be run."""

    plan: Plan
    runs: tuple[RunResult, ...]
    flaws: tuple[Flaw, ...]
    verification: Verification
    replayed: Replayed

    @property
    def rows(self) -> tuple[Row, ...]:
        """Every call of every run, in order."""
        return tuple(row for run in self.runs for row in run.rows)

    @property
    def problems(self) -> tuple[str, ...]:
        """What makes the trial itself doubtful: lines that were not run, and worlds that could not be followed."""
        return (
            *(f"line {flaw.line} of the trace was not run: {flaw.problem}" for flaw in self.flaws),
            *(f"run {run.id}: {problem}" for run in self.runs for problem in run.problems),
            *(
                f"run {run.id}: the database is not as the recording left it"
                for run in self.runs
                if run.as_recorded is False
            ),
        )

    @property
    def is_clean(self) -> bool:
        """Whether all of the trace was run, and the ledger verifies and replays."""
        return not self.problems and self.verification.is_sound and replays(self.replayed)


def conduct(plan: Plan, ledger: SQLiteLedger) -> Trial:
    """Run the trial into an empty ledger. Raises `CLIError` for a trace, a folder or a world that can't be used."""
    settings = plan.settings
    check_settings(settings, plan.machine)
    world = load_world(settings.world)
    # Before the data folder is looked for beside it: a misspelt trace has none.
    plan.trace.stat()
    folder = find_data(settings, plan.trace, plan.data)
    base = _read_data(world, folder / "db")
    beside = (plan.trace.parent / _TASKS, folder / _TASKS)
    tasks = tuple(path for path in beside if path.is_file())
    trace = read_trace(plan.trace, Context(tasks, base.get("users", ()), world.WRITE_TOOLS, plan.machine.index.queries))
    with closing(sqlite3.connect(":memory:")) as template, progress("runs") as advance:
        world.load(base, template)
        bench = Bench(
            machine=plan.machine,
            routes=plan.routes,
            world=world,
            settings=settings,
            base=base,
            template=template,
            ledger=ledger,
            follow=plan.follow,
            assume_confirmed=plan.assume_confirmed,
        )
        runs: list[RunResult] = []
        for run in trace.runs:
            runs.append(run_one(bench, run))
            advance(len(runs), len(trace.runs))
    with progress("verifying") as advance:
        verification = verify(ledger, progress=advance)
    with progress("replaying") as advance:
        replayed = replay(ledger, progress=advance)
    return Trial(plan, tuple(runs), trace.flaws, verification, replayed)


def _read_data(world: World, folder: Path) -> Data:
    try:
        return world.read_data(folder)
    except (ValueError, KeyError, TypeError) as error:
        message = f"the world module can't read `{folder}`: {type(error).__name__}: {error}"
        raise CLIError(message, "the data folder is damaged, or of another domain") from error


def by_label(rows: tuple[Row, ...]) -> dict[Label, Mapping[str, int]]:
    """Return how many calls of each label had each verdict; `B` counts those of `C` too, which is a part of it."""
    counts = {label: Counter(row.verdict for row in rows if row.label is label) for label in Label}
    counts[Label.B] = Counter(row.verdict for row in rows if row.label in _B_LABELS)
    return {label: count for label, count in counts.items() if count}


def by_clause(rows: tuple[Row, ...]) -> Mapping[tuple[str, str], int]:
    """Return how many calls each clause, or early stage, held up: by (transition, code), most first."""
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row.verdict in ("accepted", "returned"):
            continue
        for code in {clause.code for clause in row.clauses} or {row.code}:
            counts[row.name, code] += 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
