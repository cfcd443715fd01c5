"""Writes expressions by chance that check by construction: what stands where is chosen by its type.

`mistakes` above 0 lets now and then something of another type stand there: then the checker has to find it.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from readable_names import NUMBERS, Name, Scope, readable, scale_of, sort_of

from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
    decimal_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

ORDER = ("<", "<=", ">", ">=", "==", "!=")
QUANTIFIERS_MAX = 2


class ExpressionWriter:
    """Writes expressions of a wanted type."""

    def __init__(self, random: Random, mistakes: float = 0.0) -> None:
        """Choose by `random`; `mistakes` is the share of names instead of which any other name is written."""
        self.random = random
        self.mistakes = mistakes
        self._variables = 0

    # --- constants ---

    def constant(self, type_: Type, *, scenario: bool = False) -> str:
        """A value, written out; in a scenario an entity stands for itself."""
        random = self.random
        match type_:
            case BoolType():
                return random.choice(["true", "false"])
            case IntType(low, high) | DecimalType(_, low, high):
                return self.digits(type_, low, high)
            case TextType():
                return random.choice(['"a"', '""', '"b c"'])
            case IdType() | PrincipalType():
                return random.choice(['"k1"', '"k2"'])
            case DateType():
                return random.choice(["2024-02-29", "2026-03-20", "2026-12-31"])
            case TimeType():
                return random.choice(["2026-03-20T12:00:00Z", "2026-01-01T00:00:00Z"])
            case DurationType():
                return random.choice(["1 second", "90 minutes", "36 hours", "3 days", "2 weeks"])
            case EnumType(_, values):
                return random.choice(values)[0]
            case RecordType(name, parts):
                return f"{name}({', '.join(self.constant(part, scenario=scenario) for _, part in parts)})"
            case ReferenceType(entity):
                return f'{entity}("k1")' if scenario else f'lookup {entity}("k1")'
            case ListType(low, high, of):
                count = random.randint(max(1, low), min(3, high))
                return f"[{', '.join(self.constant(of, scenario=scenario) for _ in range(count))}]"
            case OptionalType(of):
                return self.constant(of, scenario=scenario)

    def digits(self, type_: Type, low: int, high: int) -> str:
        """A number of the type that isn't negative, where its range allows that."""
        chosen = self.random.choice([low, high, self.random.randint(low, high)])
        return decimal_text(max(chosen, 0), scale_of(type_))

    # --- by type ---

    def value(self, scope: Scope, type_: Type, depth: int, *, strict: bool = True) -> str:
        """An expression of that type; `strict`: not one that may be absent."""
        match type_:
            case BoolType():
                return self.truth(scope, depth)
            case IntType() | DecimalType():
                return self.number(scope, type_.unit, scale_of(type_), depth, strict=strict)
            case OptionalType(of):
                return self.value(scope, of, depth, strict=False)
            case DateType() | TimeType() | DurationType():
                return self._moment(scope, type_, depth, strict=strict)
            case ListType():
                return self._list(scope, type_, depth)
            case _:
                return self._plain(scope, type_, depth, strict=strict)

    def _leaf(self, scope: Scope, type_: Type, *, strict: bool) -> str | None:
        if self.mistakes and scope.names and self.random.random() < self.mistakes:
            return self.random.choice(scope.names).text
        sort = sort_of(type_)
        sorts = [sort] if strict else [sort, ("optional", *sort)]
        names = [n for of in sorts for n in scope.of(of) if scale_of(n.type) <= scale_of(type_)]
        return self.random.choice(names).text if names else None

    def _plain(self, scope: Scope, type_: Type, depth: int, *, strict: bool) -> str:
        """An enum value, text, id, principal, entity or record."""
        leaf = self._leaf(scope, type_, strict=strict)
        if isinstance(type_, PrincipalType) and self.random.random() < 0.3 and scope.of(("who", "")):
            return self.random.choice(scope.of(("who", ""))).text
        if depth and self.random.random() < 0.15 and leaf is not None:
            condition = self.truth(scope, depth - 1)
            other = self._leaf(scope, type_, strict=strict) or leaf
            return f"(if {condition} then {leaf} else {other})"
        if leaf is None or self.random.random() < 0.1:
            return self.constant(type_)
        return leaf

    def number(self, scope: Scope, unit: str, scale: int, depth: int, *, strict: bool = True) -> str:
        """A number in that unit, with at most so many places; more than a literal if it has a unit."""
        type_ = DecimalType(scale, 0, 900, unit) if scale else IntType(0, 900, unit)
        leaf = self._leaf(scope, type_, strict=strict)
        if leaf is None or (not unit and self.random.random() < 0.2):
            leaf = self.digits(type_, 0, 900) if not unit else leaf
        if leaf is None:
            raise LookupError(f"nothing has the unit {unit}")
        if depth == 0 or self.random.random() < 0.3:
            return leaf

        def again(*, strict: bool = False) -> str:
            return self.number(scope, unit, scale, depth - 1, strict=strict)

        def either() -> str:
            return self.digits(type_, 0, 900) if self.random.random() < 0.4 else again()

        forms: list[Callable[[], str | None]] = [
            lambda: f"({again()} + {either()})",
            lambda: f"({again()} - {either()})",
            lambda: f"({again()} * {self.random.randint(0, 9)})",
            lambda: f"{self.random.choice(['min', 'max'])}({again()}, {again()})",
            lambda: f"(if {self.truth(scope, depth - 1)} then {again(strict=strict)} else {again(strict=strict)})",
            lambda: self._fold(scope, type_, depth),
            lambda: self.call(scope, type_, depth),
        ]
        if not unit:
            forms.append(lambda: self._count(scope, depth))
        return self.random.choice(forms)() or leaf

    def _moment(self, scope: Scope, type_: Type, depth: int, *, strict: bool) -> str:
        """A date, time or duration."""
        leaf = self._leaf(scope, type_, strict=strict)
        if leaf is None or self.random.random() < 0.2:
            leaf = self.constant(type_)
        if depth == 0 or self.random.random() < 0.4:
            return leaf

        def part(of: Type) -> str:
            return self.value(scope, of, depth - 1, strict=False)

        sign = self.random.choice("+-")
        if isinstance(type_, DateType):
            return f"({part(type_)} {sign} {self.random.randint(1, 30)} days)"
        if isinstance(type_, TimeType):
            return f"({part(type_)} {sign} {part(DurationType())})"
        forms = [
            f"({part(TimeType())} - {part(TimeType())})",
            f"({part(DateType())} - {part(DateType())})",
            f"({part(DurationType())} * {self.random.randint(1, 5)})",
            f"({part(DurationType())} {sign} {part(DurationType())})",
        ]
        return self.random.choice(forms)

    def _list(self, scope: Scope, type_: ListType, depth: int) -> str:
        names = [n.text for n in scope.of(sort_of(type_))]
        if not names or self.random.random() < 0.2:
            return self.constant(type_)
        chosen = self.random.choice(names)
        if depth and self.random.random() < 0.2:
            return f"distinct({chosen})"
        return chosen

    # --- truths ---

    def truth(self, scope: Scope, depth: int) -> str:
        """A condition."""
        leaf = self._leaf(scope, BoolType(), strict=True) or "true"
        if depth == 0:
            return leaf if self.random.random() < 0.5 else self._comparison(scope, 0) or leaf
        inner = depth - 1
        forms: list[Callable[[], str | None]] = [
            lambda: f"(not {self.truth(scope, inner)})",
            lambda: f"({self.truth(scope, inner)} and {self.truth(scope, inner)})",
            lambda: f"({self.truth(scope, inner)} or {self.truth(scope, inner)} or {self.truth(scope, 0)})",
            lambda: f"(if {self.truth(scope, inner)} then {self.truth(scope, inner)} else {self.truth(scope, inner)})",
            lambda: self._comparison(scope, inner),
            lambda: self._comparison(scope, inner),
            lambda: self._presence(scope, inner),
            lambda: self._quantifier(scope, inner),
            lambda: self._quantifier(scope, inner),
            lambda: self._membership(scope, inner),
            lambda: self.call(scope, BoolType(), inner),
            lambda: self._acted(scope),
        ]
        return self.random.choice(forms)() or leaf

    def condition(self, scope: Scope, depth: int = 2) -> str:
        """A condition as it stands in a clause: without brackets around the whole."""
        text = self.truth(scope, depth)
        whole = text.startswith("(") and text.endswith(")") and _closes_last(text)
        return text[1:-1] if whole else text

    def _comparison(self, scope: Scope, depth: int) -> str | None:
        sorts = [s for s in scope.by_sort if s[0] not in ("list", "optional", "BoolType")]
        if not sorts:
            return "1 < 2"
        type_ = self.random.choice(scope.of(self.random.choice(sorts))).type
        operator = self.random.choice(ORDER)
        if not isinstance(type_, (*NUMBERS, DateType, TimeType, DurationType)):
            operator = self.random.choice(["==", "!="])
        left = self.value(scope, type_, depth, strict=False)
        if isinstance(type_, NUMBERS) and self.random.random() < 0.4:
            right = self.digits(type_, type_.low, type_.high)
        else:
            right = self.value(scope, type_, depth, strict=False)
        if left == right and isinstance(type_, EnumType):
            left = self._leaf(scope, type_, strict=False) or left
        if isinstance(type_, EnumType) and left in dict(type_.values) and right in dict(type_.values):
            return None  # nothing would tell which enum it is
        return f"({left} {operator} {right})"

    def _presence(self, scope: Scope, depth: int) -> str | None:
        sorts = scope.sorts("optional")
        if not sorts:
            return None
        name = self.random.choice(scope.of(self.random.choice(sorts)))
        found = f"({name.text} is {self.random.choice(['present', 'absent'])})"
        if isinstance(name.type, OptionalType) and isinstance(name.type.of, NUMBERS):
            other = self.value(scope, name.type.of, depth, strict=False)
            return f"({name.text} is present and {name.text} {self.random.choice(ORDER)} {other})"
        return found

    def _membership(self, scope: Scope, depth: int) -> str | None:
        operator = self.random.choice(["in", "not in"])
        enums = scope.sorts("enum")
        if enums and self.random.random() < 0.5:
            name = self.random.choice(scope.of(self.random.choice(enums)))
            return f"({name.text} {operator} {self.constant(ListType(1, 2, name.type))})"
        lists = self._lists(scope)
        if not lists:
            return None
        over = self.random.choice(lists)
        of = over.type.of if isinstance(over.type, ListType) else BoolType()
        if isinstance(of, ListType):
            return None
        return f"({self.value(scope, of, depth, strict=False)} {operator} {over.text})"

    def _acted(self, scope: Scope) -> str | None:
        """Something about who acted before."""
        offered, codes = scope.history
        who = self.random.choice(scope.of(("who", ""))).text if scope.of(("who", "")) else None
        if codes and self.random.random() < 0.5:
            code = self.random.choice(codes)
            if who is not None and self.random.random() < 0.5:
                return f"({who} {self.random.choice(['in', 'not in'])} signers of {code})"
            return f"(count(signers of {code}) >= {self.random.randint(0, 2)})"
        if not offered or who is None:
            return None
        return f"({who} {self.random.choice(['==', '!='])} proposer of {self.random.choice(offered)})"

    # --- lists ---

    def _lists(self, scope: Scope) -> list[Name]:
        return [name for sort in scope.sorts("list") for name in scope.of(sort)]

    def _variable(self, scope: Scope, type_: Type) -> tuple[str, Scope]:
        self._variables += 1
        name = f"v{self._variables}"
        names = readable(scope.things, Name(name, type_, "variable"), hops=1)
        names = [n for n in names if not (isinstance(n.type, RecordType) and n.type.name == "pair")]
        return name, dataclasses.replace(scope.adding(names), depth=scope.depth + 1)

    def _domain(self, scope: Scope) -> tuple[str, Type] | None:
        """A list, and what is in it."""
        lists = self._lists(scope)
        if not lists or scope.depth >= QUANTIFIERS_MAX:
            return None
        over = self.random.choice(lists)
        if not isinstance(over.type, ListType):
            return None
        of = over.type.of
        match self.random.randrange(6):
            case 0:
                return f"pairs({over.text})", RecordType("pair", (("first", of), ("second", of)))
            case 1:
                other = self.random.choice(lists)
                second = other.type.of if isinstance(other.type, ListType) else of
                return f"zip({over.text}, {other.text})", RecordType("pair", (("first", of), ("second", second)))
            case _:
                return over.text, of

    def _quantifier(self, scope: Scope, depth: int) -> str | None:
        domain = self._domain(scope)
        if domain is None:
            return None
        name, inner = self._variable(scope, domain[1])
        word = self.random.choice(["every", "some"])
        return f"({word} {name} in {domain[0]} satisfies {self.truth(inner, depth)})"

    def _count(self, scope: Scope, depth: int) -> str | None:
        domain = self._domain(scope)
        if domain is None:
            return None
        if self.random.random() < 0.4:
            return f"count({domain[0]})"
        name, inner = self._variable(scope, domain[1])
        return f"count({name} in {domain[0]} where {self.truth(inner, depth - 1)})"

    def _fold(self, scope: Scope, type_: Type, depth: int) -> str | None:
        """A sum, greatest or least over a list."""
        domain = self._domain(scope)
        if domain is None or not isinstance(type_, NUMBERS):
            return None
        name, inner = self._variable(scope, domain[1])
        try:
            body = self.number(inner, type_.unit, scale_of(type_), depth - 1, strict=False)
        except LookupError:
            return None
        where = f" where {self.truth(inner, 0)}" if self.random.random() < 0.4 else ""
        return f"{self.random.choice(['sum', 'min', 'max'])}({body} for {name} in {domain[0]}{where})"

    # --- rules ---

    def call(self, scope: Scope, type_: Type, depth: int) -> str | None:
        """A define or table that yields the type, applied."""
        rules = [
            rule
            for rule in scope.rules
            if sort_of(rule.result) == sort_of(type_) and scale_of(rule.result) <= scale_of(type_)
        ]
        if not rules:
            return None
        rule = self.random.choice(rules)
        if not rule.parameters:
            return rule.name
        return f"{rule.name}({', '.join(self._argument(scope, part, depth) for part in rule.parameters)})"

    def _argument(self, scope: Scope, type_: Type, depth: int) -> str:
        """A value for a parameter, which is proved complete for its range and not beyond it."""
        if not isinstance(type_, NUMBERS):
            return self.value(scope, type_, max(0, depth - 1))
        fitting = [n for n in scope.of(sort_of(type_)) if n.type == type_]
        if fitting and self.random.random() < 0.7:
            return self.random.choice(fitting).text
        return self.digits(type_, type_.low, type_.high)


def _closes_last(text: str) -> bool:
    """Tell whether the first bracket is closed by the last character."""
    depth = 0
    inside = False
    for place, character in enumerate(text):
        if character == '"':
            inside = not inside
        elif not inside and character in "()":
            depth += 1 if character == "(" else -1
            if depth == 0:
                return place == len(text) - 1
    return False
