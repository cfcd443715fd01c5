"""Goal: however many nodes write one ledger, no chain forks, no limit is overshot, no effect is done twice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from nodes import Node, WatchedDesk, assert_sound, contents, world
from older_counters import as_an_earlier_version_wrote

from edca.kernel.verdict import Accepted
from edca.ledger import postgres
from edca.ledger.errors import InDoubtError, LedgerError, StaleError
from edca.ledger.opening import verify_open
from edca.ledger.postgres_schema import connect
from edca.ledger.postgres_sequencing import sequence_batch
from edca.ledger.record import Draft
from edca.ledger.store import Cell
from edca.runtime.answers import Outcome
from edca.runtime.counted import SHARE
from edca.runtime.scheduler import Scheduler
from edca.runtime.together import Submission

JOBS = [f"j{number}" for number in range(16)]


@pytest.fixture
def clock():
    return world.StillClock()


@pytest.fixture
def desk():
    return WatchedDesk(*JOBS)


@pytest.fixture
def node(server, schema, desk, clock):
    """Open nodes; all are closed in the end."""
    made = []

    def open_(**parts):
        made.append(Node(server, schema, desk, clock, **parts))
        return made[-1]

    yield open_
    for one in made:
        one.close()


def together(calls):
    """Run the calls at the same time, each in a thread, and return their results."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result(60) for future in [pool.submit(call) for call in calls]]


def test_a_node_decides_and_replays_as_on_sqlite(node):
    one = node()
    paid = one.submit("spend", "k1", amount="40.00")
    assert (paid.outcome, paid.state) == (Outcome.CONFIRMED, "waiting")
    assert one.submit("spend", "k2", amount="70.00").verdict.code == "daily"
    assert one.submit("spend", "k1", amount="40.00") == paid
    assert one.submit("ask", "k3", amount="1.00").verdict.needs[0].code == "agreed"
    assert paid.record.index is None
    assert one.ledger.wait_sequenced(10)
    assert one.ledger.read(paid.record.number).leaf.body_digest == paid.record.digest
    assert_sound(one.ledger)


def test_eight_writers_fork_no_chain_and_overshoot_no_limit(node, desk):
    nodes = [node() for _ in range(4)]

    def spend(number):
        return [
            nodes[number % 4].submit("spend", f"{number}-{turn}", job_id=JOBS[(number + turn) % 16], amount="5.00")
            for turn in range(6)
        ]

    answers = [answer for found in together([lambda n=n: spend(n) for n in range(8)]) for answer in found]
    codes = [answer.verdict.code for answer in answers]
    accepted = codes.count("accepted")
    assert accepted <= 20
    assert {answer.outcome for answer in answers} == {Outcome.CONFIRMED, None}
    assert sum(job["spent"] for job in desk.jobs.values()) == accepted * 5_00
    assert desk.overlaps == 0
    assert set(desk.calls.values()) == {1}
    assert_sound(nodes[0].ledger)


def test_eight_writers_at_one_counter_that_has_put_passages_away(node, desk):
    nodes = [node() for _ in range(4)]

    def spend(number):
        return [
            nodes[number % 4].submit("spend", f"{number}-{turn}", job_id=JOBS[(number + turn) % 16], amount="0.20")
            for turn in range(14)
        ]

    codes = [one.verdict.code for found in together([lambda n=n: spend(n) for n in range(8)]) for one in found]
    accepted = codes.count("accepted")
    assert accepted > 4 * SHARE
    assert sum(job["spent"] for job in desk.jobs.values()) == accepted * 20
    assert len(list(nodes[0].ledger.cells("part"))) >= 2
    assert_sound(nodes[0].ledger)


def test_what_an_earlier_version_counted_is_reckoned_by_one_node_of_those_that_open(node, desk):
    one = node(sequences=False)  # so that what is committed has no place in the ledger yet
    for number in range(3 * SHARE + 1):
        assert one.submit("spend", job_id=JOBS[number % 16], amount="1.00").verdict.code == "accepted"
    as_an_earlier_version_wrote(one.ledger)
    nodes = together([lambda: node(sequences=False)] * 3)
    codes = [nodes[number % 3].submit("spend", amount="10.00").verdict.code for number in range(6)]
    assert codes == ["accepted"] * 5 + ["daily"]
    node()  # and one that gives places
    assert_sound(one.ledger)


