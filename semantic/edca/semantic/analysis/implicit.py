"""What tells which branch was taken: where guards read a labelled value, what branches do differently tells of it.

Branches that do the same tell nothing, whichever of them it was. So of each memory field and each effect, what the
branches that may be meant in one state do with it is compared, as it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from edca.semantic import typed, walk
from edca.semantic.analysis import written
from edca.semantic.analysis.flow import NONE, Flow, in_order, to_effect, to_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.dsl import tree
    from edca.semantic.analysis.constraints import Terms
    from edca.semantic.analysis.flow import Origins
    from edca.semantic.checked import CheckedSpec, CheckedTransition
    from edca.semantic.problems import Problems

Key: TypeAlias = tuple[object, ...]  # equal for expressions that are written the same


def check(tree_: tree.Spec, spec: CheckedSpec, terms: Terms, problems: Problems) -> None:
    """Report each field and effect that would tell of a labelled value by what the branches do with it."""
    offered: dict[str, list[CheckedTransition]] = {}
    for item in spec.transitions:
        offered.setdefault(item.offered, []).append(item)
    declared = written.declarations(tree_)
    released = {(one.owner, one.name, to) for one in spec.releases for to in one.to}
    for branches in offered.values():
        guarding = [(item, _of_guard(spec, item)) for item in branches]
        if len(branches) == 1 or not any(origins for _, origins in guarding):
            continue
        done = {item.name: _Done(spec, item, terms) for item in branches}
        for item in branches:
            among = [(other, origins) for other, origins in guarding if set(other.sources) & set(item.sources)]
            origins = NONE.union(*(origins for _, origins in among))
            spans = written.assignments(declared[item.name])
            for name, _ in item.assignments:
                if _alike([done[other.name].fields.get(name) for other, _ in among]):
                    continue
                kept = spec.words.memory_labels.get(name, ())
                for value in in_order(origins):
                    lacking = [label for label in value.labels if label not in kept]
                    if lacking:
                        to_memory(name, value, lacking, spans[name], problems, by=item.offered)
            for call, invocation in written.calls(item, declared[item.name]):
                if _alike([done[other.name].effects.get(call.effect) for other, _ in among]):
                    continue
                for value in in_order(origins):
                    if (value.owner, value.name, call.effect) not in released:
                        to_effect(call.effect, value, invocation.span, problems, by=item.offered)


def _of_guard(spec: CheckedSpec, item: CheckedTransition) -> Origins:
    return NONE if item.guard is None else Flow(spec, item).of(item.guard)


def _alike(keys: list[Key | None]) -> bool:
    return all(key == keys[0] for key in keys)


class _Done:
    """What one branch does with each memory field and each effect, so that branches can be compared."""

    def __init__(self, spec: CheckedSpec, item: CheckedTransition, terms: Terms) -> None:
        self._spec = spec
        self._terms = terms
        self._lets: Mapping[str, typed.Expression] = dict(item.lets)
        self.fields: dict[str, Key] = {
            name: self._key(value)
            for name, value in item.assignments
            if not (isinstance(value, typed.MemoryRead) and value.name == name)  # as if it were not set
        }
        self.effects: dict[str, Key] = {}
        for act in item.acts:
            for call in (act.call, *(() if act.undo is None else (act.undo,))):
                told = tuple(self._key(argument) for argument in call.arguments)
                self.effects[call.effect] = (*self.effects.get(call.effect, ()), (call is act.call, told))

    def _key(self, value: typed.Expression) -> Key:
        """Return the expression's number, with those of the lets that it reads."""
        read = walk.nodes(value, self._spec.definitions, self._lets)
        lets = {node.name for node in read if isinstance(node, typed.LetRead)}
        number = self._terms.number
        return (number(value), *((name, number(self._lets[name])) for name in sorted(lets)))
