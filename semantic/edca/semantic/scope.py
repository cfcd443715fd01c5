"""What a name means where it stands."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from edca.kernel.expression import Input
from edca.kernel.types import DecimalType, EnumType, PrincipalType, ReferenceType, TimeType, Type
from edca.semantic import typed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.semantic.typed import Definition
    from edca.semantic.vocabulary import Vocabulary

INPUTS: dict[str, tuple[Input, Type]] = {
    "now": (Input.NOW, TimeType()),
    "proposer": (Input.PROPOSER, PrincipalType("")),
    "subject": (Input.SUBJECT, PrincipalType("")),
    "confidence": (Input.CONFIDENCE, DecimalType(4, 0, 10_000)),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The names that an expression can use.

    `case_entity` is the entity whose instance the case is about, null where none can be named. `factless`: the case's
    instance doesn't exist yet, so its key can be named but no field of it read. `references`: a scenario names
    instances of entities by their key. `written` are the lets whose value is only written, so that it has any unit.
    `standing`: what holds between candidates, so nothing that one of them brings can be named.
    """

    words: Vocabulary
    definitions: Mapping[str, Definition] = field(default_factory=dict)
    arguments: Mapping[str, Type] = field(default_factory=dict)
    lets: Mapping[str, Type] = field(default_factory=dict)
    locals: Mapping[str, Type] = field(default_factory=dict)
    written: frozenset[str] = frozenset()
    case_entities: tuple[str, ...] = ()
    factless: bool = False
    ensure: bool = False
    constant: bool = False
    standing: bool = False
    references: bool = False
    depth: int = 0

    def within(self, name: str, type_: Type) -> Scope:
        """Return the scope inside a quantifier that binds `name`."""
        return replace(self, locals={**self.locals, name: type_}, depth=self.depth + 1)

    def read(self, name: str) -> typed.Expression | None:
        """Return what a bare name reads, or null where it means nothing here."""
        if name in self.locals:
            return typed.LocalRead(name, self.locals[name])
        if self.constant:
            return None
        if name in self.arguments:
            return typed.ArgumentRead(name, self.arguments[name])
        if name in self.lets:
            return typed.LetRead(name, self.lets[name])
        if name in INPUTS and (not self.standing or name == "now"):
            return typed.InputRead(*INPUTS[name])
        if name in self.words.memory:
            return typed.MemoryRead(name, self.words.memory[name])
        if name in self.words.claims and not self.standing:
            return typed.ClaimRead(name, self.words.claims[name].type)
        if name in self.case_entities:
            return typed.InputRead(Input.CASE, ReferenceType(name))
        definition = self.definitions.get(name)
        if definition is not None and not definition.parameters:
            return typed.Applied(name, (), definition.body.type)
        return None

    def taken(self, name: str) -> bool:
        """Tell whether a new variable of that name would hide something."""
        return name in self.definitions or self.read(name) is not None

    def visible(self) -> list[str]:
        """Return every name that means something here, for suggestions."""
        names = [*self.locals]
        if not self.constant:
            names += [*self.arguments, *self.lets, *self.words.memory, *self.case_entities]
            names += ["now"] if self.standing else [*INPUTS, *self.words.claims]
        return [*names, *self.definitions]

    def enum_of(self, value: str) -> list[EnumType]:
        """Return the distinct enums that have a value of that name."""
        found: list[EnumType] = []
        for type_ in self.words.enum_values.get(value, []):
            if all(type_.values != other.values for other in found):
                found.append(type_)
        return found
