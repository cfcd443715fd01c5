"""`edca ask`: one query, from the shell."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import FixedClock, Inquiry, Kernel, Malformed, QueryAnswer, Returned, SystemClock
from edca.api.payloads import candidate_bytes
from edca.cli.commands.submit import load_people
from edca.cli.errors import CLIError
from edca.cli.explanation import json_data, value_text
from edca.cli.loading import load_policy, load_routes, open_router, parse_instant
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
from edca.cli.output import document, line
from edca.cli.telling_records import record_data, record_line
from edca.kernel.candidate import Caller
from edca.kernel.machine import Machine
from edca.kernel.types import BoolType, IntType, ListType, OptionalType, RecordType, Type
from edca.semantic.explain_query import query_for_model, query_for_operator
from edca.semantic.inquiry import admit_inquiry

app: Final = command_app()

_Query = Annotated[str, typer.Argument(metavar="QUERY", help="The query's name.", show_default=False)]
_Arguments = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE]...", help="Its arguments; lists and records as JSON.", show_default=False),
]
_Roster = Annotated[
    Path, typer.Option("--roster", metavar="FILE", help="The roster, TOML or JSON.", show_default=False)
]
_FailOn = Annotated[bool, typer.Option("--fail-on-refusal", help="Exit with 1 where nothing is returned.")]


@app.command(
    epilog=examples(
        "edca ask airline.edca get_reservation_details reservation_id=EHGLP3 --routes airline.arp \\",
        "    --roster roster.toml --ledger desk.ledger --as desk-bot --role agent \\",
        "    --model small-model-2026-01-15 --for emma_kim_9957",
    )
)
def ask(
    spec: Spec,
    query: _Query,
    routes: Routes,
    roster: _Roster,
    ledger: NewLedgerOption,
    principal: As,
    role: Role,
    arguments: _Arguments = None,
    subject: Subject = None,
    model: Model = None,
    tenant: Tenant = "",
    now: Now = None,
    source: Sources = None,
    fail_on_refusal: _FailOn = False,
    as_json: AsJSON = False,
) -> None:
    """Ask a query, and print what it returns.

    You are the host here: who asks, and for whom, is taken at your word. The answer is put on record like any verdict,
    a refusal too. A refusal is output, not a failure, unless --fail-on-refusal asks for the exit code 1.
    """
    policy = load_policy(spec)
    found_routes = load_routes(routes, policy)
    people = load_people(roster, policy.machine)
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    caller = Caller(principal, role, subject, model)
    payload = candidate_bytes({"query": query, "arguments": _arguments(policy.machine, query, arguments or [])})
    with (
        open_router(found_routes, policy.machine, source or ()) as router,
        Kernel.open(policy.machine, routes=router, roster=people, ledger=ledger, clock=clock, tenant=tenant) as kernel,
    ):
        answer = kernel.query(payload, caller=caller)
    if as_json:
        document(_data(policy.machine, admit_inquiry(payload, caller), answer))
    else:
        _write(policy.machine, answer)
    if fail_on_refusal and not isinstance(answer.verdict, Returned):
        raise typer.Exit(FINDINGS)


def _arguments(machine: Machine, query: str, written: list[str]) -> dict[str, object]:
    declared = machine.index.queries.get(query)
    types = {} if declared is None else {parameter.name: parameter.type for parameter in declared.parameters}
    found: dict[str, object] = {}
    for text in written:
        name, sign, value = text.partition("=")
        if not sign or not name or name in found:
            raise CLIError(f"`{text}` is no argument", "write each once, as NAME=VALUE")
        found[name] = _value(types.get(name), value)
    return found


def _value(type_: Type | None, text: str) -> object:
    """Return what a VALUE stands for: JSON where the parameter isn't written as text; as text where it is no JSON."""
    if not isinstance(type_, (BoolType, IntType, ListType, RecordType, OptionalType)):
        return text
    try:
        return json.loads(text, parse_float=str)
    except json.JSONDecodeError:
        return text


def _data(machine: Machine, inquiry: Inquiry | Malformed, answer: QueryAnswer) -> dict[str, object]:
    return {
        "model_is_told": query_for_model(machine, inquiry, answer.verdict).to_raw(),
        "record": record_data(answer.record),
        "text": list(query_for_operator(machine, answer.verdict)),
        "verdict": json_data(answer.verdict.to_raw()),
    }


def _write(machine: Machine, answer: QueryAnswer) -> None:
    verdict = answer.verdict
    for text in query_for_operator(machine, verdict):
        line(text)
    if isinstance(verdict, Returned):
        for name, value in verdict.values.items():
            line(f"{name} = {value_text(value)}")
    line(record_line(answer.record))
