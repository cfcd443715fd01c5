"""Lowered expressions in the notation of the language: what a clause tests, told from the machine alone.

A machine holds no names of variables, no defines and no scales; numbers are whole numbers of units that lowering has
aligned. So the notation is worked out again: types from what is read, the scale of a number from what it is compared
with, names of variables from what their lists hold. It says what the kernel evaluates, in as few words as the author's
own; a define stands written out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from edca.kernel import expression as ir
from edca.kernel.calendar import DAY, date_text, duration_text, time_text
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    IntType,
    ListType,
    RecordType,
    ReferenceType,
    TimeType,
    Type,
    decimal_text,
)
from edca.semantic.lowered import nodes
from edca.semantic.notation_types import DAYS, INT, Typing, aligned, element, is_days, let_types, number, scale_of
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.machine import Machine, Query, Transition
    from edca.kernel.values import Value

LENGTH_MAX = 600  # characters of a whole expression; what is longer ends in `…`
_BOUND_LENGTH_MAX = 200  # of a value that is written out where a variable stands for it
_STEPS_MAX = 20_000  # parts written, those of values that are written out several times each time

_OPPOSITE = {
    ir.Comparison.EQUAL: ir.Comparison.UNEQUAL,
    ir.Comparison.LESS: ir.Comparison.AT_LEAST,
    ir.Comparison.AT_MOST: ir.Comparison.GREATER,
}
_OPPOSITE |= {other: one for one, other in _OPPOSITE.items()}
_OPEN, _OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _PRIMARY = range(8)


@dataclass(frozen=True, slots=True)
class _Text:
    """A piece of notation, and how tightly it holds together."""

    text: str
    level: int

    def at(self, level: int) -> str:
        """Return the text where something of that level must stand."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass(frozen=True, slots=True)
