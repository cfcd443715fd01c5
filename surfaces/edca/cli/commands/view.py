"""`edca view`: what a model may see of a case, and nothing else."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.api import FixedClock, SystemClock
from edca.cli.cases import case_key
from edca.cli.errors import CLIError
from edca.cli.explanation import json_data, value_text
from edca.cli.loading import load_policy, load_routes, open_router, open_to_read, parse_instant
from edca.cli.options import As, AsJSON, Model, Now, Role, Routes, Sources, Spec, Subject, Tenant, command_app, examples
from edca.cli.output import document, line, note
from edca.kernel.candidate import Caller
from edca.kernel.expression import Input, ReadInput
from edca.kernel.facts import Key
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.ledger.opening import AnyLedger, ledger_path
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.context import Context
from edca.runtime.gather import look
from edca.semantic.view import View, creation_view, view_evidence, view_wants
from edca.semantic.view import view as view_of

app: Final = command_app()

_Case = Annotated[
    str | None,
    typer.Option(
        "--case", metavar="KEY", help="The case's key; one of several parts as a JSON list.", show_default=False
    ),
]
_Entity = Annotated[
    str | None,
    typer.Option("--entity", metavar="NAME", help="What the case is about, if not the usual.", show_default=False),
]
_Ledger = Annotated[
    Path | None,
    typer.Option(
        "--ledger",
        metavar="LEDGER",
        help="The ledger that holds the case, if one does.",
        parser=ledger_path,
        show_default=False,
    ),
]


@app.command(
    epilog=examples(
        "edca view refund.edca --routes refund.arp --case o1 --as desk-bot --role assistant --for carla",
        "edca view refund.edca --routes refund.arp --ledger refunds.ledger --case o1 \\",
        "    --as desk-bot --role assistant --json",
    )
)
def view(
    spec: Spec,
    routes: Routes,
    principal: As,
    role: Role,
    case: _Case = None,
    entity: _Entity = None,
    subject: Subject = None,
    model: Model = None,
    ledger: _Ledger = None,
    tenant: Tenant = "",
    now: Now = None,
    source: Sources = None,
    as_json: AsJSON = False,
) -> None:
    """Show what a model may see of a case.

    Without --case: what may be proposed where there is no case yet. Without --ledger, the case is as its source shows
    it. A case that does not exist and one that is not the subject's look the same. Nothing is decided or recorded, and
    no roster is read: that PRINCIPAL is who they say, and holds the role, is taken at your word.
    """
    policy = load_policy(spec)
    machine = policy.machine
    if role not in machine.index.roles:
        raise CLIError(f"the machine has no role `{role}`", f"its roles are {', '.join(machine.index.roles)}")
    caller = Caller(principal, role, subject, model)
    found_routes = load_routes(routes, policy)
    if case is None:
        _write(creation_view(machine, caller), as_json)
        return
    if subject is None and _reads_subject(machine):
        note("edca: hint: without `--for`, every clause that reads `subject` is unknown, and so may be the whole case")
    about = machine.case_about if entity is None else entity
    key = case_key(machine, about, case)
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    with open_router(found_routes, machine, source or ()) as router, _store(ledger) as store:
        found = _look(Context(machine, router, store, Roster((), ()), clock, tenant), about, key, caller)
    _write(found, as_json)


def _reads_subject(part: object) -> bool:
    """Tell whether an expression, anywhere in this part of a machine, reads on whose behalf a candidate is proposed."""
    if isinstance(part, ReadInput):
        return part.input is Input.SUBJECT
    if isinstance(part, tuple):
        return any(_reads_subject(item) for item in part)
    if isinstance(part, Machine):
        return _reads_subject((part.transitions, part.screens))
    return is_dataclass(part) and any(_reads_subject(getattr(part, field.name)) for field in fields(part))


def _look(context: Context, about: str, key: Key, caller: Caller) -> View:
    machine = context.machine
    evidence = view_evidence(machine, about, caller)
    case, facts, now = look(
        context, about, key, lambda case, known, now: view_wants(machine, case, known, caller, now), evidence
    )
    return view_of(machine, case, facts, caller, now)


@contextmanager
def _store(path: Path | None) -> "Iterator[AnyLedger]":
    """Open the ledger for reading; where none is given, an empty one that is removed again."""
    if path is not None:
        with open_to_read(path) as ledger:
            yield ledger
        return
    with (
        tempfile.TemporaryDirectory(prefix="edca-view-") as folder,
        SQLiteLedger.open(Path(folder) / "empty.ledger", durable=False) as ledger,
    ):
        yield ledger


def _write(found: View, as_json: bool) -> None:
    if as_json:
        document(json_data(found.to_raw()))
        return
    line(found.meaning if found.state is None else f"{found.state}: {found.meaning}")
    if found.revision is not None:
        line(f"revision {found.revision}")
    for name, value in sorted({**found.memory, **found.facts}.items()):
        line(f"{name} = {value_text(value)}")
    for offer in found.offers:
        line(f"can be proposed: {offer.name}({_names(offer.arguments)}): {offer.means}")
    for query in found.queries:
        line(f"can be asked: {query.name}({_names(query.arguments)}): {query.means}")


def _names(schema: "Mapping[str, object]") -> str:
    arguments = schema.get("properties")
    return ", ".join(arguments) if isinstance(arguments, dict) else ""
