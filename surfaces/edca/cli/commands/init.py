"""`edca init`: a folder with a small spec, its routes, a database, a roster and a candidate, all of which work."""

import re
import shlex
import sqlite3
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import has_errors
from edca.cli.options import AsJSON, command_app, examples
from edca.cli.output import document, line
from edca.diagnostics import Source
from edca.semantic.compile import compile_spec

app: Final = command_app()

_NAME_WRITTEN: Final = "@NAME@"
_DATABASE: Final = "office.db"
_SPEC: Final = "spec.edca"
# Each file of the starter, and what it is called in an author's folder.
_FILES: Final = {
    _SPEC: f"{_NAME_WRITTEN}.edca",
    "routes.arp": f"{_NAME_WRITTEN}.arp",
    "schema.sql": "schema.sql",
    "roster.toml": "roster.toml",
    "candidate.json": "candidate.json",
    "README.md": "README.md",
}

_Folder = Annotated[
    Path, typer.Argument(metavar="DIR", help="The folder; made if it is not there.", show_default=False)
]
_Name = Annotated[
    str | None,
    typer.Option("--name", metavar="NAME", help="The machine's name. Default: the folder's.", show_default=False),
]


@app.command(epilog=examples("edca init spending", "edca init policies/travel --name travel_costs"))
def init(folder: _Folder, name: _Name = None, as_json: AsJSON = False) -> None:
    """Start a folder with a spec that works.

    It holds a small spec with scenarios, its routes, a SQLite database, a roster and a candidate, and a README with the
    next three commands. Nothing that is there is overwritten.
    """
    machine = _machine_name(folder, name)
    texts = {_FILES[part].replace(_NAME_WRITTEN, machine): _text(part, machine) for part in _FILES}
    _write(folder, texts)
    written = [*texts, _DATABASE]
    if as_json:
        document({"files": [(folder / file).as_posix() for file in written], "machine": machine})
        return
    for file in written:
        line(f"wrote {(folder / file).as_posix()}")
    line(f"next: cd {shlex.quote(folder.as_posix())}, and follow README.md")


def _machine_name(folder: Path, name: str | None) -> str:
    """Return the machine's name. Raises `CLIError` for one that the language does not take."""
    asked = re.sub("[^a-z0-9]+", "_", folder.resolve().name.lower()).strip("_") if name is None else name
    compiled = compile_spec(Source(_SPEC, _text(_SPEC, asked)))
    if compiled.spec is None or compiled.spec.header.name.text != asked or has_errors(compiled.diagnostics):
        hint = "give one in snake_case that is no word of the language: `--name travel_costs`"
        raise CLIError(f"`{asked}` can't be a machine's name", hint)
    return asked


def _text(part: str, machine: str) -> str:
    text = files("edca.cli").joinpath("starter", part).read_text(encoding="utf-8")
    return text.replace(_NAME_WRITTEN, machine)


def _write(folder: Path, texts: dict[str, str]) -> None:
    """Write the files and make the database. Raises `CLIError` before the first one if any of them is there."""
    present = [file for file in (*texts, _DATABASE) if (folder / file).exists()]
    if present:
        message = f"`{(folder / present[0]).as_posix()}` is there already; nothing was written"
        raise CLIError(message, "name a new folder, or move the file away")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in texts.items():
            # "x": whatever has come up in the meantime is not overwritten either.
            with (folder / file).open("x", encoding="utf-8", newline="\n") as opened:
                opened.write(text)
    except OSError as error:
        raise from_os_error(error) from error
    connection = sqlite3.connect(folder / _DATABASE)
    try:
        connection.executescript(texts["schema.sql"])
    finally:
        connection.close()
