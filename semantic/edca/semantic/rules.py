"""The rule checker: transitions as a whole, and the forbids that hold for all of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, assert_never

from edca.dsl import tree
from edca.kernel.machine import ClauseKind, Parameter, RoleKind
from edca.semantic import branches, effects, typed
from edca.semantic.check import condition
from edca.semantic.checked import CheckedForbid, CheckedTransition
from edca.semantic.clauses import check_forbid, read_clause
from edca.semantic.draft import Draft, keep_authority, no_confidence, usable
from edca.semantic.grounded import Ground
from edca.semantic.scope import Scope
from edca.semantic.vocabulary import UNRESOLVED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.semantic.checked import CheckedClause
    from edca.semantic.vocabulary import Vocabulary


CODED = (tree.Require, tree.Forbid, tree.Confirm, tree.Sign, tree.Limit)


def about_entities(spec: tree.Spec, words: Vocabulary) -> tuple[str, ...]:
    """Return every entity that some transition's case, or a query, is about."""
    names = [words.case.entity.text] if words.case is not None else []
    for declaration in spec.declarations:
        if isinstance(declaration, tree.TransitionDeclaration):
            name = declaration.about or declaration.creates
            names += [name.text] if name is not None else []
        elif isinstance(declaration, tree.QueryDeclaration) and declaration.about is not None:
            names.append(declaration.about.text)
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
        clause = check_forbid(scope, declaration)
        if clause is not None and usable(scope, clause.condition, declaration.condition.span) is not None:
            keep_authority(scope, clause)
            found.append(CheckedForbid(entity.name, clause))
    return tuple(found)


def transition(
    declaration: tree.TransitionDeclaration,
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
    shared: tuple[CheckedForbid, ...],
) -> CheckedTransition | None:
    """Return the transition with everything typed, or null where a finding makes that impossible."""
    parameters = words.parameters(declaration.parameters, labelled=True)
    about, key = _about(declaration, words, parameters)
    scope = Scope(
        words=words,
        definitions=definitions,
        arguments={parameter.name: parameter.type for parameter in parameters},
        case_entities=() if about is None else (about,),
        factless=declaration.creates is not None,
    )
    check_parameter_names(declaration.parameters, words, scope, about)
    sources, target = words.states_of(declaration.sources), words.state(declaration.target)
    guard = None if declaration.guard is None else _guard(scope, declaration.guard)
    draft = Draft(declaration.name, scope, declaration.creates is not None)
    for forbid in shared:
        draft.codes[forbid.clause.code] = forbid.clause.span
    for clause in declaration.clauses:
        read_clause(draft, clause, words)
    _check_whole(draft, declaration, words)
    if about is None or target is None or sources is None or (declaration.guard is not None and guard is None):
        return None
    if draft.means is None or draft.by is None or draft.answers is None:
        return None
    return CheckedTransition(
        name=branches.id_of(declaration),
        offered=declaration.name.text,
        text=draft.means.text.value,
        parameters=parameters,
        about=about,
        key=key,
        creates=declaration.creates is not None,
        sources=sources,
        target=target.name,
        guard=guard,
        priority=None if draft.priority is None else draft.priority.level,
        after_us=draft.after_us,
        unblockable=draft.unblockable is not None,
        by=tuple(dict.fromkeys(role.text for role in draft.by.roles)),
        answers=draft.answers.role.text,
        lets=tuple(draft.lets.items()),
        clauses=tuple(draft.clauses),
        assignments=tuple(draft.assignments.items()),
        acts=tuple(draft.acts),
        on_failed=draft.on_failed,
        on_timeout=draft.on_timeout,
        span=declaration.name.span,
    )


def _guard(scope: Scope, node: tree.Expression) -> typed.Expression | None:
    """Return the condition that chooses a branch; it is evaluated before any `let`."""
    guard = usable(scope, condition(scope, node), node.span)
    if guard is not None:
        no_confidence(scope, guard, node.span)
    return guard


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
    return keyed(declaration.name, named, keys, parameters, words, written=declaration.about is not None)


