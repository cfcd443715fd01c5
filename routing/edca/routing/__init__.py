"""ARP, the routing layer: the only code that knows real tables, columns and endpoints.

A routes file (`.arp`, see `docs/reference/routes.md`) says where each public name of a machine leads. `load` checks it
against the machine; `SQLRouter` runs it and implements the runtime's port. The way of a file: `scan` → `parse` (`tree`)
→ `load` (`context`, `entities`, `effects`) → `model`; of a read: `router` → `reading` → `codec`; of an effect: `router`
→ `performing` → `codec`. It may import `edca.semantic` and what lies below. Read first: `model.py`, then `load.py`.
"""

from edca.routing.clashes import clashes
from edca.routing.engine import open_engine, open_engines
from edca.routing.errors import RouteError
from edca.routing.load import Loaded, load
from edca.routing.model import Routes
from edca.routing.plan import PlanLine, evidence_plan
from edca.routing.reflect import check_against
from edca.routing.router import SQLRouter

__all__ = [
    "Loaded",
    "PlanLine",
    "RouteError",
    "Routes",
    "SQLRouter",
    "check_against",
    "clashes",
    "evidence_plan",
    "load",
    "open_engine",
    "open_engines",
]
