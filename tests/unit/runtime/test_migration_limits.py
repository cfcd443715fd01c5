"""Goal: what limits have counted counts on when cases move: each passage once, perhaps too much, never too little."""

import dataclasses
import sqlite3

import refund_world as world
from versions import NEW, OLD, moved, renamed, with_clause

from edca.kernel.expression import Constant, ReadInput
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.ledger.record import parse
from edca.runtime.counter_cells import Sheet, counters


def pace_reached(bench, transition, order):
    """Return how many passages the limit lets by until it refuses."""
    for count in range(10):
        if isinstance(bench.submit(transition, f"{transition}-{order}-{count}", order_id=order).verdict, Refused):
            return count
    raise AssertionError("the limit never refuses")


def test_what_a_limit_has_counted_counts_on_under_its_name(bench):
    bench.submit("tally", "t1", order_id="o1")
    bench.submit("tally", "t2", order_id="o1")
    moved(bench)
    assert pace_reached(bench, "tally", "o1") == 1
    bench.assert_replays()


def test_what_a_limit_has_counted_counts_on_under_its_new_name(bench):
    bench.submit("tally", "t1", order_id="o1")
    bench.submit("tally", "t2", order_id="o1")
    moved(bench, "limit count.pace = tally.pace\n", renamed("tally", "count"))
    assert pace_reached(bench, "count", "o1") == 1
    bench.assert_replays()


def test_a_second_run_by_the_same_map_counts_what_has_come_since_and_nothing_twice(bench):
    bench.submit("tally", "t1", order_id="o1")
    new = renamed("tally", "count")
    moved(bench, "limit count.pace = tally.pace\n", new)
    bench.submit("count", "c1", order_id="o1")
    bench.reopen()
    bench.submit("tally", "t2", order_id="o2")  # it went on under the old version
    moved(bench, "limit count.pace = tally.pace\n", new)
    assert [record.content["first"] for record in bench.records("migration")] == [True, False]
    assert [one.record for one in passages(bench, "count")] == [one.index for one in accepted(bench)]
    assert pace_reached(bench, "count", "o2") == 0
    bench.assert_replays()


def accepted(bench):
    """Return the records of the accepted passages, in order."""
    found = (stored for stored in bench.ledger.records() if parse(stored.body).kind == "verdict")
    return [stored.leaf for stored in found if parse(stored.body).content["verdict"]["outcome"] == "accepted"]


def passages(bench, transition):
    found = (one for one in counters(bench.ledger.cells("counter")) if one[0].transition == transition)
    ((name, counter),) = found
    return tuple(counter.passages(Sheet(bench.ledger.cell).pages(name)))


PACE = "limit count.pace = tally.pace\n"


def test_what_the_new_limit_has_counted_before_the_migration_still_counts(bench):
    bench.submit("tally", "t1", order_id="o1")
    new = renamed("tally", "count")
    bench.reopen(new)
    assert pace_reached(bench, "count", "o2") == 3
    moved(bench, PACE, new)
    assert pace_reached(bench, "count", "o1") == 0
    bench.assert_replays()


def test_another_map_between_the_same_versions_takes_nothing_back(bench):
    bench.submit("tally", "t1", order_id="o1")
    new = renamed("tally", "count")
    moved(bench, PACE, new)
    bench.submit("count", "c1", order_id="o1")
    bench.reopen()
    bench.submit("tally", "t2", order_id="o2")
    moved(bench, PACE + 'state stuck needs person "Look."\n', new)
    moved(bench, PACE, new)
    assert pace_reached(bench, "count", "o2") == 0
    bench.assert_replays()


def test_a_reservation_under_the_new_name_lasts(bench):
    limited = with_clause(OLD, "vouch", world._PACE)
    bench.reopen(limited)
    bench.submit("tally", "t1", order_id="o1")
    new = renamed("vouch", "promise", dataclasses.replace(limited, version="2.0.0"))
    bench.reopen(new)
    bench.submit("approve", "a2", order_id="o2", amount="10.00")
    assert isinstance(bench.submit("promise", "v", order_id="o2").verdict, Escalated)
    held = passages(bench, "promise")
    moved(bench, "limit promise.pace = vouch.pace\n", new, limited)
    assert passages(bench, "promise") == held != ()
    bench.assert_replays()


