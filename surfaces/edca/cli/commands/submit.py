"""`edca submit`: one candidate through the whole way, from the shell."""

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import FixedClock, Kernel, RosterError, SystemClock, load_roster
from edca.api.roster import check_roster, likely_meant
from edca.cli.attesting import OPERATOR_SOURCE, attestations
from edca.cli.errors import CLIError, from_os_error
from edca.cli.explanation import json_data
from edca.cli.loading import load_policy, load_routes, open_router, parse_instant, parsed, read_bytes
from edca.cli.options import (
    FINDINGS,
    As,
    AsJSON,
    Model,
    NewLedgerOption,
    Now,
    Role,
    Routes,
    Sources,
    Spec,
    Subject,
    Tenant,
    command_app,
    examples,
)
from edca.cli.output import document, line, note
from edca.cli.reading import unsealed
from edca.cli.telling_clauses import mending_data
from edca.cli.telling_configuration import Kept
from edca.cli.telling_effects import outcome_of, question_of, reasons
from edca.cli.telling_records import record_data, record_line
from edca.kernel.candidate import Caller, Candidate, Malformed
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.runtime.answers import Answer, Outcome
from edca.runtime.inbox import OPEN_MAX
from edca.runtime.question import Question
from edca.semantic.candidate import admit
from edca.semantic.explain import for_model, for_operator

app: Final = command_app()

# Far over what admission takes, so that an oversized candidate is refused and recorded like any other.
_CANDIDATE_SIZE_MAX: Final = 256 << 20
_VERDICTS: Final = ("accepted", "refused", "escalated")
_STDIN: Final = "-"

_Candidate = Annotated[
    str, typer.Argument(metavar="CANDIDATE", help="A file with one candidate as JSON; `-`: stdin.", show_default=False)
]
_Roster = Annotated[
    Path, typer.Option("--roster", metavar="FILE", help="The roster, TOML or JSON.", show_default=False)
]
_Attest = Annotated[
    list[str] | None,
    typer.Option(
        "--attest",
        metavar="NAME=VALUE:PRINCIPAL:ROLE",
        help="What somebody vouched for: a claim, or a yes or no. May be given several times.",
        show_default=False,
    ),
]
_AttestedThrough = Annotated[
    str, typer.Option("--attested-through", metavar="SOURCE", help="How you know what they attested.")
]
_InboxMax = Annotated[
    int,
    typer.Option("--inbox-max", metavar="N", min=0, help="So many questions may wait for people; then `overload`."),
]
_FailOn = Annotated[
    str | None,
    typer.Option(
        "--fail-on", metavar="VERDICTS", help="Exit with 1 on these, such as `refused,escalated`.", show_default=False
    ),
]


@app.command(
    epilog=examples(
        "edca submit refund.edca --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --now 2026-03-20T12:00:00Z --as desk-bot --role assistant --model small-model-2026-01-15 --for carla \\",
        "    --attest agreed=true:carla:customer candidate.json",
    )
)
def submit(
    spec: Spec,
    candidate: _Candidate,
    routes: Routes,
    roster: _Roster,
    ledger: NewLedgerOption,
    principal: As,
    role: Role,
    subject: Subject = None,
    model: Model = None,
    tenant: Tenant = "",
    now: Now = None,
    attest: _Attest = None,
    attested_through: _AttestedThrough = OPERATOR_SOURCE,
    source: Sources = None,
    inbox_max: _InboxMax = OPEN_MAX,
    fail_on: _FailOn = None,
    as_json: AsJSON = False,
) -> None:
    """Submit one candidate, and print the verdict.

    You are the host here: who proposes, for whom, and what was attested is taken at your word and recorded. A verdict
    is output, not a failure: the exit code is 0 for a refusal too, unless --fail-on asks for 1.
    """
    failing = _failing(fail_on)
    policy = load_policy(spec)
    found_routes = load_routes(routes, policy)
    people = load_people(roster, policy.machine)
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    vouched = attestations(attest or (), attested_through, policy.machine, clock.now())
    payload = _payload(candidate)
    caller = Caller(principal, role, subject, model)
    with (
        open_router(found_routes, policy.machine, source or ()) as router,
        Kernel.open(
            policy.machine, routes=router, roster=people, ledger=ledger, clock=clock, tenant=tenant, inbox_max=inbox_max
        ) as kernel,
    ):
        answer = kernel.submit(payload, caller=caller, attestations=vouched)
        ledger_read = unsealed(kernel.ledger)
        question = question_of(parsed(ledger_read.read(answer.record.number)).content, Kept(ledger_read))
        why = _why_not_confirmed(kernel, answer, question)
    told = for_operator(policy.machine, answer.verdict, question)
    if as_json:
        more = {"outcome_reasons": why, **mending_data(question, answer.verdict)}
        document(_answer_data(policy.machine, admit(payload, caller), answer, told) | more)
    else:
        _write_answer(answer, told, why)
    if answer.verdict.to_raw()["outcome"] in failing:
        raise typer.Exit(FINDINGS)


def _answer_data(
    machine: Machine, candidate: Candidate | Malformed, answer: Answer, told: tuple[str, ...]
) -> dict[str, object]:
    return {
        "model_is_told": for_model(machine, candidate, answer.verdict).to_raw(),
        "outcome": None if answer.outcome is None else answer.outcome.value,
        "record": record_data(answer.record),
        "revision": answer.revision,
        "state": answer.state,
        "text": list(told),
        "verdict": json_data(answer.verdict.to_raw()),
    }


def _why_not_confirmed(kernel: Kernel, answer: Answer, question: Question) -> list[str]:
    """Return why the effects are not confirmed, as the outcome's record tells; empty where they are, or there are none.

    Raises what reading the ledger raises.
    """
    if answer.outcome in (None, Outcome.CONFIRMED):
        return []
    ledger = unsealed(kernel.ledger)
    content = outcome_of(ledger.read(answer.record.number), ledger)
    return [] if content is None else list(reasons(question, content))


def _write_answer(answer: Answer, told: tuple[str, ...], why: list[str]) -> None:
    for text in told:
        line(text)
    if answer.outcome is not None:
        line(f"effects: {answer.outcome.value}")
        for text in why:
            line(f"  {text}")
    if answer.state is not None:
        line(f"case: {answer.state}, revision {answer.revision}")
    line(record_line(answer.record))


def _failing(text: str | None) -> frozenset[str]:
    words = frozenset() if text is None else frozenset(word.strip() for word in text.split(","))
    unknown = sorted(words - set(_VERDICTS))
    if unknown:
        raise CLIError(f"`--fail-on` takes verdicts, and `{unknown[0]}` is none", f"they are {', '.join(_VERDICTS)}")
    return words


def load_people(path: Path, machine: Machine) -> Roster:
    """Return the roster of a file, checked against the machine. Raises `CLIError`."""
    try:
        roster = load_roster(path)
        check_roster(roster, machine)
        for hint in likely_meant(roster, machine):
            note(f"edca: hint: {hint}")
        return roster
    except RosterError as error:
        raise CLIError(str(error)) from error
    except OSError as error:
        raise from_os_error(error, path) from error


def _payload(name: str) -> bytes:
    if name != _STDIN:
        return read_bytes(Path(name), _CANDIDATE_SIZE_MAX)
    payload = sys.stdin.buffer.read(_CANDIDATE_SIZE_MAX + 1)
    if len(payload) > _CANDIDATE_SIZE_MAX:
        raise CLIError(f"what stdin gives is larger than {_CANDIDATE_SIZE_MAX} bytes")
    return payload
