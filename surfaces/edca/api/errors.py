"""What `Kernel.open` raises for what users wrote. Verdicts are never exceptions.

Exception
├── PolicyError             the spec or the map has a mistake; `diagnostics` say why, `str(error)` is the report
├── RosterError             the roster is none, or names what the machine does not have; a `ValueError`
├── RouteError              a source can't be opened (`edca.routing`)
│   └── RoutesError         the routes file is wrong, or does not fit its sources; with `diagnostics` too
├── LedgerError             the ledger can't be opened or written (`edca.ledger`)
├── OverloadedError         as many candidates as may are under way: raised by `submit`, not by `open` (`edca.runtime`)
└── ReentrantCallError      a route acts on its own kernel from within an effect: not by `open` (`edca.runtime`)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.diagnostics import human
from edca.routing.errors import RouteError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.diagnostics import Diagnostic


class PolicyError(Exception):
    """The spec does not compile, or a map does not fit the versions it stands between."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep the findings; the message is their report."""
        super().__init__(human(diagnostics))
        self.diagnostics = tuple(diagnostics)


class RoutesError(RouteError):
    """The routes do not load, clash with the spec, or name what their sources do not have."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        """Keep the findings; the message is their report."""
        super().__init__(human(diagnostics))
        self.diagnostics = tuple(diagnostics)


class RosterError(ValueError):
    """The roster can't be read, or does not fit the machine; the message names each place that is wrong."""
