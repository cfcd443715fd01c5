"""The query checker: what a role may look up, and what an author needs so that nobody sees what isn't theirs.

A query has no case: it reads facts and what it is asked with, and nothing else. It changes nothing, so it needs no
anchor; what it gives is named value by value, and no value with a label gets out unless it is released.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.expression import Fold, Input
from edca.kernel.machine import ClauseKind, RoleKind
from edca.kernel.types import ListType, OptionalType, PrincipalType, RecordType, ReferenceType, Type, describe
from edca.semantic import labels, typed, walk
from edca.semantic.check import condition, infer
from edca.semantic.checked import CheckedQuery, CheckedReturned
from edca.semantic.clauses import read_clause
from edca.semantic.draft import Draft, usable
from edca.semantic.grounded import Asked
from edca.semantic.problems import listing
from edca.semantic.relations import plain
from edca.semantic.rules import check_parameter_names, check_unblockable, keyed
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from edca.kernel.machine import Entity, Release
    from edca.semantic.checked import CheckedClause, CheckedForbid
    from edca.semantic.vocabulary import Vocabulary

ANSWER_MAX = 10_000
"""How many single values one answer may hold at most, lists at their longest."""

# What each clause that only a transition can have would do.
_DOES = {
    tree.Answers: "`answers` says who answers for an act, and a query does nothing",
    tree.Confirm: "`confirm` asks a person for a yes, and a query waits for nobody",
    tree.Sign: "`sign` asks people for their yes, and a query waits for nobody",
    tree.Limit: "`limit` counts acts, and a query does nothing",
    tree.After: "`after` counts from when a case came into its state, and a query has no case",
    tree.Priority: "`priority` chooses among branches, and a query has none",
    tree.Assign: "`set` changes a case, and a query changes nothing",
    tree.Perform: "`do` acts on the world, and a query changes nothing",
    tree.OnFailure: "`on` says what follows a failed effect, and a query has no effect",
}


def queries(
    spec: tree.Spec,
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
    forbids: tuple[CheckedForbid, ...],
    releases: tuple[Release, ...],
) -> tuple[CheckedQuery, ...]:
    """Return the queries that check."""
    declared = [d for d in spec.declarations if isinstance(d, tree.QueryDeclaration)]
    read = [_query(d, words, definitions, forbids, releases) for d in declared if words.declare(d.name, "query")]
    return tuple(found for found in read if found is not None)


def holding(item: CheckedQuery, forbids: Iterable[CheckedForbid]) -> tuple[CheckedClause, ...]:
    """Return the machine-wide forbids that hold for a query: those about what it is about."""
    return tuple(forbid.clause for forbid in forbids if not item.unblockable and forbid.about == item.about)


def _query(
    declaration: tree.QueryDeclaration,
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
    forbids: tuple[CheckedForbid, ...],
    releases: tuple[Release, ...],
) -> CheckedQuery | None:
    parameters = words.parameters(declaration.parameters)
    about: str | None = None
    key: tuple[str, ...] = ()
    if declaration.about is not None:
        about, key = keyed(declaration.name, declaration.about, declaration.keys, parameters, words, written=True)
    scope = Scope(
        words=words,
        definitions=definitions,
        arguments={parameter.name: parameter.type for parameter in parameters},
        case_entities=() if about is None else (about,),
    )
    check_parameter_names(declaration.parameters, words, scope, about)
    draft = Draft(declaration.name, scope, creates=False, what="query")
    shared = [forbid.clause for forbid in forbids if about is not None and forbid.about == about]
    for forbid in shared:
        draft.codes[forbid.code] = forbid.span
    returned: list[CheckedReturned] = []
    for clause in declaration.clauses:
        _read(draft, clause, words, returned)
    _check_whole(draft, declaration, words)
    check_unblockable(draft, words)
    if draft.means is None or draft.by is None or (declaration.about is not None and about is None):
        return None
    item = CheckedQuery(
        name=declaration.name.text,
        text=draft.means.text.value,
        parameters=parameters,
        about=about,
        key=key,
        unblockable=draft.unblockable is not None,
        by=tuple(dict.fromkeys(role.text for role in draft.by.roles)),
        lets=tuple(draft.lets.items()),
        clauses=tuple(draft.clauses),
        returns=tuple(returned),
        span=declaration.name.span,
    )
    clauses = (*holding(item, forbids), *item.clauses)
    _check_reads(item, holding(item, forbids), words, definitions)
    _check_labels(item, words, definitions, releases)
    read = sum(isinstance(clause, (tree.Require, tree.Forbid)) for clause in declaration.clauses)
    if len(draft.clauses) == read:  # else the one that could not be read may have tested whose it is
        _check_own(item, clauses, words, definitions)
    return item


def _read(draft: Draft, clause: tree.Clause, words: Vocabulary, returned: list[CheckedReturned]) -> None:
    """Read one clause into the draft, and what it returns into `returned`."""
    match clause:
        case tree.Returns():
            if any(one.name == clause.name.text for one in returned):
                message = f"`{clause.name.text}` is returned twice"
                words.problems.add("N002", clause.name.span, message, help="give each value its own name")
                return
            value = _returned(draft.scope, clause)
            if value is not None:
                found = labels.read(value, words, draft.scope.definitions, draft.lets)
                kept = sorted({label for owner, name in found for label in _labels_of(owner, name, words)})
                returned.append(CheckedReturned(clause.name.text, value, tuple(kept), clause.name.span))
        case tree.Require(escalate=role) if role is not None:
            message = "a query waits for nobody, so no clause of it can be escalated"
            words.problems.add("C050", role.span, message, help="write `else refuse CODE`")
        case tree.Means() | tree.By() | tree.Let() | tree.Require() | tree.Forbid() | tree.Unblockable():
            read_clause(draft, clause, words)
        case _:
            help_ = "a query only looks: write a `transition` for what does something"
            words.problems.add("C050", clause.span, _DOES[type(clause)], help=help_)


def _returned(scope: Scope, clause: tree.Returns) -> typed.Expression | None:
    """Return the typed value of a `returns`, or null with a finding."""
    value = infer(scope, clause.value) if clause.rows is None else _rows(scope, clause, clause.rows)
    value = usable(scope, value, clause.value.span)
    if value is None:
        return None
    entity = _reference(value.type)
    if entity is not None:
        help_ = f"return fields of it: `each x in … {{ name = x.FIELD }}`, or one field of `{entity}`"
        scope.words.problems.add("T001", clause.value.span, f"`{entity}` is an entity, no value", help=help_)
        return None
    size = _size(value.type)
    if size > ANSWER_MAX:
        message = f"`{clause.name.text}` could hold {size} values, and an answer holds at most {ANSWER_MAX}"
        scope.words.problems.add("C055", clause.name.span, message, help="give its list a smaller greatest length")
        return None
    return value


def _rows(scope: Scope, clause: tree.Returns, rows: tree.Rows) -> typed.Expression | None:
    """Return a list of records, one for each element that the condition lets in."""
    over = infer(scope, clause.value)
    if over is None:
        return None
    domain, add, name = plain(over.type), scope.words.problems.add, rows.variable
    if not isinstance(domain, ListType):
        add("T009", clause.value.span, f"expected a list, found {describe(over.type)}")
        return None
    if scope.taken(name.text):
        message = f"`{name.text}` has a meaning here already"
        add("N003", name.span, message, help="choose another name for the variable")
        return None
    inner = scope.within(name.text, domain.of)
    kept = None if rows.where is None else condition(inner, rows.where)
    parts: dict[str, typed.Expression] = {}
    for field, node in rows.fields:
        value = infer(inner, node)
        if value is None:
            return None
        if field.text in parts:
            add("N002", field.span, f"`{field.text}` stands twice in one row", help="give each value its own name")
        parts[field.text] = value
    if rows.where is not None and kept is None:
        return None
    row = RecordType(clause.name.text, tuple((part, value.type) for part, value in parts.items()))
    body = typed.Listed(tuple(parts.values()), row)
    return typed.Folded(Fold.COLLECT, name.text, over, kept, body, ListType(0, domain.high, row))


def _reference(type_: Type) -> str | None:
    """Return an entity that values of the type would name, or null."""
    match type_:
        case ReferenceType(entity):
            return entity
        case OptionalType(of) | ListType(of=of):
            return _reference(of)
        case RecordType(_, parts):
            return next((found for _, part in parts if (found := _reference(part)) is not None), None)
        case _:
            return None


def _size(type_: Type) -> int:
    """Return how many single values one of the type holds at most."""
    match type_:
        case OptionalType(of):
            return _size(of)
        case ListType(_, high, of):
            return high * _size(of)
        case RecordType(_, parts):
            return sum(_size(part) for _, part in parts)
        case _:
            return 1


def _check_whole(draft: Draft, declaration: tree.QueryDeclaration, words: Vocabulary) -> None:
    """Report what a query lacks as a whole."""
    name, add = declaration.name, words.problems.add
    if draft.means is None:
        add(
            "C012",
            name.span,
            f"`{name.text}` does not say what it means",
            help='add `means "…"`: people and models read it',
        )
    if draft.by is None or not draft.by.roles:
        add("C003", name.span, f"nobody may ask `{name.text}`", help="add `by ROLE, …`")
    if not any(isinstance(clause, tree.Returns) for clause in declaration.clauses):
        add("C054", name.span, f"`{name.text}` returns nothing", help="add `returns NAME = VALUE`: only that gets out")


def _check_reads(
    item: CheckedQuery,
    forbids: Sequence[CheckedClause],
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
) -> None:
    """Report reads of what only a case or a candidate has."""
    for clause in forbids:
        for what in _beyond(clause.condition, definitions):
            help_ = "drop `about`, or write `unblockable` where no model may ask"
            message = f"the forbid `{clause.code}` holds for `{item.name}` and reads {what}, which a query hasn't"
            words.problems.add("C051", item.span, message, help=help_, declared=clause.span)
            break
    own = [(clause.condition, clause.span) for clause in item.clauses]
    own += [(value, item.span) for _, value in item.lets] + [(one.value, one.span) for one in item.returns]
    for expression, span in own:
        for what in _beyond(expression, definitions):
            help_ = "a query reads facts, its arguments, `subject`, `proposer` and `now`"
            words.problems.add("C051", span, f"this reads {what}, which a query hasn't", help=help_)
            break


def _beyond(expression: typed.Expression, definitions: Mapping[str, typed.Definition]) -> Iterator[str]:
    for node in walk.nodes(expression, definitions):
        match node:
            case typed.MemoryRead(name):
                yield f"the case's memory `{name}`"
            case typed.ClaimRead(name):
                yield f"the claim `{name}`"
            case typed.HistoryRead():
                yield "who acted in a case"
            case typed.InputRead(Input.CONFIDENCE):
                yield "`confidence`"
            case typed.Earlier():
                yield "what was before an effect"
            case _:
                continue


def _labels_of(owner: str | None, name: str, words: Vocabulary) -> tuple[str, ...]:
    if owner is not None:
        return words.entities[owner].field(name).labels
    claim = words.claims.get(name)
    return words.memory_labels.get(name, ()) if claim is None else claim.labels


def _check_labels(
    item: CheckedQuery,
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
    releases: tuple[Release, ...],
) -> None:
    """Report labelled values that would get out: secret ones to anybody, others to whom they aren't released."""
    released = {(release.owner, release.name, to) for release in releases for to in release.to}
    lets = dict(item.lets)
    for one in item.returns:
        for owner, name in sorted(labels.read(one.value, words, definitions, lets), key=str):
            shown = name if owner is None else f"{owner}.{name}"
            kept = _labels_of(owner, name, words)
            if "secret" in kept:
                help_ = "leave it out of what is returned, of `where`, and of what chooses between values"
                message = f"`{one.name}` tells of `{shown}`, which is `secret`, and no query gives that away"
                words.problems.add("C052", one.span, message, help=help_, declared=words.spans.get(owner or name))
                continue
            missing = [role for role in item.by if (owner, name, role) not in released]
            if missing:
                message = (
                    f"`{one.name}` tells of `{shown}`, which is `{kept[0]}` and not released to {listing(missing)}"
                )
                help_ = f'write `release {shown} to {", ".join(missing)} "WHY IT MAY"`, or leave it out'
                words.problems.add("C052", one.span, message, help=help_, declared=words.spans.get(owner or name))


