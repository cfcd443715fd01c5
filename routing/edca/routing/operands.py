"""The check of values that effects write, send or compare: literals, parts of typed parameters, codes of states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edca.kernel.types import ListType, OptionalType, RecordType, ReferenceType, Type, describe
from edca.routing import tree
from edca.routing.codec import bare
from edca.routing.model import Fixed, Given, Operand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.dsl.tree import Name
    from edca.routing.context import Context

Scope: TypeAlias = Mapping[str, Type]
"""The parameters and loop variables that may be named, with their types."""


@dataclass(frozen=True, slots=True)
class Operands:
    """Checks the values in the route of one effect of this source."""

    context: Context
    effect: str
    source: str

    def operand(self, node: tree.Value, scope: Scope) -> Operand | None:
        """Return where a value comes from, or null where something about it was reported."""
        if isinstance(node, tree.Literal):
            return Fixed(node.value)
        if isinstance(node, tree.StateValue):
            return self._state(node)
        led = self._path(node.path, scope)
        if led is None:
            return None
        steps, type_ = led
        codec = self.context.codec(type_, node.encoding, node.span)
        return None if codec is None else Given(node.path.names[0].text, steps, codec)

    def _path(self, path: tree.Path, scope: Scope) -> tuple[tuple[int, ...], Type] | None:
        """Return the positions that a path goes through and the type it ends at."""
        first, *rest = path.names
        type_ = scope.get(first.text)
        if type_ is None:
            message = f"`{first.text}` is no parameter of `{self.effect}`"
            self.context.unknown("N001", message, first, tuple(scope))
            return None
        steps: list[int] = []
        absent = False
        for name in rest:
            inner, optional = bare(type_)
            absent = absent or optional
            parts = self._parts(inner)
            names = [part for part, _ in parts]
            if name.text not in names:
                message = f"a `{describe(inner)}` has no part `{name.text}`"
                self.context.unknown("T003", message, name, names)
                return None
            steps.append(names.index(name.text))
            type_ = parts[steps[-1]][1]
        if absent and not isinstance(type_, OptionalType):
            type_ = OptionalType(type_)
        return tuple(steps), type_

    def _parts(self, type_: Type) -> Sequence[tuple[str, Type]]:
        match type_:
            case RecordType(_, parts):
                return parts
            case ReferenceType(entity):
                return [(part.name, part.type) for part in self.context.machine.index.entities[entity].key]
            case _:
                return ()

    def elements(self, variable: Name, over: tree.Path, scope: Scope) -> tuple[tuple[int, ...], Scope] | None:
        """Return where a list is, and the scope for what is done with each element; null where that was reported."""
        if variable.text in scope:
            message = f"`{variable.text}` means something else here already"
            self.context.report("N003", message, variable.span, "use another name")
            return None
        found = self._path(over, scope)
        if found is None:
            return None
        steps, type_ = found
        if not isinstance(type_, ListType):
            message = f"only a list has elements, and this is a `{describe(type_)}`"
            self.context.report("T009", message, over.span)
            return None
        return steps, {**scope, variable.text: type_.of}

    def _state(self, node: tree.StateValue) -> Fixed | None:
        """Return the code that the entity's own route gives a state: what is written is what will be read."""
        found = self.context.states.get(node.entity.text)
        if found is None:
            message = f"no route says by which codes `{node.entity.text}` holds its state"
            self.context.unknown("N001", message, node.entity, tuple(self.context.states))
            return None
        source, route = found
        codes = dict(route.codes)
        if node.state.text not in codes:
            message = f"`{node.state.text}` has no code in the route of `{node.entity.text}`"
            self.context.unknown("R007", message, node.state, tuple(codes))
            return None
        if source != self.source:
            message = f"`{node.entity.text}` is held by `{source}`, and this is written to `{self.source}`"
            self.context.report("R010", message, node.span)
            return None
        return Fixed(codes[node.state.text])
