"""`edca trial`: a recorded agent's calls through the whole way of a candidate."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError
from edca.cli.loading import load_policy, load_routes
from edca.cli.options import FINDINGS, AsJSON, Routes, Spec, command_app, examples
from edca.cli.output import document
from edca.cli.trial.report import trial_data, write_report
from edca.cli.trial.run import Follow
from edca.cli.trial.settings import read_settings
from edca.cli.trial.trial import Plan, conduct
from edca.ledger.opening import LedgerURL, ledger_path
from edca.ledger.sqlite import SQLiteLedger

app: Final = command_app()

_Trace = Annotated[
    Path,
    typer.Option(
        "--trace", metavar="FILE", help="Recorded runs, or tasks: one JSON object a line.", show_default=False
    ),
]
_Follow = Annotated[
    Follow,
    typer.Option("--follow", help="By what the world changes: what the kernel accepted, or what was recorded."),
]
_AssumeConfirmed = Annotated[
    bool, typer.Option("--assume-confirmed", help="Supply the user's yes, whatever the dialogue holds.")
]
_Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="The data folder; else the trace's, or trial.toml's.", show_default=False
    ),
]
_Ledger = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        metavar="FILE",
        help="Keep the trial's ledger in this new file.",
        parser=ledger_path,
        show_default=False,
    ),
]
_Timings = Annotated[bool, typer.Option("--timings", help="Add what took how long to the JSON document.")]


@app.command(
    epilog=examples(
        "edca trial specs/airline/airline.edca --routes specs/airline/airline.arp --trace trajectories.jsonl",
        "edca trial specs/airline/airline.edca --routes specs/airline/airline.arp --trace tasks.jsonl \\",
        "    --assume-confirmed --json",
    )
)
def trial(
    spec: Spec,
    routes: Routes,
    trace: _Trace,
    follow: _Follow = Follow.KERNEL,
    assume_confirmed: _AssumeConfirmed = False,
    data: _Data = None,
    ledger: _Ledger = None,
    timings: _Timings = False,
    as_json: AsJSON = False,
) -> None:
    """Run a recorded agent's calls through a kernel, and report.

    Each run gets a fresh internal database. What only the dialogue holds (a yes, a reason, a complaint) enters as
    attestations of the source `trial-heuristic`, which no other command accepts. Settings and world module stand beside
    the spec, and the world module's code is run: use only one you trust.
    """
    started = time.perf_counter()
    if isinstance(ledger, LedgerURL):
        raise CLIError("a trial's ledger is a file, and none in PostgreSQL", "name a new file, or leave `--ledger` out")
    policy = load_policy(spec)
    plan = Plan(
        machine=policy.machine,
        routes=load_routes(routes, policy),
        settings=read_settings(spec),
        trace=trace,
        data=data,
        follow=follow,
        assume_confirmed=assume_confirmed,
    )
    with _ledger(ledger) as opened:
        result = conduct(plan, opened)
    elapsed_s = time.perf_counter() - started
    if as_json:
        timed = {"timings": {"total_ms": round(elapsed_s * 1000)}} if timings else {}
        document(trial_data(result) | timed)
    else:
        write_report(result, elapsed_s)
    if not result.is_clean:
        raise typer.Exit(FINDINGS)


@contextmanager
def _ledger(keep: Path | None) -> Iterator[SQLiteLedger]:
    """Open the trial's ledger: a new file, or a temporary one that is removed at the end."""
    if keep is not None:
        # The root stands for this trial only if nothing else is in the ledger.
        if keep.exists():
            raise CLIError(f"`{keep}` is there already", "name a new file: a trial's ledger holds one trial")
        with SQLiteLedger.open(keep) as ledger:
            yield ledger
        return
    with (
        tempfile.TemporaryDirectory(prefix="edca-trial-") as folder,
        SQLiteLedger.open(Path(folder) / "trial.ledger", durable=False) as ledger,
    ):
        yield ledger
