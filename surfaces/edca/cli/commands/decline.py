"""`edca decline`: say no to what an open question asks."""

from typing import Final

from edca.cli.answering import (
    AnswerCode,
    Answerer,
    AnswerRole,
    KeyFile,
    LedgerFile,
    Question,
    RosterFile,
    Shown,
    answer,
)
from edca.cli.options import AsJSON, Now, Routes, Sources, Spec, command_app, examples

app: Final = command_app()


@app.command(
    epilog=examples(
        "edca decline refund.edca 5f0c1d2e3a4b5c6d --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --code over_limit --as sven --key sven.key",
    )
)
def decline(
    spec: Spec,
    question: Question,
    routes: Routes,
    roster: RosterFile,
    ledger: LedgerFile,
    code: AnswerCode,
    principal: Answerer,
    role: AnswerRole = None,
    key: KeyFile = None,
    preview: Shown = None,
    now: Now = None,
    source: Sources = None,
    as_json: AsJSON = False,
) -> None:
    """Say no to what an open question asks, which refuses it.

    One no of somebody who may answer is enough, whatever others have said. Otherwise this works as `edca approve`.
    """
    answer(spec, question, routes, roster, ledger, code, principal, role, key, preview, now, source, as_json, yes=False)
