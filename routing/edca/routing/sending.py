"""What effects hand to a service or a function: a permit's arguments, in the source's own terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.values import Value, ValueProblem, from_raw
from edca.routing.model_documents import ArrayRoute, ObjectRoute
from edca.routing.templates import led, stored_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.machine import Entity, Parameter
    from edca.routing.model_documents import BodyRoute
    from edca.runtime.ports import Permit


def scope_of(parameters: tuple[Parameter, ...], permit: Permit, entities: Mapping[str, Entity]) -> dict[str, Value]:
    """Return a permit's arguments as values. Raises `KeyError` or `ValueProblem` for others than declared."""
    surplus = sorted(set(permit.arguments) - {part.name for part in parameters})
    if surplus:
        raise ValueProblem("unexpected argument", surplus[0])
    return {part.name: from_raw(part.type, permit.arguments[part.name], entities) for part in parameters}


def body_of(body: BodyRoute, scope: Mapping[str, Value]) -> object:
    """Return what is sent as JSON. Raises `UnwritableError` for a value that the route's encoding can't hold."""
    match body:
        case ObjectRoute(members):
            return {member.name: body_of(member.body, scope) for member in members}
        case ArrayRoute(variable, name, steps, members):
            elements = led(scope, name, steps)
            whole = ObjectRoute(members)
            return [
                body_of(whole, {**scope, variable: element})
                for element in (elements if isinstance(elements, tuple) else ())
            ]
        case operand:
            return stored_of(operand, scope)
