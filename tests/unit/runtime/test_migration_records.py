"""Goal: who may not moves nothing; what a record of a migration says is computed again; a number changes no verdict."""

import dataclasses

import pytest
import refund_world as world
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from versions import NEW, OLD, ORDER, map_of, moved

from edca.kernel.migrate import Mover
from edca.kernel.roster import Principal, Roster
from edca.ledger.ed25519 import new_key, sign
from edca.ledger.errors import TamperedError
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.cases import Row
from edca.runtime.loop import Runtime
from edca.runtime.migration_orders import MigrationError, Ordered, message
from edca.runtime.replay import replay


def on(bench, roster):
    return Runtime(NEW, bench.router, bench.ledger, roster, bench.clock, admit=None)


KEY, PUBLIC = new_key()
SIGNING = Roster(
    (
        *(one for one in world.ROSTER.principals if one.id != "sven"),
        Principal("sven", ("supervisor",), key=PUBLIC),
        Principal("sven-2", ("supervisor",), person="sven"),
        Principal("gone", ("supervisor",), ends=1),
    ),
    world.ROSTER.mandates,
)


@pytest.mark.parametrize(
    ("ordered", "why"),
    [
        (Ordered("bot", "assistant", "x"), "no person in role"),
        (Ordered("nobody", "supervisor", "x"), "no person in role"),
        (Ordered("carla", "supervisor", "x"), "no person in role"),
        (Ordered("carla", "customer", "x"), "answers for no transition"),
        (Ordered("gone", "supervisor", "x"), "no person in role"),
        (Ordered("sam", "boss", "x"), "no person in role"),
        (Ordered("sam", "supervisor", " "), "needs a reason"),
        (Ordered("sven", "supervisor", "x"), "is not signed"),
        (Ordered("sven-2", "supervisor", "x"), "is not signed"),
        (Ordered("sven", "supervisor", "x", sign(KEY, b"something else")), "signature is for something else"),
        (Ordered("sam", "supervisor", "x", sign(KEY, b"something else")), "signature is for something else"),
    ],
)
def test_who_may_not_moves_nothing(bench, ordered, why):
    bench.approved()
    migration, text = map_of()
    runtime = on(bench, SIGNING)
    size = bench.ledger.size
    with pytest.raises(MigrationError, match=why):
        runtime.migrate(OLD, migration, text, ordered)
    assert (bench.ledger.size, bench.row().case.machine) == (size, OLD.digest)


def test_who_has_a_key_signs_the_map_and_the_reason(bench):
    bench.approved()
    migration, text = map_of()
    signature = sign(KEY, message("", migration.digest, "x"))
    on(bench, SIGNING).migrate(OLD, migration, text, Ordered("sven", "supervisor", "x", signature))
    assert bench.records("migration")[0].content["authenticated"] == "signed"
    bench.assert_replays()


def test_a_map_between_other_versions_is_refused(bench):
    bench.approved()
    migration, text = map_of()
    with pytest.raises(MigrationError, match="other machines"):
        bench.runtime.migrate(OLD, migration, text, ORDER)
    other = dataclasses.replace(OLD, text="Another.")
    bench.reopen(NEW)
    with pytest.raises(MigrationError, match="has never held"):
        bench.runtime.migrate(other, map_of(old=other)[0], text, ORDER)
    assert bench.records("migration") == []


def test_tenants_move_apart(bench):
    bench.reopen(tenant="a")
    bench.approved()
    bench.reopen(tenant="b")
    bench.approved("o2")
    bench.reopen(NEW, tenant="b")
    assert [fate.case for fate in moved(bench).cases] == ['b/order:["o2"]']


# --- the record, and what stands beside it ---


def test_a_row_that_is_not_as_its_records_left_it_stops_the_run(bench):
    bench.approved()
    row = bench.row()
    edited = Row(dataclasses.replace(row.case, memory={"promised": 1}))
    bench.ledger.commit([], [edited.cell()])
    bench.reopen(NEW)
    with pytest.raises(TamperedError):
        moved(bench)
    assert bench.records("migrated") == []


def test_a_record_that_moves_a_case_elsewhere_is_found(bench, monkeypatch):
    bench.approved()
    bench.reopen(NEW)
    migration, text = map_of()
    honest = Mover.move

    def crooked(self, case, at):
        found = honest(self, case, at)
        return dataclasses.replace(found, case=dataclasses.replace(found.case, memory={"promised": 9_00}))

    with monkeypatch.context() as patched:
        patched.setattr(Mover, "move", crooked)
        bench.runtime.migrate(OLD, migration, text, ORDER)
    (mismatch,) = replay(bench.ledger).mismatches
    assert mismatch.path == "after.memory.promised"


@pytest.mark.parametrize("part", ["by", "roster", "begun", "void", "untested", "change"])
def test_each_part_of_a_record_is_computed_again(bench, monkeypatch, part):
    bench.approved()
    bench.reopen(NEW)
    other = {"by": "sam", "roster": bytes(32), "begun": bytes(32), "void": [{}], "untested": ["x"], "change": {}}
    honest = SQLiteLedger.commit

    def crooked(self, drafts, cells=()):
        changed = [
            dataclasses.replace(one, content={**one.content, part: other[part]}) if one.kind == "migrated" else one
            for one in drafts
        ]
        return honest(self, changed, cells)

    with monkeypatch.context() as patched:
        patched.setattr(SQLiteLedger, "commit", crooked)
        migration, text = map_of()
        bench.runtime.migrate(OLD, migration, text, ORDER)
    found = replay(bench.ledger)
    assert len(found.mismatches) + len(found.not_replayed) >= 1
    assert found.equal < found.total


# --- the twin ---

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "pay", "settle", "tally", "vouch", "wait", "remind", "pay_and_stamp"]),
        st.sampled_from(["o1", "o2"]),
        st.sampled_from([world.ASSISTANT, world.SUPERVISOR, world.Caller("sia", "supervisor")]),
        st.sampled_from(["20.00", "60.00", "90.00"]),
        st.sampled_from([0, 1, 40]),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=STEPS, after=STEPS)
def test_a_new_version_number_alone_changes_no_later_verdict(bench, tmp_path_factory, before, after):
    moving, staying = (type(bench)(tmp_path_factory.mktemp(name)) for name in ("moving", "staying"))
    try:
        for number, step in enumerate(before):
            assert played(moving, number, step) == played(staying, number, step)
        moved(moving)
        staying.clock.instant = moving.clock.instant  # planning and moving take time, too
        for number, step in enumerate(after, start=len(before)):
            assert played(moving, number, step) == played(staying, number, step)
        moving.assert_replays()
    finally:
        moving.close()
        staying.close()


def played(bench, number, step):
    """Submit a candidate, and return all that its verdict says, apart from digests."""
    transition, order, caller, amount, minutes = step
    bench.clock.instant += minutes * world.MINUTE
    arguments = {"order_id": order} | ({"amount": amount} if transition == "approve" else {})
    answer = bench.submit(transition, f"k{number}", caller, **arguments)
    raw = answer.verdict.to_raw()
    raw.pop("preview", None)
    return raw, answer.state, answer.outcome
