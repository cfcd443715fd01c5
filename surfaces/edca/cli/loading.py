"""Reading what commands are given: specs, routes, source URLs, and ledgers for reading."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

import typer

from edca.api.imports import reader
from edca.cli.errors import CLIError, from_os_error
from edca.cli.options import FINDINGS, ErrorFormat
from edca.diagnostics import Diagnostic, Severity, Source, concise, human, ordered, to_github, to_json, to_sarif
from edca.dsl.tree import Spec
from edca.kernel.calendar import parse_time
from edca.kernel.machine import Machine
from edca.ledger.opening import AnyLedger, LedgerURL, open_ledger
from edca.ledger.record import Record, parse
from edca.ledger.store import StoredRecord
from edca.routing import (
    Connection,
    RouteError,
    Routes,
    SourceRouter,
    check_against,
    clashes,
    close,
    load,
    open_source,
)
from edca.routing.model_documents import PythonSource
from edca.semantic.checked import CheckedSpec
from edca.semantic.compile import Compiled, compile_spec, without_machine

_TEXT_SIZE_MAX: Final = 4 << 20  # bytes; the language's own bound is lower, and is reported with its code


def read_source(path: Path) -> Source:
    """Read a text file. Raises `CLIError` where there is none, or it is no text."""
    content = read_bytes(path, _TEXT_SIZE_MAX)
    try:
        return Source(path.as_posix(), content.decode("utf-8-sig"))  # some editors put a mark before the text
    except UnicodeDecodeError as error:
        message = f"`{path}` is not UTF-8 text: byte {error.start} can't be read"
        raise CLIError(message, "save it as UTF-8") from error


def compile_file(path: Path) -> Compiled:
    """Compile the spec at `path` with what it imports. Raises `CLIError` where there is none, or it is no text."""
    source = read_source(path)
    return compile_spec(source, reader(source.name))


def read_bytes(path: Path, size_max: int) -> bytes:
    """Read a file whole. Raises `CLIError` where there is none, or it is larger than `size_max` bytes."""
    try:
        with path.open("rb") as file:
            content = file.read(size_max + 1)
    except OSError as error:
        raise from_os_error(error, path) from error
    if len(content) > size_max:
        raise CLIError(f"`{path}` is larger than {size_max} bytes", "check that you named the right file")
    return content


def diagnostics_text(diagnostics: Iterable[Diagnostic], format_: ErrorFormat, *, color: bool) -> str:
    """Return diagnostics as they are printed, empty if there are none."""
    report = ordered(diagnostics)
    match format_:
        case ErrorFormat.HUMAN:
            return human(report, color=color)
        case ErrorFormat.CONCISE:
            return concise(report)
        case ErrorFormat.JSON:
            return json.dumps(to_json(report), sort_keys=True, indent=2) + "\n"
        case ErrorFormat.SARIF:
            return json.dumps(to_sarif(report, version=version("edca")), sort_keys=True, indent=2) + "\n"
        case ErrorFormat.GITHUB:
            return to_github(report)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Whether any of them keeps a spec from being compiled."""
    return any(found.severity is Severity.ERROR for found in diagnostics)


def stop_on_errors(diagnostics: Sequence[Diagnostic], format_: ErrorFormat) -> None:
    """Write diagnostics to stderr, and end the command with exit code 1 if one of them is an error."""
    if diagnostics:
        sys.stderr.write(diagnostics_text(diagnostics, format_, color=sys.stderr.isatty()))
    if has_errors(diagnostics):
        raise typer.Exit(FINDINGS)


@dataclass(frozen=True, slots=True)
class Policy:
    """A spec that compiled: its machine, and the trees behind it."""

    machine: Machine
    tree: Spec
    checked: CheckedSpec


def load_policy(path: Path, format_: ErrorFormat = ErrorFormat.HUMAN) -> Policy:
    """Compile the spec at `path`; its diagnostics end the command with exit code 1."""
    result = compile_file(path)
    stop_on_errors((*result.diagnostics, *without_machine(result)), format_)
    if result.machine is None or result.spec is None or result.checked is None:
        raise CLIError(f"`{path}` does not compile, and the compiler does not say why", "please report this as a bug")
    return Policy(result.machine, result.spec, result.checked)


