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

from edca.api.async_kernel import AsyncKernel
from edca.api.clocks import FixedClock, SystemClock
from edca.api.converse import Bounds, Conversation, Ended, converse
from edca.api.converse_budget import KernelBudget, OwnBudget
from edca.api.converse_model import Model, ModelError, Prompt, Reply, Rules, Rung
from edca.api.errors import PolicyError, RosterError, RoutesError
from edca.api.failing import ToolFailedError
from edca.api.kernel import Kernel
from edca.api.operating import LedgerOperator
from edca.api.player import DivergedError, RecordedModel, RecordingError, RecordingModel
from edca.api.retention import RetentionError, load_retention
from edca.api.roster import load_roster
from edca.api.session import AsyncSession, Came, Looked, Session
from edca.api.toolset import ToolAnswer, Toolset
from edca.api.untrusted import Untrusted
from edca.kernel.candidate import Caller, Candidate, Malformed
from edca.kernel.inputs import Attestation
from edca.kernel.inquiry import Inquiry, QueryVerdict, Returned
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.verdict import Accepted, Escalated, Refused, Verdict
from edca.ledger.errors import LedgerError
from edca.routing.connections import open_source
from edca.routing.drift import Drift
from edca.routing.engine import open_engine
from edca.routing.errors import RouteError
from edca.routing.python_calls import Functions, NotDoneError, PreconditionLostError, TryAgainError
from edca.runtime.answers import Answer, Outcome, RecordReference
from edca.runtime.approving import Answered, AnswerError, Void
from edca.runtime.asking import QueryAnswer
from edca.runtime.entrance import OverloadedError
from edca.runtime.erasing import Erased, ErasureError
from edca.runtime.holds import HoldError
from edca.runtime.inbox import OpenQuestion
from edca.runtime.limit_use import LimitUse
from edca.runtime.migrating import CaseFate, Fate, Migrated
from edca.runtime.migration_orders import MigrationError, MigrationStoppedError
from edca.runtime.mode_changes import ModeError
from edca.runtime.observe import NotObserved, ObservationError
from edca.runtime.operating import Adopted
from edca.runtime.probing import Probing
from edca.runtime.reconcile import Reconciled, ReconciliationError
from edca.runtime.reentry import ReentrantCallError
from edca.runtime.retries import Schedule
from edca.runtime.rosters import AdoptionError
from edca.runtime.scheduler import Fired, NoClockError, TimerThread
from edca.runtime.settlement import SettlementError
from edca.runtime.takeover import TakeoverError
from edca.semantic import candidates
from edca.semantic.confidence import Bands
from edca.semantic.explain import Told, for_model, for_operator
from edca.semantic.explain_query import QueryTold, query_for_model, query_for_operator
from edca.semantic.missing import Missing, missing, missing_line
from edca.semantic.nearest import Change, nearest_changes
from edca.semantic.nearest_text import change_line
from edca.semantic.tools import (
    Tool,
    ToolError,
    ToolKind,
    as_anthropic,
    as_mcp,
    as_openai,
    as_openai_chat,
    as_text,
    tools_of,
)
from edca.semantic.view import OfferedQuery, View
from edca.semantic.view_size import VIEW_SIZE_MAX, ViewTooLargeError, token_estimate

__all__ = [
    "VIEW_SIZE_MAX",
    "Accepted",
    "Adopted",
    "AdoptionError",
    "Answer",
    "AnswerError",
    "Answered",
    "AsyncKernel",
    "AsyncSession",
    "Attestation",
    "Bands",
    "Bounds",
    "Caller",
    "Came",
    "Candidate",
    "CaseFate",
    "Change",
    "Conversation",
    "DivergedError",
    "Drift",
    "Ended",
    "Erased",
    "ErasureError",
    "Escalated",
    "Fate",
    "Fired",
    "FixedClock",
    "Functions",
    "HoldError",
    "Inquiry",
    "Kernel",
    "KernelBudget",
    "LedgerError",
    "LedgerOperator",
    "LimitUse",
    "Looked",
    "Malformed",
    "Mandate",
    "Migrated",
    "MigrationError",
    "MigrationStoppedError",
    "Missing",
    "ModeError",
    "Model",
    "ModelError",
    "NoClockError",
    "NotDoneError",
    "NotObserved",
    "ObservationError",
    "OfferedQuery",
    "OpenQuestion",
    "Outcome",
    "OverloadedError",
    "OwnBudget",
    "PolicyError",
    "PreconditionLostError",
    "Principal",
    "Probing",
    "Prompt",
    "QueryAnswer",
    "QueryTold",
    "QueryVerdict",
    "Reconciled",
    "ReconciliationError",
    "RecordReference",
    "RecordedModel",
    "RecordingError",
    "RecordingModel",
    "ReentrantCallError",
    "Refused",
    "Reply",
    "RetentionError",
    "Returned",
    "Roster",
    "RosterError",
    "RouteError",
    "RoutesError",
    "Rules",
    "Rung",
    "Schedule",
    "Session",
    "SettlementError",
    "SystemClock",
    "TakeoverError",
    "TimerThread",
    "Told",
    "Tool",
    "ToolAnswer",
    "ToolError",
    "ToolFailedError",
    "ToolKind",
    "Toolset",
    "TryAgainError",
    "Untrusted",
    "Verdict",
    "View",
    "ViewTooLargeError",
    "Void",
    "as_anthropic",
    "as_mcp",
    "as_openai",
    "as_openai_chat",
    "as_text",
    "candidates",
    "change_line",
    "converse",
    "for_model",
    "for_operator",
    "load_retention",
    "load_roster",
    "missing",
    "missing_line",
    "nearest_changes",
    "open_engine",
    "open_source",
    "query_for_model",
    "query_for_operator",
    "token_estimate",
    "tools_of",
]