def _check_own(
    item: CheckedQuery,
    clauses: Sequence[CheckedClause],
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
) -> None:
    """Report values of what belongs to somebody that are given whoever asks.

    People whose role owns nothing of it may look at everybody's, on record.
    """
    lets = dict(item.lets)
    asked = Asked(definitions, lets)
    if any(_rests_on_asker(clause, asked) for clause in clauses):
        return
    for one in item.returns:
        if isinstance(one.value, typed.Folded) and one.value.condition is not None:
            if not asked.could_be(True, one.value.condition):
                continue
        read = {entity for entity, _ in walk.facts(one.value, definitions, lets)}
        owners = {name: set(_owners(words.entities[name], words)) for name in sorted(read)}
        strangers = [role for role in item.by if _is_stranger(role, set().union(*owners.values()), words)]
        entity = next((name for name, roles in owners.items() if roles), None)
        if entity is not None and strangers:
            message = f"`{one.name}` gives a `{entity}` to {listing(strangers)} whosever it is"
            help_ = "require that it is the asker's: `require ENTITY.OWNER == subject else refuse not_yours`"
            words.problems.add("C053", one.span, message, help=help_, declared=words.spans.get(entity))


def _rests_on_asker(clause: CheckedClause, asked: Asked) -> bool:
    """Tell whether the clause can't pass without knowing who asks, or for whom."""
    return not asked.could_be(clause.kind is ClauseKind.REQUIRE, clause.condition)


def _owners(entity: Entity, words: Vocabulary) -> Iterator[str]:
    """Yield the roles that instances of the entity belong to: by a principal that it has, or that it is found by."""
    types = [part.type for part in entity.key] + [field.type for field in entity.fields]
    for type_ in map(plain, types):
        match type_:
            case PrincipalType(role):
                yield role
            case ReferenceType(other):
                yield from (
                    part.type.role for part in words.entities[other].key if isinstance(part.type, PrincipalType)
                )
            case _:
                continue


def _is_stranger(role: str, owners: set[str], words: Vocabulary) -> bool:
    """Tell whether somebody in the role could ask for what is another's: models, and those who own such things."""
    declared = words.roles.get(role)
    return declared is not None and (declared.kind is RoleKind.MODEL or role in owners or "" in owners)
