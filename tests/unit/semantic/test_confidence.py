"""Goal: bands can lower a stated confidence and keep its order, and can do nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edca.semantic.confidence import Bands


@st.composite
def bands(draw: st.DrawFn) -> Bands:
    stated = sorted(draw(st.sets(st.integers(0, 10_000), max_size=6)))
    counted, steps = 0, []
    for at_least in stated:
        counted = draw(st.integers(counted, max(at_least, counted)))
        steps.append((at_least, counted))
    return Bands(tuple(steps))


@given(bands(), st.integers(0, 10_000), st.none() | st.integers(0, 10_000))
def test_law_4_bands_and_what_the_host_derives_only_lower(one: Bands, stated: int, derived: int | None) -> None:
    counted = one.counted(stated, derived)
    assert counted is not None
    assert 0 <= counted <= stated
    assert derived is None or counted <= derived


@given(bands(), st.integers(0, 10_000), st.integers(0, 10_000))
def test_who_states_more_never_counts_for_less(one: Bands, lower: int, higher: int) -> None:
    lower, higher = sorted((lower, higher))
    counted = one.counted(lower), one.counted(higher)
    assert counted[0] is not None
    assert counted[1] is not None
    assert counted[0] <= counted[1]


def test_who_states_nothing_gets_nothing() -> None:
    """Otherwise a model would gain by leaving out a low confidence where the host derives a high one."""
    assert Bands(()).counted(None, 10_000) is None


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ({"0.5": "0.6"}, "a stated confidence of 0.5000 can't count as 0.6000: it may only lower"),
        ({"0.5": "-0.1"}, "it may only lower"),
        ({"1.1": "0.5"}, "it may only lower"),
        ({"0.5": "0.4", "0.9": "0.3"}, "the band from 0.9000 on does not rise"),
        ({"0.5": "0.4", "0.50": "0.4"}, "the band from 0.5000 on does not rise"),
        ({"0.55555": "0.4"}, "`0.55555` is no confidence"),
        ({"high": "0.4"}, "`high` is no confidence"),
        ({"NaN": "0.4"}, "`NaN` is no confidence"),
    ],
)
def test_bands_that_would_raise_or_turn_around_are_refused(steps: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Bands.of(steps)
