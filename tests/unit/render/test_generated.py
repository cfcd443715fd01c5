"""Goal: any condition has a sentence, and conditions that read alike are the same to the kernel."""

import dataclasses
from typing import Any

import pytest
import strategies
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.kernel.expression import Compare, Comparison, Constant, Expression, Negation
from edca.semantic.compile import compile_spec
from edca.semantic.lower import lower_expression
from edca.semantic.render.phrase import text_of
from edca.semantic.render.prose import Prose

RULES = """
transition close(thing_id: id) from open to closed
{
  means "Close." by agent, person answers person
%s
}
"""

OPPOSITE = {
    Comparison.EQUAL: Comparison.UNEQUAL,
    Comparison.LESS: Comparison.AT_LEAST,
    Comparison.AT_MOST: Comparison.GREATER,
}
OPPOSITE |= {other: one for one, other in OPPOSITE.items()}


def without_negations(node: Any) -> Any:
    """Return an expression with negations taken inwards: `not a < b` is `a >= b`, for the unknown too."""
    if isinstance(node, tuple):
        return tuple(map(without_negations, node))
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    inner: Any = dataclasses.replace(
        node, **{field.name: without_negations(getattr(node, field.name)) for field in dataclasses.fields(node)}
    )
    match inner:
        case Negation(Negation(operand)):
            return operand
        case Negation(Constant(bool() as truth)):
            return Constant(not truth)
        case Negation(Compare(comparison, left, right)):
            return Compare(OPPOSITE[comparison], left, right)
        case _:
            return inner


@pytest.mark.parametrize("depth", [1, 3])
def test_what_reads_alike_is_alike(depth: int) -> None:
    read: dict[str, Expression] = {}  # over all examples: small conditions come up again and again

    @given(st.lists(strategies.expressions("bool", depth), min_size=8, max_size=8))
    @settings(max_examples=25, deadline=None)
    def check(conditions: list[str]) -> None:
        clauses = "\n".join(f'  require {text} else refuse r{index} "R."' for index, text in enumerate(conditions))
        checked = compile_spec(Source("generated.edca", strategies.VOCABULARY + RULES % clauses)).checked
        assume(checked is not None)
        assert checked is not None
        prose = Prose(checked.words.entities, checked.definitions)
        for clause in checked.transitions[-1].clauses:
            lowered = without_negations(lower_expression(clause.condition, checked.definitions))
            assert read.setdefault(text_of(prose.holds(clause.condition)), lowered) == lowered
            assert text_of(prose.outline(clause.condition).text)

    check()
    assert len(read) > 20
