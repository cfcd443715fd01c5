"""What records are called: the kinds that a case's chain holds, and the chain of what belongs to no case."""

INTAKE = "intake"
VERDICT = "verdict"
OUTCOME = "outcome"
OBSERVED = "observed"
