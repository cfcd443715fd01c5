"""`edca mcp`: serve a kernel's legal transitions as tools to clients of the Model Context Protocol."""

import asyncio
import importlib.util
import logging
import re
import sys
from collections.abc import Coroutine
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from edca.api import Caller, FixedClock, Kernel, NoClockError, RosterError, SystemClock, load_roster
from edca.api.roster import check_roster
from edca.cli.cases import case_key
from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import load_policy, load_routes, open_router, parse_instant
from edca.cli.options import Model, NewLedgerOption, Now, Routes, Sources, Spec, Subject, Tenant, command_app, examples
from edca.cli.output import note
from edca.kernel.machine import Machine
from edca.kernel.roster import Roster
from edca.runtime.cases import key_to_raw

app: Final = command_app()

_NEEDED: Final = ("mcp", "uvicorn", "starlette")
_ADDRESS: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:]+\]|[^:\[\]]+):(?P<port>[0-9]{1,5})", re.ASCII)

_Roster = Annotated[
    Path, typer.Option("--roster", metavar="FILE", help="The roster, TOML or JSON.", show_default=False)
]
_As = Annotated[
    str | None,
    typer.Option("--as", metavar="PRINCIPAL", help="Who proposes, on standard input and output.", show_default=False),
]
_Role = Annotated[str | None, typer.Option("--role", metavar="ROLE", help="In which role.", show_default=False)]
_Cases = Annotated[
    list[str] | None,
    typer.Option(
        "--case",
        metavar="KEY",
        help="List only what is legal about this case: its key, of several parts as a JSON list. May be given several "
        "times.",
        show_default=False,
    ),
]
_HTTP = Annotated[
    str | None,
    typer.Option("--http", metavar="HOST:PORT", help="Serve over HTTP, at the path /mcp.", show_default=False),
]
_Identities = Annotated[
    Path | None,
    typer.Option("--identities", metavar="FILE", help="Who has which token, TOML; with --http.", show_default=False),
]
_Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--allowed-host",
        metavar="NAME",
        help="A further value of the Host header that is taken: `desk.example.com`. May be given several times.",
        show_default=False,
    ),
]
_Certificate = Annotated[
    Path | None,
    typer.Option("--certificate", metavar="FILE", help="The TLS certificate, PEM; with --http.", show_default=False),
]
_PrivateKey = Annotated[
    Path | None,
    typer.Option("--private-key", metavar="FILE", help="The certificate's private key, PEM.", show_default=False),
]
_Timers = Annotated[bool, typer.Option("--timers", help="Propose what is due by the clock, too, as `edca tick` does.")]


