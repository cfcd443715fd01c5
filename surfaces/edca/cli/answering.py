"""One answer to an open question from the shell: `edca approve` and `edca decline` differ in what is said alone."""

from pathlib import Path
from typing import Annotated

import typer

from edca.api import Answered, AnswerError, FixedClock, Kernel, OpenQuestion, RosterError, SystemClock, load_roster
from edca.api.roster import check_roster
from edca.cli.errors import CLIError, from_os_error
from edca.cli.explanation import json_data
from edca.cli.keys import read_key
from edca.cli.loading import demand_ledger, load_policy, load_routes, open_router, parse_instant
from edca.cli.options import FINDINGS, AsJSON, LedgerOption, Now, Routes, Sources, Spec, Tenant, command_app, examples
from edca.cli.output import document, line
from edca.cli.telling_codes import VOIDS
from edca.cli.telling_records import record_data, record_line, record_name
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.runtime.inbox import questions
from edca.runtime.opened import opened
from edca.semantic.explain import for_operator

_Question = Annotated[
    str, typer.Argument(metavar="ID", help="The question's id, as `edca inbox` shows it.", show_default=False)
]
_RosterFile = Annotated[
    Path, typer.Option("--roster", metavar="FILE", help="The roster, TOML or JSON.", show_default=False)
]
_Code = Annotated[
    str, typer.Option("--code", metavar="CODE", help="Which of its clauses is answered.", show_default=False)
]
_Answerer = Annotated[str, typer.Option("--as", metavar="PRINCIPAL", help="Who answers.", show_default=False)]
_Role = Annotated[
    str | None,
    typer.Option("--role", metavar="ROLE", help="In which role, if not in the one asked for.", show_default=False),
]
_KeyFile = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Their private key, to sign the answer with.", show_default=False),
]
_Shown = Annotated[
    str | None,
    typer.Option(
        "--preview",
        metavar="HEX",
        help="The preview that they saw, if not the newest that is on record.",
        show_default=False,
    ),
]


def answering(name: str, told: str, *, yes: bool) -> typer.Typer:
    """Return the app of the command that says yes, or the one that says no; `told` is its help."""
    app = command_app()
    example = examples(
        f"edca {name} refund.edca 5f0c1d2e3a4b5c6d --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --code over_limit --as sven --key sven.key",
    )

    def answer(
        spec: Spec,
        question: _Question,
        routes: Routes,
        roster: _RosterFile,
        ledger: LedgerOption,
        code: _Code,
        principal: _Answerer,
        role: _Role = None,
        key: _KeyFile = None,
        preview: _Shown = None,
        tenant: Tenant = "",
        now: Now = None,
        source: Sources = None,
        as_json: AsJSON = False,
    ) -> None:
        policy = load_policy(spec)
        found_routes = load_routes(routes, policy)
        people = _people(roster, policy.machine)
        clock = SystemClock() if now is None else FixedClock(parse_instant(now))
        private = None if key is None else read_key(key)
        demand_ledger(ledger, "name the ledger that holds the question")
        with (
            open_router(found_routes, policy.machine, source or ()) as router,
            Kernel.open(
                policy.machine, routes=router, roster=people, ledger=ledger, clock=clock, tenant=tenant
            ) as kernel,
        ):
            found = _asked(kernel, tenant, question, code)
            shown = found.preview.digest if preview is None else _digest(preview)
            asked = next(need.role for need in found.verdict.needs if need.code == code)
            say = kernel.approve if yes else kernel.decline
            try:
                answered = say(found.id, code=code, by=principal, role=role or asked, preview=shown, key=private)
            except AnswerError as error:
                raise CLIError(str(error)) from error
        _write(policy.machine, answered, as_json=as_json)
        if answered.void is not None:
            raise typer.Exit(FINDINGS)

    answer.__doc__ = told.strip()
    app.command(name=name, epilog=example)(answer)
    return app


def _asked(kernel: Kernel, tenant: str, id_: str, code: str) -> OpenQuestion:
    """Return the question. One whose time is over is still there, so that a late answer is on record."""
    found = next((one for one in questions(opened(kernel.ledger), tenant, kernel.machine.name) if one.id == id_), None)
    if found is None:
        raise CLIError(f"no question `{id_}` waits for an answer", "run `edca inbox` for those that do")
    codes = [need.code for need in found.verdict.needs]
    if code not in codes:
        raise CLIError(f"`{id_}` asks nothing of code `{code}`", f"it asks for {', '.join(codes)}")
    return found


def _write(machine: Machine, answered: Answered, *, as_json: bool) -> None:
    answer_, void = answered.answer, answered.void
    if as_json:
        document(
            {
                "approval": record_data(answered.record),
                "detail": answered.detail,
                "outcome": None if answer_ is None or answer_.outcome is None else answer_.outcome.value,
                "state": None if answer_ is None else answer_.state,
                "verdict": None if answer_ is None else json_data(answer_.verdict.to_raw()),
                "void": None if void is None else void.value,
            }
        )
        return
    detail = f" ({answered.detail})" if answered.detail else ""
    counted = "the answer counts" if void is None else f"the answer is void: {void.value}: {VOIDS[void]}{detail}"
    line(f"{counted}; record {record_name(answered.record)}")
    if answer_ is None:
        return
    for text in for_operator(machine, answer_.verdict):
        line(text)
    if answer_.outcome is not None:
        line(f"effects: {answer_.outcome.value}")
    if answer_.state is not None:
        line(f"case: {answer_.state}, revision {answer_.revision}")
    line(record_line(answer_.record))


def _digest(text: str) -> bytes:
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise CLIError("`--preview` takes 64 hexadecimal digits", "copy the preview that `edca inbox` shows")
    return digest


def _people(path: Path, machine: Machine) -> Roster:
    try:
        roster = load_roster(path)
        check_roster(roster, machine)
    except RosterError as error:
        raise CLIError(str(error)) from error
    except OSError as error:
        raise from_os_error(error, path) from error
    return roster
