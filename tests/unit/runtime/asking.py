"""Machines of the refund world whose approval people must answer, and short ways to ask and to answer."""

import dataclasses

import refund_world as world

from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.roster import Roster
from edca.kernel.verdict import Escalated
from edca.runtime.loop import Runtime

DAY = 24 * 60 * world.MINUTE


def approval(*clauses, **parts):
    """An approval with these clauses, besides those of the world's machine."""
    (declared,) = (item for item in world.MACHINE.transitions if item.name == "approve")
    changed = dataclasses.replace(declared, clauses=(*declared.clauses, *clauses), **parts)
    others = tuple(item for item in world.MACHINE.transitions if item.name != "approve")
    return dataclasses.replace(world.MACHINE, transitions=tuple(sorted((*others, changed), key=lambda t: t.name)))


def _clause(code, kind, condition, **parts):
    return world._clause(code, kind, condition, role="supervisor", **parts)


LAVISH = _clause(
    "lavish",
    ClauseKind.REQUIRE,
    world._at_most(world.ReadArgument("amount"), world.Constant(10_00)),
    on_fail=OnFail.ESCALATE,
)
SIGNED = _clause("twice", ClauseKind.SIGN, world.Constant(True), count=2, within_us=DAY)
WAIVABLE = approval(LAVISH)
BOTH = approval(LAVISH, SIGNED)


def ask(bench, machine=WAIVABLE, caller=world.ASSISTANT, **arguments):
    """Have an approval escalated."""
    bench.reopen(machine)
    answer = bench.submit("approve", "k", caller, **({"order_id": "o1", "amount": "20.00"} | arguments))
    assert isinstance(answer.verdict, Escalated), answer.verdict
    return answer


def go_on_with(bench, *principals, machine=WAIVABLE, mandates=world.ROSTER.mandates):
    """Go on with these principals in place of those of the same ids."""
    ids = {principal.id for principal in principals}
    kept = tuple(one for one in world.ROSTER.principals if one.id not in ids)
    roster = Roster((*kept, *principals), mandates)
    old = bench.runtime
    bench.runtime = Runtime(machine, bench.router, bench.ledger, roster, bench.clock, admit=old._admit)


def voided(bench, answered):
    """Return why the answer is void, as its record says too."""
    (record,) = [one for one in bench.records("approval") if one.content["void"] is not None][-1:]
    assert record.content["void"] == answered.void.value
    bench.assert_replays()
    return answered.void