@app.command(
    epilog=examples(
        "edca mcp refund.edca --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --as desk-bot --role assistant --model small-model-2026-01-15 --for carla --case o1",
        "edca mcp refund.edca --routes refund.arp --roster roster.toml --ledger refunds.ledger \\",
        "    --http 127.0.0.1:8765 --identities identities.toml",
    )
)
def mcp(
    spec: Spec,
    routes: Routes,
    roster: _Roster,
    ledger: NewLedgerOption,
    principal: _As = None,
    role: _Role = None,
    subject: Subject = None,
    model: Model = None,
    case: _Cases = None,
    http: _HTTP = None,
    identities: _Identities = None,
    allowed_host: _Hosts = None,
    certificate: _Certificate = None,
    private_key: _PrivateKey = None,
    tenant: Tenant = "",
    now: Now = None,
    source: Sources = None,
    timers: _Timers = False,
) -> None:
    """Serve what is legal now as tools of the Model Context Protocol.

    Without --http: to the one client that starts this program, over its standard input and output; who that is, you
    say with --as, --role, --model and --for. With --http: to whoever has a token that --identities knows. Who calls is
    never read from what a client sends. Standard output belongs to the client, so there is no --json. It ends with its
    client, or when it is interrupted. Needs the extra `edca[mcp]`.
    """
    _check_installed()
    host, port = _address(http) if http is not None else ("", 0)
    is_http = http is not None
    if is_http != (identities is not None) or is_http == (principal is not None):
        message = "`edca mcp` serves one caller (`--as` and `--role`), or many (`--http` and `--identities`)"
        raise CLIError(message, "give the options of one of the two")
    if principal is not None and role is None:
        raise CLIError("`--as` says who proposes, and `--role` is missing", "say in which role they propose")
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="edca: %(levelname)s: %(name)s: %(message)s")
    policy = load_policy(spec)
    found_routes = load_routes(routes, policy)
    people = _people(roster, policy.machine)
    clock = SystemClock() if now is None else FixedClock(parse_instant(now))
    cases = None if case is None else tuple(_case(policy.machine, text) for text in case)
    with ExitStack() as stack:
        router = stack.enter_context(open_router(found_routes, policy.machine, source or ()))
        kernel = stack.enter_context(
            Kernel.open(policy.machine, routes=router, roster=people, ledger=ledger, clock=clock, tenant=tenant)
        )
        if timers:
            _start_timers(kernel)
        if principal is not None and role is not None:
            _run(_one(kernel, Caller(principal, role, subject, model), tenant, cases))
        elif identities is not None:
            note(f"edca: serving `{policy.machine.name}` at http{'s' if certificate else ''}://{http}/mcp")
            _run(_many(kernel, tenant, identities, host, port, allowed_host or [], certificate, private_key))


async def _one(
    kernel: Kernel, caller: Caller, tenant: str, cases: tuple[tuple[str, tuple[object, ...]], ...] | None
) -> None:
    from edca.mcp import Identity, run_stdio  # noqa: PLC0415 -- an extra

    await run_stdio(kernel, Identity(caller, tenant, cases))


async def _many(
    kernel: Kernel,
    tenant: str,
    identities: Path,
    host: str,
    port: int,
    allowed_hosts: list[str],
    certificate: Path | None,
    private_key: Path | None,
) -> None:
    from edca.mcp import IdentitiesError, InsecureError, load_identities, run_http  # noqa: PLC0415 -- an extra

    try:
        known = load_identities(identities)
    except IdentitiesError as error:
        raise CLIError(str(error), "see docs/how-to/serve-mcp.md") from error
    except OSError as error:
        raise from_os_error(error, identities) from error
    others = sorted(known.tenants - {tenant})
    if others:
        message = f"`{identities}` has identities of the tenant `{others[0]}`, and this server serves `{tenant}`"
        raise CLIError(message, "run one server for each tenant, each with `--tenant` and its own sources")
    try:
        await run_http(
            {tenant: kernel},
            known,
            host=host,
            port=port,
            allowed_hosts=allowed_hosts,
            certificate=certificate,
            private_key=private_key,
        )
    except InsecureError as error:
        raise CLIError(str(error)) from error


def _run(serving: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(serving)
    except KeyboardInterrupt:
        note("edca: stopped")


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise CLIError(f"`edca mcp` needs the package `{missing[0]}`", "install it with `pip install 'edca[mcp]'`")


def _address(text: str) -> tuple[str, int]:
    found = _ADDRESS.fullmatch(text)
    if found is None or int(found["port"]) > 65_535:
        raise CLIError(f"`--http {text}` is no address", "write it as HOST:PORT, for example 127.0.0.1:8765")
    return found["host"].strip("[]"), int(found["port"])


def _case(machine: Machine, text: str) -> tuple[str, tuple[object, ...]]:
    entity = machine.case_about
    return entity, tuple(key_to_raw(machine, entity, case_key(machine, entity, text)))


def _start_timers(kernel: Kernel) -> None:
    try:
        kernel.start_timers()
    except NoClockError as error:
        raise CLIError(str(error)) from error


def _people(path: Path, machine: Machine) -> Roster:
    try:
        roster = load_roster(path)
        check_roster(roster, machine)
    except RosterError as error:
        raise CLIError(str(error)) from error
    except OSError as error:
        raise from_os_error(error, path) from error
    return roster