def load_routes(path: Path, policy: Policy, format_: ErrorFormat = ErrorFormat.HUMAN) -> Routes:
    """Load the routes at `path` for a policy; their diagnostics end the command with exit code 1."""
    result = load(read_source(path), policy.machine)
    found = list(result.diagnostics)
    if result.routes is not None:
        found += clashes(policy.tree, result.routes)
    stop_on_errors(found, format_)
    if result.routes is None:
        raise CLIError(f"`{path}` can't be loaded, and the loader does not say why", "please report this as a bug")
    return result.routes


@contextmanager
def open_router(routes: Routes, machine: Machine, given: Iterable[str]) -> Iterator[SourceRouter]:
    """Open the routes' sources, from `--source` where it names one and else from the environment.

    What the routes name and a source does not have ends the command with exit code 1. Raises `CLIError` for a
    `--source` that is none, and for a source that can't be opened.
    """
    with ExitStack() as stack:
        engines = open_sources(routes, given, os.environ, stack)
        try:
            stop_on_errors(check_against(routes, engines), ErrorFormat.HUMAN)
            router = SourceRouter(routes, machine, engines)
        except RouteError as error:
            raise CLIError(str(error), "check its URL, and that it is there") from error
        yield router


def open_sources(
    routes: Routes, given: Iterable[str], environment: Mapping[str, str], stack: ExitStack
) -> dict[str, Connection]:
    """Open the routes' sources, to be closed with `stack`. Raises `CLIError` for one that can't be opened."""
    urls = source_urls(given)
    unknown = sorted(set(urls) - {source.name for source in routes.sources})
    if unknown:
        names = ", ".join(f"`{source.name}`" for source in routes.sources)
        raise CLIError(f"`--source` names `{unknown[0]}`, and the routes have {names}")
    engines: dict[str, Connection] = {}
    for source in routes.sources:
        try:
            engines[source.name] = open_source(source, environment, urls.get(source.name))
        except RouteError as error:
            env = "" if isinstance(source, PythonSource) else source.env
            hint = f"check `--source {source.name}`" if source.name in urls else f"check the variable {env}"
            if source.name not in urls and not environment.get(env):
                hint = f"{env} is not set: set it, or give `--source {source.name}=URL`"
            raise CLIError(str(error), hint) from error
        stack.callback(close, engines[source.name])
    return engines


def parse_instant(text: str) -> int:
    """Return the microseconds of an RFC 3339 time. Raises `CLIError` for any other text."""
    instant = parse_time(text)
    if instant is None:
        raise CLIError(f"`--now {text}` is no time", "write it as RFC 3339 does, with an offset: 2026-03-20T12:00:00Z")
    return instant


def source_urls(given: Iterable[str]) -> Mapping[str, str]:
    """Return the URLs of `--source NAME=URL` by name. Raises `CLIError` for one that is not of this form."""
    urls: dict[str, str] = {}
    for text in given:
        name, equals, url = text.partition("=")
        if not (name and equals and url):
            # The text may hold a password, so it is not repeated.
            raise CLIError("`--source` takes NAME=URL", "for example `--source desk=sqlite:///desk.sqlite3`")
        if name in urls:
            raise CLIError(f"`--source` names `{name}` twice")
        urls[name] = url
    return urls


def open_to_read(path: Path) -> AnyLedger:
    """Open a ledger without being able to change it. Raises what its store's `open` raises."""
    return open_ledger(path, create=False, readonly=True)


def demand_ledger(path: Path, hint: str) -> None:
    """Go on only if there is a ledger: what would begin one elsewhere is not to begin it here.

    Raises `CLIError` with that hint for a file that isn't there, and what opening raises for a database without one.
    """
    if isinstance(path, LedgerURL):
        open_to_read(path).close()
    elif not path.exists():
        raise CLIError(f"`{path}`: no such file", hint)


def parsed(stored: StoredRecord) -> Record:
    """Return a record's content. Raises `LedgerFormatError` where the body is none."""
    return parse(stored.body)
