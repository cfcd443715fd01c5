"""From a routes file to a router: loaded, checked against its spec and the live sources, and opened."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edca.api.errors import RoutesError
from edca.api.specs import read_source
from edca.diagnostics import Severity, Source
from edca.routing.clashes import clashes
from edca.routing.connections import close, open_sources
from edca.routing.load import load
from edca.routing.reflect import check_against
from edca.routing.router import SourceRouter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import ExitStack
    from typing import TypeAlias

    from edca.diagnostics import Diagnostic
    from edca.dsl import tree
    from edca.kernel.machine import Machine
    from edca.routing.connections import Connection
    from edca.routing.drift import Notice
    from edca.runtime.ports import Router

    File: TypeAlias = "str | os.PathLike[str]"


def open_router(
    routes: File | Source | Router,
    machine: Machine,
    syntax: tree.Spec | None,
    engines: Mapping[str, Connection] | None,
    check_sources: bool,
    notice: Notice,
    resources: ExitStack,
) -> Router:
    """Load, check and open the routes; what is opened here is closed with `resources`. A router is returned as it is.

    Raises `RoutesError` for mistakes in the routes, or against the live schemas, and `RouteError` for a source that
    can't be opened.
    """
    if not isinstance(routes, (str, os.PathLike, Source)):
        return routes
    loaded = load(routes if isinstance(routes, Source) else read_source(routes), machine)
    if loaded.routes is None:
        raise RoutesError(loaded.diagnostics)
    clashing = () if syntax is None else clashes(syntax, loaded.routes)
    if _errors(clashing):
        raise RoutesError(clashing)
    if engines is None:
        engines = open_sources(loaded.routes, os.environ)
        for engine in engines.values():
            resources.callback(close, engine)
    missing = check_against(loaded.routes, engines) if check_sources else ()
    if _errors(missing):
        raise RoutesError(missing)
    return SourceRouter(loaded.routes, machine, engines, notice)


def _errors(diagnostics: Sequence[Diagnostic]) -> bool:
    return any(found.severity is Severity.ERROR for found in diagnostics)
