"""Goal: a clause that reads what is labelled, or who somebody is, is withheld from models however it reads it."""

import pytest
import worlds

from edca.diagnostics import Source
from edca.kernel.facts import Instance, table
from edca.kernel.inputs import NORMAL, Inputs
from edca.kernel.inquiry import Inquiry
from edca.kernel.look_up import answer_inquiry
from edca.kernel.machine import Clause, Machine
from edca.kernel.roster import Principal, Roster
from edca.kernel.values import Unknown
from edca.semantic.compile import compile_spec
from edca.semantic.explain_query import QueryTold, query_for_model

SPEC = """edca 1 machine m version "1"
role agent model
role person human
entity thing key (thing_id: id) {
  owner: principal person, size: int(0 to 100), whole: bool, hidden: bool secret, name: text(9) personal,
  friend: thing, friends: list(3) of thing, marks: list(3) of int(0 to 9) secret,
  keepers: list(3) of principal person, note: note
}
record note { by_whom: principal person, text: text(9) }
entity desk key (who: principal person) { held_by: principal person, open: bool }
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


GO = """ transition go(thing_id: id, amount: int(0 to 100)) from open to closed {
    means "Go." by agent, person answers person }"""


def _asked(text: str) -> Clause:
    machine = worlds.machine_of(f"""{SPEC} {GO}
        query look(thing_id: id, amount: int(0 to 100)) about thing by thing_id {{
          means "Look." by agent {text}
          require thing.owner == subject else refuse own "Own."
          returns size = thing.size
        }}""")
    return next(clause for clause in machine.index.queries["look"].clauses if clause.code == "r")


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
        'require thing.owner == proposer else refuse r "R."',
        'forbid r "R." when not (proposer in thing.keepers)',
        'let who = proposer require thing.friend.owner == who else refuse r "R."',
        'require some t in thing.friends satisfies t.owner == proposer else refuse r "R."',
        'require lookup desk(proposer).held_by == proposer else refuse r "R."',
        'require thing.note.by_whom == proposer else refuse r "R."',
    ],
)
def test_withheld(text: str) -> None:
    """Of a query's clause as of a transition's, where a query can have such a clause."""
    assert _clause(text).withheld
    if not text.startswith("confirm") and "escalate" not in text:
        assert _asked(text).withheld


@pytest.mark.parametrize(
    "text",
    [
        'require thing.whole else refuse r "R."',
        'require fine(thing.size) else refuse r "R."',
        'let s = thing.size require s > amount else refuse r "R."',
        'require confidence > 0.5 else refuse r "R."',
        'let h = thing.hidden require thing.whole else refuse r "R."',
        'require proposer != "nobody" and thing.whole else refuse r "R."',
        'require lookup desk(proposer).open else refuse r "R."',
        'require proposer != proposer of go else refuse r "R."',
    ],
)
def test_told(text: str) -> None:
    assert not _clause(text).withheld
    if "confidence" not in text and "proposer of" not in text:
        assert not _asked(text).withheld


def test_whose_it_is_and_whether_it_is_there_are_one_answer_to_a_model() -> None:
    """Law 5 for what belongs to the model's own account: it can be asked about by name, whoever has it."""
    machine = worlds.machine_of(
        SPEC
        + """
        entity task key (task_id: id) { assignee: principal agent, done: bool, hidden: bool secret }
        query task_of(task_id: id) about task by task_id {
          means "The agent's own task." by agent
          require task.assignee == proposer else refuse not_yours "It is somebody else's."
          forbid  held "It is held." when task.hidden
          require not task.done else refuse over "It is done."
          returns id_of = task.task_id
        }"""
        + GO
    )
    told = {name: _told(machine, name) for name in ("mine", "done", "anothers", "held", "gone", "half")}
    nothing = told["gone"]
    assert nothing.codes == ("not_possible",)
    assert told == {
        "mine": QueryTold("returned", {"id_of": "mine"}, (), ()),
        "done": QueryTold("refused", {}, ("over",), ("It is done.",)),
        "anothers": nothing,
        "held": nothing,
        "gone": nothing,
        "half": nothing,
    }


def _told(machine: Machine, task: str) -> QueryTold:
    tasks = {
        "mine": {"assignee": "bot", "done": False, "hidden": False},
        "done": {"assignee": "bot", "done": True, "hidden": False},
        "anothers": {"assignee": "bot-2", "done": False, "hidden": False},
        "held": {"assignee": "bot", "done": False, "hidden": True},
        "half": {"assignee": "bot", "done": Unknown.DRIFT, "hidden": False},
    }
    facts = table(Instance("task", (name,), "t", worlds.NOW, True, None, fields) for name, fields in tasks.items())
    roster = Roster((Principal("bot", ("agent",), "m"),), ())
    inquiry = Inquiry("task_of", {"task_id": task}, "bot", "agent", None, "m")
    verdict = answer_inquiry(machine, inquiry, Inputs(worlds.NOW, "test", facts, (), roster, None, NORMAL))
    return query_for_model(machine, inquiry, verdict)


def test_a_fact_tested_through_a_let_counts() -> None:
    """The effect does not rest on the proposer's word: the let reads a fact."""
    effect = """do paint(thing, amount) ensure thing.whole undo scrape(thing)
        on failed go open "Not painted." on timeout 9 seconds go open "Unknown.\""""
    assert not _clause(f'let left = thing.size require amount <= left else refuse r "R." {effect}').withheld
    bare = f"""{SPEC} transition go(thing_id: id, amount: int(0 to 100)) from open to closed {{
        means "Go." by agent, person answers person
        let left = amount * 2 require amount <= left else refuse r "R." {effect} }}"""
    assert {found.code.id for found in compile_spec(Source("bare", bare)).diagnostics} == {"C008"}
