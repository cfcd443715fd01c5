"""Code generation: the expressions of a transition become the text of a Python function, compiled once.

The text is straight-line code in single assignments: a sub-expression is computed once however often clauses repeat it,
an instance of an entity is looked up once, and what can't be unknown is not asked whether it is. A function reads a
`Frame` and yields values or `Unknown`s; it never raises. Every operand is evaluated whatever its neighbours yield, so
that the same run tells which facts are still wanted (`Frame.wanted`).

Names of the spec never become names in the text: they, and values, stand in it as literals only. So nothing that an
author, or the maker of a hostile artefact, writes can become code.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, assert_never

from edca.kernel.expression import (
    Arithmetic,
    Before,
    Bind,
    Choice,
    Compare,
    Conjunction,
    Constant,
    Contains,
    Disjunction,
    Expression,
    Fold,
    History,
    Input,
    IsPresent,
    MakeTuple,
    Negation,
    ReadArgument,
    ReadClaim,
    ReadFact,
    ReadHistory,
    ReadInput,
    ReadLet,
    ReadLocal,
    ReadMemory,
    ReadPart,
    Reduce,
    Select,
    Selection,
    Zip,
)
from edca.kernel.numbering import Node, Numbering
from edca.kernel.types import OptionalType, Type
from edca.kernel.values import Unknown

if TYPE_CHECKING:
    from edca.kernel.evaluate import Frame
    from edca.kernel.machine import Machine, Transition

# What a function's outcomes are is what the checker proved; their static type is `Any`.
Function: TypeAlias = "Callable[[Frame], tuple[Any, ...]]"

NOW, EARLIER = "facts", "earlier"  # the two tables of facts that an expression can read


CHAIN_MAX = 24  # operands beyond which a helper is called, as one long conditional would nest too deep for Python


def connect(truths: Sequence[Any], decisive: bool) -> Any:
    """Kleene: one decisive operand decides; else one unknown makes it unknown; else the other truth value."""
    if any(truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if truth.__class__ is Unknown), not decisive)


def whole(values: tuple[Any, ...]) -> Any:
    """Return the values, or the first that is unknown."""
    return next((value for value in values if value.__class__ is Unknown), values)


_GLOBALS: Mapping[str, object] = {
    "U": Unknown,
    "ABSENT": Unknown.ABSENT,
    "MISSING": Unknown.MISSING,
    "UNATTESTED": Unknown.UNATTESTED,
    "EMPTY": Unknown.EMPTY,
    "NOTHING": {},
    "connect": connect,
    "whole": whole,
    "pairwise": pairwise,
    **{input_.name: input_ for input_ in Input},
    **{f"OF_{history.name}": history for history in History},
}
# Parts of the frame, each loaded once where it is used at all.
_LOADS: Mapping[str, str] = {
    "arguments": "frame.arguments",
    "memory": "frame.memory",
    "claims": "frame.claims",
    "facts": "frame.facts",
    "earlier": "frame.facts if frame.earlier is None else frame.earlier",
    "want": "frame.wanted.add",
    **{input_.value: f"frame.inputs[{input_.name}]" for input_ in Input},
    "proposers": "frame.history[OF_PROPOSER]",
    "signers": "frame.history[OF_SIGNERS]",
}
_HISTORY: Mapping[History, str] = {History.PROPOSER: "proposers", History.SIGNERS: "signers"}
_QUANTIFIERS = (Fold.EVERY, Fold.SOME)
ALWAYS = Constant(True)
_STORED = (ReadFact, ReadArgument, ReadMemory, ReadClaim, ReadHistory)
_MAYBE_UNKNOWN = (Input.SUBJECT, Input.CONFIDENCE)
_SELECT: Mapping[Selection, str] = {
    Selection.FIRST: "({0}[0] if {0} else EMPTY)",
    Selection.LAST: "({0}[-1] if {0} else EMPTY)",
    Selection.DISTINCT: "tuple(dict.fromkeys({0}))",
    Selection.PAIRS: "tuple(pairwise({0}))",
}
_FINISH: Mapping[Fold, str] = {
    Fold.COUNT: "len({0})",
    Fold.SUM: "sum({0})",
    Fold.MIN: "(min({0}) if {0} else EMPTY)",
    Fold.MAX: "(max({0}) if {0} else EMPTY)",
    Fold.COLLECT: "tuple({0})",
    Fold.EVERY: "connect({0}, False)",
    Fold.SOME: "connect({0}, True)",
}


@dataclass(frozen=True, slots=True)
class _Value:
    """A computed value: the variable or literal that holds it, and whether that may be unknown, or absent."""

    text: str
    unknown: bool
    none: bool


@dataclass(slots=True)
class _Layer:
    """A stretch of the text that binds `names`; what a loop's body computes holds within it only."""

    names: Mapping[str, _Value]
    loop: bool
    known: dict[object, _Value] = field(default_factory=dict)


