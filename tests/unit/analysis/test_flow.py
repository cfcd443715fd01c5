"""Goal: no labelled value makes a difference where it may not go.

The oracle varies one labelled value and leaves all others as they are: where what an effect is told, or what memory
keeps, changes with it, the analysis must have said so.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edca.diagnostics import Source
from edca.dsl.parse import parse
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.expression import Input
from edca.semantic.analysis import flow
from edca.semantic.compile import check_spec, compile_spec
from edca.semantic.lower import lower_expression
from edca.semantic.problems import Problems

if TYPE_CHECKING:
    from edca.kernel.facts import Handle
    from edca.semantic.checked import CheckedSpec

SPEC = """edca 1 machine m version "1"
role person human
entity thing key (thing_id: id) { hidden: bool secret, whole: bool, friend: other secret }
entity other key (other_id: id) { hidden: bool, whole: bool personal }
effect tell(flag: bool)
effect tell_all(flag: bool)
case about thing by thing_id
memory { kept: bool = false, dark: bool secret = false }
claim told : bool personal by person "Told."
state open initial "Open."
state closed final "Closed." success
release thing.hidden to tell_all "Why not."
define is_hidden = thing.hidden
define second(one: bool, two: bool) = two
define either(one: bool, two: bool) = one or two
table rank(of: bool, other: bool) gives int(0 to 9) {
  | true,  true  => 1
  | true,  false => 2
  | false, any   => 3
}
transition go(thing_id: id, b: bool, p: bool personal) from open to closed {
  means "Go." by person answers person
  require thing.whole else refuse broken "B."
  let mixed = thing.hidden or b
  let plain = thing.whole and b
  set kept = KEPT
  set dark = DARK
  do tell(TOLD) ensure thing.whole irreversible
  do tell_all(TOLD) ensure thing.whole irreversible
  on failed go open "F." on timeout 1 minute go open "T."
}
"""
SECRETS = {"thing.hidden": "secret", "thing.friend": "secret", "other.whole": "personal", "p": "personal"}
SECRETS |= {"dark": "secret", "told": "personal"}
LEAVES = ["b", "p", "kept", "dark", "told", "thing.hidden", "thing.whole", "is_hidden", "mixed", "plain", "true"]
LEAVES += ["thing.friend.hidden", "thing.friend.whole"]


@st.composite
def conditions(draw: st.DrawFn) -> str:
    """Draw a truth value, computed in whatever way."""
    count = itertools.count()

    def truth(depth: int) -> str:
        form = draw(st.integers(0, 9)) if depth else 0
        if form <= 1:
            return draw(st.sampled_from(LEAVES))
        one, two = truth(depth - 1), truth(depth - 1)
        return {
            2: f"({one} and {two})",
            3: f"({one} or not {two})",
            4: f"(if {one} then {two} else {truth(depth - 1)})",
            5: f"second({one}, {two})",
            6: f"(rank({one}, {two}) > 1)",
            7: f"({one} in [{two}, true])",
            8: f"(count(x{next(count)} in [{one}, {two}] where {one}) == 1)",
            9: f"either({one}, {two})",
        }[form]

    return truth(draw(st.integers(0, 3)))


def frames() -> list[tuple[dict[str, Any], Frame]]:
    """Return every world, with the value of each leaf in it."""
    found = []
    names = ["b", "p", "kept", "dark", "told", "thing.hidden", "thing.whole", "thing.friend", "other.whole"]
    for values in itertools.product((True, False), repeat=len(names)):
        world: dict[str, Any] = dict(zip(names, values, strict=True))
        friend = ("o1",) if world["thing.friend"] else ("o2",)
        facts: dict[Handle, dict[str, Any]] = {
            ("thing", ("t1",)): {
                "hidden": world["thing.hidden"],
                "whole": world["thing.whole"],
                "friend": friend,
            },
            ("other", ("o1",)): {"hidden": world["b"], "whole": world["other.whole"]},
            ("other", ("o2",)): {"hidden": not world["b"], "whole": not world["other.whole"]},
        }
        found.append(
            (
                world,
                Frame(
                    arguments={"b": world["b"], "p": world["p"]},
                    memory={"kept": world["kept"], "dark": world["dark"]},
                    claims={"told": world["told"]},
                    inputs={Input.CASE: ("t1",)},
                    facts=facts,
                ),
            )
        )
    return found


FRAMES = frames()


def tells(spec: CheckedSpec, text: str) -> set[str]:
    """Return the labelled values that make a difference to what is kept in `kept`, in some world."""
    (item,) = spec.transitions
    lets = [(name, closure_of(lower_expression(value, spec.definitions))) for name, value in item.lets]
    closure = closure_of(lower_expression(dict(item.assignments)["kept"], spec.definitions))
    results = []
    for _, frame in FRAMES:
        frame.lets.update((name, value(frame)) for name, value in lets)
        results.append(closure(frame))
    found = set()
    for name in SECRETS:
        seen: dict[tuple[Any, ...], Any] = {}
        for (world, _), result in zip(FRAMES, results, strict=True):
            rest = tuple(value for other, value in world.items() if other != name)
            if seen.setdefault(rest, result) != result:
                found.add(name)
    return found


def agree(condition: str) -> None:
    """Compare what is found with what makes a difference."""
    text = SPEC.replace("KEPT", condition).replace("DARK", condition).replace("TOLD", condition)
    parsed = parse(Source("random.edca", text))
    problems = Problems()
    spec = None if parsed.spec is None else check_spec(parsed.spec, problems)
    if spec is None:
        raise ValueError(f"{problems.found}\n{text}")  # no disagreement, but a mistake of this test
    said: dict[str, set[str]] = {"tell": set(), "tell_all": set(), "kept": set(), "dark": set()}
    for one in compile_spec(Source("random.edca", text)).diagnostics:
        if one.code.id in ("C043", "C044"):
            place, value = re.findall(r"`([\w.]+)`", one.message)[:2]
            said[place].add(value.removeprefix("go."))  # what a transition's argument is called in all of the spec
    truly = tells(spec, condition)
    read = {name for name in SECRETS if re.search(rf"\b{re.escape(name)}\b", written_out(condition))}
    assert truly <= said["tell"] <= read, condition
    assert truly - {"thing.hidden"} <= said["tell_all"] <= read - {"thing.hidden"}, condition
    assert truly <= said["kept"] <= read, condition
    personal = {name for name, label in SECRETS.items() if label == "personal"}
    assert truly & personal <= said["dark"] <= read & personal, condition


def written_out(condition: str) -> str:
    """Return the condition with every name that stands for something else replaced by what is behind it."""
    for name, behind in (("mixed", "(thing.hidden or b)"), ("is_hidden", "thing.hidden")):
        condition = re.sub(rf"\b{name}\b", behind, condition)
    return condition.replace("thing.friend.whole", "thing.friend and other.whole")


@settings(max_examples=100)
@given(conditions())
def test_what_makes_a_difference_is_said(condition: str) -> None:
    agree(condition)


# --- a test of the test: each of these mistakes shows ---


def forgetting(kind: str) -> Any:
    """Return a `Flow.of` that sees nothing in one kind of expression."""
    whole = flow.Flow.of

    def of(self: flow.Flow, node: Any, variables: Any = flow.NO_LOCALS) -> flow.Origins:
        return flow.NONE if type(node).__name__ == kind else whole(self, node, variables)

    return of


@pytest.mark.parametrize(
    ("kind", "condition"),
    [
        ("FactRead", "thing.hidden"),
        ("MemoryRead", "dark"),
        ("ClaimRead", "told"),
        ("ArgumentRead", "p"),
        ("LetRead", "mixed"),
        ("Applied", "is_hidden"),
        ("Conditional", "if p then b else kept"),
        ("Folded", "count(x in [b] where p) == 1"),
        ("Membership", "p in [b]"),
        ("Connective", "p and b"),
    ],
)
def test_a_broken_analysis_shows(kind: str, condition: str, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(condition)
    monkeypatch.setattr(flow.Flow, "of", forgetting(kind))
    with pytest.raises(AssertionError):
        agree(condition)
