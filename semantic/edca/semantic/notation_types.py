"""The types of lowered expressions, as far as what they read tells them: a machine's expressions carry none.

Ranges don't matter here, scales do: numbers are whole numbers of units that lowering has aligned, so what a written
number means follows from what it is compared with or added to.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, assert_never

from edca.kernel import expression as ir
from edca.kernel.calendar import DAY
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    IntType,
    ListType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TimeType,
    Type,
)
from edca.semantic.lowered import nodes
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from edca.kernel.machine import Machine

INT = IntType(0, 0)
DAYS = IntType(0, 0, "day")  # how many days lie between two dates, before it becomes a duration
_INSTANT_MIN = 25 * 365 * DAY  # where nothing tells a time from a duration, what is longer than this is a time
_INPUTS: dict[ir.Input, Type] = {
    ir.Input.NOW: TimeType(),
    ir.Input.PROPOSER: PrincipalType(""),
    ir.Input.SUBJECT: PrincipalType(""),
    ir.Input.CONFIDENCE: DecimalType(4, 0, 0),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """What a variable stands for: its type, and whether its scale is open (see `Typing.is_open`)."""

    type: Type | None
    is_open: bool


@dataclass(frozen=True, slots=True)
class Typing:
    """Tells the types of expressions of one transition, or of cases about one entity.

    `let_types` are those that only the uses of a let tell. `variables` are those of the folds and bindings around.
    `known` and `opened` remember what was found, by the node's identity: each node stands in one place, and the
    expression outlives this.
    """

    machine: Machine
    about: str
    parameters: Mapping[str, Type]
    lets: Mapping[str, ir.Expression]
    let_types: Mapping[str, Type] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    known: dict[int, Type | None] = field(default_factory=dict)
    opened: dict[int, bool] = field(default_factory=dict)

    def of(self, node: ir.Expression) -> Type | None:
        """Return the type of an expression, without its range; null where only its surroundings can tell."""
        if id(node) not in self.known:
            self.known[id(node)] = self._find(node)
        return self.known[id(node)]

    def is_open(self, node: ir.Expression) -> bool:
        """Tell whether the scale of a number is open: a factor in it may have decimal places, or align two scales."""
        if id(node) not in self.opened:
            self.opened[id(node)] = self._find_open(node)
        return self.opened[id(node)]

    def _find_open(self, node: ir.Expression) -> bool:
        match node:
            case ir.Constant():
                return True
            case ir.ReadLet(name):
                return name not in self.let_types and self.is_open(self.lets[name])
            case ir.ReadLocal(name):
                return self.variables[name].is_open
            case ir.Arithmetic(ir.Operation.MULTIPLY, left, right):
                return self.is_open(left) or self.is_open(right)
            case ir.Choice(_, then, otherwise) | ir.Arithmetic(_, then, otherwise):
                return self.is_open(then) and self.is_open(otherwise)
            case ir.Reduce(_, _, _, _, body):
                return not isinstance(body, ir.Constant) and self.within(node).is_open(body)
            case ir.Bind(name, value, body):
                return self.bound(name, value).is_open(body)
            case ir.MakeTuple(parts):
                return all(map(self.is_open, parts))
            case ir.Before(operand) | ir.Select(_, operand):
                return self.is_open(operand)
            case _:
                return False

    def bound(self, name: str, value: ir.Expression) -> Typing:
        """Return the typing inside a `Bind`."""
        return replace(self, variables={**self.variables, name: Variable(self.of(value), self.is_open(value))})

    def within(self, node: ir.Reduce) -> Typing:
        """Return the typing inside a fold."""
        of = self.element_of(node)
        return replace(
            self, variables={**self.variables, node.name: Variable(of, of is None and self.is_open(node.domain))}
        )

    def element_of(self, node: ir.Reduce) -> Type | None:
        """Return the type of what a fold goes over; of written numbers it is told by what they stand beside."""
        of = element(self.of(node.domain))
        if not self.is_open(node.domain) or (of is not None and scale_of(of) is None):
            return of
        for part in (*nodes(node.condition), *nodes(node.body)):
            match part:
                case ir.Compare(_, one, other) | ir.Arithmetic(ir.Operation.ADD | ir.Operation.SUBTRACT, one, other):
                    beside = other if one == ir.ReadLocal(node.name) else one
                    if ir.ReadLocal(node.name) in (one, other) and not _reads_variable(beside):
                        scale = scale_of(self.of(beside))
                        return None if scale is None else number(scale + aligned(beside))
                case _:
                    continue
        return None

    def _find(self, node: ir.Expression) -> Type | None:
        match node:
            case ir.Constant(bool()):
                return BoolType()
            case ir.Constant():
                return None
            case ir.ReadInput(ir.Input.CASE):
                return ReferenceType(self.about)
            case ir.ReadInput(input_):
                return _INPUTS[input_]
            case ir.ReadArgument(name):
                return plain(self.parameters[name])
            case ir.ReadLet(name):
                return self.let_types.get(name) or self.of(self.lets[name])
            case ir.ReadLocal(name):
                return self.variables[name].type
            case ir.ReadMemory(name):
                return plain(self.machine.index.memory[name].type)
            case ir.ReadClaim(name):
                return plain(self.machine.index.claims[name].type)
            case ir.ReadHistory(ir.History.PROPOSER):
                return PrincipalType("")
            case ir.ReadHistory():
                return ListType(0, 0, PrincipalType(""))
            case ir.ReadFact(_, entity, name):
                return plain(self.machine.index.entities[entity].field(name).type)
            case ir.ReadPart(base, index):
                return self.part(base, index)[1]
            case ir.MakeTuple(parts):
                return next((ListType(0, 0, of) for of in map(self.of, parts) if of is not None), None)
            case ir.Arithmetic():
                return self._computed(node)
            case ir.Choice(_, then, otherwise):
                return self.common(then, otherwise)
            case ir.Bind(name, value, body):
                return self.bound(name, value).of(body)
            case ir.Reduce():
                return self._reduced(node)
            case ir.Select(selection, domain):
                return _selected(selection, self.of(domain))
            case ir.Zip(left, right):
                return ListType(0, 0, _pair(element(self.of(left)), element(self.of(right))))
            case ir.Before(operand):
                return self.of(operand)
            case ir.Negation() | ir.Conjunction() | ir.Disjunction() | ir.Compare() | ir.Contains() | ir.IsPresent():
                return BoolType()
            case _:
                assert_never(node)

    def _computed(self, node: ir.Arithmetic) -> Type | None:
        left, right = self.of(node.left), self.of(node.right)
        if is_days(node, left):
            return DurationType()
        if node.operation is ir.Operation.MULTIPLY:
            if DurationType() in (left, right):
                return DurationType()
            return number((scale_of(left) or 0) + (scale_of(right) or 0))
        match self.sides(node, None):
            case TimeType(), TimeType():
                return DurationType()
            case (TimeType(), _) | (_, TimeType()):
                return TimeType()
            case DurationType(), DurationType():
                return DurationType()
            case DateType(), DateType():
                return DAYS
            case (DateType(), _) | (_, DateType()):
                return DateType()
            case _:
                return self.common(node.left, node.right)

    def sides(self, node: ir.Arithmetic, type_: Type | None) -> tuple[Type | None, Type | None]:
        """Return the types of both sides of a sum of times and durations, where one or what comes out tells the other.

        A written time and a written duration are both whole numbers; where nothing else tells, the length does.
        """
        adds, instants = node.operation is ir.Operation.ADD, (_is_instant(node.left), _is_instant(node.right))
        left, right = self.of(node.left), self.of(node.right)
        # A written duration times a whole number has the type of numbers until it stands beside one of these.
        if isinstance(right, (TimeType, DurationType)) and left == INT:
            left = None
        if isinstance(left, (TimeType, DurationType)) and right == INT:
            right = None
        match left, right:
            case None, DateType():
                return DateType(), DateType()
            case TimeType(), None:
                is_span = type_ == DurationType() or (type_ is None and instants[1] and not adds)
                return TimeType(), TimeType() if is_span else DurationType()
            case None, TimeType():
                return DurationType() if adds else TimeType(), TimeType()
            case DurationType(), None:
                return DurationType(), TimeType() if adds and instants[1] else DurationType()
            case None, DurationType():
                return TimeType() if instants[0] else DurationType(), DurationType()
            case None, None if type_ == TimeType():
                return (DurationType(), TimeType()) if instants == (False, True) else (TimeType(), DurationType())
            case None, None if type_ == DurationType():
                return (TimeType(), TimeType()) if instants == (True, True) else (DurationType(), DurationType())
            case sides:
                return sides

    def _reduced(self, node: ir.Reduce) -> Type | None:
        match node.fold:
            case ir.Fold.EVERY | ir.Fold.SOME:
                return BoolType()
            case ir.Fold.COUNT:
                return INT
            case ir.Fold.SUM | ir.Fold.MIN | ir.Fold.MAX:
                return self.within(node).of(node.body)
            case ir.Fold.COLLECT:
                of = self.within(node).of(node.body)
                return None if of is None else ListType(0, 0, of)
            case _:
                assert_never(node.fold)

    def common(self, *nodes: ir.Expression) -> Type | None:
        """Return the type that all of the nodes have: of numbers the one with most decimal places that is certain."""
        types = [(self.of(node), self.is_open(node)) for node in nodes]
        known = [(type_, is_open) for type_, is_open in types if type_ is not None]
        if any(type_ == DurationType() for type_, _ in known):
            return DurationType()
        numbers = [(scale, is_open) for type_, is_open in known for scale in [scale_of(type_)] if scale is not None]
        if not numbers:
            return known[0][0] if known else None
        firm = [scale for scale, is_open in numbers if not is_open]
        scale = max(firm or [(scale_of(self.of(node)) or 0) + aligned(node) for node in nodes if self.of(node)])
        return known[0][0] if scale == 0 and known[0][0] == DAYS else number(scale)

    def part(self, base: ir.Expression, index: int) -> tuple[str, Type | None]:
        """Return the name and type of a part of a record or of a key."""
        match self.of(base):
            case RecordType(_, parts):
                name, type_ = parts[index]
                return name, plain(type_)
            case ReferenceType(entity):
                part = self.machine.index.entities[entity].key[index]
                return part.name, part.type
            case _:
                return f"part_{index + 1}", None


def let_types(typing: Typing, read: Iterable[ir.Expression]) -> dict[str, Type]:
    """Return the types of lets that their values alone don't tell, from what is read of them or stands beside them."""
    found: dict[str, Type] = {}
    for expression in read:
        for node in nodes(expression):
            match node:
                case ir.ReadFact(ir.ReadLet(name), entity, _):
                    found.setdefault(name, ReferenceType(entity))
                case ir.Compare(_, one, other) | ir.Arithmetic(ir.Operation.ADD | ir.Operation.SUBTRACT, one, other):
                    for side, beside in ((one, other), (other, one)):
                        if isinstance(side, ir.ReadLet) and typing.is_open(side) and _is_firm(typing, beside):
                            found.setdefault(side.name, number(scale_of(typing.of(beside)) or 0))
                case _:
                    continue
    for name, value in reversed(tuple(typing.lets.items())):  # a let reads only those before it
        if name in found:
            _spread(typing, value, found[name], found)
    return found