def keyed(
    of: tree.Name,
    named: tree.Name,
    keys: tuple[tree.Name, ...],
    parameters: tuple[Parameter, ...],
    words: Vocabulary,
    *,
    written: bool,
) -> tuple[str | None, tuple[str, ...]]:
    """Return the entity `named`, and the parameters of `of` that hold its key; `written`: the author names it there."""
    entity = words.entity(named) if written else words.entities.get(named.text)
    if entity is None:
        return None, ()
    types = {parameter.name: parameter.type for parameter in parameters}
    found: list[str] = []
    for part, name in zip(entity.key, keys, strict=False):
        if name.text not in types:
            words.problems.add(
                "C011",
                of.span,
                f"`{of.text}` does not say which {entity.name} it is about",
                label=f"no parameter `{name.text}`",
                help=f"add the parameter `{name.text}`, or say `about ENTITY by …` or `creates ENTITY`",
                declared=name.span,
                declared_label="the key is given by this",
            )
        elif types[name.text] != part.type and UNRESOLVED not in (types[name.text], part.type):
            words.problems.add("T001", of.span, f"`{name.text}` is not of the type of `{entity.name}.{part.name}`")
        found.append(name.text)
    if len(found) != len(entity.key) and written:
        words.problems.add("T004", named.span, f"the key of `{entity.name}` has {len(entity.key)} parts")
    return entity.name, tuple(found)


def check_parameter_names(
    parameters: tuple[tree.Parameter, ...], words: Vocabulary, scope: Scope, about: str | None
) -> None:
    """Report parameters whose name has a meaning already."""
    without = dataclasses.replace(scope, arguments={})
    for node in parameters:
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


def _rests_on_facts(clause: CheckedClause, ground: Ground) -> bool:
    """Tell whether facts have a say: the clause can't pass, or isn't asked, where none is known."""
    match clause.kind:
        case ClauseKind.REQUIRE:
            return not ground.could_be(True, clause.condition)
        case ClauseKind.FORBID:
            return not ground.could_be(False, clause.condition)
        case ClauseKind.LIMIT:
            always = not ground.could_be(False, clause.condition)
            return always and clause.limit is not None and ground.rests(clause.limit.bound)
        case ClauseKind.CONFIRM | ClauseKind.SIGN:
            return ground.rests(clause.condition)
        case _:
            assert_never(clause.kind)


def _check_whole(draft: Draft, declaration: tree.TransitionDeclaration, words: Vocabulary) -> None:
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
    # A clause that could not be read may have been the one that tests a fact.
    if performs and len(draft.clauses) == sum(isinstance(clause, CODED) for clause in declaration.clauses):
        ground = Ground(draft.scope.definitions, draft.lets)
        if not any(_rests_on_facts(clause, ground) for clause in draft.clauses):
            help_ = "require something of a fact: an argument is only what the proposer says"
            add("C008", name.span, f"the effect of `{name.text}` rests on the proposer's word alone", help=help_)
    effects.check_edges(draft, declaration)
    check_unblockable(draft, words)
    answered = (tree.Confirm, tree.Sign)
    confirms = any(isinstance(clause, answered) and clause.when is None for clause in declaration.clauses)
    humans = draft.by is not None and all(
        (role := words.roles.get(by.text)) is not None and role.kind is RoleKind.HUMAN for by in draft.by.roles
    )
    for perform in performs:
        if perform.irreversible and not confirms and not humans:
            help_ = "add `confirm CODE by ROLE`, without `when`: what can't be undone needs a person's yes"
            add(
                "C007",
                perform.span,
                f"`{perform.invocation.effect.text}` can't be undone and nobody confirms it",
                help=help_,
            )


def check_unblockable(draft: Draft, words: Vocabulary) -> None:
    """Report a transition or query that no forbid holds up although a model may propose it."""
    if draft.unblockable is None or draft.by is None:
        return
    for name in draft.by.roles:
        role = words.roles.get(name.text)
        if role is not None and role.kind is RoleKind.MODEL:
            words.problems.add(
                "C031",
                draft.unblockable.span,
                f"`{name.text}` is a model, and every `forbid` must hold up what a model proposes",
                help=f"drop `unblockable`, or leave the {draft.what} to people and the clock",
                declared=name.span,
                declared_label="named here",
            )
            return
