"""Goal: what is claimed of paths, and of getting somewhere in the end, agrees with trying every order of events.

The machines are small and drawn at random. The oracle knows nothing of the analysis: it walks the compiled machine, and
asks the kernel itself whether the clock's candidate is accepted in every world that it can think of.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from setups import NOW, case_of, instance

from edca.diagnostics import Source
from edca.kernel.candidate import Candidate
from edca.kernel.decide import decide
from edca.kernel.facts import table
from edca.kernel.inputs import NORMAL, Inputs
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX, Unknown
from edca.kernel.verdict import Accepted
from edca.semantic.analysis import forced, graph, paths
from edca.semantic.analysis.graph import Ending
from edca.semantic.compile import compile_spec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.diagnostics import Diagnostic
    from edca.kernel.machine import Machine, Transition
    from edca.semantic.analysis.possible import Reach
    from edca.semantic.checked import CheckedSpec

HEAD = """edca 1 machine m version "1"
role person human
entity thing key (thing_id: id) { whole: bool }
effect paint(whole: bool)
effect scrape(whole: bool)
case about thing by thing_id
memory { kept: int(0 to 1) = 0 }
forbid frozen "Broken things stay." when not thing.whole
"""
STATES = [f"s{number}" for number in range(5)]
ROSTER = Roster(
    (Principal("timer", ("clock",)), Principal("pia", ("person",))),
    (Mandate("standing", "pia", "person", "m", (), 0, TIME_MAX),),
)


@dataclass(frozen=True)
class Drawn:
    """A machine without and with one property of its paths."""

    text: str
    property: str
    sources: tuple[str, ...]  # none: `never … reaching targets without names`
    targets: tuple[str, ...]
    without: tuple[str, ...] = ()
    assuming: bool = False


@st.composite
def specs(draw: st.DrawFn) -> Drawn:
    """Draw a machine of a few states, some of which the clock leaves, and something claimed of it."""
    names = STATES[: draw(st.integers(2, len(STATES)))]
    finals = draw(st.sets(st.sampled_from(names[1:])))
    open_states = [name for name in names if name not in finals]
    lines = []
    for number, name in enumerate(names):
        kind = "initial" if number == 0 else "final" if name in finals else ""
        lines.append(f'state {name} {kind} "S."{" success" if name in finals else ""}')
    count = draw(st.integers(1, 6))
    offered = [f"t{number}" for number in range(count)]
    leaving = [f"c{number}" for number in range(len(open_states))] if draw(st.integers(0, 2)) == 0 else []
    for name in offered:
        sources = draw(st.lists(st.sampled_from(open_states), min_size=1, max_size=2, unique=True))
        target = draw(st.sampled_from(names))
        lines.append(_transition(draw, name, sources, target, names))
    for name, state in zip(leaving, open_states, strict=False):
        lines.append(_clocked(name, state, draw(st.sampled_from(names)), ["after 1 hour", "unblockable"]))
    if count > 1 and draw(st.integers(0, 2)) == 0:
        allowed = leaving + draw(st.lists(st.sampled_from(offered), min_size=1, max_size=count - 1, unique=True))
        lines.append(f'mode small "S." {{ allow {", ".join(allowed)} enter by person leave by person }}')
    if draw(st.integers(0, 3)) == 0:
        state = draw(st.sampled_from(names))
        lines.append(f'never bad "B." while {state} when not thing.whole')
    text = HEAD + "\n".join(lines)
    targets = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
    if draw(st.booleans()):
        without = tuple(draw(st.lists(st.sampled_from(offered), min_size=1, max_size=2, unique=True)))
        stated = f'never p "P." reaching {", ".join(targets)} without {", ".join(without)}'
        return Drawn(text, stated, (), targets, without)
    rest = [name for name in names if name not in targets] or names
    sources = draw(st.lists(st.sampled_from(rest), min_size=1, max_size=2, unique=True))
    assuming = draw(st.integers(0, 2)) == 0
    stated = f'always p "P." {", ".join(sources)} leads to {", ".join(targets)}{" assuming " if assuming else ""}'
    return Drawn(text, stated + ('"People act."' if assuming else ""), tuple(sources), targets, (), assuming)


def _transition(draw: st.DrawFn, name: str, sources: list[str], target: str, names: list[str]) -> str:
    head = f"transition {name}(thing_id: id) from {', '.join(sources)} to {target}"
    match draw(st.sampled_from(["plain", "effect", "clock", "clock", "clock"])):
        case "plain":
            return f'{head} {{ means "T." by person answers person }}'
        case "effect":
            failed, late = draw(st.sampled_from(names)), draw(st.sampled_from(names))
            return f"""{head} {{ means "T." by person answers person
                require thing.whole else refuse broken "B."
                do paint(true) ensure thing.whole {draw(st.sampled_from(["irreversible", "undo scrape(true)"]))}
                on failed go {failed} "F." on timeout 1 minute go {late} "T." }}"""
        case _:
            parts = ["after 1 hour", "unblockable"]
            spoilt = draw(st.integers(0, 9))
            if spoilt == 0:
                parts.remove("after 1 hour")
            elif spoilt == 1:
                parts.remove("unblockable")
            elif spoilt == 2:
                parts.append('require thing.whole else refuse broken "B."')
            elif spoilt == 3:
                parts.append("set kept = kept + 1")
            elif spoilt == 4:
                parts.append("set kept = 1")
            return _clocked(name, ", ".join(sources), target, parts)


def _clocked(name: str, sources: str, target: str, parts: list[str]) -> str:
    head = f"transition {name}(thing_id: id) from {sources} to {target}"
    return f'{head} {{ means "T." by clock answers person {" ".join(parts)} }}'


# --- the oracle ---


def ways(machine: Machine, state: str) -> Iterator[tuple[str, Transition, bool]]:
    """Yield each state that something may lead to, by what, and whether that was done."""
    for transition in machine.transitions:
        if state in transition.sources:
            yield transition.target, transition, True
            for edge in (transition.on_failed, transition.on_timeout):
                if edge is not None:
                    yield edge.target, transition, False


def walks(machine: Machine, state: str, targets: tuple[str, ...], length: int) -> Iterator[tuple[str, ...]]:
    """Yield every walk from the state that changes it in each step, until it gets to a target or is long enough."""
    yield (state,)
    if length and state not in targets:
        for after in sorted({after for after, _, _ in ways(machine, state)} - {state}):
            for rest in walks(machine, after, targets, length - 1):
                yield (state, *rest)


def reaches_without(machine: Machine, drawn: Drawn) -> set[str]:
    """Return the targets that some walk gets to before any of the transitions was done."""
    found = set()
    pending = [(state.name, frozenset[str]()) for state in machine.states if state.initial_about is not None]
    for state, passed in pending:  # grows while it is gone through
        if state in passed:
            continue
        found |= {state} & set(drawn.targets)
        for after, transition, done in ways(machine, state):
            if not (done and transition.offered in drawn.without):
                pending.append((after, passed | {state}))
    return found


def is_left(machine: Machine, state: str) -> bool:
    """Tell whether one of the clock's candidates takes a case out of the state in every world."""
    worlds = list(
        itertools.product(
            [True, False, Unknown.MISSING, None],
            [0, 1],
            [NORMAL, *machine.index.modes],
        )
    )
    return any(
        transition.target != state
        and transition.after_us is not None
        and all(accepts(machine, transition, state, *world) for world in worlds)
        for transition in machine.transitions
        if "clock" in transition.by and state in transition.sources
    )


