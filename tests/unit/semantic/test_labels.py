"""Goal: a clause that reads what is labelled, or who somebody is, is withheld from models however it reads it."""

import pytest
import worlds

from edca.diagnostics import Source
from edca.kernel.machine import Clause
from edca.semantic.compile import compile_spec

SPEC = """edca 1 machine m version "1"
role agent model
role person human
entity thing key (thing_id: id) {
  owner: principal person, size: int(0 to 100), whole: bool, hidden: bool secret, name: text(9) personal,
  friend: thing, friends: list(3) of thing, marks: list(3) of int(0 to 9) secret
}
effect paint(thing: thing, amount: int(0 to 100))
effect scrape(thing: thing)
case about thing by thing_id
state open initial "Open." state closed final "Closed." success
define is_hidden = thing.hidden
define of(t: thing) = t.hidden
define through(t: thing) = of(t) or t.whole
define fine(n: int(0 to 100)) = n > 3
table pick(h: bool) gives bool { | true => false | false => true }
"""


def _clause(text: str) -> Clause:
    machine = worlds.machine_of(f"""{SPEC} transition go(thing_id: id, amount: int(0 to 100)) from open to closed {{
        means "Go." by agent, person answers person {text} }}""")
    return next(clause for clause in machine.index.transitions["go"].clauses if clause.code == "r")


@pytest.mark.parametrize(
    "text",
    [
        'require not thing.hidden else refuse r "R."',
        'forbid r "R." when thing.hidden',
        'confirm r by person when thing.hidden "R."',
        'require not thing.friend.hidden else refuse r "R."',
        'require every f in thing.friends satisfies not f.hidden else refuse r "R."',
        'require count(x in thing.marks where x > 3) == 0 else refuse r "R."',
        'require not (lookup thing("x").hidden) else refuse r "R."',
        'require not is_hidden else refuse r "R."',
        'require not of(thing) else refuse r "R."',
        'require through(thing.friend) else refuse r "R."',
        'require pick(thing.hidden) else refuse r "R."',
        'require if thing.whole then true else thing.hidden else refuse r "R."',
        'require thing.name == "x" else refuse r "R."',
        'require thing.owner == subject else refuse r "R."',
        'require thing.owner != subject else escalate person r "R."',
        'let h = thing.hidden require not h else refuse r "R."',
        'let h = is_hidden let g = h or thing.whole require g else refuse r "R."',
        'let who = subject require thing.owner == who else refuse r "R."',
    ],
)
def test_withheld(text: str) -> None:
    assert _clause(text).withheld


@pytest.mark.parametrize(
    "text",
    [
        'require thing.whole else refuse r "R."',
        'require fine(thing.size) else refuse r "R."',
        'let s = thing.size require s > amount else refuse r "R."',
        'require confidence > 0.5 else refuse r "R."',
        'let h = thing.hidden require thing.whole else refuse r "R."',
    ],
)
def test_told(text: str) -> None:
    assert not _clause(text).withheld


def test_a_fact_tested_through_a_let_counts() -> None:
    """The effect does not rest on the proposer's word: the let reads a fact."""
    effect = """do paint(thing, amount) ensure thing.whole undo scrape(thing)
        on failed go open "Not painted." on timeout 9 seconds go open "Unknown.\""""
    assert not _clause(f'let left = thing.size require amount <= left else refuse r "R." {effect}').withheld
    bare = f"""{SPEC} transition go(thing_id: id, amount: int(0 to 100)) from open to closed {{
        means "Go." by agent, person answers person
        let left = amount * 2 require amount <= left else refuse r "R." {effect} }}"""
    assert {found.code.id for found in compile_spec(Source("bare", bare)).diagnostics} == {"C008"}