def test_a_commit_may_write_more_cells_than_the_server_has_locks(opened):
    one, other = opened(), opened()
    one.commit((), [Cell("part", f"{number}", b"\xc0") for number in range(60_000)])
    with pytest.raises(StaleError), other.group():
        assert other.cell("part", "7") == b"\xc0"
        one.commit((), [Cell("part", f"{number}", None) for number in range(60_000)])
        other.commit([Draft("c", "note", {})], [Cell("part", "8", b"\x80")])
    assert list(one.cells("part")) == []


def test_one_candidate_delivered_to_every_node_at_once_has_one_effect_and_one_answer(node, desk):
    nodes = [node() for _ in range(4)]
    answers = together([lambda one=one: one.submit("spend", "same", amount="5.00") for one in nodes * 2])
    assert {(answer.verdict.code, answer.record.digest) for answer in answers} == {
        ("accepted", answers[0].record.digest)
    }
    assert (desk.jobs["j1"]["spent"], len(desk.calls)) == (5_00, 1)
    assert_sound(nodes[0].ledger)


def test_a_commit_that_was_overtaken_writes_nothing(opened):
    one, other = opened(), opened()
    one.commit([Draft("a", "note", {})], [Cell("s", "k", b"0"), Cell("s", "other", b"0")])

    def overtaken(read, write, theirs):
        with pytest.raises(StaleError), one.group():
            read()
            other.commit(*theirs)
            one.commit(*write)

    note = [Draft("a", "note", {})]
    overtaken(lambda: one.cell("s", "k"), ([], [Cell("s", "new", b"1")]), ([], [Cell("s", "k", b"1")]))
    overtaken(lambda: one.cell("s", "none"), ([], [Cell("s", "new", b"1")]), ([], [Cell("s", "none", b"1")]))
    overtaken(lambda: one.head("b"), ([], [Cell("s", "new", b"1")]), ([Draft("b", "note", {})],))
    overtaken(lambda: one.newest("a"), (note,), (note,))
    overtaken(lambda: list(one.cells("s")), ([], [Cell("t", "new", b"1")]), ([], [Cell("s", "more", b"1")]))
    overtaken(lambda: list(one.cells("s", exact=False)), ([], [Cell("s", "k", b"2")]), ([], [Cell("s", "k", b"3")]))
    with one.group():  # what was only looked at may move
        assert list(one.cells("s", exact=False))
        other.commit([], [Cell("s", "k", b"4")])
        one.commit([], [Cell("t", "new", b"1")])
    assert (one.cell("s", "new"), one.cell("t", "new"), one.cell("s", "k")) == (None, b"1", b"4")


def test_two_that_append_to_one_chain_at_once_leave_no_fork(opened):
    one, other = opened(), opened()
    with pytest.raises(StaleError), one.group():
        one.commit([Draft("a", "note", {"n": 1})])
        other.commit([Draft("a", "note", {"n": 2})])
    (stored,) = other.records(chain="a")
    assert one.head("a") == (0, stored.digest)


def test_two_leaders_never_sequence_the_same_index(server, schema, opened):
    ledger = opened(sequences=False)
    for number in range(200):
        ledger.commit([Draft(f"c{number % 7}", "note", {"n": number})])
    before = [stored.digest for chain in range(7) for stored in ledger.records(chain=f"c{chain}")]

    def lead():
        with connect(server.dsn, schema, readonly=False) as connection:
            return sum(iter(lambda: sequence_batch(connection, 3), 0))

    assert sum(together([lead] * 6)) == 200
    leaves = [stored.leaf for stored in ledger.records()]
    assert [leaf.index for leaf in leaves] == list(range(200))
    assert sorted(leaf.body_digest for leaf in leaves) == sorted(before)
    assert verify_open(ledger).findings == ()


def test_a_leader_that_dies_is_replaced(server, opened):
    ledgers = [opened() for _ in range(3)]
    ledgers[0].commit([Draft("a", "note", {"n": 0})])
    assert ledgers[0].wait_sequenced(10)
    for number in range(1, 4):
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        ledgers[number % 3].commit([Draft("a", "note", {"n": number})])
        assert ledgers[0].wait_sequenced(10)
    assert ledgers[0].size == 4
    assert [stored.leaf.index for stored in ledgers[1].records()] == [0, 1, 2, 3]


def test_what_a_living_node_is_at_no_other_goes_on_with(node, desk, clock):
    one, told = node(), threading.Event()
    entered = threading.Event()

    def wait(_permit):
        entered.set()
        assert told.wait(30)

    desk.during = wait
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(one.submit, "spend", "k", amount="5.00")
        assert entered.wait(30)
        other = node()  # recovers what dangles, and finds that somebody is at it
        assert other.recovered == ()
        assert other.submit("spend", "k2", amount="1.00").verdict.stage.value == "effect_pending"
        told.set()
        assert answer.result(30).outcome is Outcome.CONFIRMED
    assert (desk.overlaps, set(desk.calls.values())) == (0, {1})
    assert other.submit("spend", "k3", amount="1.00").outcome is Outcome.CONFIRMED
    assert_sound(other.ledger)


