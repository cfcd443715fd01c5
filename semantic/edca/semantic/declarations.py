"""The first pass: a spec's declarations become types and names, before any expression is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.kernel.machine import Claim, EffectDeclaration, Entity, EntityField, Role, RoleKind
from edca.kernel.types import BoolType, ListType, OptionalType, RecordType, ReferenceType, Type
from edca.semantic import composites
from edca.semantic.durations import lasting
from edca.semantic.problems import Problems, listing
from edca.semantic.vocabulary import CLOCK, Vocabulary, labels_of

if TYPE_CHECKING:
    from edca.diagnostics.source import Span


def build(spec: tree.Spec, problems: Problems) -> Vocabulary:
    """Read all declarations of a spec that expressions can name."""
    words = Vocabulary(problems)
    of = spec.declarations
    _roles(words, [d for d in of if isinstance(d, tree.RoleDeclaration)])
    for declaration in of:
        if isinstance(declaration, tree.EntityDeclaration) and words.declare(declaration.name, "entity"):
            words.types[declaration.name.text] = ReferenceType(declaration.name.text)
        elif isinstance(declaration, tree.EnumDeclaration) and words.declare(declaration.name, "enum"):
            words.types[declaration.name.text] = words.enum(declaration.name.text, declaration.values)
    _types(words, [d for d in of if isinstance(d, (tree.TypeDeclaration, tree.RecordDeclaration))])
    for declaration in of:
        if isinstance(declaration, tree.EntityDeclaration):
            _entity(words, declaration)
    _others(words, of)
    return words


def _roles(words: Vocabulary, declarations: list[tree.RoleDeclaration]) -> None:
    kinds = {kind.value: kind for kind in RoleKind}
    for declaration in declarations:
        kind = kinds.get(declaration.kind.text)
        if kind is None:
            help_ = f"a role is {listing(kinds)}"
            words.problems.add(
                "N007", declaration.kind.span, f"`{declaration.kind.text}` is no kind of role", help=help_
            )
        if words.declare(declaration.name, "role"):
            words.roles[declaration.name.text] = Role(declaration.name.text, kind or RoleKind.HUMAN)
    words.roles.setdefault(CLOCK, Role(CLOCK, RoleKind.CLOCK))


def _types(words: Vocabulary, declarations: list[tree.TypeDeclaration | tree.RecordDeclaration]) -> None:
    """Resolve named types and records in an order in which each comes after what it names; a cycle is a finding."""
    waiting = {d.name.text: d for d in declarations if words.declare(d.name, "type")}
    while waiting:
        ready = [d for d in waiting.values() if not (_names_of(d) & set(waiting))]
        if not ready:
            for declaration in waiting.values():
                words.problems.add(
                    "T015",
                    declaration.name.span,
                    f"`{declaration.name.text}` is made of itself",
                    help="a type can't contain itself, directly or through others",
                )
                words.types[declaration.name.text] = BoolType()
            return
        for declaration in ready:
            del waiting[declaration.name.text]
            if isinstance(declaration, tree.TypeDeclaration):
                words.types[declaration.name.text] = words.resolve(declaration.type)
            else:
                words.types[declaration.name.text] = _record(words, declaration)


def _record(words: Vocabulary, declaration: tree.RecordDeclaration) -> RecordType:
    seen: dict[str, Span] = {}
    parts: list[tuple[str, Type]] = []
    for member in declaration.members:
        if member.name.text in seen:
            message = f"`{member.name.text}` stands twice in one record"
            words.problems.add("N002", member.name.span, message, declared=seen[member.name.text])
            continue
        for modifier in member.modifiers:
            words.problems.add(
                "N012",
                modifier.span,
                f"a record's part can't be `{modifier.text}`",
                help="label the entity's field instead",
            )
        seen[member.name.text] = member.name.span
        parts.append((member.name.text, words.resolve(member.type)))
    return RecordType(declaration.name.text, tuple(parts))


def _names_of(declaration: tree.TypeDeclaration | tree.RecordDeclaration) -> set[str]:
    nodes = (
        [declaration.type] if isinstance(declaration, tree.TypeDeclaration) else [m.type for m in declaration.members]
    )
    names: set[str] = set()
    while nodes:
        match nodes.pop():
            case tree.NamedType(name, _):
                names.add(name.text)
            case tree.ListType(_, _, of, _) | tree.OptionalType(of, _):
                nodes.append(of)
            case _:
                continue
    return names


def _entity(words: Vocabulary, declaration: tree.EntityDeclaration) -> None:
    if not declaration.key:
        words.problems.add(
            "C011",
            declaration.name.span,
            f"`{declaration.name.text}` has no key",
            help="an entity is found by its key: write `key (id_name: id)`",
        )
    key = words.parameters(declaration.key)
    for node, parameter in zip(declaration.key, key, strict=False):
        if isinstance(parameter.type, (ReferenceType, RecordType, ListType, OptionalType)):
            help_ = "a key is made of ids, principals, enums, numbers, dates and times"
            words.problems.add("C011", node.span, f"`{parameter.name}` can't be part of a key", help=help_)
    key_types = {parameter.name: parameter.type for parameter in key}
    seen: dict[str, Span] = {}
    fields: list[EntityField] = []
    for member in declaration.members:
        name = member.name.text
        if name in seen:
            words.problems.add("N002", member.name.span, f"`{name}` stands twice in one entity", declared=seen[name])
            continue
        seen[name] = member.name.span
        if name in key_types:
            words.problems.add("N002", member.name.span, f"`{name}` is part of the key already", help="drop this line")
            continue
        fields.append(
            EntityField(
                name=name,
                type=words.resolve(member.type),
                fixed=any(modifier.text == "fixed" for modifier in member.modifiers),
                labels=labels_of(member.modifiers),
            )
        )
    fields.sort(key=lambda field_: field_.name)
    words.entities[declaration.name.text] = Entity(declaration.name.text, key, tuple(fields))


def _others(words: Vocabulary, declarations: tuple[tree.Declaration, ...]) -> None:
    for declaration in declarations:
        match declaration:
            case tree.ClaimDeclaration(name, type_, modifiers, by, text, _):
                role = words.role(by)
                if role is not None and role.kind is not RoleKind.HUMAN:
                    help_ = "name a `human` role: a claim is somebody's word, never a model's"
                    words.problems.add("C010", by.span, f"`{by.text}` can't attest a claim", help=help_)
                if words.declare(name, "claim"):
                    words.claims[name.text] = Claim(
                        name.text, words.resolve(type_), by.text, text.value, labels_of(modifiers)
                    )
            case tree.EffectDeclaration(name, parameters, _):
                if words.declare(name, "effect"):
                    words.effects[name.text] = EffectDeclaration(name.text, words.parameters(parameters))
            case tree.MemoryDeclaration(members, _):
                for member in members:
                    if words.declare(member.name, "memory field"):
                        words.memory[member.name.text] = words.resolve(member.type)
                        words.memory_labels[member.name.text] = labels_of(member.modifiers)
            case tree.CaseDeclaration():
                _case(words, declaration)
            case _:
                continue
    for declaration in declarations:
        if isinstance(declaration, (tree.StateDeclaration, tree.CompositeState)):
            composites.declare(words, declaration)
        elif isinstance(declaration, tree.TransitionDeclaration):
            _mention(words, declaration)


def _case(words: Vocabulary, declaration: tree.CaseDeclaration) -> None:
    if words.case is not None:
        words.problems.add("N002", declaration.span, "a spec has one `case`", declared=words.case.span)
        return
    words.case = declaration
    if declaration.fresh is not None:
        lasting(declaration.fresh, words.problems)
    entity = words.entity(declaration.entity)
    if entity is not None and len(entity.key) != len(declaration.keys):
        words.problems.add(
            "T004",
            declaration.span,
            f"`{entity.name}` has a key of {len(entity.key)}, found {len(declaration.keys)}",
            help=f"write `by {', '.join(parameter.name for parameter in entity.key)}`",
        )


def _mention(words: Vocabulary, declaration: tree.TransitionDeclaration) -> None:
    """Note what expressions may say of transitions before any of them is read."""
    words.offered.setdefault(declaration.name.text, declaration.name.span)
    for clause in declaration.clauses:
        if isinstance(clause, (tree.Confirm, tree.Sign)):
            words.answered.setdefault(clause.code.text, clause.code.span)