class Notation:
    """Writes the expressions of a machine: those of one transition, or of cases about one entity."""

    machine: Machine
    about: str
    parameters: Mapping[str, Type] = field(default_factory=dict)
    lets: Mapping[str, ir.Expression] = field(default_factory=dict)
    let_types: Mapping[str, Type] = field(default_factory=dict)

    @staticmethod
    def of(machine: Machine, transition: Transition | Query) -> Notation:
        """Return what writes the expressions of a transition or query."""
        parameters = {parameter.name: parameter.type for parameter in transition.parameters}
        lets = {let.name: let.value for let in transition.lets}
        read = [*lets.values(), *(clause.condition for clause in transition.clauses)]
        about = transition.about or ""
        typed = let_types(Typing(machine, about, parameters, lets), read)
        return Notation(machine, about, parameters, lets, typed)

    def write(self, node: ir.Expression, type_: Type | None = None) -> str:
        """Return an expression on one line, shortened if it is too long. `type_` is what it is used as, if known."""
        typing = Typing(self.machine, self.about, self.parameters, self.lets, self.let_types)
        index = self.machine.index
        taken = frozenset((*self.parameters, *self.lets, *index.memory, *index.claims, *index.entities))
        writer = _Writer(typing, {}, taken, [_STEPS_MAX])
        return _shortened(writer.write(node, type_ or typing.of(node)).text, LENGTH_MAX)

    def write_lets(self, texts: Iterable[str]) -> list[str]:
        """Return `let NAME = …` for each let that stands in one of the texts, or in another such let."""
        found, seen = list[str](), list(texts)
        for name, value in reversed(tuple(self.lets.items())):  # a let reads only those before it
            if any(re.search(rf"\b{name}\b", text) for text in seen):
                found.insert(0, f"let {name} = {self.write(value, self.let_types.get(name))}")
                seen.append(found[0])
        return found


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes inside the folds and bindings around.

    `variables` are the names of the folds' variables, and the values that bindings stand for, each with what writes
    it; `taken` are the names in use around, `steps` is how many parts may still be written.
    """

    typing: Typing
    variables: Mapping[str, str | tuple[_Writer, ir.Expression]]
    taken: frozenset[str]
    steps: list[int]

    def _bound(self, node: ir.Bind) -> _Writer:
        """Return what writes inside a `Bind`: its value is written out wherever the variable stands."""
        inner = self.typing.bound(node.name, node.value)
        return replace(self, typing=inner, variables={**self.variables, node.name: (self, node.value)})

    def _within(self, node: ir.Reduce) -> tuple[str, _Writer]:
        """Return a fold's variable, called after what its list holds, and what writes inside the fold."""
        of = element(self.typing.of(node.domain))
        whole = of.entity if isinstance(of, ReferenceType) else of.name if isinstance(of, RecordType) else ""
        stem = whole[:1] or "x"
        name = next(each for each in (stem, *(f"{stem}{count}" for count in range(2, 200))) if each not in self.taken)
        variables = {**self.variables, node.name: name}
        return name, replace(self, typing=self.typing.within(node), variables=variables, taken=self.taken | {name})

    def write(self, node: ir.Expression, type_: Type | None) -> _Text:
        """Return an expression that is used as a value of `type_`, null where nothing tells that."""
        if not self.steps[0]:
            return _Text("…", _PRIMARY)
        self.steps[0] -= 1
        match node:
            case ir.Constant(value):
                return _constant(value, type_)
            case ir.ReadInput(ir.Input.CASE):
                return _Text(self.typing.about, _PRIMARY)
            case ir.ReadInput(input_):
                return _Text(input_.value, _PRIMARY)
            case ir.ReadArgument(name) | ir.ReadMemory(name) | ir.ReadClaim(name):
                return _Text(name, _PRIMARY)
            case ir.ReadLet(name):
                return self._let(node, type_)
            case ir.ReadLocal(name):
                return self._local(name, type_)
            case ir.ReadHistory(history, name):
                return _Text(f"{history.value} of {name}", _PRIMARY)
            case ir.ReadFact(base, entity, name):
                return _Text(f"{self.write(base, ReferenceType(entity)).at(_PRIMARY)}.{name}", _PRIMARY)
            case ir.ReadPart(base, index):
                part, _ = self.typing.part(base, index)
                return _Text(f"{self.write(base, self.typing.of(base)).at(_PRIMARY)}.{part}", _PRIMARY)
            case ir.MakeTuple(parts):
                return self._made(parts, type_)
            case ir.Negation(operand):
                return self._negated(operand)
            case ir.Conjunction(operands):
                return _Text(" and ".join(self._truth(each).at(_NOT) for each in operands), _AND)
            case ir.Disjunction(operands):
                return _Text(" or ".join(self._truth(each).at(_NOT) for each in operands), _OR)
            case ir.Compare(comparison, left, right):
                return self._compared(comparison, left, right)
            case ir.Contains(item, domain):
                return self._contained("in", item, domain)
            case ir.IsPresent(operand):
                return _Text(f"{self.write(operand, self.typing.of(operand)).at(_SUM)} is present", _COMPARISON)
            case ir.Arithmetic():
                return self._arithmetic(node, type_)
            case ir.Choice(condition, then, otherwise):
                whole = f"if {self._truth(condition).text} then {self.write(then, type_).text}"
                return _Text(f"{whole} else {self.write(otherwise, type_).text}", _OPEN)
            case ir.Bind(_, value, body):
                if _is_conversion(node):
                    return self.write(value, self.typing.of(value))
                return self._bound(node).write(body, type_)
            case ir.Reduce():
                return self._fold(node, type_)
            case ir.Select(selection, domain):
                wanted = _domain(type_, selection)
                return _Text(
                    f"{selection.value}({self.write(domain, wanted or self.typing.of(domain)).text})", _PRIMARY
                )
            case ir.Zip(left, right):
                sides = (self.write(side, self.typing.of(side)).text for side in (left, right))
                return _Text(f"zip({', '.join(sides)})", _PRIMARY)
            case ir.Before(operand):
                return _Text(f"before({self.write(operand, type_).text})", _PRIMARY)
            case _:
                assert_never(node)

    def _let(self, node: ir.ReadLet, type_: Type | None) -> _Text:
        """Return a let's name; its value where only its surroundings tell the scale of that."""
        if scale_of(type_) is None or not self.typing.is_open(node):
            return _Text(node.name, _PRIMARY)
        outside = replace(self.typing, variables={})
        return _Writer(outside, {}, self.taken, self.steps).write(self.typing.lets[node.name], type_)

    def _local(self, name: str, type_: Type | None) -> _Text:
        meant = self.variables[name]
        if isinstance(meant, str):
            return _Text(meant, _PRIMARY)
        writer, value = replace(meant[0], taken=self.taken), meant[1]
        written = writer.write(value, type_ if writer.typing.is_open(value) else writer.typing.of(value))
        return replace(written, text=_shortened(written.text, _BOUND_LENGTH_MAX))

    def _truth(self, node: ir.Expression) -> _Text:
        return self.write(node, BoolType())

    def _negated(self, operand: ir.Expression) -> _Text:
        match operand:
            case ir.IsPresent(inner):
                return _Text(f"{self.write(inner, self.typing.of(inner)).at(_SUM)} is absent", _COMPARISON)
            case ir.Contains(item, domain):
                return self._contained("not in", item, domain)
            case ir.Compare(comparison, left, right):
                return self._compared(_OPPOSITE[comparison], left, right)
            case ir.Negation(inner):
                return self._truth(inner)
            case _:
                meant = self.variables[operand.name] if isinstance(operand, ir.ReadLocal) else ""
                if isinstance(meant, tuple):
                    return replace(meant[0], taken=self.taken)._negated(meant[1])
                return _Text(f"not {self._truth(operand).at(_NOT)}", _NOT)

    def _compared(self, comparison: ir.Comparison, left: ir.Expression, right: ir.Expression) -> _Text:
        if isinstance(right, ir.Constant) and isinstance(right.value, bool):
            # So a table tests a column that is true or false.
            same = right.value is (comparison is ir.Comparison.EQUAL)
            return self._truth(left) if same else self._negated(left)
        type_ = self.typing.common(left, right)
        sides = (self.write(side, type_).at(_SUM) for side in (left, right))
        return _Text(f" {comparison.value} ".join(sides), _COMPARISON)

    def _contained(self, word: str, item: ir.Expression, domain: ir.Expression) -> _Text:
        of = element(self.typing.of(domain)) or self.typing.of(item)
        listed = self.write(domain, None if of is None else ListType(0, 0, of)).at(_SUM)
        return _Text(f"{self.write(item, of).at(_SUM)} {word} {listed}", _COMPARISON)

    def _made(self, parts: tuple[ir.Expression, ...], type_: Type | None) -> _Text:
        match type_:
            case ReferenceType(entity):
                keys = [part.type for part in self.typing.machine.index.entities[entity].key]
                return _Text(f"lookup {entity}({self._row(parts, keys)})", _PRIMARY)
            case RecordType(name, fields):
                return _Text(f"{name}({self._row(parts, [of for _, of in fields])})", _PRIMARY)
            case _:
                of = element(type_) or self.typing.common(*parts)
                return _Text(f"[{self._row(parts, [of] * len(parts))}]", _PRIMARY)

    def _row(self, parts: tuple[ir.Expression, ...], types: list[Type] | list[Type | None]) -> str:
        return ", ".join(self.write(part, of).text for part, of in zip(parts, types, strict=True))

    def _arithmetic(self, node: ir.Arithmetic, type_: Type | None) -> _Text:
        left, right = node.left, node.right
        known = self.typing.of(left), self.typing.of(right)
        if is_days(node, known[0]):
            return self.write(left, DAYS)
        if node.operation is ir.Operation.MULTIPLY:
            return self._product(left, right, type_)
        match known, type_:
            case ((DateType(), None) | (None, None), IntType(unit="day")):
                types: tuple[Type | None, Type | None] = (DateType(), DateType())
            case ((DateType(), None), _) | ((None, None), DateType()):
                return self._shifted(node, left, right)
            case _:
                types = self.typing.sides(node, type_)
                if not any(isinstance(side, (TimeType, DateType, DurationType)) for side in types):
                    of = type_ if scale_of(type_) is not None else self.typing.common(left, right)
                    types = of, of
        written = self.write(left, types[0]).at(_SUM), self.write(right, types[1]).at(_PRODUCT)
        return _Text(f" {node.operation.value} ".join(written), _SUM)

    def _shifted(self, node: ir.Arithmetic, left: ir.Expression, right: ir.Expression) -> _Text:
        """Return a date moved by written days, which are lowered to their number."""
        days = right.value * DAY if isinstance(right, ir.Constant) and isinstance(right.value, int) else 0
        return _Text(f"{self.write(left, DateType()).at(_SUM)} {node.operation.value} {duration_text(days)}", _SUM)

    def _product(self, left: ir.Expression, right: ir.Expression, type_: Type | None) -> _Text:
        """Return a product. A factor may be a written number, or what lowering put there to align two scales."""
        types = self.typing.of(left), self.typing.of(right)
        place = 0 if isinstance(left, ir.Constant) else 1
        factor, inner = (left, right) if place == 0 else (right, left)
        if type_ == DurationType() or DurationType() in types:
            last = types[1] == DurationType() or (types[0] != DurationType() and not _is_written(left))
            units = (INT, DurationType()) if last else (DurationType(), INT)
            return _times(self.write(left, units[0]), self.write(right, units[1]))
        if not (isinstance(factor, ir.Constant) and isinstance(factor.value, int)):
            return self._both(left, right, scale_of(type_))
        scale = scale_of(types[1 - place]) or 0
        wanted = scale_of(type_)
        places = 0 if wanted is None else max(wanted - scale, 0)
        added = aligned(ir.Arithmetic(ir.Operation.MULTIPLY, left, right))
        if added and (added == places or (added < places and self.typing.is_open(inner))):
            return self.write(inner, number(scale + places - added))
        written = self.write(inner, number(scale))
        times = _Text(_shortest(factor.value, places), _PRIMARY if factor.value >= 0 else _PRODUCT)
        return _times(times, written) if place == 0 else _times(written, times)

    def _both(self, left: ir.Expression, right: ir.Expression, scale: int | None) -> _Text:
        """Return a product without a written factor: of a side whose scale is open it is what the other leaves."""
        scales = [scale_of(self.typing.of(side)) or 0 for side in (left, right)]
        if scale is not None and self.typing.is_open(left):
            scales[0] = max(scale - scales[1], 0)
        elif scale is not None and self.typing.is_open(right):
            scales[1] = max(scale - scales[0], 0)
        return _times(self.write(left, number(scales[0])), self.write(right, number(scales[1])))

    def _fold(self, node: ir.Reduce, type_: Type | None) -> _Text:
        variable, inside = self._within(node)
        element_type = self.typing.element_of(node)
        listed = self.typing.of(node.domain) if element_type is None else ListType(0, 0, element_type)
        domain = self.write(node.domain, listed)
        kept = "" if node.condition == ir.Constant(True) else f" where {inside._truth(node.condition).text}"
        match node.fold:
            case ir.Fold.EVERY | ir.Fold.SOME:
                body = inside._truth(node.body).text
                return _Text(f"{node.fold.value} {variable} in {domain.at(_SUM)} satisfies {body}", _OPEN)
            case ir.Fold.COUNT:
                if not kept:
                    return _Text(f"count({domain.text})", _PRIMARY)
                return _Text(f"count({variable} in {domain.at(_SUM)}{kept})", _PRIMARY)
            case ir.Fold.SUM | ir.Fold.MIN | ir.Fold.MAX if node.body == ir.ReadLocal(node.name) and not kept:
                return self._whole(node, type_)
            case _:
                wanted = type_ if node.fold is not ir.Fold.COLLECT else element(type_)
                body = inside.write(node.body, wanted or inside.typing.of(node.body)).text
                return _Text(f"{node.fold.value}({body} for {variable} in {domain.at(_SUM)}{kept})", _PRIMARY)

    def _whole(self, node: ir.Reduce, type_: Type | None) -> _Text:
        """Return `sum(xs)`, or `min(a, b)`, which is lowered to a list of both."""
        if isinstance(node.domain, ir.MakeTuple) and len(node.domain.parts) > 1:
            of = type_ or self.typing.common(*node.domain.parts)
            return _Text(f"{node.fold.value}({self._row(node.domain.parts, [of] * len(node.domain.parts))})", _PRIMARY)
        wanted = ListType(0, 0, type_) if type_ is not None else self.typing.of(node.domain)
        return _Text(f"{node.fold.value}({self.write(node.domain, wanted).text})", _PRIMARY)


