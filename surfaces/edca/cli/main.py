"""The program `edca`: its commands by name, and the one place where a failure becomes a message and an exit code.

Exit codes: 0 done, 1 findings (diagnostics, a failing scenario, a ledger that does not verify or replay), 2 wrong usage
or work that can't be done. A verdict is output, never an exit code, unless `--fail-on` asks.
"""

import gc
import importlib
import re
import sys
from collections.abc import Mapping
from importlib.metadata import version
from typing import Annotated, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from edca.cli.errors import CLIError, from_failure
from edca.cli.output import failure, line
from edca.diagnostics.suggest import closest

PROGRAM: Final = "edca"

COMMANDS: Final[Mapping[str, str]] = {
    "init": "Start a folder with a spec that works.",
    "check": "Find the mistakes in a spec, and in its routes.",
    "routes": "Check routes, and say what each transition will read.",
    "fmt": "Lay specs out as all specs are: spaces, line ends and columns.",
    "test": "Run the scenarios of a spec.",
    "render": "Say in plain English what a spec holds, for sign-off.",
    "graph": "Draw the states of a spec, and how a case gets from one to another.",
    "compile": "Compile a spec to its artefact, and print the digest.",
    "view": "Show what a model may see of a case.",
    "submit": "Submit one candidate, and print the verdict.",
    "ask": "Ask a query, and print what it returns.",
    "tick": "Propose what is due by the clock, once, and print what came of it.",
    "limits": "Say how far each limit is used.",
    "mode": "Show which mode a machine is in, or begin or end one.",
    "halt": "Refuse everything until an operator resumes.",
    "resume": "End a halt.",
    "erase": "Destroy what is personal of a person or a case, on record.",
    "hold": "Put a person or a case on legal hold, or lift that.",
    "retention": "List until when what is personal is kept, or erase what is over.",
    "takeover": "Let only people act on a case, or hand it back.",
    "migrate": "Move running cases to a new version of their machine.",
    "reconcile": "Ask the routes again what nobody could tell in time.",
    "inbox": "Show what waits for people.",
    "approve": "Say yes to what an open question asks, or waive it, and decide again.",
    "decline": "Say no to what an open question asks, which refuses it.",
    "keygen": "Make a key with which a person signs their answers, or a ledger or a witness its checkpoints.",
    "roster": "Say who holds which role, and which mandates are in force.",
    "rotate-key": "Put on record that another key signs for the ledger from now on.",
    "log": "List the records of a ledger.",
    "explain": "Say in words what one record holds, or what a code means.",
    "verify": "Check that no record of a ledger was altered.",
    "replay": "Decide every record of a ledger anew, and compare.",
    "query": "Ask a question about all records of a ledger, in SQL (SQLite's).",
    "export": "Write a ledger's tables as files, one a table, for DuckDB, Spark and the like.",
    "checkpoint": "Sign how many records a ledger has, and the Merkle root over them.",
    "cosign": "Sign a ledger's checkpoint as a witness, once it is shown that the ledger only grew.",
    "receipt": "Write a receipt: a record, the proof that it is in the ledger, and the signed checkpoint.",
    "bundle": "Pack what an auditor needs: the records, the signed checkpoint, the key, and how to check them.",
    "backup": "Copy a ledger to a new file while it may be in use, and verify the copy.",
    "restore": "Put a ledger back from its backup, unless something kept elsewhere shows that records are missing.",
    "publish": "Write a ledger's tree and headers as tiles, with a signed checkpoint (c2sp.org/tlog-tiles).",
    "mcp": "Serve what is legal now as tools of the Model Context Protocol.",
    "trial": "Run a recorded agent's calls through a kernel, and report.",
}
"""Every command with the first sentence of its help, so that `edca --help` need not load any of them."""


class _Commands(TyperGroup):
    """The commands of the program; each module is imported when its command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of a first day's use."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command. Raises `CLIError` for a name that is none."""
        if cmd_name.startswith("-"):
            return None  # an option the program does not have; the parser says so
        if cmd_name not in COMMANDS:
            near = closest(cmd_name, COMMANDS)
            hint = "run `edca --help` for the commands" if near is None else f"did you mean `edca {near}`?"
            raise CLIError(f"no such command: `{cmd_name}`", hint)
        module = importlib.import_module(f"edca.cli.commands.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands' table without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


app: Final = typer.Typer(
    name=PROGRAM,
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog="\b\nExample:\n  edca check specs/refund/refund.edca\n  edca COMMAND --help",
)


def _print_version(asked: bool) -> None:
    if asked:
        line(f"{PROGRAM} {version('edca')}")
        raise typer.Exit


@app.callback()
def program(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    """Models propose; a deterministic kernel decides; a record answers for it."""


def collect_seldom() -> None:
    """Let the garbage collector look less often: a tree of a large spec has no cycles, and is walked for nothing."""
    gc.set_threshold(100_000, 20, 20)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the program with `arguments` (null: those of the process) and end the process."""
    collect_seldom()
    try:
        code = app(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except Exception as error:
        told = _from_parser(error) if isinstance(error, _USAGE_ERROR) else from_failure(error)
        if told is None:
            raise
        failure(told.message, told.hint, told.code)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


# What the parser of arguments raises. Typer carries the class, but does not name it in public: it is a parent of this.
_USAGE_ERROR: Final = typer.BadParameter.__mro__[1]


def _from_parser(error: Any) -> CLIError:
    """Return the parser's complaint in the words of all other messages. Without any argument it is the help itself."""
    message = error.format_message()
    if "\n" in message:
        sys.stderr.write(f"{message}\n")
        sys.exit(2)
    message = re.sub(r"'([^']*)'", r"`\1`", message).removesuffix(".")
    command = PROGRAM if error.ctx is None else error.ctx.command_path
    return CLIError(message[:1].lower() + message[1:], f"run `{command} --help`")
