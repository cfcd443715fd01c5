"""Options and arguments that several commands share, so that one name means one thing everywhere."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.ledger.opening import ledger_path


class ErrorFormat(StrEnum):
    """How diagnostics are written."""

    HUMAN = "human"  # with the excerpt and a mark
    CONCISE = "concise"  # one line each, as editors like them
    JSON = "json"
    SARIF = "sarif"  # SARIF 2.1.0, for code scanning
    GITHUB = "github"  # annotations of a GitHub workflow


def command_app() -> typer.Typer:
    """Return the app of one command: plain help, no completion commands, errors left to `edca.cli.main`."""
    return typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def examples(*commands: str) -> str:
    """Return the Example section of a command's help."""
    return "\b\nExample:\n" + "\n".join(f"  {command}" for command in commands)


Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, a .edca file.", show_default=False)]
Ledger = Annotated[
    Path,
    typer.Argument(
        metavar="LEDGER",
        help="The ledger, a file or `postgresql://…`.",
        parser=ledger_path,
        show_default=False,
    ),
]
LedgerOption = Annotated[
    Path,
    typer.Option(
        "--ledger",
        metavar="LEDGER",
        help="The ledger, a file or `postgresql://…`.",
        parser=ledger_path,
        show_default=False,
    ),
]
NewLedgerOption = Annotated[
    Path,
    typer.Option(
        "--ledger",
        metavar="LEDGER",
        help="The ledger, a file or `postgresql://…`; made if it is not there.",
        parser=ledger_path,
        show_default=False,
    ),
]
Routes = Annotated[Path, typer.Option("--routes", metavar="FILE", help="The routes, an .arp file.", show_default=False)]
As = Annotated[str, typer.Option("--as", metavar="PRINCIPAL", help="Who proposes.", show_default=False)]
Role = Annotated[str, typer.Option("--role", metavar="ROLE", help="In which role.", show_default=False)]
Subject = Annotated[
    str | None,
    typer.Option("--for", metavar="SUBJECT", help="On whose behalf, as you authenticated them.", show_default=False),
]
Model = Annotated[
    str | None, typer.Option("--model", metavar="ID", help="The exact model behind a proposal.", show_default=False)
]
Now = Annotated[
    str | None,
    typer.Option("--now", metavar="TIME", help="An RFC 3339 time instead of the clock's.", show_default=False),
]
Tenant = Annotated[
    str,
    typer.Option("--tenant", metavar="NAME", help="Whose cases, where a ledger has several.", show_default=False),
]
AsJSON = Annotated[bool, typer.Option("--json", help="Write one JSON document instead of text.")]
DiagnosticFormat = Annotated[ErrorFormat, typer.Option("--error-format", help="How diagnostics are written.")]
Sources = Annotated[
    list[str] | None,
    typer.Option(
        "--source",
        metavar="NAME=URL",
        help="The database of one source of the routes, instead of the environment's. May be given several times.",
        show_default=False,
    ),
]

FINDINGS: Final = 1
"""Exit code of a run that did its work and found something."""
