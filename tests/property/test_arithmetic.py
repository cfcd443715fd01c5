"""Goal: compiled arithmetic and comparison are exact, and stay within the interval that the checker gives them."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source, concise
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.types import DecimalType, IntType, decimal_text
from edca.semantic.compile import compile_spec
from edca.semantic.lower import lower_expression
from edca.semantic.relations import scale_of

NAMES = {"n": (0, -50, 50), "a": (1, -99, 99), "b": (2, -10_000, 10_000), "c": (4, 0, 10_000)}
MEMORY = ", ".join(
    f"{name}: {'int' if not scale else 'decimal'}({f'{scale}, ' if scale else ''}"
    f"{decimal_text(low, scale)} to {decimal_text(high, scale)}) = {decimal_text(max(low, 0), scale)}"
    for name, (scale, low, high) in NAMES.items()
)
SPEC = f"""edca 1 machine m version "1"
role person human
entity thing key (thing_id: id) {{ a_field: bool }}
case about thing by thing_id
memory {{ {MEMORY} }}
state open initial "Open."
state closed final "Closed." success
transition close(thing_id: id) from open to closed {{ means "Close." by person answers person }}
"""


@dataclass(frozen=True)
class Term:
    """An expression as text, with what it stands for by Python's own exact numbers."""

    text: str
    of: dict[str, Fraction]
    value: Fraction


@st.composite
def terms(draw: st.DrawFn, memory: dict[str, Fraction], depth: int = 3) -> Term:
    """An arithmetic expression over literals and memory."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        if draw(st.booleans()):
            name = draw(st.sampled_from(sorted(NAMES)))
            return Term(name, memory, memory[name])
        scale, units = draw(st.integers(0, 4)), draw(st.integers(0, 99_999))
        return Term(decimal_text(units, scale), memory, Fraction(units, 10**scale))
    kind = draw(st.sampled_from(["+", "-", "*", "negate", "min", "max", "if", "sum"]))
    left, right = draw(terms(memory, depth - 1)), draw(terms(memory, depth - 1))
    match kind:
        case "+":
            return Term(f"({left.text} + {right.text})", memory, left.value + right.value)
        case "-":
            return Term(f"({left.text} - {right.text})", memory, left.value - right.value)
        case "*":
            return Term(f"({left.text} * {right.text})", memory, left.value * right.value)
        case "negate":
            return Term(f"(-{left.text})", memory, -left.value)
        case "min":
            return Term(f"min({left.text}, {right.text})", memory, min(left.value, right.value))
        case "max":
            return Term(f"max({left.text}, {right.text})", memory, max(left.value, right.value))
        case "sum":
            return Term(f"sum([{left.text}, {right.text}])", memory, left.value + right.value)
        case _:
            sign, test = draw(st.sampled_from([("<", left.value < right.value), ("==", left.value == right.value)]))
            other = draw(terms(memory, depth - 1))
            text = f"(if {left.text} {sign} {right.text} then {left.text} else {other.text})"
            return Term(text, memory, left.value if test else other.value)


@st.composite
def problems(draw: st.DrawFn) -> tuple[dict[str, int], list[Term]]:
    """What memory holds, in units, and some expressions over it."""
    units = {name: draw(st.integers(low, high)) for name, (_, low, high) in NAMES.items()}
    memory = {name: Fraction(units[name], 10 ** NAMES[name][0]) for name in units}
    return units, draw(st.lists(terms(memory), min_size=6, max_size=6))


def _frame(units: dict[str, int]) -> Frame:
    return Frame(arguments={}, memory=units, claims={}, inputs={}, facts={})


@given(problems())
@settings(max_examples=60)
def test_arithmetic_is_exact(problem: tuple[dict[str, int], list[Term]]) -> None:
    units, written = problem
    defines = "".join(f"define x{i} = {term.text}\n" for i, term in enumerate(written))
    compiled = compile_spec(Source("generated", SPEC + defines))
    assert compiled.checked is not None, concise(compiled.diagnostics)
    for index, term in enumerate(written):
        body = compiled.checked.definitions[f"x{index}"].body
        type_ = body.type
        assert isinstance(type_, (IntType, DecimalType))
        found = closure_of(lower_expression(body, compiled.checked.definitions))(_frame(units))
        assert Fraction(found, 10 ** scale_of(type_)) == term.value, term.text
        assert type_.low <= found <= type_.high, f"{term.text} leaves {type_}"


_COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@given(problems())
@settings(max_examples=40)
def test_comparison_is_exact_across_scales(problem: tuple[dict[str, int], list[Term]]) -> None:
    units, written = problem
    pairs = list(itertools.pairwise(written))
    defines = "".join(
        f"define x{i}_{j} = {left.text} {sign} {right.text}\n"
        for i, (left, right) in enumerate(pairs)
        for j, sign in enumerate(_COMPARISONS)
    )
    compiled = compile_spec(Source("generated", SPEC + defines))
    assert compiled.checked is not None, concise(compiled.diagnostics)
    for i, (left, right) in enumerate(pairs):
        for j, holds in enumerate(_COMPARISONS.values()):
            body = compiled.checked.definitions[f"x{i}_{j}"].body
            found = closure_of(lower_expression(body, compiled.checked.definitions))(_frame(units))
            assert found is holds(left.value, right.value)
