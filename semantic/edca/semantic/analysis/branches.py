"""Branches of one transition: that never two are meant at once, and that each is meant some time.

Of the branches that start in a case's state, the first by falling priority whose guard is true is taken. So two of
equal priority need guards that can't both be true, and a branch needs a guard that can be true where all that are tried
before it are false.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.semantic.analysis import written
from edca.semantic.analysis.ranges import truths
from edca.semantic.analysis.witness import witness

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl import tree
    from edca.semantic.analysis.possible import Reach
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems


def check(tree_: tree.Spec, spec: CheckedSpec, reach: Reach, problems: Problems) -> None:
    """Report branches that may both be meant, and those that can never be taken."""
    offered: dict[str, list[CheckedTransition]] = {}
    for item in spec.transitions:
        offered.setdefault(item.offered, []).append(item)
    declared = written.declarations(tree_)
    # A guard reads no lets, so those of no transition are in force.
    guards = Guards(spec, reach)
    for branches in offered.values():
        for place, item in enumerate(branches):
            guard = declared[item.name].guard
            span = item.span if guard is None else guard.span
            if guards.constant(item, span, problems) or len(branches) == 1:
                continue
            for other in branches[:place]:
                if _priority(other) == _priority(item) and set(other.sources) & set(item.sources):
                    guards.overlap(item, other, span, problems)
            guards.shadowed(item, branches, span, problems)


class Guards:
    """What is certain of the guards of a spec's branches."""

    def __init__(self, spec: CheckedSpec, reach: Reach) -> None:
        """Take the spec, and what its expressions can yield."""
        self._spec = spec
        self._within = reach.transition(())

    def constant(self, item: CheckedTransition, span: Span, problems: Problems) -> bool:
        """Report a guard that is always false, or always true; tell whether it was."""
        if item.guard is None:
            return False
        found = self._within.of(item.guard)
        possible = truths(found.values)
        if True not in possible:
            message = f"the `when` of `{item.name}` can't be true: it is never taken"
            help_ = "change the condition, or drop the branch"
            problems.add("C019", span, message, help=help_, severity=Severity.WARNING)
            return True
        if False not in possible and not found.doubts:
            message = f"the `when` of `{item.name}` is always true"
            problems.add("C020", span, message, help="drop the `when`", severity=Severity.WARNING)
        return False

    def overlap(self, item: CheckedTransition, other: CheckedTransition, span: Span, problems: Problems) -> None:
        """Report two branches of equal priority whose guards aren't proved to exclude each other."""
        together = self._within.constraints()
        for guard in (item.guard, other.guard):
            if guard is not None:
                together.add(guard, True)
        settled = together.settled()
        if settled is None:
            return
        states = [state for state in item.sources if state in other.sources]
        guards = [guard for guard in (item.guard, other.guard) if guard is not None]
        example = witness(guards, settled, self._spec)
        if not guards:
            why = "neither has a `when`"
        elif example is None:
            why = "nothing shows that both can't be true"
        elif not example:
            why = "both can be true"
        else:
            why = f"both are true where {example}"
        problems.add(
            "C046",
            span,
            f"`{item.name}` and `{other.name}` can both be meant from `{states[0]}`: {why}",
            help="write conditions that exclude each other, or say which is tried first: `priority 2`",
            declared=other.span,
            declared_label="of the same priority",
        )

    def shadowed(
        self, item: CheckedTransition, branches: list[CheckedTransition], span: Span, problems: Problems
    ) -> None:
        """Report a branch that another is always taken before, from whatever state."""
        blocking: CheckedTransition | None = None
        for state in item.sources:
            earlier = [b for b in branches if state in b.sources and _priority(b) > _priority(item)]
            # Taken only where its own guard is known true, and the guards of those before it are known false.
            needed = self._within.constraints()
            if item.guard is not None:
                needed.add(item.guard, True)
            always = next((other for other in earlier if other.guard is None), None)
            for other in earlier:
                if other.guard is not None:
                    needed.add(other.guard, False)
            if always is None and (not earlier or needed.settled() is not None):
                return
            blocking = blocking or always or earlier[0]
        if blocking is None:
            return
        problems.add(
            "C019",
            span,
            f"`{item.name}` is never taken: wherever it could be, one tried before it is",
            help="narrow the branch that is tried before it, or change the priorities",
            declared=blocking.span,
            declared_label="tried before it",
            severity=Severity.WARNING,
        )


def _priority(item: CheckedTransition) -> int:
    return item.priority or 0
