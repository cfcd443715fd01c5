"""The terms of expressions: what is written as a value, names, and the fields and parts of what they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.types import (
    EnumType,
    IdType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    Type,
    describe,
)
from edca.kernel.values import ID_LENGTH_MAX, parse_decimal
from edca.semantic import typed
from edca.semantic.problems import did_you_mean, listing
from edca.semantic.relations import fits, numeric, plain
from edca.semantic.vocabulary import INT_MAX

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl import tree
    from edca.semantic.scope import Scope

Checked = typed.Expression | None


def report(scope: Scope, code: str, span: Span, message: str, **more: str | None) -> None:
    """Add one finding."""
    label = more.get("label") or ""
    scope.words.problems.add(code, span, message, label=label, help=more.get("help"))


def number(scope: Scope, node: tree.Number, digits: str) -> Checked:
    """Return a written number, in the fewest decimal places that hold it."""
    scale = len(digits.partition(".")[2])
    whole = parse_decimal(digits, scale)
    if whole is None or whole > INT_MAX:
        report(scope, "P003", node.span, f"`{digits}` has too many digits")
        return None
    return typed.Literal(whole, numeric(scale, whole, whole, ""))


def string(scope: Scope, node: tree.String, value: str, expected: Type | None) -> Checked:
    """Return a written text, or the identity that it names where one is expected."""
    wanted = plain(expected) if expected is not None else None
    if isinstance(wanted, (IdType, PrincipalType)):
        if 1 <= len(value) <= ID_LENGTH_MAX and value.isprintable():
            return typed.Literal(value, wanted)
        report(scope, "P003", node.span, f"an id is 1 to {ID_LENGTH_MAX} printable characters")
        return None
    if isinstance(wanted, EnumType):
        message = f"expected {describe(wanted)}, found text"
        help_ = did_you_mean(value, dict(wanted.values), "name the value without quotes")
        report(scope, "N010", node.span, message, help=help_)
        return None
    return typed.Literal(value, TextType(max(1, len(value))))


def written(value: int | None, type_: Type) -> Checked:
    """Return a written day or instant."""
    return None if value is None else typed.Literal(value, type_)  # the parser has reported a day that doesn't exist


def variable(scope: Scope, node: tree.Variable, expected: Type | None) -> Checked:
    """Return what a bare name means, or null with a finding; an enum value may need to know what is expected."""
    name = node.name.text
    found = scope.read(name)
    wanted = plain(expected) if expected is not None else None
    if found is not None:
        if isinstance(wanted, EnumType) and name in dict(wanted.values) and not fits(found.type, wanted):
            rename = "rename one of them: two meanings for one name don't compile"
            report(
                scope, "N003", node.span, f"`{name}` is both a value of {describe(wanted)} and a name here", help=rename
            )
            return None
        return found
    if isinstance(wanted, EnumType):
        if name in dict(wanted.values):
            return typed.Literal(name, wanted)
        help_ = did_you_mean(name, dict(wanted.values), f"its values are {listing(dict(wanted.values))}")
        report(scope, "N010", node.span, f"{describe(wanted)} has no value `{name}`", label="no such value", help=help_)
        return None
    enums = scope.enum_of(name)
    if len(enums) == 1:
        return typed.Literal(name, enums[0])
    if enums:
        names = listing(enum.name for enum in enums)
        report(scope, "N003", node.span, f"`{name}` is a value of several enums: {names}")
        return None
    if name in scope.definitions:
        report(scope, "T004", node.span, f"`{name}` needs its arguments", help=f"write `{name}(…)`")
        return None
    if name in scope.words.entities:
        help_ = f"say which one: `lookup {name}(…)`"
        report(scope, "N001", node.span, f"`{name}` is an entity, but this case is not about one", help=help_)
        return None
    suggestion = did_you_mean(name, [*scope.visible(), *scope.words.enum_values])
    if name in ("null", "none", "nil"):
        suggestion = "a value that isn't there is tested with `is present` or `is absent`"
    elif isinstance(scope.words.types.get(name), EnumType):
        suggestion = f"`{name}` is an enum: write one of its values alone"
    report(scope, "N001", node.span, f"`{name}` means nothing here", label="not declared", help=suggestion)
    return None


def field(scope: Scope, node: tree.Field, base: typed.Expression) -> Checked:
    """Return the field of an entity, or the part of a record, that `base` is; null with a finding."""
    name, type_ = node.name.text, plain(base.type)
    if isinstance(type_, ReferenceType):
        return _fact(scope, node, base, type_.entity)
    if isinstance(type_, RecordType):
        for index, (part, part_type) in enumerate(type_.parts):
            if part == name:
                return typed.PartRead(base, name, index, _through(base.type, part_type))
        help_ = did_you_mean(name, dict(type_.parts), f"its parts are {listing(dict(type_.parts))}")
        report(
            scope, "T003", node.name.span, f"{describe(type_)} has no part `{name}`", label="not declared", help=help_
        )
        return None
    help_ = f"use a quantifier: `some x in … satisfies x.{name} …`" if isinstance(type_, ListType) else ""
    report(scope, "T003", node.name.span, f"{describe(base.type)} has no part `{name}`", help=help_)
    return None


def _fact(scope: Scope, node: tree.Field, base: typed.Expression, entity_name: str) -> Checked:
    name, entity = node.name.text, scope.words.entities[entity_name]
    for index, part in enumerate(entity.key):
        if part.name == name:
            return typed.FactRead(base, entity_name, name, index, False, _through(base.type, part.type))
    for member in entity.fields:
        if member.name == name:
            if scope.factless and not scope.ensure and isinstance(base, typed.InputRead):
                help_ = f"only its key is known before; test `{entity_name}.{name}` in `ensure`"
                report(
                    scope,
                    "N005",
                    node.span,
                    f"this transition creates the {entity_name}: it has no fields yet",
                    help=help_,
                )
                return None
            return typed.FactRead(base, entity_name, name, None, bool(member.labels), _through(base.type, member.type))
    known = [*(part.name for part in entity.key), *(member.name for member in entity.fields)]
    scope.words.problems.add(
        "N005",
        node.name.span,
        f"`{entity_name}` has no field `{name}`",
        label="not declared",
        help=did_you_mean(name, known, f"its fields are {listing(known)}"),
        declared=scope.words.spans.get(entity_name),
    )
    return None


def _through(base: Type, part: Type) -> Type:
    """Return the type of a part of a base: what may be absent has parts that may be absent."""
    return OptionalType(plain(part)) if isinstance(base, OptionalType) else part
