"""Which labelled values an expression reads, and who may know of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.expression import Input
from edca.kernel.machine import RoleKind
from edca.kernel.types import ListType, OptionalType, PrincipalType, RecordType, Type
from edca.semantic import typed, walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from edca.kernel.machine import Release
    from edca.semantic.checked import CheckedClause
    from edca.semantic.vocabulary import Vocabulary

Labelled = tuple[str | None, str]  # entity, field; or null and the name of a memory field or claim


def read(
    expression: typed.Expression,
    words: Vocabulary,
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression] = walk.NO_LETS,
) -> set[Labelled]:
    """Return the labelled facts, memory fields and claims that the expression reads; arguments are the proposer's."""
    found: set[Labelled] = set()
    for node in walk.nodes(expression, definitions, lets):
        match node:
            case typed.FactRead(_, entity, field, _, True):
                found.add((entity, field))
            case typed.MemoryRead(name) if words.memory_labels.get(name):
                found.add((None, name))
            case typed.ClaimRead(name) if words.claims[name].labels:
                found.add((None, name))
            case _:
                continue
    return found


def withheld(
    clause: CheckedClause,
    by: Iterable[str],
    words: Vocabulary,
    releases: Iterable[Release],
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression] = walk.NO_LETS,
) -> bool:
    """Tell whether a model may not know that this clause failed, by anything that it reads: see `hides`."""
    expressions = [clause.condition, *clause.distinct_from]
    if clause.limit is not None:
        expressions += [clause.limit.bound, *clause.limit.keys]
        expressions += [] if clause.limit.measure is None else [clause.limit.measure]
    return hides(expressions, by, words, releases, definitions, lets)


def hides(
    expressions: Sequence[typed.Expression],
    by: Iterable[str],
    words: Vocabulary,
    releases: Iterable[Release],
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression] = walk.NO_LETS,
) -> bool:
    """Tell whether a model may not know how these came out: they compare identities, or read labelled values that
    aren't released to every model role that may propose (where none may, to every model role there is).
    """
    if any(_tells_who(expression, definitions, lets) for expression in expressions):
        return True
    labelled = {value for expression in expressions for value in read(expression, words, definitions, lets)}
    if not labelled:
        return False
    models = {role.name for role in words.roles.values() if role.kind is RoleKind.MODEL}
    models = (models & set(by)) or models
    released = {(release.owner, release.name, to) for release in releases for to in release.to}
    return not models or any((*value, model) not in released for value in labelled for model in models)


def _tells_who(
    expression: typed.Expression,
    definitions: Mapping[str, typed.Definition],
    lets: Mapping[str, typed.Expression],
) -> bool:
    """Tell whether the expression reads on whose behalf it is, or weighs who proposes against whom a fact names.

    How that comes out tells what isn't theirs from what isn't there. Who acted in a case before is no such fact:
    whoever is told of it can see the case.
    """
    read = list(walk.nodes(expression, definitions, lets))
    inputs = {node.input for node in read if isinstance(node, typed.InputRead)}
    named = any(isinstance(node, typed.FactRead) and _names_somebody(node.type) for node in read)
    return Input.SUBJECT in inputs or (Input.PROPOSER in inputs and named)


def _names_somebody(type_: Type) -> bool:
    match type_:
        case PrincipalType():
            return True
        case OptionalType(of) | ListType(of=of):
            return _names_somebody(of)
        case RecordType(_, parts):
            return any(_names_somebody(part) for _, part in parts)
        case _:
            return False