def _domain(type_: Type | None, selection: ir.Selection) -> Type | None:
    """Return the type of the list of which the selection has that type."""
    match selection:
        case ir.Selection.FIRST | ir.Selection.LAST:
            return None if type_ is None else ListType(0, 0, type_)
        case ir.Selection.DISTINCT:
            return type_
        case ir.Selection.PAIRS:
            return None
        case _:
            assert_never(selection)


def _is_written(node: ir.Expression) -> bool:
    """Tell whether the node is a number that stands in the spec, or made of such."""
    return all(isinstance(part, (ir.Constant, ir.Arithmetic)) for part in nodes(node))


def _is_conversion(node: ir.Bind) -> bool:
    """Tell whether the node only aligns the scale of a value that may be absent."""
    match node.body:
        case ir.Choice(ir.IsPresent(tested), ir.Arithmetic(ir.Operation.MULTIPLY, scaled, ir.Constant()), otherwise):
            return tested == scaled == otherwise == ir.ReadLocal(node.name)
        case _:
            return False


def _times(left: _Text, right: _Text) -> _Text:
    return _Text(f"{left.at(_PRODUCT)} * {right.at(_PRIMARY)}", _PRODUCT)


def _shortest(units: int, scale: int) -> str:
    """Return a number with as few decimal places as it has."""
    text = decimal_text(units, scale)
    return text.rstrip("0").rstrip(".") if scale else text


