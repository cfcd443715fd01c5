"""ARP, the routing layer: the only code that knows real tables, columns and endpoints.

A routes file (`.arp`, see `docs/reference/routes.md`) says where each public name of a machine leads. `load` checks it
against the machine; `SourceRouter` runs it and implements the runtime's port. The way of a file: `scan` → `parse`
(`tree`) → `load` (`sources`, `entities`, `documents`, `effects`, `calls`) → `model`. Of a read: `router` → `tables` →
`reading` → `codec`, or `http_reading` and `python_calls` → `document_reading` → `codec`. Of an effect: `router` →
`performing`, `http_performing` or `python_calls`. It may import `edca.semantic` and what lies below. Read first:
`model.py`, then `load.py`.
"""

from edca.routing.clashes import clashes
from edca.routing.connections import Connection, close, open_service, open_source, open_sources
from edca.routing.drift import Drift
from edca.routing.engine import open_engine
from edca.routing.errors import RouteError
from edca.routing.live import check_descriptions, check_live
from edca.routing.load import Loaded, load
from edca.routing.model import Routes
from edca.routing.plan import PlanLine, evidence_plan
from edca.routing.python_calls import Functions, NotDoneError, PreconditionLostError, TryAgainError
from edca.routing.reflect import check_against
from edca.routing.router import SourceRouter

__all__ = [
    "Connection",
    "Drift",
    "Functions",
    "Loaded",
    "NotDoneError",
    "PlanLine",
    "PreconditionLostError",
    "RouteError",
    "Routes",
    "SourceRouter",
    "TryAgainError",
    "check_against",
    "check_descriptions",
    "check_live",
    "clashes",
    "close",
    "evidence_plan",
    "load",
    "open_engine",
    "open_service",
    "open_source",
    "open_sources",
]
