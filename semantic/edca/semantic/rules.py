"""The rule checker: transitions, their clauses, and the forbids that hold for all of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.machine import ClauseKind, OnFail, Parameter, RoleKind
from edca.kernel.types import BoolType
from edca.semantic import typed, walk
from edca.semantic.check import UNITS, check, condition, infer
from edca.semantic.checked import CheckedAct, CheckedCall, CheckedClause, CheckedForbid, CheckedTransition
from edca.semantic.problems import did_you_mean
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.diagnostics.source import Span
    from edca.kernel.types import Type
    from edca.semantic.vocabulary import Vocabulary

TRUE = typed.Literal(True, BoolType())


@dataclasses.dataclass(slots=True)
class _Draft:
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


def about_entities(spec: tree.Spec, words: Vocabulary) -> tuple[str, ...]:
    """Return every entity that some transition's case is about."""
    names = [words.case.entity.text] if words.case is not None else []
    for declaration in spec.declarations:
        if isinstance(declaration, tree.TransitionDeclaration):
            name = declaration.about or declaration.creates
            names += [name.text] if name is not None else []
    return tuple(name for name in dict.fromkeys(names) if name in words.entities)


def forbids(
    spec: tree.Spec, words: Vocabulary, definitions: Mapping[str, typed.Definition]
) -> tuple[CheckedForbid, ...]:
    """Return the machine-wide forbids that check."""
    found: list[CheckedForbid] = []
    for declaration in spec.declarations:
        if not isinstance(declaration, tree.Forbid):
            continue
        named = declaration.about or (words.case.entity if words.case is not None else None)
        entity = None if named is None else words.entity(named)
        if entity is None:
            continue
        scope = Scope(words=words, definitions=definitions, case_entities=(entity.name,))
        clause = _forbid(scope, declaration)
        if clause is not None:
            found.append(CheckedForbid(entity.name, clause))
    return tuple(found)


def transition(
    declaration: tree.TransitionDeclaration,
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
    shared: tuple[CheckedForbid, ...],
) -> CheckedTransition | None:
    """Return the transition with everything typed, or null where a finding makes that impossible."""
    parameters = words.parameters(declaration.parameters)
    about, key = _about(declaration, words, parameters)
    scope = Scope(
        words=words,
        definitions=definitions,
        arguments={parameter.name: parameter.type for parameter in parameters},
        case_entities=() if about is None else (about,),
        factless=declaration.creates is not None,
    )
    _check_parameter_names(declaration, words, scope, about)
    sources = [state.name for state in map(words.state, declaration.sources) if state is not None]
    target = words.state(declaration.target)
    draft = _Draft(scope)
    for forbid in shared:
        draft.codes[forbid.clause.code] = forbid.clause.span
    for clause in declaration.clauses:
        _read(draft, clause, words)
    _check_whole(draft, declaration, words)
    if about is None or target is None or len(sources) != len(declaration.sources):
        return None
    if draft.means is None or draft.by is None or draft.answers is None:
        return None
    return CheckedTransition(
        name=declaration.name.text,
        text=draft.means.text.value,
        parameters=parameters,
        about=about,
        key=key,
        creates=declaration.creates is not None,
        sources=tuple(dict.fromkeys(sources)),
        target=target.name,
        by=tuple(dict.fromkeys(role.text for role in draft.by.roles)),
        answers=draft.answers.role.text,
        lets=tuple(draft.lets.items()),
        clauses=tuple(draft.clauses),
        assignments=tuple(draft.assignments.items()),
        acts=tuple(draft.acts),
        on_failed=draft.on_failed,
        span=declaration.name.span,
    )


def _about(
    declaration: tree.TransitionDeclaration, words: Vocabulary, parameters: tuple[Parameter, ...]
) -> tuple[str | None, tuple[str, ...]]:
    """Return the entity that the transition's case is about, and the parameters that hold its key."""
    if declaration.creates is not None:
        created = words.entity(declaration.creates)
        return (None if created is None else created.name), ()
    if declaration.about is not None:
        named, keys = declaration.about, declaration.keys
    elif words.case is not None:
        named, keys = words.case.entity, words.case.keys
    else:
        return None, ()
    entity = words.entity(named) if declaration.about is not None else words.entities.get(named.text)
    if entity is None:
        return None, ()
    types = {parameter.name: parameter.type for parameter in parameters}
    found: list[str] = []
    for part, name in zip(entity.key, keys, strict=False):
        if name.text not in types:
            words.problems.add(
                "C011",
                declaration.name.span,
                f"`{declaration.name.text}` does not say which {entity.name} it is about",
                label=f"no parameter `{name.text}`",
                help=f"add the parameter `{name.text}`, or say `about ENTITY by …` or `creates ENTITY`",
                declared=name.span,
                declared_label="the key is given by this",
            )
        elif types[name.text] != part.type:
            words.problems.add(
                "T001", declaration.name.span, f"`{name.text}` is not of the type of `{entity.name}.{part.name}`"
            )
        found.append(name.text)
    if len(found) != len(entity.key) and declaration.about is not None:
        words.problems.add("T004", named.span, f"the key of `{entity.name}` has {len(entity.key)} parts")
    return entity.name, tuple(found)


def _check_parameter_names(
    declaration: tree.TransitionDeclaration, words: Vocabulary, scope: Scope, about: str | None
) -> None:
    without = dataclasses.replace(scope, arguments={})
    for node in declaration.parameters:
        if without.taken(node.name.text) and node.name.text != about:
            words.problems.add(
                "N003",
                node.name.span,
                f"`{node.name.text}` has a meaning already",
                help="two meanings for one name don't compile: rename the parameter",
                declared=words.spans.get(node.name.text),
            )
        elif node.name.text == about:
            words.problems.add(
                "N003", node.name.span, f"`{about}` is what the case is about", help="rename the parameter"
            )


