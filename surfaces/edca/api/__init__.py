"""What users import: `Kernel` and the values it takes and gives.

It may import every layer but the surfaces beside it. Read `kernel.py` first.

```python
from edca.api import Accepted, Caller, Escalated, Kernel, Refused

with Kernel.open("refund.edca", routes="refund.arp", roster="roster.toml", ledger="refund.db") as kernel:
    answer = kernel.submit({"transition": "pay", "arguments": {"order_id": "o1"}}, caller=Caller("sven", "supervisor"))
    match answer.verdict:
        case Accepted(target=state): ...
        case Refused(code=code): ...
        case Escalated(needs=needs): ...
```
"""

from edca.api.clocks import FixedClock, SystemClock
from edca.api.errors import PolicyError, RosterError, RoutesError
from edca.api.kernel import Kernel
from edca.api.roster import load_roster
from edca.kernel.candidate import Caller, Candidate
from edca.kernel.inputs import Attestation
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.verdict import Accepted, Escalated, Refused, Verdict
from edca.ledger.errors import LedgerError
from edca.routing.engine import open_engine
from edca.routing.errors import RouteError
from edca.runtime.answers import Answer, Outcome, RecordReference
from edca.runtime.observe import ObservationError
from edca.semantic.explain import Told, for_model, for_operator
from edca.semantic.view import View

__all__ = [
    "Accepted",
    "Answer",
    "Attestation",
    "Caller",
    "Candidate",
    "Escalated",
    "FixedClock",
    "Kernel",
    "LedgerError",
    "Mandate",
    "ObservationError",
    "Outcome",
    "PolicyError",
    "Principal",
    "RecordReference",
    "Refused",
    "Roster",
    "RosterError",
    "RouteError",
    "RoutesError",
    "SystemClock",
    "Told",
    "Verdict",
    "View",
    "for_model",
    "for_operator",
    "load_roster",
    "open_engine",
]
