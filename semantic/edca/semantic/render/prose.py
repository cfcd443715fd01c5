"""Expressions as sentences: what must be true, and which value is meant.

Two readings of a sentence would be two policies. So whatever could be taken to belong to a neighbour is put in
brackets, and nothing is said of truth that is not so for the unknown: a negation says *false*, never *not true*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from edca.kernel.calendar import DAY
from edca.kernel.expression import Comparison, Fold, History, Input, Operation, Selection
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    IntType,
    ListType,
    RecordType,
    ReferenceType,
    TimeType,
    Type,
)
from edca.semantic import typed
from edca.semantic.relations import plain as without_optional
from edca.semantic.render.phrase import Phrase, articled, bracketed, code, joined, listed, name, plain, say, text_of
from edca.semantic.render.wording import input_text, value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.machine import Entity

_OPPOSITE = {
    Comparison.EQUAL: Comparison.UNEQUAL,
    Comparison.UNEQUAL: Comparison.EQUAL,
    Comparison.LESS: Comparison.AT_LEAST,
    Comparison.AT_LEAST: Comparison.LESS,
    Comparison.GREATER: Comparison.AT_MOST,
    Comparison.AT_MOST: Comparison.GREATER,
}
_NUMBERS = {
    Comparison.EQUAL: "equals",
    Comparison.UNEQUAL: "differs from",
    Comparison.LESS: "is less than",
    Comparison.AT_MOST: "is at most",
    Comparison.GREATER: "is more than",
    Comparison.AT_LEAST: "is at least",
}
_TIMES = {
    Comparison.EQUAL: "is",
    Comparison.UNEQUAL: "is not",
    Comparison.LESS: "is before",
    Comparison.AT_MOST: "is not after",
    Comparison.GREATER: "is after",
    Comparison.AT_LEAST: "is not before",
}
_OPERATIONS = {
    Operation.ADD: "{} plus {}",
    Operation.SUBTRACT: "{} minus {}",
    Operation.MULTIPLY: "{} times {}",
}
_SELECTIONS = {
    Selection.FIRST: "the first element of {}",
    Selection.LAST: "the last element of {}",
    Selection.DISTINCT: "the different ones of {}",
    Selection.PAIRS: "the neighbouring pairs of {}",
}
_FOLDED_WHOLE = {
    Fold.COUNT: "the number of {}",
    Fold.SUM: "the sum of {}",
    Fold.MIN: "the least of {}",
    Fold.MAX: "the greatest of {}",
    Fold.COLLECT: "{}",
}
_FOLDED = {
    Fold.SUM: "the sum of {} over every {} in {}",
    Fold.MIN: "the least {} over every {} in {}",
    Fold.MAX: "the greatest {} over every {} in {}",
    Fold.COLLECT: "a list with {} for every {} in {}",
}

_SIDE_LENGTH_MAX = 100  # characters of a condition that still reads well on one line


@dataclass(frozen=True, slots=True)
class Outline:
    """A condition as a reader takes it in: a line, and the conditions that it is made of where there are too many."""

    text: Phrase
    parts: tuple[Outline, ...] = ()


@dataclass(frozen=True, slots=True)
class Prose:
    """The words of one spec: what its rules and entities are called, and what their parameters are.

    `in_query`: the words are for a query, which nobody proposes.
    """

    entities: Mapping[str, Entity]
    definitions: Mapping[str, typed.Definition]
    in_query: bool = False

    # --- what is so ---

    def outline(self, node: typed.Expression) -> Outline:
        """Return a condition as a statement, broken into its parts where it is long."""
        whole = self.holds(node)
        if len(text_of(whole)) <= _SIDE_LENGTH_MAX:
            return Outline(whole)
        match node:
            case typed.Connective(every, operands):
                head = "all of these hold" if every else "at least one of these holds"
                return Outline(plain(head), tuple(map(self.outline, operands)))
            case typed.Folded(Fold.EVERY | Fold.SOME, body=body) if body is not None:
                inner = self.outline(body)
                return Outline(say("{} {}", self._quantifier(node), inner.text), inner.parts)
            case typed.Conditional(test, then, otherwise):
                yes, no = self.outline(then), self.outline(otherwise)
                return Outline(
                    say("if {}", self.holds(test)),
                    (Outline(say("then {}", yes.text), yes.parts), Outline(say("otherwise {}", no.text), no.parts)),
                )
            case _:
                return Outline(whole)

    def holds(self, node: typed.Expression) -> Phrase:
        """Return a condition as a statement: `the order's *total* is at most 5.00`."""
        match node:
            case typed.Literal(bool() as truth):
                return plain("always" if truth else "never")
            case typed.Not(operand):
                return self._is_false(operand)
            case typed.Connective(every, operands):
                return joined(" and " if every else " or ", map(self._apart, operands))
            case typed.Comparing(comparison, left, right):
                return self._compared(comparison, left, right)
            case typed.Membership(element, domain):
                return self._member(element, domain, "is", "or", "is one of")
            case typed.Presence(operand):
                return say("{} is present", self._unit(operand))
            case typed.Folded(Fold.EVERY | Fold.SOME, body=body) if body is not None:
                return say("{} {}", self._quantifier(node), self.holds(body))
            case typed.Conditional(test, then, otherwise):
                return say(
                    "if {}, then {}, and otherwise {}", self._apart(test), self._apart(then), self._apart(otherwise)
                )
            case typed.Applied():
                return self._rule(node, "holds")
            case typed.Earlier(operand):
                return say("before the effect, {}", self._apart(operand))
            case _:
                return say("{} is true", self._unit(node))

    def _is_false(self, node: typed.Expression) -> Phrase:
        match node:
            case typed.Literal(bool() as truth):
                return plain("never" if truth else "always")
            case typed.Not(operand):
                return self.holds(operand)
            case typed.Comparing(comparison, left, right):
                return self._compared(_OPPOSITE[comparison], left, right)
            case typed.Membership(element, domain):
                return self._member(element, domain, "is neither", "nor", "is none of")
            case typed.Presence(operand):
                return say("{} is absent", self._unit(operand))
            case typed.Applied():
                return self._rule(node, "is false")
            case typed.Connective() | typed.Folded() | typed.Conditional() | typed.Earlier():
                return say("it is false that {}", bracketed(self.holds(node)))
            case _:
                return say("{} is false", self._unit(node))

    def _apart(self, node: typed.Expression) -> Phrase:
        """Return a condition that stands beside others."""
        if isinstance(node, typed.Not) and isinstance(node.operand, typed.Not):
            return self._apart(node.operand.operand)
        phrase = self.holds(node)
        compound = isinstance(node, (typed.Connective, typed.Folded, typed.Conditional, typed.Earlier))
        return bracketed(phrase) if compound else phrase

    def _quantifier(self, node: typed.Folded) -> Phrase:
        word = "every" if node.fold is Fold.EVERY else "at least one"
        return say(f"for {word} {{}} in {{}},", name(node.variable), self._unit(node.domain))

    def _rule(self, node: typed.Applied, verb: str) -> Phrase:
        match node.arguments:
            case ():
                return say(f"{{}} {verb}", name(node.name))
            case (argument,):
                return say(f"{{}} {verb} for {{}}", name(node.name), self._unit(argument))
            case arguments:
                return say(f"{{}} {verb} for {{}}", name(node.name), self._named(self._parameters(node), arguments))

    def _compared(self, comparison: Comparison, left: typed.Expression, right: typed.Expression) -> Phrase:
        equal = comparison is Comparison.EQUAL
        match without_optional(left.type), left, right:
            case (BoolType(), other, typed.Literal(bool() as truth)) | (
                BoolType(),
                typed.Literal(bool() as truth),
                other,
            ):
                return self.holds(other) if truth is equal else self._is_false(other)
            case BoolType(), _, _:
                word = "is the same as" if equal else "is not the same as"
                return say(f"{{}} {word} {{}}", self._unit(left), self._unit(right))
            case _, _, typed.Literal(""):
                return say("{} is empty" if equal else "{} is not empty", self._side(left))
            case ((IntType() | DecimalType() | DurationType()), _, _):
                verb = _NUMBERS[comparison]
            case _:
                verb = _TIMES[comparison]  # only times and dates have an order besides numbers
        return say(f"{{}} {verb} {{}}", self._side(left), self._side(right))

    def _member(self, element: typed.Expression, domain: typed.Expression, few: str, word: str, many: str) -> Phrase:
        if isinstance(domain, typed.Listed) and domain.parts:
            return say(f"{{}} {few} {{}}", self._side(element), listed(list(map(self._unit, domain.parts)), word))
        return say(f"{{}} {many} {{}}", self._side(element), self._unit(domain))

    # --- which value is meant ---

    def thing(self, node: typed.Expression) -> Phrase:
        """Return an expression as a noun phrase: `the order's *total* plus 5.00`."""
        match node:
            case typed.Literal(content, type_):
                return value(type_, content)
            case typed.InputRead(Input.CASE, ReferenceType(entity)):
                return plain(f"the {_spaced(entity)}")
            case typed.InputRead(input_):
                return plain(input_text(input_, in_query=self.in_query))
            case typed.ArgumentRead(called):
                return say("the {} that is asked with" if self.in_query else "the proposed {}", name(called))
            case typed.LetRead(called) | typed.LocalRead(called):
                return name(called)
            case typed.MemoryRead(called):
                return say("the case's {}", name(called))
            case typed.ClaimRead(called):
                return say("the attested {}", name(called))
            case typed.HistoryRead(History.PROPOSER, called):
                return say("the person behind the last accepted {}", code(called))
            case typed.HistoryRead(_, called):
                return say("the people whose yes {} last took", code(called))
            case typed.FactRead(base, _, field):
                return self._part(base, field)
            case typed.PartRead(base, part):
                return self._part(base, part)
            case typed.Arithmetic():
                return self._computed(node)
            case typed.Conditional(test, then, otherwise):
                return say("{} if {}, and otherwise {}", self._unit(then), self._apart(test), self._unit(otherwise))
            case typed.Folded(Fold.EVERY | Fold.SOME):
                return say("whether {}", self.holds(node))
            case typed.Folded():
                return self._folded(node)
            case typed.Selected(selection, domain):
                return say(_SELECTIONS[selection], self._unit(domain))
            case typed.Zipped(left, right):
                return say("{} side by side with {}", self._unit(left), self._unit(right))
            case typed.Listed(parts, type_):
                return self._made(parts, type_)
            case typed.Applied(called, arguments):
                if isinstance(node.type, BoolType):
                    return say("whether {}", self.holds(node))
                return self._given(called, arguments, self._parameters(node))
            case typed.Earlier(operand):
                return say("{} before the effect", self._unit(operand))
            case typed.Converted(operand):
                return self.thing(operand)
            case typed.Not() | typed.Connective() | typed.Comparing() | typed.Membership() | typed.Presence():
                return say("whether {}", self.holds(node))
            case _:
                assert_never(node)

    def _unit(self, node: typed.Expression) -> Phrase:
        """Return a noun phrase that ends where it ends, whatever comes next."""
        phrase = self.thing(node)
        return bracketed(phrase) if _is_open(node) else phrase

    def _side(self, node: typed.Expression) -> Phrase:
        """Return a noun phrase beside a verb: arithmetic needs no brackets there."""
        inner = node.operand if isinstance(node, typed.Converted) else node
        return self.thing(inner) if isinstance(inner, typed.Arithmetic) else self._unit(inner)

    def _part(self, base: typed.Expression, part: str) -> Phrase:
        if isinstance(base, typed.InputRead):
            return say("{}'s {}", self.thing(base), name(part))
        return say("the {} of {}", name(part), self._unit(base))

    def _computed(self, node: typed.Arithmetic) -> Phrase:
        match node:
            case typed.Arithmetic(Operation.MULTIPLY, typed.Arithmetic() as days, typed.Literal(content)) if (
                content == DAY and _is_span(days) and isinstance(without_optional(days.left.type), DateType)
            ):
                return self._span(days)
            case typed.Arithmetic(Operation.ADD | Operation.SUBTRACT, left, typed.Literal(int() as days_count)) if (
                isinstance(without_optional(left.type), DateType)
            ):
                word = "plus" if node.operation is Operation.ADD else "minus"
                return say(f"{{}} {word} {days_count} day{'' if days_count == 1 else 's'}", self._unit(left))
            case _:
                return self._span(node) if _is_span(node) else self._operated(node)

    def _operated(self, node: typed.Arithmetic) -> Phrase:
        left = node.left
        chain = isinstance(left, typed.Arithmetic) and left.operation is not Operation.MULTIPLY and not _is_span(left)
        flat = chain and node.operation is not Operation.MULTIPLY
        return say(_OPERATIONS[node.operation], self.thing(left) if flat else self._unit(left), self._unit(node.right))

    def _span(self, node: typed.Arithmetic) -> Phrase:
        return say("the time from {} to {}", self._unit(node.right), self._unit(node.left))

    def _folded(self, node: typed.Folded) -> Phrase:
        if node.condition is None and (node.body is None or _is_element(node)):
            parts = node.domain.parts if isinstance(node.domain, typed.Listed) else ()
            over = listed(list(map(self._unit, parts))) if parts else self._unit(node.domain)
            return say(_FOLDED_WHOLE[node.fold], over)
        kept = () if node.condition is None else say(" for which {}", self._apart(node.condition))
        variable, over = name(node.variable), self._unit(node.domain)
        if node.body is None:
            return say("the number of {} in {}{}", variable, over, kept)
        return say(f"{_FOLDED[node.fold]}{{}}", self._unit(node.body), variable, over, kept)

    def _made(self, parts: Sequence[typed.Expression], type_: Type) -> Phrase:
        match type_:
            case ReferenceType(entity):
                keys = [part.name for part in self.entities[entity].key]
                return say("the {} with {}", name(entity), self._named(keys, parts))
            case RecordType(called, fields):
                return say("{} with {}", articled(called), self._named([field for field, _ in fields], parts))
            case ListType():
                return say("the list ({})", joined("; ", map(self.thing, parts))) if parts else plain("an empty list")
            case _:
                raise TypeError(f"a {type(type_).__name__} has no parts")

    def _given(self, called: str, arguments: Sequence[typed.Expression], parameters: Sequence[str]) -> Phrase:
        if not arguments:
            return name(called)
        if len(arguments) == 1:
            return say("{} given {}", name(called), self._unit(arguments[0]))
        return say("{} given {}", name(called), self._named(parameters, arguments))

    def _named(self, names: Sequence[str], parts: Sequence[typed.Expression]) -> Phrase:
        pairs = (say("{}: {}", name(called), self.thing(part)) for called, part in zip(names, parts, strict=True))
        return bracketed(joined("; ", pairs))

    def _parameters(self, node: typed.Applied) -> list[str]:
        return [parameter for parameter, _ in self.definitions[node.name].parameters]

    def call(self, effect: str, names: Sequence[str], arguments: Sequence[typed.Expression]) -> Phrase:
        """Return an effect with what it is done with."""
        return say("{} with {}", name(effect), self._named(names, arguments)) if arguments else name(effect)


def _spaced(text: str) -> str:
    return text.replace("_", " ")


def _is_open(node: typed.Expression) -> bool:
    """Tell whether what follows could be taken to belong to the noun phrase of this node."""
    match node:
        case typed.Converted(operand):
            return _is_open(operand)
        case typed.Folded():
            return node.condition is not None or not (node.body is None or _is_element(node)) or _lists(node.domain)
        case typed.Applied():
            return isinstance(node.type, BoolType)
        case (
            typed.Arithmetic()
            | typed.Conditional()
            | typed.Earlier()
            | typed.Zipped()
            | typed.Not()
            | typed.Connective()
            | typed.Comparing()
            | typed.Membership()
            | typed.Presence()
        ):
            return True
        case _:
            return False


def _lists(domain: typed.Expression) -> bool:
    return isinstance(domain, typed.Listed) and len(domain.parts) > 1


def _is_element(node: typed.Folded) -> bool:
    return isinstance(node.body, typed.LocalRead) and node.body.name == node.variable


def _is_span(node: typed.Arithmetic) -> bool:
    """Tell whether the node is the time between two instants or days."""
    sides = (without_optional(node.left.type), without_optional(node.right.type))
    return node.operation is Operation.SUBTRACT and all(isinstance(side, (TimeType, DateType)) for side in sides)