def accepts(
    machine: Machine, transition: Transition, state: str, whole: bool | Unknown | None, kept: int, mode: str
) -> bool:
    """Tell whether the clock's candidate is accepted as soon as it is due; with a null `whole`, nothing is found."""
    candidate = Candidate(
        transition=transition.offered,
        arguments={"thing_id": "o1"},
        proposer="timer",
        role="clock",
        subject=None,
        model=None,
        revision=None,
        key="",
        confidence=None,
        evidence=(),
        rationale="",
    )
    case = case_of(machine, "thing", ("o1",), state, kept=kept)
    inputs = Inputs(
        now=case.entered + (transition.after_us or 0),
        clock="test",
        facts=table([] if whole is None else [instance("thing", "o1", as_of=NOW - 2_000_000, whole=whole)]),
        attestations=(),
        roster=ROSTER,
        key_used_by=None,
        mode=mode,
    )
    return isinstance(decide(machine, case, candidate, inputs), Accepted)


def is_held(machine: Machine, state: str) -> bool:
    """Tell whether a transition's effect may turn out not to have done what it should, and can't be undone."""
    return any(act.undo is None for item in machine.transitions if state in item.sources for act in item.acts)


def escapes(machine: Machine, drawn: Drawn) -> bool:
    """Tell whether some case can keep away from the targets."""
    length = len(machine.states)  # a walk of so many steps passes some state twice, and can do so for ever
    starts = [state.name for state in machine.states if state.initial_about is not None]
    reached = {walk[-1] for start in starts for walk in walks(machine, start, (), length)}
    runs = [
        walk for source in drawn.sources if source in reached for walk in walks(machine, source, drawn.targets, length)
    ]
    on_the_way = {walk[-1] for walk in runs} - set(drawn.targets)
    if drawn.assuming:
        return any(
            all(walk[-1] not in drawn.targets for walk in walks(machine, state, drawn.targets, length))
            for state in on_the_way
        )
    long = any(len(walk) > length and walk[-1] not in drawn.targets for walk in runs)
    return long or any(not is_left(machine, state) or is_held(machine, state) for state in on_the_way)


def agree(drawn: Drawn) -> None:
    """Compare what is found with what the oracle says."""
    without = compile_spec(Source("random.edca", drawn.text))
    if without.machine is None:
        raise ValueError(f"{without.diagnostics}\n{drawn.text}")  # no disagreement, but a mistake of this test
    compiled = compile_spec(Source("random.edca", f"{drawn.text}\n{drawn.property}"))
    errors = [one for one in compiled.diagnostics if one.code.id in ("C040", "C041")]
    if drawn.sources:
        assert bool(errors) == escapes(without.machine, drawn), (drawn, errors)
    else:
        found = {state for one in errors for state in re.findall(r"`(s\d)`", one.message)[:1]}
        assert found == reaches_without(without.machine, drawn), (drawn, errors)
        for one in errors:
            assert is_path(without.machine, drawn, one), (drawn, one)
    assert (compiled.machine is None) == bool(errors)


