"""What records are called: the kinds that a case's chain holds, and the chain of what belongs to no case."""

INTAKE = "intake"
VERDICT = "verdict"
QUERY = "query"
SPENT = "spent"
OUTCOME = "outcome"
OBSERVED = "observed"
SETTLEMENT = "settlement"
MODE = "mode"
TAKEOVER = "takeover"
ROSTER = "roster"
LATE = "late"
RECONCILED = "reconciled"
APPROVAL = "approval"
CLOSED = "closed"
MIGRATION = "migration"
MIGRATED = "migrated"
ERASED = "erased"
HOLD = "hold"

IN_CASES = frozenset(
    (VERDICT, SPENT, OUTCOME, OBSERVED, SETTLEMENT, TAKEOVER, LATE, RECONCILED, APPROVAL, CLOSED, MIGRATED)
)
"""Those that tell of one case, and stand in its chain, or in the intake where there is none."""