def _constant(value: Value, type_: Type | None) -> _Text:
    match value, plain(type_) if type_ is not None else None:
        case bool(), _:
            return _Text("true" if value else "false", _PRIMARY)
        case int(), TimeType():
            return _Text(time_text(value), _PRIMARY)
        case int(), DateType():
            return _Text(date_text(value), _PRIMARY)
        case int(), DurationType():
            return _signed(duration_text(abs(value)), value)
        case int(), DecimalType(scale):
            return _signed(_decimal(abs(value), scale), value)
        case int(), _:
            return _signed(str(abs(value)), value)
        case str(), EnumType():
            return _Text(value, _PRIMARY)
        case str(), _:
            return _Text(_quoted(value), _PRIMARY)
        case tuple(), of:
            inner = element(of)
            return _Text(f"[{', '.join(_constant(part, inner).text for part in value)}]", _PRIMARY)
        case _:
            return _Text("nothing", _PRIMARY)


def _decimal(units: int, scale: int) -> str:
    """Return a decimal with as few places as it needs, but two if it has them: `0.85`, `500.00`."""
    whole, _, fraction = decimal_text(units, scale).partition(".")
    return f"{whole}.{fraction[:2]}{fraction[2:].rstrip('0')}"


def _signed(digits: str, value: int) -> _Text:
    return _Text(f"-{digits}", _PRODUCT) if value < 0 else _Text(digits, _PRIMARY)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def _shortened(text: str, length_max: int) -> str:
    return text if len(text) <= length_max else f"{text[: length_max - 1]}…"
