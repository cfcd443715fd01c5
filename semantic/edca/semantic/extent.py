"""How large an expression becomes once its defines are inlined: bounded before it is lowered.

A define that uses another twice, seventeen times over, would be a hundred thousand nodes; so sizes are added up, not
tried out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.semantic import typed, walk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.diagnostics.source import Span
    from edca.semantic.scope import Scope

NODES_MAX = 20_000
DEPTH_MAX = 100


def measure(node: typed.Expression, definitions: Mapping[str, typed.Definition]) -> tuple[int, int]:
    """Return (nodes, depth) of the expression with every define inlined."""
    size, depth = 1, 0
    for part in walk.parts(node):
        part_size, part_depth = measure(part, definitions)
        size, depth = size + part_size, max(depth, part_depth)
    if isinstance(node, typed.Applied):
        body = definitions[node.name]
        size, depth = size + body.size, max(depth, body.depth) + len(node.arguments)
    return size, depth + 1


def fits(expression: typed.Expression, scope: Scope, span: Span) -> bool:
    """Tell whether the expression stays within its bounds, and report where it doesn't."""
    size, depth = measure(expression, scope.definitions)
    if size <= NODES_MAX and depth <= DEPTH_MAX:
        return True
    scope.words.problems.add(
        "T020",
        span,
        f"with its defines written out this has {size} parts, {depth} deep",
        help=f"at most {NODES_MAX} parts, {DEPTH_MAX} deep: use fewer defines inside defines",
    )
    return False
