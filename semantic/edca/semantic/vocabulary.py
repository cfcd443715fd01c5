"""The words of a spec: its types and names, and how a written type or name is resolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from edca.dsl import tree
from edca.kernel.machine import Claim, Composite, EffectDeclaration, Entity, Parameter, Role, State
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    HandleType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    TextType,
    TimeType,
    Type,
)
from edca.kernel.values import parse_decimal
from edca.semantic.problems import Problems, did_you_mean, listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from edca.diagnostics.source import Span

SIMPLE: dict[str, Type] = {
    "bool": BoolType(),
    "id": IdType(),
    "handle": HandleType(),
    "date": DateType(),
    "time": TimeType(),
    "duration": DurationType(),
}
LABELS = ("personal", "secret")
INPUT_NAMES = ("now", "proposer", "subject", "confidence")
INT_MAX = 2**63 - 1
SCALE_MAX = 12
TEXT_LENGTH_MAX = 20_000
LIST_LENGTH_MAX = 1_000
CLOCK = "clock"
UNRESOLVED = RecordType("", ())  # stands for a type that isn't there: what reads it is silent, since one mistake is one


def labels_of(modifiers: Iterable[tree.Name]) -> tuple[str, ...]:
    """Return the labels among written modifiers, sorted."""
    written = {modifier.text for modifier in modifiers}
    return tuple(label for label in LABELS if label in written)


@dataclass(slots=True)
class Vocabulary:
    """What a spec declares, by name, with where each name was declared."""

    problems: Problems
    spans: dict[str, Span] = field(default_factory=dict)
    types: dict[str, Type] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    entities: dict[str, Entity] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    effects: dict[str, EffectDeclaration] = field(default_factory=dict)
    memory: dict[str, Type] = field(default_factory=dict)
    memory_labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)
    composites: dict[str, Composite] = field(default_factory=dict)
    inside: dict[str, tuple[str, ...]] = field(default_factory=dict)  # composite → the states within
    offered: dict[str, Span] = field(default_factory=dict)  # what candidates call transitions
    answered: dict[str, Span] = field(default_factory=dict)  # codes of the clauses that people answer
    modes: dict[str, Span] = field(default_factory=dict)
    case: tree.CaseDeclaration | None = None
    enum_values: dict[str, list[EnumType]] = field(default_factory=dict)

    def declare(self, name: tree.Name, what: str) -> bool:
        """Claim a name for a declaration; false, and a finding, where it is taken."""
        if name.text in INPUT_NAMES:
            self.problems.add("N012", name.span, f"`{name.text}` has a fixed meaning and can't be declared")
            return False
        earlier = self.spans.get(name.text)
        if earlier is not None:
            first, second = earlier, name.span
            if first.source == second.source and first.start > second.start:
                first, second = second, first
            self.problems.add(
                "N002",
                second,
                f"`{name.text}` is declared twice",
                label=f"this {what}" if second is name.span else "",
                help="two meanings for one name don't compile: rename one of them",
                declared=first,
                declared_label="first declared here",
            )
            return False
        self.spans[name.text] = name.span
        return True

    # --- types ---

    def resolve(self, node: tree.Type) -> Type:
        """Return the type that is written; where it is wrong, a finding and a type near it."""
        match node:
            case tree.SimpleType(word):
                return SIMPLE[word]
            case tree.IntegerType():
                return self._integer(node)
            case tree.DecimalType():
                return self._decimal(node)
            case tree.TextType(length_max, span):
                if length_max is None:
                    self.problems.add(
                        "T011", span, "a text needs a greatest length", help="write `text(400)`: everything is bounded"
                    )
                elif not 1 <= length_max <= TEXT_LENGTH_MAX:
                    self.problems.add("T008", span, f"a text is 1 to {TEXT_LENGTH_MAX} characters long")
                return TextType(length_max or 1)
            case tree.OneOfType(values, _):
                return self.enum("", values)
            case tree.PrincipalType(role, _):
                self.role(role)
                return PrincipalType(role.text)
            case tree.ListType(low, high, of, span):
                return self._list(low, high, self.resolve(of), span)
            case tree.OptionalType(of, _):
                return OptionalType(self.resolve(of))
            case tree.NamedType(name, _):
                return self._named(name)
            case _:
                assert_never(node)

    def _integer(self, node: tree.IntegerType) -> Type:
        low, high, span = node.low, node.high, node.span
        unit = "" if node.unit is None else node.unit.text
        if low is None or high is None:
            self.problems.add(
                "T011", span, "an int needs its range", help="write `int(0 to 100)`: everything is bounded"
            )
            return IntType(-INT_MAX, INT_MAX, unit)
        if low > high or max(-low, high) > INT_MAX:
            self.problems.add("T008", span, "the range is empty or too wide", help="write the lower bound first")
        return IntType(low, high, unit)

    def _decimal(self, node: tree.DecimalType) -> Type:
        unit = "" if node.unit is None else node.unit.text
        if node.scale is None or node.low is None or node.high is None:
            help_ = "write `decimal(2, 0.00 to 100000.00)`: the number of places, then the range"
            self.problems.add("T011", node.span, "a decimal needs its places and its range", help=help_)
            return DecimalType(node.scale or 0, -INT_MAX, INT_MAX, unit)
        scale = min(node.scale, SCALE_MAX)
        low, high = parse_decimal(node.low, scale), parse_decimal(node.high, scale)
        if scale < node.scale or low is None or high is None or low > high or max(-low, high) > INT_MAX:
            self.problems.add(
                "T008",
                node.span,
                f"the bounds must fit {node.scale} places and be in order",
                help=f"at most {SCALE_MAX} places; the lower bound first",
            )
            return DecimalType(scale, -INT_MAX, INT_MAX, unit)
        return DecimalType(scale, low, high, unit)

    def _list(self, low: int | None, high: int | None, of: Type, span: Span) -> Type:
        if high is None:
            self.problems.add("T011", span, "a list needs its greatest length", help="write `list(50) of …`")
        elif not (low or 0) <= high <= LIST_LENGTH_MAX or high == 0:
            self.problems.add("T008", span, f"a list holds 1 to {LIST_LENGTH_MAX} items, the lower bound first")
        return ListType(low or 0, high or 1, of)

    def enum(self, name: str, values: Iterable[tree.EnumValue]) -> EnumType:
        """Return the enum of these values, and keep where each value may come from."""
        seen: dict[str, Span] = {}
        wires: dict[str, Span] = {}
        pairs: list[tuple[str, str]] = []
        for value in values:
            wire = value.name.text if value.wire is None else value.wire.value
            for text, known in ((value.name.text, seen), (wire, wires)):
                if text in known:
                    message = f"`{text}` stands twice in one enum"
                    self.problems.add("N002", value.span, message, declared=known[text])
                known.setdefault(text, value.span)
            pairs.append((value.name.text, wire))
        type_ = EnumType(name, tuple(dict(pairs).items()))
        for value_name in seen:
            self.enum_values.setdefault(value_name, []).append(type_)
        return type_

    def _named(self, name: tree.Name) -> Type:
        found = self.types.get(name.text)
        if found is not None:
            return found
        if name.text == "any":
            self.problems.add("T011", name.span, "`any` is no type", help="name the type: everything is bounded")
        else:
            help_ = did_you_mean(
                name.text, (*self.types, *SIMPLE), "declare it with `type`, `enum`, `record` or `entity`"
            )
            self.problems.add("N004", name.span, f"there is no type `{name.text}`", label="not declared", help=help_)
        return UNRESOLVED

    # --- names ---

    def role(self, name: tree.Name) -> Role | None:
        """Return the declared role, or report that there is none."""
        found = self.roles.get(name.text)
        if found is None:
            help_ = did_you_mean(name.text, self.roles, f"declare it: `role {name.text} human`")
            self.problems.add("N007", name.span, f"there is no role `{name.text}`", label="not declared", help=help_)
        return found

    def entity(self, name: tree.Name) -> Entity | None:
        """Return the declared entity, or report that there is none."""
        found = self.entities.get(name.text)
        if found is None:
            help_ = did_you_mean(name.text, self.entities, "declare it with `entity`")
            self.problems.add("N009", name.span, f"there is no entity `{name.text}`", label="not declared", help=help_)
        return found

    def state(self, name: tree.Name) -> State | None:
        """Return the declared state that a case can be in, or report that there is none."""
        if name.text in self.composites:
            self.problems.add(
                "C035",
                name.span,
                f"`{name.text}` stands for several states, and a case is in one",
                help=f"name one of those within: {listing(self.inside[name.text])}",
                declared=self.spans[name.text],
            )
            return None
        found = self.states.get(name.text)
        if found is None:
            known = (*self.states, *self.composites)
            help_ = did_you_mean(name.text, known, f"declared states: {listing(known)}")
            self.problems.add("N006", name.span, f"there is no state `{name.text}`", label="not declared", help=help_)
        return found

    def states_of(self, names: Iterable[tree.Name]) -> tuple[str, ...] | None:
        """Return the states of these names, once each: a composite's are all within it. Null where one is wrong."""
        found: dict[str, None] = {}
        whole = True
        for name in names:
            if name.text in self.composites:
                found |= dict.fromkeys(self.inside[name.text])
                whole = whole and bool(self.inside[name.text])
            elif (state := self.state(name)) is not None:
                found[state.name] = None
            else:
                whole = False
        return tuple(found) if whole else None

    def transitions(self, names: Iterable[tree.Name]) -> tuple[str, ...] | None:
        """Return the offered names of transitions, sorted, once each. Null where one is wrong."""
        found: set[str] = set()
        whole = True
        for name in names:
            if name.text in self.offered:
                found.add(name.text)
                continue
            whole = False
            help_ = did_you_mean(name.text, self.offered, f"its transitions are {listing(self.offered)}")
            message = f"there is no transition `{name.text}`"
            self.problems.add("N015", name.span, message, label="not declared", help=help_)
        return tuple(sorted(found)) if whole else None

    def parameters(self, nodes: Iterable[tree.Parameter], *, labelled: bool = False) -> tuple[Parameter, ...]:
        """Return parameters with their types, reporting names that stand twice, and modifiers where none can be."""
        seen: dict[str, Span] = {}
        found: list[Parameter] = []
        for node in nodes:
            if node.name.text in seen:
                message = f"`{node.name.text}` stands twice"
                self.problems.add("N002", node.name.span, message, declared=seen[node.name.text])
                continue
            if node.name.text in INPUT_NAMES:
                self.problems.add("N012", node.name.span, f"`{node.name.text}` has a fixed meaning")
            seen[node.name.text] = node.name.span
            for modifier in () if labelled else node.modifiers:
                help_ = "label fields, memory, claims and the parameters of transitions"
                self.problems.add("N012", modifier.span, f"`{modifier.text}` means nothing here", help=help_)
            labels = labels_of(node.modifiers) if labelled else ()
            found.append(Parameter(node.name.text, self.resolve(node.type), labels))
        return tuple(found)