def _read(draft: _Draft, clause: tree.Clause, words: Vocabulary) -> None:
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
            _keep(draft, _forbid(draft.scope, clause), clause.code, words)
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


def _let(draft: _Draft, clause: tree.Let, words: Vocabulary) -> None:
    if draft.scope.taken(clause.name.text):
        words.problems.add("N003", clause.name.span, f"`{clause.name.text}` has a meaning already", help="rename it")
        return
    value = _usable(draft, infer(draft.scope, clause.value), clause.value.span, words)
    if value is not None:
        draft.lets[clause.name.text] = value
        types: dict[str, Type] = {name: expression.type for name, expression in draft.lets.items()}
        draft.scope = dataclasses.replace(draft.scope, lets=types)


def _usable(
    draft: _Draft, expression: typed.Expression | None, span: Span, words: Vocabulary
) -> typed.Expression | None:
    """Refuse a define that takes the case to be about something else, or reads what isn't there yet."""
    if expression is None:
        return None
    needed = walk.case_entities(expression, draft.scope.definitions)
    surplus = sorted(needed - set(draft.scope.case_entities))
    if surplus:
        message = f"a define used here reads `{surplus[0]}`, but this case is not about one"
        words.problems.add("N001", span, message, help="give the define a parameter for it")
        return None
    return expression


def _keep(draft: _Draft, clause: CheckedClause | None, code: tree.Name, words: Vocabulary) -> None:
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
    if clause is not None and _usable(draft, clause.condition, code.span, words) is not None:
        draft.clauses.append(clause)


def _require(draft: _Draft, clause: tree.Require, words: Vocabulary) -> None:
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


def _forbid(scope: Scope, clause: tree.Forbid) -> CheckedClause | None:
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


def _confirm(draft: _Draft, clause: tree.Confirm, words: Vocabulary) -> None:
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


def _assign(draft: _Draft, clause: tree.Assign, words: Vocabulary) -> None:
    type_ = words.memory.get(clause.name.text)
    if type_ is None:
        help_ = did_you_mean(clause.name.text, words.memory, "declare it in `memory`; nothing else can be set")
        words.problems.add("N001", clause.name.span, f"there is no memory field `{clause.name.text}`", help=help_)
        return
    if clause.name.text in draft.assignments:
        words.problems.add("N002", clause.span, f"`{clause.name.text}` is set twice")
    value = _usable(draft, check(draft.scope, clause.value, type_), clause.value.span, words)
    if value is not None:
        draft.assignments[clause.name.text] = value


def _perform(draft: _Draft, clause: tree.Perform, words: Vocabulary) -> None:
    name = clause.invocation.effect
    call = _call(draft, clause.invocation, words)
    ensure = None
    if clause.ensure is None:
        help_ = "write what is true afterwards: `ensure order.refunded == before(order.refunded) + amount`"
        words.problems.add("C006", clause.span, f"nothing says what `{name.text}` leaves true", help=help_)
    else:
        ensure = _usable(
            draft, condition(dataclasses.replace(draft.scope, ensure=True), clause.ensure), clause.ensure.span, words
        )
    undo = None if clause.undo is None else _call(draft, clause.undo, words)
    if clause.undo is None and not clause.irreversible:
        help_ = "name the effect that takes it back: `undo …`, or write `irreversible`"
        words.problems.add("C005", clause.span, f"nothing says how `{name.text}` is undone", help=help_)
    if call is not None and ensure is not None and (clause.undo is None or undo is not None):
        draft.acts.append(CheckedAct(call, ensure, undo))


def _call(draft: _Draft, invocation: tree.Invocation, words: Vocabulary) -> CheckedCall | None:
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
        checked = _usable(draft, check(draft.scope, argument, parameter.type), argument.span, words)
        if checked is not None:
            arguments.append(checked)
    return CheckedCall(effect.name, tuple(arguments)) if len(arguments) == len(effect.parameters) else None


def _check_whole(draft: _Draft, declaration: tree.TransitionDeclaration, words: Vocabulary) -> None:
    """Report what a transition lacks as a whole."""
    name, add = declaration.name, words.problems.add
    if draft.means is None:
        help_ = 'add `means "…"`: people and models read it'
        add("C012", name.span, f"`{name.text}` does not say what it means", help=help_)
    if draft.by is None or not draft.by.roles:
        add("C003", name.span, f"nobody may propose `{name.text}`", help="add `by ROLE, …`")
    if draft.answers is None:
        help_ = "add `answers ROLE`: every transition has a person who answers for it"
        add("C004", name.span, f"nobody answers for `{name.text}`", help=help_)
    performs = [clause for clause in declaration.clauses if isinstance(clause, tree.Perform)]
    tests = [c for c in declaration.clauses if isinstance(c, (tree.Require, tree.Forbid))]
    if performs and len(draft.clauses) >= len(tests):
        tested = any(walk.facts(clause.condition, draft.scope.definitions) for clause in draft.clauses)
        if not tested:
            help_ = "require something of a fact: an argument is only what the proposer says"
            add("C008", name.span, f"the effect of `{name.text}` rests on the proposer's word alone", help=help_)
    confirms = any(isinstance(clause, tree.Confirm) for clause in declaration.clauses)
    humans = draft.by is not None and all(
        (role := words.roles.get(by.text)) is not None and role.kind is RoleKind.HUMAN for by in draft.by.roles
    )
    for perform in performs:
        if perform.irreversible and not confirms and not humans:
            help_ = "add `confirm CODE by ROLE`: what can't be undone needs a person's yes"
            add(
                "C007",
                perform.span,
                f"`{perform.invocation.effect.text}` can't be undone and nobody confirms it",
                help=help_,
            )
