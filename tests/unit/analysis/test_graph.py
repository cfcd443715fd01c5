"""Goal: what is said about states agrees with trying every path of small machines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.semantic.analysis import graph
from edca.semantic.analysis.graph import graph_of, reached, trapped
from edca.semantic.compile import Compiled, compile_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.kernel.machine import Machine

Place = tuple[str, str]

HEAD = """edca 1 machine m version "1"
role person human
entity thing key (thing_id: id) { whole: bool }
entity box key (box_id: id) { whole: bool }
effect paint(whole: bool)
case about thing by thing_id
"""
STATES = [f"s{number}" for number in range(6)]


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Draw a machine of a few states, whose transitions lead anywhere and begin anywhere but in a final state."""
    names = STATES[: draw(st.integers(2, len(STATES)))]
    finals = draw(st.sets(st.sampled_from(names[1:])))
    starts = {names[0]: "initial"}
    if len(names) > 2 and names[1] not in finals and draw(st.booleans()):
        starts[names[1]] = "initial about box"
    open_states = [name for name in names if name not in finals]
    lines = [_state(name, starts.get(name, ""), name in finals) for name in names]
    for number in range(draw(st.integers(0, 7))):
        about = draw(st.sampled_from(["thing", "box"])) if len(starts) > 1 else "thing"
        sources = draw(st.lists(st.sampled_from(open_states), min_size=1, max_size=2, unique=True))
        target = draw(st.sampled_from(names))
        edges = draw(st.none() | st.tuples(st.sampled_from(names), st.sampled_from(names)))
        lines.append(_transition(number, about, sources, target, edges))
    return HEAD + "\n".join(lines)


def _state(name: str, start: str, final: bool) -> str:
    return f'state {name} final "S." success' if final else f'state {name} {start} "S."'


def _transition(number: int, about: str, sources: list[str], target: str, edges: tuple[str, str] | None) -> str:
    head = f"transition t{number}({about}_id: id) about {about} by {about}_id from {', '.join(sources)} to {target}"
    if edges is None:
        return f'{head} {{ means "T." by person answers person }}'
    rule = f'require {about}.whole else refuse broken "B."'
    effect = f"do paint(true) ensure {about}.whole irreversible"
    ends = f'on failed go {edges[0]} "F." on timeout 1 minute go {edges[1]} "L."'
    return f'{head} {{ means "T." by person answers person {rule} {effect} {ends} }}'


def steps(machine: Machine, place: Place) -> Iterator[Place]:
    """Yield each place that one transition of a case leads to."""
    entity, state = place
    for transition in machine.transitions:
        if transition.about == entity and state in transition.sources:
            yield entity, transition.target
            for edge in (transition.on_failed, transition.on_timeout):
                if edge is not None:
                    yield entity, edge.target


def walks(machine: Machine, place: Place, length: int) -> Iterator[Place]:
    """Yield where every walk of at most so many transitions ends."""
    yield place
    if length:
        for target in steps(machine, place):
            yield from walks(machine, target, length - 1)


def explored(machine: Machine) -> tuple[set[Place], set[Place]]:
    """Return the places that cases get to, and those of them that no walk leads out of to an end."""
    length = len(machine.states) - 1  # a longer walk passes some state twice
    finals = {state.name for state in machine.states if state.final}
    starts = [(s.initial_about, s.name) for s in machine.states if s.initial_about is not None]
    places = {place for start in starts for place in walks(machine, start, length)}
    ends = {place for place in places if place[1] in finals or not list(steps(machine, place))}
    return places, {place for place in places if ends.isdisjoint(walks(machine, place, length))}


def named(compiled: Compiled, code: str) -> list[set[str]]:
    """Return the states that each finding of a code names."""
    return [set(re.findall(r"`(s\d)`", one.message)) for one in compiled.diagnostics if one.code.id == code]


def agree(text: str) -> None:
    """Compare what is found with what walking tells."""
    compiled = compile_spec(Source("random.edca", text))
    assert compiled.machine is not None and compiled.checked is not None, compiled.diagnostics
    places, lost = explored(compiled.machine)
    drawn = graph_of(compiled.checked)
    assert set(reached(drawn)) == places
    assert set(trapped(drawn)) == lost
    groups = named(compiled, "C018")
    assert set().union(*groups) <= {state for _, state in lost}
    # Whatever is lost ends up in a group that is reported, or stays where it began for good.
    starts = {place for place in lost if place in drawn.begins and set(steps(compiled.machine, place)) <= {place}}
    for place in lost - starts:
        ahead = {state for _, state in walks(compiled.machine, place, len(compiled.machine.states) - 1)}
        assert any(group <= ahead for group in groups) or not starts.isdisjoint(
            walks(compiled.machine, place, len(compiled.machine.states) - 1)
        )
    somewhere = {state for _, state in places}
    never = {
        item.name
        for item in compiled.machine.transitions
        if all((item.about, source) not in places for source in item.sources) and set(item.sources) <= somewhere
    }
    assert {one.primary.span.text for one in compiled.diagnostics if one.code.id == "C023"} == never


@settings(max_examples=150)
@given(specs())
def test_paths_and_analysis_agree(text: str) -> None:
    agree(text)


@pytest.mark.parametrize("forgotten", [graph.Ending.FAILED, graph.Ending.TIMED_OUT])
def test_a_broken_analysis_shows(forgotten: graph.Ending, monkeypatch: pytest.MonkeyPatch) -> None:
    states = ['state s0 initial "S."', 'state s1 "S."', 'state s2 "S."', 'state s3 final "S." success']
    moves = [_transition(0, "thing", ["s0"], "s3", ("s1", "s2")), _transition(1, "thing", ["s1", "s2"], "s3", None)]
    text = HEAD + "\n".join([*states, *moves])
    agree(text)
    passages = graph._passages
    monkeypatch.setattr(graph, "_passages", lambda item: [w for w in passages(item) if w.ending is not forgotten])
    with pytest.raises(AssertionError):
        agree(text)


def test_a_long_path_needs_no_deep_stack() -> None:
    count = 3000
    states = ['state s0 initial "S."', *(f'state s{n} "S."' for n in range(1, count))]
    moves = [_transition(n, "thing", [f"s{n}"], f"s{(n + 1) % count}", None) for n in range(count)]
    text = HEAD + "\n".join([*states, *moves])
    compiled = compile_spec(Source("ring.edca", text))
    assert compiled.checked is not None
    assert len(trapped(graph_of(compiled.checked))) == count
