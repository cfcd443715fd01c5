"""The clauses of a transition, each read into the draft of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.machine import ClauseKind, OnFail, RoleKind
from edca.kernel.types import BoolType
from edca.semantic import authority, extent, typed, walk
from edca.semantic.check import UNITS, check, condition, infer
from edca.semantic.checked import CheckedAct, CheckedCall, CheckedClause
from edca.semantic.problems import did_you_mean
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.kernel.types import Type
    from edca.semantic.vocabulary import Vocabulary

TRUE = typed.Literal(True, BoolType())


@dataclasses.dataclass(slots=True)
class Draft:
    """What has been read of one transition so far."""

    scope: Scope
    means: tree.Means | None = None
    by: tree.By | None = None
    answers: tree.Answers | None = None
    lets: dict[str, typed.Expression] = dataclasses.field(default_factory=dict)
    clauses: list[CheckedClause] = dataclasses.field(default_factory=list)
    codes: dict[str, Span] = dataclasses.field(default_factory=dict)
    assignments: dict[str, typed.Expression] = dataclasses.field(default_factory=dict)
    acts: list[CheckedAct] = dataclasses.field(default_factory=list)
    on_failed: str | None = None


def micros(duration: tree.DurationLiteral | None) -> int | None:
    """Return a written duration in microseconds."""
    return None if duration is None else duration.count * UNITS[duration.unit]


def read_clause(draft: Draft, clause: tree.Clause, words: Vocabulary) -> None:
    """Read one clause into the draft, reporting what is wrong with it."""
    match clause:
        case tree.Means():
            _once(words, draft.means, clause.span, "means")
            draft.means = clause
        case tree.By(roles, span):
            _once(words, draft.by, span, "by")
            for role in roles:
                words.role(role)
            draft.by = clause
        case tree.Answers(role, span):
            _once(words, draft.answers, span, "answers")
            found = words.role(role)
            if found is not None and found.kind is not RoleKind.HUMAN:
                help_ = "name a `human` role: it is people who answer"
                words.problems.add("C015", role.span, f"`{role.text}` can't answer for anything", help=help_)
            draft.answers = clause
        case tree.Let():
            _let(draft, clause, words)
        case tree.Require():
            _require(draft, clause, words)
        case tree.Forbid():
            _keep(draft, check_forbid(draft.scope, clause), clause.code, words)
        case tree.Confirm():
            _confirm(draft, clause, words)
        case tree.Assign():
            _assign(draft, clause, words)
        case tree.Perform():
            _perform(draft, clause, words)
        case tree.OnFailure(event, _, target, _):
            state = words.state(target)
            if event.text != "failed":
                help_ = "a later version of the language times effects out; `on failed` is taken today"
                words.problems.add("P005", event.span, f"`on {event.text}` is not supported yet", help=help_)
            elif state is not None:
                draft.on_failed = state.name


def _once(words: Vocabulary, earlier: object, span: Span, word: str) -> None:
    if earlier is not None:
        words.problems.add("N002", span, f"`{word}` stands twice in one transition")


def _let(draft: Draft, clause: tree.Let, words: Vocabulary) -> None:
    if draft.scope.taken(clause.name.text):
        declared = words.spans.get(clause.name.text)
        message = f"`{clause.name.text}` has a meaning already"
        words.problems.add("N003", clause.name.span, message, help="rename it", declared=declared)
        return
    value = usable(draft.scope, infer(draft.scope, clause.value), clause.value.span, words)
    if value is not None:
        no_confidence(draft.scope, value, clause.value.span)
        draft.lets[clause.name.text] = value
        types: dict[str, Type] = {name: expression.type for name, expression in draft.lets.items()}
        draft.scope = dataclasses.replace(draft.scope, lets=types)


def usable(scope: Scope, expression: typed.Expression | None, span: Span, words: Vocabulary) -> typed.Expression | None:
    """Refuse a define that takes the case to be about something else, or an expression that grows beyond its bounds."""
    if expression is None:
        return None
    needed = walk.case_entities(expression, scope.definitions)
    surplus = sorted(needed - set(scope.case_entities))
    if surplus:
        message = f"a define used here reads `{surplus[0]}`, but this case is not about one"
        words.problems.add("N001", span, message, help="give the define a parameter for it")
        return None
    if scope.factless and not scope.ensure and walk.reads_case(expression, scope.definitions):
        message = "a define used here reads fields of what is yet to be created"
        words.problems.add("N005", span, message, help="only its key is known before; test its fields in `ensure`")
        return None
    return expression if extent.fits(expression, scope, span) else None


def _keep(draft: Draft, clause: CheckedClause | None, code: tree.Name, words: Vocabulary) -> None:
    """Add a clause whose code is new in its transition."""
    earlier = draft.codes.get(code.text)
    if earlier is not None:
        words.problems.add(
            "N011",
            code.span,
            f"the code `{code.text}` stands twice in this transition",
            help="a code is its clause's id: give each its own",
            declared=earlier,
            declared_label="first used here",
        )
        return
    draft.codes[code.text] = code.span
    if clause is not None and usable(draft.scope, clause.condition, code.span, words) is not None:
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


def _require(draft: Draft, clause: tree.Require, words: Vocabulary) -> None:
    role = None
    if clause.escalate is not None:
        role = words.role(clause.escalate)
        if role is not None and role.kind is not RoleKind.HUMAN:
            help_ = "only people can waive a clause"
            words.problems.add("C010", clause.escalate.span, f"`{role.name}` is no human role", help=help_)
    test = condition(draft.scope, clause.condition)
    checked = None
    if test is not None:
        checked = CheckedClause(
            code=clause.code.text,
            kind=ClauseKind.REQUIRE,
            text=clause.text.value,
            condition=test,
            on_fail=OnFail.REFUSE if clause.escalate is None else OnFail.ESCALATE,
            role=None if role is None else role.name,
            within_us=None,
            span=clause.code.span,
        )
    _keep(draft, checked, clause.code, words)


def check_forbid(scope: Scope, clause: tree.Forbid) -> CheckedClause | None:
    """Return a `forbid` with its condition typed, or null with a finding."""
    test = condition(scope, clause.condition)
    if test is None:
        return None
    return CheckedClause(
        code=clause.code.text,
        kind=ClauseKind.FORBID,
        text=clause.text.value,
        condition=test,
        on_fail=OnFail.REFUSE,
        role=None,
        within_us=None,
        span=clause.code.span,
    )


def _confirm(draft: Draft, clause: tree.Confirm, words: Vocabulary) -> None:
    role = words.role(clause.by)
    if role is not None and role.kind is not RoleKind.HUMAN:
        words.problems.add("C010", clause.by.span, f"`{role.name}` can't confirm", help="name a `human` role")
    test = TRUE if clause.when is None else condition(draft.scope, clause.when)
    checked = None
    if test is not None:
        checked = CheckedClause(
            code=clause.code.text,
            kind=ClauseKind.CONFIRM,
            text=f"{clause.by.text} must confirm." if clause.text is None else clause.text.value,
            condition=test,
            on_fail=OnFail.ESCALATE,
            role=clause.by.text,
            within_us=micros(clause.within),
            span=clause.code.span,
        )
    _keep(draft, checked, clause.code, words)


def _assign(draft: Draft, clause: tree.Assign, words: Vocabulary) -> None:
    type_ = words.memory.get(clause.name.text)
    if type_ is None:
        help_ = did_you_mean(clause.name.text, words.memory, "declare it in `memory`; nothing else can be set")
        words.problems.add("N001", clause.name.span, f"there is no memory field `{clause.name.text}`", help=help_)
        return
    if clause.name.text in draft.assignments:
        words.problems.add("N002", clause.span, f"`{clause.name.text}` is set twice")
    value = usable(draft.scope, check(draft.scope, clause.value, type_), clause.value.span, words)
    if value is not None:
        no_confidence(draft.scope, value, clause.value.span)
        draft.assignments[clause.name.text] = value


def _perform(draft: Draft, clause: tree.Perform, words: Vocabulary) -> None:
    name = clause.invocation.effect
    call = _call(draft, clause.invocation, words)
    ensure = None
    if clause.ensure is None:
        help_ = "write what is true once it has happened: `ensure CONDITION`; `before(…)` is what the decision read"
        words.problems.add("C006", clause.span, f"nothing says what `{name.text}` leaves true", help=help_)
    else:
        after = dataclasses.replace(draft.scope, ensure=True)
        ensure = usable(after, condition(after, clause.ensure), clause.ensure.span, words)
    undo = None if clause.undo is None else _call(draft, clause.undo, words)
    if clause.undo is None and not clause.irreversible:
        help_ = "name the effect that takes it back: `undo …`, or write `irreversible`"
        words.problems.add("C005", clause.span, f"nothing says how `{name.text}` is undone", help=help_)
    if call is not None and ensure is not None and (clause.undo is None or undo is not None):
        draft.acts.append(CheckedAct(call, ensure, undo))


def _call(draft: Draft, invocation: tree.Invocation, words: Vocabulary) -> CheckedCall | None:
    effect = words.effects.get(invocation.effect.text)
    if effect is None:
        help_ = did_you_mean(invocation.effect.text, words.effects, "declare it with `effect`")
        words.problems.add(
            "N008",
            invocation.effect.span,
            f"there is no effect `{invocation.effect.text}`",
            label="not declared",
            help=help_,
        )
        return None
    if len(invocation.arguments) != len(effect.parameters):
        message = f"`{effect.name}` takes {len(effect.parameters)} arguments, found {len(invocation.arguments)}"
        help_ = f"it is `{effect.name}({', '.join(parameter.name for parameter in effect.parameters)})`"
        words.problems.add("T004", invocation.span, message, help=help_)
        return None
    arguments: list[typed.Expression] = []
    for argument, parameter in zip(invocation.arguments, effect.parameters, strict=True):
        checked = usable(draft.scope, check(draft.scope, argument, parameter.type), argument.span, words)
        if checked is not None:
            no_confidence(draft.scope, checked, argument.span)
            arguments.append(checked)
    return CheckedCall(effect.name, tuple(arguments)) if len(arguments) == len(effect.parameters) else None
