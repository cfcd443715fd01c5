"""`edca fmt`: specs in the one layout that all specs have."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Annotated, Final

import typer

from edca.cli.errors import CLIError, from_os_error
from edca.cli.loading import diagnostics_text, read_source
from edca.cli.options import FINDINGS, AsJSON, DiagnosticFormat, ErrorFormat, command_app, examples
from edca.cli.output import document, line
from edca.diagnostics import Source, to_json
from edca.dsl.format import Formatted, format_source
from edca.dsl.parse import SOURCE_LENGTH_MAX

app: Final = command_app()

_STDIN: Final = "-"
# Four bytes a character: what is longer can't be a spec, and the parser says so of the rest.
_STDIN_SIZE_MAX: Final = 4 * SOURCE_LENGTH_MAX

_Files = Annotated[
    list[str], typer.Argument(metavar="SPEC", help="Specs, .edca files; `-`: stdin to stdout.", show_default=False)
]
_Check = Annotated[bool, typer.Option("--check", help="Write nothing; exit with 1 if a spec would change.")]
_Diff = Annotated[bool, typer.Option("--diff", help="Write nothing; print what would change.")]


@dataclass(frozen=True, slots=True)
class _Result:
    """One spec as it was given and as it should look."""

    name: str
    source: Source
    formatted: Formatted

    @property
    def text(self) -> str:
        """The new text; the old one where it couldn't be read."""
        return self.source.text if self.formatted.text is None else self.formatted.text

    @property
    def changed(self) -> bool:
        return self.text != self.source.text


@app.command(
    epilog=examples(
        "edca fmt specs/refund/refund.edca",
        "edca fmt --check --diff specs/refund/refund.edca specs/airline/airline.edca",
        "edca fmt - < specs/refund/refund.edca",
    )
)
def fmt(
    files: _Files,
    check: _Check = False,
    diff: _Diff = False,
    error_format: DiagnosticFormat = ErrorFormat.HUMAN,
    as_json: AsJSON = False,
) -> None:
    """Lay specs out as all specs are: spaces, line ends and columns.

    Words, texts and comments stay as they are, and the machine's digest with them. A spec with a syntax error is left
    untouched.
    """
    # All are read before any is written: a mistyped name must not leave half the work done.
    results = [_result(name) for name in files]
    if not check and not diff:
        for result in results:
            if result.changed and result.name != _STDIN:
                _replace(Path(result.name), result.text)
    found = [one for result in results for one in result.formatted.diagnostics]
    wrong = bool(found) or (check and any(result.changed for result in results))
    if as_json:
        document({"diagnostics": to_json(found), "ok": not wrong, "specs": [_data(result) for result in results]})
    else:
        sys.stderr.write(diagnostics_text(found, error_format, color=sys.stderr.isatty()) if found else "")
        for result in results:
            _report(result, check=check, diff=diff)
    if wrong:
        raise typer.Exit(FINDINGS)


def _result(name: str) -> _Result:
    source = _stdin() if name == _STDIN else read_source(Path(name))
    return _Result(name, source, format_source(source))


def _stdin() -> Source:
    content = sys.stdin.buffer.read(_STDIN_SIZE_MAX + 1)
    if len(content) > _STDIN_SIZE_MAX:
        raise CLIError(f"what stdin gives is larger than {_STDIN_SIZE_MAX} bytes")
    try:
        return Source("<stdin>", content.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise CLIError(f"stdin is not UTF-8 text: byte {error.start} can't be read", "give it as UTF-8") from error


def _report(result: _Result, *, check: bool, diff: bool) -> None:
    if diff:
        _write("".join(_difference(result)))
    elif result.name == _STDIN and not check:
        # What could not be read is not passed on: an editor must not take it for the result.
        _write("" if result.formatted.text is None else result.text)
    elif result.changed:
        line(f"{result.source.name}: {'would be ' if check else ''}formatted")


def _difference(result: _Result) -> Iterator[str]:
    name = result.source.name
    for text in unified_diff(_lines(result.source.text), _lines(result.text), name, f"{name} (formatted)"):
        yield text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n"


def _lines(text: str) -> Sequence[str]:
    # `str.splitlines` also splits where the language has no line end.
    lines = [f"{part}\n" for part in text.split("\n")]
    return lines[:-1] if text.endswith("\n") or not text else [*lines[:-1], lines[-1].removesuffix("\n")]


def _write(text: str) -> None:
    # Bytes, so that the result is UTF-8 with plain line ends whatever the locale and the platform.
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode("utf-8"))
    sys.stdout.buffer.flush()


def _data(result: _Result) -> dict[str, object]:
    data: dict[str, object] = {"changed": result.changed, "path": result.source.name}
    return {**data, "text": result.formatted.text} if result.name == _STDIN else data


def _replace(path: Path, text: str) -> None:
    """Write a spec anew, whole or not at all: it may be the author's only copy."""
    target = path.resolve()
    written: Path | None = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
            written = Path(file.name)
            file.write(text.encode("utf-8"))
        shutil.copymode(target, written)
        os.replace(written, target)
    except OSError as error:
        if written is not None:
            written.unlink(missing_ok=True)
        raise from_os_error(error, path) from error
