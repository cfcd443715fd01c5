"""Goal: who acted before is called unknown just where no order of events lets them have acted.

The machines are small and drawn at random. The oracle walks the compiled machine and remembers what was accepted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.semantic.analysis import past
from edca.semantic.analysis.graph import Ending, reached, spread
from edca.semantic.compile import compile_spec

if TYPE_CHECKING:
    from edca.kernel.machine import Machine

HEAD = """edca 1 machine m version "1"
role person human
entity thing key (thing_id: id) { whole: bool }
effect paint(whole: bool)
case about thing by thing_id
"""
STATES = [f"s{number}" for number in range(4)]


@st.composite
def specs(draw: st.DrawFn) -> str:
    """Draw a machine in which every transition asks who proposed another one, or who signed it."""
    names = STATES[: draw(st.integers(2, len(STATES)))]
    finals = draw(st.sets(st.sampled_from(names[1:])))
    open_states = [name for name in names if name not in finals]
    lines = []
    for number, name in enumerate(names):
        kind = "initial" if number == 0 else "final" if name in finals else ""
        lines.append(f'state {name} {kind} "S."{" success" if name in finals else ""}')
    count = draw(st.integers(1, 5))
    for number in range(count):
        sources = draw(st.lists(st.sampled_from(open_states), min_size=1, max_size=2, unique=True))
        target, failed, late = (draw(st.sampled_from(names)) for _ in range(3))
        other = draw(st.integers(0, count - 1))
        asked = draw(st.sampled_from([f"proposer == proposer of t{other}", f"proposer in signers of c{other}"]))
        effect = 'require thing.whole else refuse r "R." do paint(true) ensure thing.whole irreversible '
        effect += f'on failed go {failed} "F." on timeout 1 minute go {late} "T."'
        lines.append(
            f'transition t{number}(thing_id: id) from {", ".join(sources)} to {target} {{ means "T." by person '
            f'answers person require {asked} else refuse asks "A." confirm c{number} by person "C." '
            f"{effect if draw(st.booleans()) else ''} }}"
        )
    return HEAD + "\n".join(lines)


def impossible(machine: Machine) -> set[str]:
    """Return the transitions that are proposed somewhere, and before which what they ask can't have happened."""
    met: dict[str, bool] = {}
    pending = [(state.name, frozenset[str]()) for state in machine.states if state.initial_about is not None]
    seen = set(pending)
    for state, done in pending:  # grows while it is gone through
        for item in machine.transitions:
            if state not in item.sources:
                continue
            asked = next(clause for clause in item.clauses if clause.code == "asks").condition
            number = str(getattr(asked, "right", None) or getattr(asked, "domain", None)).split("name='")[1][1]
            met[item.name] = met.get(item.name, False) or (f"t{number}" in done and item.name not in done)
            edges = [edge.target for edge in (item.on_failed, item.on_timeout) if edge is not None]
            for after in (item.target, *edges):
                step = (after, done | {item.name})
                if step not in seen:
                    seen.add(step)
                    pending.append(step)
    return {name for name, ever in met.items() if not ever}


def agree(text: str) -> None:
    """Compare what is found with what the oracle says."""
    compiled = compile_spec(Source("random.edca", text))
    if compiled.machine is None:
        raise ValueError(f"{compiled.diagnostics}\n{text}")  # no disagreement, but a mistake of this test
    found = [one.message for one in compiled.diagnostics if one.code.id == "C048"]
    assert {re.findall(r"`(t\d)`", message)[-1] for message in found} == impossible(compiled.machine), text


@settings(max_examples=200)
@given(specs())
def test_what_cannot_have_happened_agrees_with_every_order_of_events(text: str) -> None:
    agree(text)


# --- a test of the test: each of these mistakes shows ---

RULES = 'means "T." by person answers person'
FAILING = f"""state s0 initial "S."
state s1 "S."
state s2 final "S." success
transition t0(thing_id: id) from s0 to s2 {{ {RULES}
  require proposer == proposer of t1 else refuse asks "A." confirm c0 by person "C."
  require thing.whole else refuse r "R." do paint(true) ensure thing.whole irreversible
  on failed go s1 "F." on timeout 1 minute go s2 "T." }}
transition t1(thing_id: id) from s1 to s0 {{ {RULES}
  require proposer == proposer of t0 else refuse asks "A." confirm c1 by person "C." }}"""
CHAIN = "\n".join(
    [
        'state s0 initial "S."\nstate s1 "S."\nstate s2 "S."\nstate s3 final "S." success',
        *(
            f"transition t{number}(thing_id: id) from s{number} to s{number + 1} {{ {RULES} "
            f'require proposer == proposer of t0 else refuse asks "A." confirm c{number} by person "C." }}'
            for number in range(3)
        ),
    ]
)
MISTAKES: dict[str, tuple[str, Any]] = {
    "what happened is forgotten": ("_behind", lambda *_: set()),
    "everything has happened": ("_behind", lambda _, graph, __: set(reached(graph))),
    "the first time is forgotten": ("_without", lambda graph, _: graph),
    "nothing leads on": ("spread", lambda starts, _: dict.fromkeys(starts)),
    "failures are forgotten": ("reached", lambda graph: spread(graph.begins, _done(graph))),
}


def _done(graph: Any) -> dict[Any, Any]:
    return {place: [way.target for way in ways if way.ending is Ending.DONE] for place, ways in graph.ways.items()}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_broken_analysis_shows(mistake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    examples = [HEAD + FAILING, HEAD + FAILING.replace("of t0", "of t1"), HEAD + CHAIN]
    for example in examples:
        agree(example)
    monkeypatch.setattr(past, *MISTAKES[mistake])
    with pytest.raises((AssertionError, StopIteration)):
        for example in examples:
            agree(example)
