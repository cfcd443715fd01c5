"""The draft of a transition or query while its clauses are read, and what every clause must keep to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.kernel.types import BoolType
from edca.semantic import authority, extent, typed, walk

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl import tree
    from edca.kernel.machine import Edge, Timeout
    from edca.semantic.checked import CheckedAct, CheckedClause
    from edca.semantic.scope import Scope

TRUE = typed.Literal(True, BoolType())


@dataclass(slots=True)
class Draft:
    """What has been read of one transition or query so far; `once` holds the clauses that may stand in it only once."""

    name: tree.Name
    scope: Scope
    creates: bool
    what: str = "transition"
    once: dict[str, tree.Clause] = field(default_factory=dict)
    means: tree.Means | None = None
    by: tree.By | None = None
    answers: tree.Answers | None = None
    after_us: int | None = None
    unblockable: tree.Unblockable | None = None
    priority: tree.Priority | None = None
    lets: dict[str, typed.Expression] = field(default_factory=dict)
    clauses: list[CheckedClause] = field(default_factory=list)
    codes: dict[str, Span] = field(default_factory=dict)
    assignments: dict[str, typed.Expression] = field(default_factory=dict)
    acts: list[CheckedAct] = field(default_factory=list)
    on_failed: Edge | None = None
    on_timeout: Timeout | None = None

    def first(self, word: str, clause: tree.Clause) -> bool:
        """Tell whether no clause of this word came before, and report it where one did."""
        earlier = self.once.setdefault(word, clause)
        if earlier is clause:
            return True
        self.scope.words.problems.add(
            "N002",
            clause.span,
            f"`{word}` stands twice in one {self.what}",
            declared=earlier.span,
            declared_label="first written here",
        )
        return False


def usable(scope: Scope, expression: typed.Expression | None, span: Span) -> typed.Expression | None:
    """Refuse a define that takes the case to be about something else, or an expression that grows beyond its bounds."""
    if expression is None:
        return None
    words = scope.words
    surplus = sorted(walk.case_entities(expression, scope.definitions) - set(scope.case_entities))
    if surplus:
        message = f"a define used here reads `{surplus[0]}`, but this case is not about one"
        words.problems.add("N001", span, message, help="give the define a parameter for it")
        return None
    if scope.factless and not scope.ensure and walk.reads_case(expression, scope.definitions):
        message = "a define used here reads fields of what is yet to be created"
        words.problems.add("N005", span, message, help="only its key is known before; test its fields in `ensure`")
        return None
    if scope.factless and walk.reads_history(expression, scope.definitions):
        message = "a define used here reads who acted before in a case that is yet to be created"
        words.problems.add("N005", span, message, help="nobody has acted in it before")
        return None
    return expression if extent.fits(expression, scope, span) else None


def keep(draft: Draft, clause: CheckedClause | None, code: tree.Name) -> None:
    """Add a clause whose code is new in its transition."""
    earlier = draft.codes.get(code.text)
    if earlier is not None:
        draft.scope.words.problems.add(
            "N011",
            code.span,
            f"the code `{code.text}` stands twice in this {draft.what}",
            help="a code is its clause's id: give each its own",
            declared=earlier,
            declared_label="first used here",
        )
        return
    draft.codes[code.text] = code.span
    if clause is not None and usable(draft.scope, clause.condition, code.span) is not None:
        keep_authority(draft.scope, clause)
        draft.clauses.append(clause)


def keep_authority(scope: Scope, clause: CheckedClause) -> None:
    """Report a clause that more confidence could make fail."""
    if authority.raises_authority(clause, scope.definitions):
        scope.words.problems.add(
            "C017",
            clause.span,
            f"`{clause.code}` gives authority to confidence",
            help="confidence may only lower authority: write `require confidence >= 0.85 else …`",
        )


def no_confidence(scope: Scope, value: typed.Expression, span: Span) -> None:
    """Report a value that is computed from confidence: what it is used for could not be followed."""
    if authority.reads_confidence(value, scope.definitions):
        message = "confidence can't be computed with or kept"
        scope.words.problems.add("C017", span, message, help="compare it in a clause of its own")