def test_what_a_dead_node_has_begun_another_finishes_once_its_lease_is_over(node, desk):
    other, one = node(lease_s=1.0), node(lease_s=1.0)  # the other was there first, so it meets nothing at its start
    desk.during = lambda _permit: one.ledger._leases._stopped.set()  # it dies: nothing renews its lease any more
    one.ledger.let_go = lambda name: None
    one.runtime._confirm = lambda performed: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        one.submit("spend", "k", amount="5.00")
    desk.during = None
    assert other.submit("spend", "k2", amount="1.00").verdict.stage.value == "effect_pending"
    scheduler = Scheduler(other.runtime)
    until = time.monotonic() + 20
    while contents(other.ledger, "outcome") == [] and time.monotonic() < until:
        scheduler.run_due()
        time.sleep(0.1)
    assert [content["outcome"] for content in contents(other.ledger, "outcome")] == ["confirmed"]
    assert (desk.jobs["j1"]["spent"], set(desk.calls.values())) == (5_00, {1})
    assert_sound(other.ledger)


def test_one_timer_acts_once_however_many_nodes_run_it(node, clock):
    nodes = [node() for _ in range(3)]
    for job in JOBS[:6]:
        nodes[0].submit("look", f"look {job}", world.BOSS, job_id=job)
    assert nodes[0].ledger.wait_sequenced(10)
    schedulers = [Scheduler(one.runtime) for one in nodes]
    clock.instant += 3 * world.HOUR
    fired = [one for found in together([scheduler.run_due for scheduler in schedulers]) for one in found]
    fired += [one for scheduler in schedulers for one in scheduler.run_due()]
    lapsed = [one.case for one in fired if one.transition == "lapse" and isinstance(one.answer.verdict, Accepted)]
    assert sorted(lapsed) == sorted(f'/job:["{job}"]' for job in JOBS[:6])
    assert_sound(nodes[0].ledger)


def test_a_halt_by_one_node_holds_for_all(node):
    one, other = node(), node()
    one.runtime.halt("bea", "stop")
    assert other.submit("spend", "k", amount="1.00").verdict.stage.value == "halted"
    other.runtime.resume("bea")
    assert one.submit("spend", "k2", amount="1.00").outcome is Outcome.CONFIRMED


def test_a_lease_counts_from_before_the_commit_that_takes_it(opened, monkeypatch):
    """Finding out whether a commit stands may take longer than the lease lasts."""
    one, other = opened(lease_s=0.6), opened(lease_s=0.6)
    finish, stands = postgres.finish, postgres.is_on_record

    def lost(connection, *parts):
        monkeypatch.setattr(postgres, "finish", finish)
        finish(connection, *parts)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def slowly(*parts):
        time.sleep(1.0)
        with other.group():
            assert other.hold("a")
        return stands(*parts)

    monkeypatch.setattr(postgres, "finish", lost)
    monkeypatch.setattr(postgres, "is_on_record", slowly)
    with one.group():
        one.hold("a")
        one.commit([Draft("a", "note", {"n": 1})])
    assert other.holds("a")
    assert not one.holds("a")


def test_taken_together_what_may_stand_is_gone_on_with_by_the_next_who_comes(node, desk, monkeypatch):
    one = node()
    wanted = Submission(world.candidate("spend", "k", job_id="j1", amount="5.00"), world.BOT, ())
    one.submit("look", "first", job_id="j2")  # over a connection that is there for the commit, too
    finish = postgres.finish

    def lost(connection, *parts):
        monkeypatch.setattr(postgres, "finish", finish)
        finish(connection, *parts)
        connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    def gone(*_, **__):
        raise LedgerError("the database can't be reached")

    with monkeypatch.context() as away:
        away.setattr(postgres, "finish", lost)
        away.setattr(one.ledger._pool, "connect", gone)
        (came,), _ = one.runtime.submit_together([wanted])
    monkeypatch.setattr(postgres, "finish", finish)
    assert isinstance(came, InDoubtError)
    assert not desk.calls
    answer = one.runtime.submit(wanted.payload, wanted.caller)
    assert answer.outcome is Outcome.CONFIRMED
    assert set(desk.calls.values()) == {1}
    assert_sound(one.ledger)
