"""`edca inbox`: what waits for people."""

from typing import Final

from edca.api import SystemClock
from edca.cli.asking import data, told
from edca.cli.loading import open_to_read, parse_instant
from edca.cli.options import AsJSON, Ledger, Now, command_app, examples
from edca.cli.output import document, line
from edca.runtime.inbox import questions
from edca.runtime.opened import opened as unsealed

app: Final = command_app()


@app.command(epilog=examples("edca inbox refunds.ledger", "edca inbox refunds.ledger --json"))
def inbox(ledger: Ledger, now: Now = None, as_json: AsJSON = False) -> None:
    """Show what waits for people.

    Each question has what was proposed and by whom, what an acceptance would do, the clauses that people must answer
    with what they read, who can answer them, and until when. What can't be taken back comes first, then what is over
    sooner. This reads the ledger alone and changes nothing. `edca approve` and `edca decline` answer; what nobody
    answers in time is closed by `edca tick`, and nothing is ever approved by that.
    """
    at = SystemClock().now() if now is None else parse_instant(now)
    with open_to_read(ledger) as opened:
        found = questions(unsealed(opened))
    if as_json:
        document([data(one, at) for one in found])
        return
    for place, one in enumerate(found):
        if place:
            line()
        for text in told(one, at):
            line(text)
    if not found:
        line("nothing waits for anybody")
