"""Whether the values of one argument that let a candidate pass lie side by side, as far as the machine's text shows it.

Two values that are decided tell nothing about those between them, unless all that is tested of the argument keeps to
one side of one number each. Where that can't be seen, nothing is said of the values between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from edca.kernel import expression as ir
from edca.kernel.machine import ClauseKind, Never, OnFail
from edca.semantic.lowered import nodes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.machine import Clause, Machine, Transition

_ALWAYS = ir.Constant(True)
_NOTHING: frozenset[str] = frozenset()


def is_run(machine: Machine, transition: Transition, argument: str, *, waivers: bool, answers: bool) -> bool:
    """Tell whether the values of a number that nothing stands against are all those between two of them.

    What a person may waive counts as standing against it unless `waivers`, what people must answer unless `answers`.
    """
    branches = machine.index.offered[transition.offered]
    shape = _Shape({let.name: let.value for let in transition.lets}, argument)
    if any(branch.guard is not None and shape.reads(branch.guard, _NOTHING) for branch in branches):
        return False
    for clause in transition.clauses:
        waived = waivers and clause.kind is ClauseKind.REQUIRE and clause.on_fail is OnFail.ESCALATE
        answered = answers and clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN)
        if not waived and not answered and not shape.clause(clause):
            return False
    return shape.values(transition) and shape.properties(machine, transition)


@dataclass(frozen=True, slots=True)
class _Shape:
    """How expressions depend on one argument. `moving` are variables, and fields of memory, that move with it.

    That a truth is *one-sided* for true means: the values where it is true, and those where it is not false, each lie
    side by side; and alike for false. Whether it is unknown never hangs on the argument of itself.
    """

    lets: Mapping[str, ir.Expression]
    argument: str

    def reads(self, expression: ir.Expression, moving: frozenset[str]) -> bool:
        """Tell whether the argument is read, also through a let or a variable."""
        for node in nodes(expression):
            match node:
                case ir.ReadArgument(name) if name == self.argument:
                    return True
                case ir.ReadLocal(name) if name in moving:
                    return True
                case ir.ReadMemory(name) if _field(name) in moving:
                    return True
                case ir.ReadLet(name) if self.reads(self.lets[name], moving):
                    return True
        return False

    def linear(self, expression: ir.Expression, moving: frozenset[str]) -> bool:
        """Tell whether a number grows or falls evenly with the argument, or not at all."""
        if not self.reads(expression, moving):
            return True
        match expression:
            case ir.ReadArgument() | ir.ReadLocal() | ir.ReadMemory():
                return True
            case ir.ReadLet(name):
                return self.linear(self.lets[name], moving)
            case ir.Arithmetic(operation, left, right):
                product = operation is ir.Operation.MULTIPLY
                if product and self.reads(left, moving) and self.reads(right, moving):
                    return False
                return self.linear(left, moving) and self.linear(right, moving)
            case ir.Choice(condition, then, otherwise):
                steady = not self.reads(condition, moving)
                return steady and self.linear(then, moving) and self.linear(otherwise, moving)
            case ir.Bind(name, value, body):
                inside = self._bound(name, value, moving)
                return inside is not None and self.linear(body, inside)
            case ir.Reduce(ir.Fold.SUM, name, domain, condition, body):
                inside = moving - {name}
                steady = not self.reads(domain, moving) and not self.reads(condition, inside)
                return steady and self.linear(body, inside)
            case _:
                return False

    def one_sided(self, expression: ir.Expression, truth: bool, moving: frozenset[str] = _NOTHING) -> bool:
        """Tell whether a truth is one-sided for `truth`."""
        if not self.reads(expression, moving):
            return True
        match expression:
            case ir.Negation(operand):
                return self.one_sided(operand, not truth, moving)
            case ir.Conjunction(operands) | ir.Disjunction(operands):
                together = isinstance(expression, ir.Conjunction) is truth
                reading = [operand for operand in operands if self.reads(operand, moving)]
                return (together or len(reading) == 1) and all(self.one_sided(part, truth, moving) for part in reading)
            case ir.Compare(comparison, left, right):
                return _halves(comparison, truth) and self.linear(left, moving) and self.linear(right, moving)
            case ir.Choice(condition, then, otherwise):
                steady = not self.reads(condition, moving)
                return steady and self.one_sided(then, truth, moving) and self.one_sided(otherwise, truth, moving)
            case ir.ReadLet(name):
                return self.one_sided(self.lets[name], truth, moving)
            case ir.Bind(name, value, body):
                inside = self._bound(name, value, moving)
                return inside is not None and self.one_sided(body, truth, inside)
            case ir.Reduce(ir.Fold.EVERY | ir.Fold.SOME, name, domain, condition, body):
                together = (expression.fold is ir.Fold.EVERY) is truth
                steady = condition == _ALWAYS and not self.reads(domain, moving)
                return together and steady and self.one_sided(body, truth, moving - {name})
            case _:
                return False

    def clause(self, clause: Clause) -> bool:
        """Tell whether the values for which a clause passes, with no answers given, lie side by side."""
        match clause.kind:
            case ClauseKind.REQUIRE:
                return self.one_sided(clause.condition, True)
            case ClauseKind.FORBID | ClauseKind.CONFIRM | ClauseKind.SIGN:
                return self.one_sided(clause.condition, False)
            case ClauseKind.LIMIT:
                return self._limit(clause)
            case _:
                assert_never(clause.kind)

    def _limit(self, clause: Clause) -> bool:
        if clause.limit is None or any(self.reads(key, _NOTHING) for key in clause.limit.keys):
            return False
        counted = (clause.limit.measure, clause.limit.bound)
        if self.reads(clause.condition, _NOTHING):
            return not any(self.reads(part, _NOTHING) for part in counted) and self.one_sided(clause.condition, False)
        return all(self.linear(part, _NOTHING) for part in counted)

    def values(self, transition: Transition) -> bool:
        """Tell whether what is remembered and what effects are handed stays in its range for values side by side."""
        calls = [argument for act in transition.acts for argument in act.call.arguments]
        return all(self.linear(value, _NOTHING) for value in (*_assigned(transition).values(), *calls))

    def properties(self, machine: Machine, transition: Transition) -> bool:
        """Tell whether no `never … when` is violated for values side by side.

        One that asks who signed depends on answers that nobody has given yet.
        """
        assigned = _assigned(transition)
        moving = frozenset(_field(name) for name, value in assigned.items() if self.reads(value, _NOTHING))
        tested = [item.condition for item in machine.properties if isinstance(item, Never)]
        return all(
            self.one_sided(condition, False, moving)
            and not any(isinstance(node, ir.ReadHistory) for node in nodes(condition))
            for condition in tested
        )

    def _bound(self, name: str, value: ir.Expression, moving: frozenset[str]) -> frozenset[str] | None:
        """Return what moves where `name` stands for the value; null where that doesn't move evenly."""
        if not self.reads(value, moving):
            return moving - {name}
        return moving | {name} if self.linear(value, moving) else None


def _assigned(transition: Transition) -> dict[str, ir.Expression]:
    return {item.name: item.value for item in transition.assignments}


def _field(name: str) -> str:
    """Return what stands for a field of memory among what moves: no variable is called so."""
    return f"memory {name}"


def _halves(comparison: ir.Comparison, truth: bool) -> bool:
    """Tell whether a comparison has that truth on one side of a number, or at that number alone."""
    match comparison:
        case ir.Comparison.EQUAL:
            return truth
        case ir.Comparison.UNEQUAL:
            return not truth
        case ir.Comparison.LESS | ir.Comparison.AT_MOST | ir.Comparison.GREATER | ir.Comparison.AT_LEAST:
            return True
        case _:
            assert_never(comparison)
