"""Confidence can only lower authority: more of it may never turn an acceptance into anything else, nor less of it a
refusal or an escalation into an acceptance.

So a clause may compare confidence with something that doesn't depend on it, and only on the side where more of it
passes: `require confidence >= 0.85`, `confirm … when confidence < 0.95`. Anything else is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.expression import Comparison, Input
from edca.kernel.machine import ClauseKind
from edca.semantic import typed, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.semantic.checked import CheckedClause

_RISING = (Comparison.GREATER, Comparison.AT_LEAST)
_FALLING = (Comparison.LESS, Comparison.AT_MOST)


def reads_confidence(node: typed.Expression, definitions: Mapping[str, typed.Definition]) -> bool:
    """Tell whether the expression reads the proposer's confidence."""
    return any(
        isinstance(part, typed.InputRead) and part.input is Input.CONFIDENCE for part in walk.nodes(node, definitions)
    )


def raises_authority(clause: CheckedClause, definitions: Mapping[str, typed.Definition]) -> bool:
    """Tell whether more confidence could make this clause fail: only a `require` passes where its condition is true."""
    return not _one_way(clause.condition, definitions, rising=clause.kind is ClauseKind.REQUIRE)


def _one_way(node: typed.Expression, definitions: Mapping[str, typed.Definition], *, rising: bool) -> bool:
    """Tell whether the truth of `node` can only rise (or only fall) with confidence."""
    if not reads_confidence(node, definitions):
        return True
    match node:
        case typed.Connective(_, operands):
            return all(_one_way(operand, definitions, rising=rising) for operand in operands)
        case typed.Not(operand):
            return _one_way(operand, definitions, rising=not rising)
        case typed.Comparing(comparison, left, right):
            if _is_confidence(left) and not reads_confidence(right, definitions):
                return comparison in (_RISING if rising else _FALLING)
            if _is_confidence(right) and not reads_confidence(left, definitions):
                return comparison in (_FALLING if rising else _RISING)
            return False
        case typed.Applied(name, ()):
            return _one_way(definitions[name].body, definitions, rising=rising)
        case _:
            return False


def _is_confidence(node: typed.Expression) -> bool:
    inner = node.operand if isinstance(node, typed.Converted) else node
    return isinstance(inner, typed.InputRead) and inner.input is Input.CONFIDENCE
