"""What must not type-check: each line that ends with `# no` puts a model, or who may be one, where a person belongs."""

from edca.kernel.candidate import Candidate
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.roster import Human, Mandate, Person, Principal, Roster, is_human
from edca.kernel.verdict import Accepted, Anchor, ClauseResult, Result


def anchors(candidate: Candidate, principal: Principal, mandate: Mandate, roster: Roster) -> list[Anchor]:
    """Make anchors of what a kernel has at hand."""
    asked = roster.find(candidate.proposer)
    answerer = roster.answerer(candidate.proposer)
    made = [
        Anchor(candidate.proposer, "supervisor", None),  # no
        Anchor(candidate.model, "supervisor", None),  # no
        Anchor("small-model-2026-01-15", "supervisor", None),  # no
        Anchor(principal, "supervisor", None),  # no
        Anchor(principal.id, "supervisor", None),  # no
        Anchor(mandate.principal, "supervisor", mandate.id),  # no
        Anchor(asked, "supervisor", None),  # no
        Anchor(answerer, "supervisor", None),  # no
        Anchor(Person("small-model-2026-01-15"), "supervisor", None),  # no
        Anchor(Person(principal), "supervisor", None),  # no
    ]
    if answerer is not None:
        made.append(Anchor(answerer, "supervisor", None))
    if is_human(principal):
        human: Human = principal
        made.append(Anchor(Person(human), "supervisor", None))
    return made


def approved(candidate: Candidate, anchor: Anchor) -> Accepted:
    """Make an acceptance that people are said to have answered."""
    by_model = ClauseResult(
        "agreed",
        ClauseKind.CONFIRM,
        OnFail.REFUSE,
        None,
        False,
        Result.PASSED,
        answered_by=(candidate.proposer,),  # no
    )
    by_person = ClauseResult(
        "agreed", ClauseKind.CONFIRM, OnFail.REFUSE, None, False, Result.PASSED, answered_by=(anchor.principal,)
    )
    return Accepted(
        transition="approve",
        source="a",
        target="b",
        memory={},
        intents=(),
        anchor=candidate.proposer,  # no
        clauses=(by_model, by_person),
    )
