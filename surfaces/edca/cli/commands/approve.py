"""`edca approve`: say yes to what an open question asks, or waive it."""

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
        "edca approve refund.edca 5f0c1d2e3a4b5c6d --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --code over_limit --as sven --key sven.key",
    )
)
def approve(
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
    """Say yes to what an open question asks, or waive it, and decide again.

    The answer is to what an acceptance would do, as `edca inbox` shows it, and counts for just that: if anything of it
    has changed meanwhile, the answer is void and the question is asked anew. Every answer is on record, void or not.
    Who answers is taken at your word, unless the roster has a key of theirs: then --key signs. The exit code is 1 for
    an answer that is void.
    """
    answer(spec, question, routes, roster, ledger, code, principal, role, key, preview, now, source, as_json, yes=True)