def _spread(typing: Typing, node: ir.Expression, type_: Type, found: dict[str, Type]) -> None:
    """Note the type that lets have because what they are a part of has it."""
    match node:
        case ir.ReadLet(name) if typing.is_open(node):
            found.setdefault(name, type_)
        case ir.Choice(_, one, other) | ir.Arithmetic(ir.Operation.ADD | ir.Operation.SUBTRACT, one, other):
            if scale_of(type_) is not None:
                _spread(typing, one, type_, found)
                _spread(typing, other, type_, found)
        case _:
            return


def _is_firm(typing: Typing, node: ir.Expression) -> bool:
    # What reads a variable can't be told here: this looks at parts without what stands around them.
    if _reads_variable(node):
        return False
    return scale_of(typing.of(node)) is not None and not typing.is_open(node)


def _reads_variable(node: ir.Expression) -> bool:
    return any(isinstance(part, ir.ReadLocal) for part in nodes(node))


def number(scale: int) -> Type:
    """Return the type of numbers with that many decimal places."""
    return INT if scale == 0 else DecimalType(scale, 0, 0)


def scale_of(type_: Type | None) -> int | None:
    """Return how many decimal places numbers of the type have; null where it is no type of numbers."""
    match type_:
        case IntType():
            return 0
        case DecimalType(scale):
            return scale
        case _:
            return None