def test_a_reservation_under_the_old_name_is_held_under_the_new_one_until_its_question_is_void(bench):
    limited = with_clause(OLD, "vouch", world._PACE)
    new = renamed("vouch", "promise", dataclasses.replace(limited, version="2.0.0"))
    bench.reopen(limited)
    bench.approved()
    assert isinstance(bench.submit("vouch", "v", order_id="o1").verdict, Escalated)
    held = passages(bench, "vouch")
    bench.submit("tally", "t1", order_id="o2")
    lines = "limit promise.pace = vouch.pace\n"
    moved(bench, lines + 'state approved needs person "Look."\n', new, limited)
    assert passages(bench, "promise") == held != ()
    moved(bench, lines, new, limited)
    assert passages(bench, "promise") == passages(bench, "vouch") == ()
    assert list(bench.ledger.cells("reservation")) == []
    bench.assert_replays()


def test_a_settlement_of_what_the_old_limit_counted_reaches_the_new_one(bench):
    first = bench.submit("tally", "t1", order_id="o1")
    moved(bench, PACE, renamed("tally", "count"))
    bench.runtime.settle(first.record.index, "pace", 300)
    assert [one.amount for one in passages(bench, "count")] == [300]
    assert pace_reached(bench, "count", "o1") == 0
    bench.assert_replays()


def test_what_is_forgotten_is_what_was_counted_before_and_only_once(bench):
    bench.submit("tally", "t1", order_id="o1")
    bench.submit("tally", "t2", order_id="o2")
    tally = next(one for one in NEW.transitions if one.name == "tally")
    twice = dataclasses.replace(world._PACE.limit, measure=Constant(2))
    changed = dataclasses.replace(tally, clauses=(dataclasses.replace(world._PACE, limit=twice),))
    new = dataclasses.replace(NEW, transitions=tuple(changed if one is tally else one for one in NEW.transitions))
    bench.reopen(new)
    with sqlite3.connect(bench.world) as connection:
        connection.execute("INSERT INTO orders VALUES('o3', 10000, 0, 0), ('o4', 10000, 0, 0)")
    assert isinstance(bench.submit("tally", "c1", order_id="o3").verdict, Refused)  # what the old one counted counts
    bench.clock.instant += 61 * world.MINUTE
    kept = bench.submit("tally", "c2", order_id="o3")
    assert isinstance(kept.verdict, Accepted)
    forget = 'forget limit tally.pace "It weighs more now."\n'
    moved(bench, forget, new)
    assert [one.record for one in passages(bench, "tally")] == [kept.record.index]
    bench.reopen()
    late = bench.submit("tally", "t4", order_id="o4")
    moved(bench, forget, new)
    assert [one.record for one in passages(bench, "tally")] == [kept.record.index, late.record.index]
    bench.assert_replays()


def test_what_the_source_counts_under_the_new_version_is_its_own(bench):
    tally = next(one for one in NEW.transitions if one.name == "tally")
    count = dataclasses.replace(tally, name="count", offered="count")
    new = dataclasses.replace(NEW, transitions=tuple(sorted((*NEW.transitions, count), key=lambda one: one.name)))
    first = bench.submit("tally", "t1", order_id="o1")
    lines = PACE
    moved(bench, lines, new)
    bench.submit("tally", "t2", order_id="o1")
    bench.reopen()
    second = bench.submit("tally", "t3", order_id="o2")
    moved(bench, lines, new)
    assert [one.record for one in passages(bench, "count")] == [first.record.index, second.record.index]
    bench.assert_replays()


def test_a_limit_that_is_forgotten_begins_at_nothing(bench):
    bench.submit("tally", "t1", order_id="o1")
    bench.submit("tally", "t2", order_id="o1")
    tally = next(one for one in NEW.transitions if one.name == "tally")
    keyed = dataclasses.replace(
        world._PACE,
        limit=dataclasses.replace(
            world._PACE.limit, keys=(ReadInput(world.Input.PROPOSER),), key_types=(world.IdType(),)
        ),
    )
    new = dataclasses.replace(
        NEW,
        transitions=tuple(
            dataclasses.replace(one, clauses=(keyed,)) if one is tally else one for one in NEW.transitions
        ),
    )
    moved(bench, 'forget limit tally.pace "It counts per person now."\n', new)
    assert pace_reached(bench, "tally", "o1") == 3
    bench.assert_replays()
