"""`edca replay`: every decision made again from the ledger alone, and compared with what was recorded."""

from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.engines import Engine, replays_with
from edca.cli.findings import cell_lines, kernel_lines, replay_data, replays
from edca.cli.loading import open_to_read
from edca.cli.options import FINDINGS, AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, progress
from edca.cli.telling_erasures import vault_findings
from edca.runtime.replayed import Replayed

app: Final = command_app()

_Engine = Annotated[
    Engine, typer.Option("--engine", help="What decides anew: the kernel, the interpreter of the specs, or each.")
]
_Specs = Annotated[
    list[Path] | None,
    typer.Option(
        "--spec",
        metavar="FILE",
        help="The spec of one of the ledger's machines, for the interpreter. May be given several times.",
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "edca replay refunds.ledger",
        "edca replay refunds.ledger --json",
        "edca replay refunds.ledger --engine both --spec refund.edca",
    )
)
def replay(ledger: Ledger, engine: _Engine = Engine.COMPILED, spec: _Specs = None, as_json: AsJSON = False) -> None:
    """Decide every record of a ledger anew, and compare.

    What lies beside the records, such as where each case stands, is built anew from them as well, and compared.

    Machines, rosters and facts come from the ledger itself: no spec, no route and no network is needed. Whether the
    bytes are those that were written is `edca verify`'s question.

    The reference interpreter shares nothing that computes with the kernel. It reads the specs' text, so it needs each
    machine's spec, and `edca[reference]`. What clauses read, which only explains a verdict, it leaves to the kernel.
    """
    with open_to_read(ledger) as opened, opened.whole(), progress("replaying") as advance:
        found = replays_with(engine, opened, spec or (), advance)
    if as_json:
        told = {name: replay_data(replayed) for name, replayed in found.items()}
        document(told[engine] if engine in told else {"engines": told, "ok": all(map(replays, found.values()))})
    else:
        for name, replayed in found.items():
            _write(replayed, "" if engine is Engine.COMPILED else f"{name}: ")
    if not all(replays(replayed) for replayed in found.values()):
        raise typer.Exit(FINDINGS)


def _write(found: Replayed, head: str) -> None:
    for mismatch in found.mismatches:
        line(f"{head}record {mismatch.index}: {mismatch.path}: recorded {mismatch.recorded}")
        line(f"{head}record {mismatch.index}: {mismatch.path}: replayed {mismatch.recomputed}")
    for skipped in found.not_replayed:
        line(f"{head}record {skipped.index}: can't be replayed: {skipped.reason}")
    for told in cell_lines(found.cells):
        line(f"{head}{told}")
    for told in vault_findings(found.vault):
        line(f"{head}{told}")
    for index in found.erased:
        line(
            f"{head}record {index}: input erased: its verdict could not be decided again, all else about it was checked"
        )
    for index in found.unfinished:
        line(f"{head}record {index}: its effects have no outcome yet")
    for told in kernel_lines(found):
        line(f"{head}{told}")
    erased = f", and {len(found.erased)} could not be checked: input erased" if found.erased else ""
    line(f"{head}{found.equal} of {found.total} records equal{erased}")
