"""The analyses of a spec, in the order of a reader's questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.semantic.analysis import branches, conditions, flow, graph, idle, implicit, keys, names, past, paths, trying
from edca.semantic.analysis.possible import Reach

if TYPE_CHECKING:
    from edca.dsl import tree
    from edca.semantic.checked import CheckedSpec
    from edca.semantic.problems import Problems


def analyse(spec: tree.Spec, checked: CheckedSpec, problems: Problems) -> None:
    """Add a finding for all that is certainly of no use, surely not what was meant, or claimed and not proved.

    The spec has no error yet. What a property, a label or a pair of branches demands and the analysis can't show is an
    error; the rest are warnings.
    """
    reach = Reach(checked)
    names.check(spec, problems)
    graph.check(checked, problems)
    conditions.check(checked, reach, problems)
    branches.check(spec, checked, reach, problems)
    past.check(spec, checked, reach, problems)
    keys.check(spec, checked, reach, problems)
    idle.check(spec, checked, reach, problems)
    paths.check(checked, reach, problems)
    flow.check(spec, checked, problems)
    implicit.check(spec, checked, reach.terms, problems)
    trying.check(checked, problems)
