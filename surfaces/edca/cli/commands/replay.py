"""`edca replay`: every decision made again from the ledger alone, and compared with what was recorded."""

from typing import Final

import typer

from edca.cli.findings import replay_data, replays
from edca.cli.loading import open_to_read
from edca.cli.options import FINDINGS, AsJSON, Ledger, command_app, examples
from edca.cli.output import document, line, progress
from edca.runtime.replay import replay as replay_ledger

app: Final = command_app()


@app.command(epilog=examples("edca replay refunds.ledger", "edca replay refunds.ledger --json"))
def replay(ledger: Ledger, as_json: AsJSON = False) -> None:
    """Decide every record of a ledger anew, and compare.

    Machines, rosters and facts come from the ledger itself: no spec, no route and no network is needed. Whether the
    bytes are those that were written is `edca verify`'s question.
    """
    with open_to_read(ledger) as opened, progress("replaying") as advance:
        found = replay_ledger(opened, progress=advance)
    if as_json:
        document(replay_data(found))
    else:
        for mismatch in found.mismatches:
            line(f"record {mismatch.index}: {mismatch.path}: recorded {mismatch.recorded}")
            line(f"record {mismatch.index}: {mismatch.path}: replayed {mismatch.recomputed}")
        for skipped in found.not_replayed:
            line(f"record {skipped.index}: can't be replayed: {skipped.reason}")
        for index in found.unfinished:
            line(f"record {index}: its effects have no outcome yet")
        line(f"{found.equal} of {found.total} records equal")
    if not replays(found):
        raise typer.Exit(FINDINGS)