def is_path(machine: Machine, drawn: Drawn, one: Diagnostic) -> bool:
    """Tell whether the path that a finding draws is one."""
    drawing = re.search(r"`(s\d(?: → s\d)+)`", one.message)
    if drawing is None:
        return "begin" in one.message
    steps = drawing[1].split(" → ")
    return machine.index.initial["thing"] == steps[0] and all(
        any(
            after == to and not (done and transition.offered in drawn.without)
            for after, transition, done in ways(machine, start)
        )
        for start, to in itertools.pairwise(steps)
    )


@settings(max_examples=250)
@given(specs())
def test_properties_of_paths_agree_with_every_order_of_events(drawn: Drawn) -> None:
    agree(drawn)


# --- a test of the test: each of these mistakes shows ---


def machine(*transitions: str) -> str:
    """Return a machine of three states."""
    states = ['state s0 initial "S."', 'state s1 "S."', 'state s2 final "S." success']
    return HEAD + "\n".join([*states, *transitions])


def by_clock(name: str, source: str, target: str, parts: str = "") -> str:
    """Return a transition that the clock is sure to make, but for these parts."""
    return _clocked(name, source, target, ["after 1 hour", "unblockable", parts])


def always(text: str, source: str, *, assuming: bool = False) -> Drawn:
    """Claim that all cases in a state get to the last one."""
    assumed = ' assuming "People act."' if assuming else ""
    return Drawn(text, f'always p "P." {source} leads to s2{assumed}', (source,), ("s2",), (), assuming)


PERSON = 'transition t0(thing_id: id) from s0 to s2 { means "T." by person answers person }'
PAINTED = """transition t1(thing_id: id) from s0 to s0 { means "T." by person answers person
  require thing.whole else refuse broken "B." do paint(true) ensure thing.whole irreversible
  on failed go s2 "F." on timeout 1 minute go s0 "T." }"""
MODE = 'mode small "S." { allow t0 enter by person leave by person }'
REACHING = 'never p "P." reaching s2 without t0'

begin = forced.Exits.__init__


def started(self: forced.Exits, spec: CheckedSpec, reach: Reach, **without: Any) -> None:
    """Begin with a part of the spec left out."""
    begin(self, dataclasses.replace(spec, **without), reach)


# What is broken, and a machine for which the comparison tells.
MISTAKES: dict[str, tuple[Any, str, Any, Drawn]] = {
    "failures are forgotten": (
        graph,
        "_passages",
        lambda item: [graph.Passage(("thing", item.target), item, Ending.DONE)],
        Drawn(machine(PERSON, PAINTED), REACHING, (), ("s2",), ("t0",)),
    ),
    "what must come before is forgotten": (
        paths,
        "arrivals",
        lambda starts, _: dict.fromkeys(starts),
        Drawn(machine(PERSON, PAINTED), REACHING, (), ("s2",), ("t0",)),
    ),
    "every state is left": (forced.Exits, "forced", lambda *_: True, always(machine(PERSON), "s0")),
    "no state is left": (forced.Exits, "forced", lambda *_: False, always(machine(by_clock("t0", "s0", "s2")), "s0")),
    "rounds are forgotten": (
        paths,
        "_round",
        lambda *_: [],
        always(machine(by_clock("t0", "s0", "s1"), by_clock("t1", "s1", "s0")), "s0"),
    ),
    "assumptions are believed": (
        paths,
        "_can_get_there",
        lambda *_: None,
        always(machine(by_clock("t0", "s0", "s1"), PERSON.replace("t0", "t1")), "s0", assuming=True),
    ),
    "modes are forgotten": (
        forced.Exits,
        "__init__",
        lambda self, spec, reach: started(self, spec, reach, modes=()),
        always(machine(PERSON, by_clock("t1", "s0", "s2"), MODE), "s0"),
    ),
    "properties are forgotten": (
        forced.Exits,
        "__init__",
        lambda self, spec, reach: started(self, spec, reach, nevers=()),
        always(machine(by_clock("t0", "s0", "s2"), 'never bad "B." while s2 when not thing.whole'), "s0"),
    ),
    "quarantines are forgotten": (
        forced.Exits,
        "holding",
        lambda *_: None,
        always(machine(by_clock("t0", "s0", "s2"), PAINTED), "s0"),
    ),
    "what is set is believed": (
        forced.Exits,
        "_surely_kept",
        lambda *_: True,
        always(machine(by_clock("t0", "s0", "s2", "set kept = kept + 1")), "s0"),
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_analysis_shows(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    *broken, example = MISTAKES[mistake]
    agree(example)
    monkeypatch.setattr(*broken)
    with pytest.raises(AssertionError):
        agree(example)
