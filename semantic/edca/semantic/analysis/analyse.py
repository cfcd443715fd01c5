"""The analyses of a spec, in the order of a reader's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.semantic.analysis import conditions, graph, names

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic.checked import CheckedSpec
    from edca.semantic.problems import Problems


def analyse(spec: tree.Spec, checked: CheckedSpec, problems: Problems) -> None:
    """Add a warning for all that is certainly of no use, or surely not what was meant. The spec has no error."""
    names.check(spec, problems)
    graph.check(checked, problems)
    conditions.check(checked, problems)
