"""Goal: what comes between the cases of one run moves none by an order that no longer holds, and breaks no record."""

import dataclasses
import sqlite3

import pytest
import refund_world as world
from versions import NEW, OLD, ORDER, map_of

from edca.kernel.verdict import Escalated
from edca.runtime import migrating
from edca.runtime.loop import Runtime
from edca.runtime.migration_orders import MigrationError, MigrationStoppedError, Ordered, Stop

ORDERS = ("o1", "o2", "o3")
WITHOUT_SVEN = dataclasses.replace(
    world.ROSTER, principals=tuple(one for one in world.ROSTER.principals if one.id != "sven")
)


@pytest.fixture
def three(bench, monkeypatch):
    """Three cases of the old version, each of which moves by itself."""
    monkeypatch.setattr(migrating, "TOGETHER_MAX", 1)
    with sqlite3.connect(bench.world) as connection:
        connection.execute("INSERT INTO orders VALUES('o3', 10000, 0, 0)")
    for order in ORDERS[:2]:
        bench.approved(order)
    bench.submit("tally", "t3", order_id="o3")
    bench.reopen(NEW)
    return bench


def run_with(bench, between, lines="", ordered=ORDER):
    """Migrate, and do something once, after the first case."""
    left = [between]
    migration, text = map_of(lines)
    return bench.runtime.migrate(OLD, migration, text, ordered, lambda *_: left.pop()() if left else None)


def stays(bench):
    return [order for order in ORDERS if bench.row(order).case.machine == OLD.digest]


def test_a_roster_adopted_in_between_ends_the_run(three):
    with pytest.raises(MigrationStoppedError, match="another roster was adopted") as stopped:
        run_with(three, lambda: three.runtime.adopt_roster(WITHOUT_SVEN, "sam", "Sven has left."))
    assert stopped.value.code is Stop.ROSTER_CHANGED
    assert stays(three) == ["o2", "o3"]
    three.assert_replays()
    migration, text = map_of()
    with pytest.raises(MigrationError, match="`sven` is no person"):
        three.runtime.migrate(OLD, migration, text, ORDER)
    three.runtime.migrate(OLD, migration, text, Ordered("sam", "supervisor", "Going on."))
    assert stays(three) == []
    assert [one.content["by"] for one in three.records("migrated")] == ["sven", "sam", "sam"]
    three.assert_replays()


def test_an_order_ends_with_the_time_of_whoever_gave_it(three):
    until = three.clock.instant + world.MINUTE
    people = tuple(dataclasses.replace(one, ends=until) if one.id == "sven" else one for one in world.ROSTER.principals)
    three.runtime.adopt_roster(dataclasses.replace(world.ROSTER, principals=people), "sam", "Sven leaves.")

    def pass_time():
        three.clock.instant += 2 * world.MINUTE

    with pytest.raises(MigrationStoppedError, match="no person in role") as stopped:
        run_with(three, pass_time)
    assert (stopped.value.code, stays(three)) == (Stop.ORDER_ENDED, ["o2", "o3"])
    three.assert_replays()


def test_another_run_in_between_ends_the_run_that_still_has_cases_to_move(three):
    def other():
        def stop(*_):
            raise KeyboardInterrupt  # after one case

        migration, text = map_of()
        with pytest.raises(KeyboardInterrupt):
            three.runtime.migrate(OLD, migration, text, Ordered("sam", "supervisor", "Me too."), stop)

    with pytest.raises(MigrationStoppedError, match="another run") as stopped:
        run_with(three, other)
    assert (stopped.value.code, stays(three)) == (Stop.OTHER_RUN, ["o3"])
    three.assert_replays()


def test_cases_that_another_run_has_moved_meanwhile_are_left_out(three):
    others = []

    def other():
        migration, text = map_of()
        others.append(three.runtime.migrate(OLD, migration, text, Ordered("sam", "supervisor", "Me too.")))

    done = run_with(three, other)
    assert [one.case for one in done.cases] == ['/order:["o1"]']
    assert [one.case for one in others[0].cases] == ['/order:["o2"]', '/order:["o3"]']
    assert stays(three) == []
    three.assert_replays()


def test_a_question_opened_after_the_run_began_is_void_when_its_case_moves(three):
    old = Runtime(OLD, three.router, three.ledger, world.ROSTER, three.clock, admit=None)

    def ask():
        asked = old.submit(world.candidate("vouch", "v", order_id="o2"), world.SUPERVISOR)
        assert isinstance(asked.verdict, Escalated)

    done = run_with(three, ask)
    assert [len(one.void) for one in done.cases] == [0, 1, 0]
    assert list(three.ledger.cells("inbox")) == []
    three.assert_replays()
