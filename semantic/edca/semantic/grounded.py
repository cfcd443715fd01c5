"""Whether a condition rests on facts: whether it could be true, or false, where no fact is known at all.

`order.status == placed` can't be true then. `said == placed or order.status == placed` can: the proposer need only say
so. What reads no fact counts as free to be either.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edca.kernel.expression import Fold, Input
from edca.kernel.types import ListType
from edca.semantic import typed, walk
from edca.semantic.relations import plain

if TYPE_CHECKING:
    from edca.semantic.typed import Definition, Expression


@dataclass(frozen=True, slots=True)
class Ground:
    """What a spec's expressions are made of. `facts` are the parameters and variables that stand for facts."""

    definitions: Mapping[str, Definition]
    lets: Mapping[str, Expression]
    facts: frozenset[str] = frozenset()

    def could_be(self, truth: bool, node: Expression) -> bool:
        """Tell whether the condition could have that truth value without any fact being known."""
        match node:
            case typed.Literal(value):
                return value is truth
            case typed.Not(operand):
                return self.could_be(not truth, operand)
            case typed.Connective(every, operands):
                enough = all if every is truth else any
                return enough(self.could_be(truth, operand) for operand in operands)
            case typed.Conditional(test, then, otherwise):
                return not self.rests(test) and (self.could_be(truth, then) or self.could_be(truth, otherwise))
            case typed.LetRead(name) if name in self.lets:
                return replace(self, facts=frozenset()).could_be(truth, self.lets[name])
            case typed.Applied(name, arguments):
                return self._inside(name, arguments).could_be(truth, self.definitions[name].body)
            case typed.Folded(fold, variable, domain, None, body) if fold in (Fold.EVERY, Fold.SOME) and body:
                return self._quantified(truth, fold, variable, domain, body)
            case _:
                return not self.rests(node)

    def _quantified(self, truth: bool, fold: Fold, variable: str, domain: Expression, body: Expression) -> bool:
        if self.rests(domain):
            return False
        type_ = plain(domain.type)
        may_be_empty = not isinstance(type_, ListType) or type_.low == 0
        inside = replace(self, facts=self.facts - {variable})
        return (may_be_empty and truth is (fold is Fold.EVERY)) or inside.could_be(truth, body)

    def _inside(self, name: str, arguments: tuple[Expression, ...]) -> Ground:
        pairs = zip(self.definitions[name].parameters, arguments, strict=True)
        return replace(self, lets={}, facts=frozenset(p for (p, _), argument in pairs if self.rests(argument)))

    def rests(self, node: Expression) -> bool:
        """Tell whether the value is unknown where no fact is: it reads one somewhere that counts."""
        if self._reads(node):
            return True
        return any(isinstance(part, typed.LocalRead) and part.name in self.facts for part in _own(node))

    def _reads(self, node: Expression) -> bool:
        return bool(walk.facts(node, self.definitions, self.lets))


@dataclass(frozen=True, slots=True)
class Asked(Ground):
    """The same for who is asking: whether a condition could be true or false whoever asks, and for whomever."""

    def _reads(self, node: Expression) -> bool:
        return any(
            isinstance(part, typed.InputRead) and part.input in (Input.SUBJECT, Input.PROPOSER)
            for part in walk.nodes(node, self.definitions, self.lets)
        )


def _own(node: Expression) -> list[Expression]:
    """Return the parts of an expression without those of the defines that it applies."""
    return list(walk.nodes(node, {}))