def element(type_: Type | None) -> Type | None:
    """Return the type of a list's elements; null where it is no type of lists."""
    return plain(type_.of) if isinstance(type_, ListType) else None


def _selected(selection: ir.Selection, domain: Type | None) -> Type | None:
    match selection:
        case ir.Selection.FIRST | ir.Selection.LAST:
            return element(domain)
        case ir.Selection.DISTINCT:
            return domain
        case ir.Selection.PAIRS:
            return ListType(0, 0, _pair(element(domain), element(domain)))
        case _:
            assert_never(selection)


def _pair(first: Type | None, second: Type | None) -> Type:
    return RecordType("", (("first", first or INT), ("second", second or INT)))


def aligned(node: ir.Expression) -> int:
    """Return how many decimal places a product by a power of ten adds, where its factor only aligns two scales."""
    match node:
        case ir.Arithmetic(ir.Operation.MULTIPLY, ir.Constant(int() as factor), _) | ir.Arithmetic(
            ir.Operation.MULTIPLY, _, ir.Constant(int() as factor)
        ):
            places = len(str(factor)) - 1
            return places if factor == 10**places else 0
        case _:
            return 0


def _is_instant(node: ir.Expression) -> bool:
    match node:
        case ir.Constant(int() as number_):
            return abs(number_) >= _INSTANT_MIN
        case ir.Arithmetic(ir.Operation.ADD | ir.Operation.SUBTRACT, left, right):
            return _is_instant(left) and not _is_instant(right)
        case _:
            return False


def is_days(node: ir.Arithmetic, left: Type | None) -> bool:
    """Tell whether the node is the duration between two dates, which are held in days."""
    if node.operation is not ir.Operation.MULTIPLY or node.right != ir.Constant(DAY):
        return False
    match node.left:
        case ir.Arithmetic(ir.Operation.SUBTRACT, ir.Constant(), ir.Constant()):
            return True
        case ir.Arithmetic(ir.Operation.SUBTRACT):
            return left == DAYS or isinstance(left, DateType)
        case _:
            return False