class Writer:
    """Writes one function."""

    def __init__(
        self, machine: Machine, transition: Transition, *, lets_of: str = NOW, unsure_memory: bool = False
    ) -> None:
        """Begin.

        `lets_of` is the table that lets read. `unsure_memory`: memory is what an acceptance would leave, where a field
        can be unknown; the case's own never is.
        """
        self._machine = machine
        self._arguments = {parameter.name: parameter.type for parameter in transition.parameters}
        self._numbering = Numbering({let.name: let.value for let in transition.lets})
        self._lets_of = lets_of
        self._unsure_memory = unsure_memory
        self._loads: dict[str, None] = {}
        self._lines: list[str] = []
        self._indent = " "
        self._count = 0
        self._layers = [_Layer({}, loop=False)]
        self._constants: dict[str, object] = {}

    def function(self, name: str, truths: Sequence[Expression], values: Sequence[Expression] = ()) -> Function:
        """Return the function that computes first the truths, of which none is absent, and then the values."""
        expressions = (*truths, *values)
        nodes = [self._numbering.node(expression) for expression in expressions]
        for let in self._numbering.used(nodes):
            self._emit(self._numbering.lets[let], self._lets_of)  # in order, so that none leads deep into others
        results = [self._needed(node, NOW).text for node in nodes[: len(truths)]]
        results += [self._emit(node, NOW).text for node in nodes[len(truths) :]]
        head = [f" {load} = {_LOADS[load]}" for load in self._loads]
        end = f" return ({''.join(f'{result}, ' for result in results)})"
        text = "\n".join(["def run(frame):", *head, *self._lines, end])
        space: dict[str, Any] = {**_GLOBALS, **self._constants}
        exec(compile(text, f"<{name}>", "exec"), space)  # noqa: S102  text of our own making: see the module's head
        function: Function = space["run"]
        return function

    # --- lines and layers --------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        self._lines.append(self._indent + text)

    def _load(self, name: str) -> str:
        self._loads[name] = None
        return name

    def _new(self) -> str:
        self._count += 1
        return f"t{self._count}"

    def _assign(self, text: str, *, unknown: bool = False, none: bool = False) -> _Value:
        name = self._new()
        self._line(f"{name} = {text}")
        return _Value(name, unknown, none)

    def _recall(self, key: object) -> _Value | None:
        return next((layer.known[key] for layer in reversed(self._layers) if key in layer.known), None)

    def _keep(self, key: object, free: frozenset[str], value: _Value) -> _Value:
        """Remember a value for as long as the text that computed it holds: to the end of a loop or of a binding."""
        for layer in reversed(self._layers):
            if layer.loop or not free.isdisjoint(layer.names):
                layer.known[key] = value
                return value
        self._layers[0].known[key] = value
        return value

    # --- expressions -------------------------------------------------------------------------------------------------

    def _emit(self, node: Node, table: str) -> _Value:
        """Write what computes the expression, unless it has been written; return where its value stands."""
        key = (table, node.number)
        found = self._recall(key)
        return found if found is not None else self._keep(key, node.free, self._write(node, table))

    def _needed(self, node: Node, table: str) -> _Value:
        """Return the value where one is needed: then an absent one is unknown."""
        value = self._emit(node, table)
        if not value.none:
            return value
        if value.text == "None":
            return _Value("ABSENT", True, False)
        found = self._recall(value.text)
        if found is None:
            given = self._assign(f"ABSENT if {value.text} is None else {value.text}", unknown=True)
            found = self._keep(value.text, node.free, given)
        return found

    def _write(self, node: Node, table: str) -> _Value:
        parts = node.parts
        match node.expression:
            case Constant(value):
                return self._constant(value)
            case ReadInput(input_):
                return _Value(self._load(input_.value), input_ in _MAYBE_UNKNOWN, False)
            case ReadArgument(name):
                return self._read("arguments", name, self._arguments[name])
            case ReadMemory(name):
                read = self._read("memory", name, self._machine.index.memory[name].type)
                return dataclasses.replace(read, unknown=self._unsure_memory)
            case ReadClaim(name):
                none = _optional(self._machine.index.claims[name].type)
                return self._assign(f"{self._load('claims')}.get({name!r}, UNATTESTED)", unknown=True, none=none)
            case ReadHistory(history, name):
                return self._assign(f"{self._load(_HISTORY[history])}.get({name!r}, MISSING)", unknown=True)
            case ReadLet(name):
                return self._emit(self._numbering.lets[name], self._lets_of)
            case ReadLocal(name):
                return next(layer.names[name] for layer in reversed(self._layers) if name in layer.names)
            case ReadFact(_, entity, name):
                return self._fact(node, entity, name, table)
            case ReadPart(_, index):
                record = self._needed(parts[0], table)
                return self._strict((record,), f"{record.text}[{index}]", none=True)
            case MakeTuple():
                return self._tuple([self._emit(part, table) for part in parts])
            case Negation():
                truth = self._needed(parts[0], table)
                return self._strict((truth,), f"not {truth.text}")
            case Conjunction():
                return self._connective([self._needed(part, table) for part in parts], decisive=False)
            case Disjunction():
                return self._connective([self._needed(part, table) for part in parts], decisive=True)
            case Compare(comparison):
                return self._binary(comparison.value, parts, table)
            case Contains():
                return self._binary("in", parts, table)
            case IsPresent():
                tested = self._emit(parts[0], table)
                return self._strict((tested,), f"{tested.text} is not None" if tested.none else "True")
            case Arithmetic(operation):
                return self._binary(operation.value, parts, table)
            case Choice():
                return self._choice(self._needed(parts[0], table), *(self._emit(part, table) for part in parts[1:]))
            case Bind(name):
                self._layers.append(_Layer({name: self._emit(parts[0], table)}, loop=False))
                result = self._emit(parts[1], table)
                self._layers.pop()
                return result
            case Reduce():
                return self._reduce(node.expression, parts, table)
            case Select(selection):
                items = self._needed(parts[0], table)
                done = self._strict((items,), _SELECT[selection].format(items.text))
                empty = selection in (Selection.FIRST, Selection.LAST)
                return dataclasses.replace(done, unknown=done.unknown or empty, none=empty)
            case Zip():
                a, b = (self._needed(part, table) for part in parts)
                return self._strict((a, b), f"tuple(zip({a.text}, {b.text}))")
            case Before():
                return self._emit(parts[0], EARLIER)
            case _:
                assert_never(node.expression)

    def _constant(self, value: Any) -> _Value:
        if value is None or isinstance(value, (bool, int, str)):
            return _Value(f"({value!r})" if value.__class__ is int else repr(value), False, value is None)
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return _Value(name, False, False)

    def _read(self, mapping: str, name: str, type_: Type) -> _Value:
        return self._assign(f"{self._load(mapping)}[{name!r}]", none=_optional(type_))

    def _tuple(self, values: Sequence[_Value]) -> _Value:
        text = f"({''.join(f'{value.text}, ' for value in values)})"
        if sum(value.unknown for value in values) > CHAIN_MAX:
            return self._assign(f"whole({text})", unknown=True)
        return self._strict(values, text)

    def _fact(self, node: Node, entity: str, name: str, table: str) -> _Value:
        base = self._needed(node.parts[0], table)
        key = (table, entity, base.text)
        found = self._recall(key)
        if found is None:
            found = self._keep(key, node.free, self._fields(entity, base, table))
        # Even where the type knows no absence: a source that gives none all the same must not let anything through.
        value = self._strict((base,), f"{found.text}.get({name!r}, MISSING)", none=True)
        return dataclasses.replace(value, unknown=True)

    def _fields(self, entity: str, base: _Value, table: str) -> _Value:
        """Look an instance up; note it as wanted where it isn't in the table."""
        handle, fields = self._new(), self._new()
        indent = self._indent
        if base.unknown:
            self._line(f"{fields} = NOTHING")
            self._line(f"if {base.text}.__class__ is not U:")
            self._indent += " "
        self._line(f"{handle} = ({entity!r}, {base.text})")
        self._line(f"{fields} = {self._load(table)}.get({handle})")
        self._line(f"if {fields} is None:")
        self._line(f" {self._load('want')}({handle})")
        self._line(f" {fields} = NOTHING")
        self._indent = indent
        return _Value(fields, False, False)

    def _strict(self, operands: Sequence[_Value], text: str, *, none: bool = False) -> _Value:
        """Assign `text`, or the first operand that is unknown."""
        unknown = [operand.text for operand in operands if operand.unknown]
        for name in reversed(unknown):
            text = f"{name} if {name}.__class__ is U else {text}"
        return self._assign(text, unknown=bool(unknown), none=none)

    def _binary(self, operator: str, parts: Sequence[Node], table: str) -> _Value:
        a, b = (self._needed(part, table) for part in parts)
        return self._strict((a, b), f"{a.text} {operator} {b.text}")

    def _connective(self, truths: Sequence[_Value], *, decisive: bool) -> _Value:
        unknown = [truth.text for truth in truths if truth.unknown]
        if not unknown:
            return self._assign((" or " if decisive else " and ").join(truth.text for truth in truths))
        if len(truths) > CHAIN_MAX:
            return self._assign(f"connect(({', '.join(truth.text for truth in truths)}), {decisive})", unknown=True)
        decides = " or ".join(f"{truth.text} is {decisive}" for truth in truths)
        rest = "".join(f"{name} if {name}.__class__ is U else " for name in unknown)
        return self._assign(f"{decisive} if {decides} else {rest}{not decisive}", unknown=True)

    def _choice(self, truth: _Value, a: _Value, b: _Value) -> _Value:
        chosen = self._strict((truth,), f"({a.text} if {truth.text} else {b.text})", none=a.none or b.none)
        return dataclasses.replace(chosen, unknown=chosen.unknown or a.unknown or b.unknown)

    # --- folds -------------------------------------------------------------------------------------------------------

    def _reduce(self, reduce: Reduce, parts: Sequence[Node], table: str) -> _Value:
        domain, condition, body = parts
        items = self._needed(domain, table)
        result, item, indent = self._new(), self._new(), self._indent
        if items.unknown:
            self._line(f"if {items.text}.__class__ is U:")
            self._line(f" {result} = {items.text}")
            self._line("else:")
            self._indent += " "
        none = not isinstance(domain.expression, _STORED)  # what is stored in a list is never absent
        self._layers.append(_Layer({reduce.name: _Value(item, False, none)}, loop=True))
        loop = f"for {item} in {items.text}:"
        if reduce.condition == ALWAYS and reduce.fold in _QUANTIFIERS:
            unknown = self._quantify(reduce.fold is Fold.SOME, loop, body, result, table)
        else:
            unknown = self._fold(reduce.fold, loop, condition, body, result, table)
        self._layers.pop()
        self._indent = indent
        return _Value(result, items.unknown or unknown, False)

    def _quantify(self, decisive: bool, loop: str, body: Node, result: str, table: str) -> bool:
        """Write a quantifier over every element; tell whether it may be unknown."""
        self._line(f"{result} = {not decisive}")
        self._line(loop)
        self._indent += " "
        truth = self._needed(body, table)
        self._line(f"if {truth.text} is {decisive}:")
        self._line(f" {result} = {decisive}")
        if not body.reads:
            self._line(" break")  # nothing in the rest of the list could be wanted
        if truth.unknown:
            self._line(f"elif {result} is {not decisive} and {truth.text}.__class__ is U:")
            self._line(f" {result} = {truth.text}")
        return truth.unknown

    def _fold(self, fold: Fold, loop: str, condition: Node, body: Node, result: str, table: str) -> bool:
        """Write a fold over the elements that satisfy a condition; one unknown condition leaves it unknown."""
        kept, unsure, lacking = self._new(), self._new(), self._new()
        outer = self._indent
        self._line(f"{kept} = []")
        self._line(f"{unsure} = {lacking} = None")
        self._line(loop)
        self._indent += " "
        keep, value = self._needed(condition, table), self._needed(body, table)
        self._line(f"if {keep.text} is True:")
        if value.unknown and fold not in _QUANTIFIERS:
            self._line(f" if {value.text}.__class__ is not U:")
            self._line(f"  {kept}.append({value.text})")
            self._line(f" elif {lacking} is None:")
            self._line(f"  {lacking} = {value.text}")
        else:
            self._line(f" {kept}.append({value.text})")
        if keep.unknown:
            self._line(f"elif {unsure} is None and {keep.text}.__class__ is U:")
            self._line(f" {unsure} = {keep.text}")
        self._indent = outer
        self._line(f"{result} = {unsure} or {lacking} or {_FINISH[fold].format(kept)}")
        return keep.unknown or value.unknown or fold in (Fold.MIN, Fold.MAX)


def _optional(type_: Type) -> bool:
    return isinstance(type_, OptionalType)
