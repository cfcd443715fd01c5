"""Goal: however many come at once, each case is taken in order, commits are shared, and nobody waits for strangers."""

import dataclasses
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import desk_world as world
import pytest
from crowd import WATCHDOG_S, another_runtime, by_tasks, by_threads, contents, submit
from desk_bench import DeskBench

from edca.kernel.verdict import Accepted, Refused
from edca.ledger.errors import LedgerError
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.answers import Outcome
from edca.runtime.approving import Said
from edca.runtime.lanes import Lanes
from edca.runtime.ports import Performed, Report
from edca.runtime.recover import recover
from edca.runtime.replay import replay


@pytest.fixture
def bench(tmp_path):
    bench = DeskBench(tmp_path)
    yield bench
    bench.close()


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_one_candidate_delivered_fifty_times_acts_once_and_gets_one_answer(bench, way):
    paid = world.candidate("spend", "p", job_id="j1", amount="20.00")
    if way == "threads":
        answers = by_threads([lambda: bench.runtime.submit(paid, world.BOT)] * 50)
    else:
        answers = by_tasks(bench, [paid] * 50)
    assert answers == [answers[0]] * 50
    assert answers[0].outcome is Outcome.CONFIRMED
    size = bench.ledger.size
    bench.reopen()
    again = by_threads([lambda: bench.runtime.submit(paid, world.BOT)] * 50)
    assert again == [answers[0]] * 50
    assert (bench.ledger.size, bench.router.jobs["j1"]["spent"], len(bench.router.done)) == (size, 2000, 1)
    bench.assert_sound()


@pytest.mark.parametrize("way", ["threads", "tasks"])
def test_of_those_that_saw_one_revision_exactly_one_is_accepted(bench, way):
    candidates = [world.candidate("spend", f"k{n}", 0, job_id="j1", amount="1.00") for n in range(20)]
    if way == "threads":
        answers = by_threads([lambda one=one: bench.runtime.submit(one, world.BOT) for one in candidates])
    else:
        answers = by_tasks(bench, candidates)
    assert sorted(answer.verdict.code for answer in answers) == ["accepted"] + ["stale_revision"] * 19
    assert bench.router.jobs["j1"]["spent"] == 100
    bench.assert_sound()


def test_a_thousand_tasks_that_spend_never_overshoot(tmp_path):
    """Threads do the same in `test_counters`."""
    jobs = [f"j{n}" for n in range(1000)]
    bench = DeskBench(tmp_path, *jobs)
    candidates = [world.candidate("spend", f"k{n}", job_id=job, amount="1.00") for n, job in enumerate(jobs)]
    codes = [answer.verdict.code for answer in by_tasks(bench, candidates)]
    assert (codes.count("accepted"), codes.count("daily")) == (100, 900)
    assert sum(job["spent"] for job in bench.router.jobs.values()) == 100 * 100
    bench.assert_sound()
    bench.close()


def test_callers_share_commits(bench, monkeypatch):
    commits, transact = [], SQLiteLedger._transact

    def noted(ledger, staged):
        commits.append(len(staged.rows))
        time.sleep(0.01)  # as a disk takes its time
        transact(ledger, staged)

    monkeypatch.setattr(SQLiteLedger, "_transact", noted)
    bench.router.jobs = {f"j{n}": dict(bench.router.jobs["j1"]) for n in range(50)}
    answers = by_threads([lambda n=n: submit(bench.runtime, "spend", job_id=f"j{n}", amount="0.01") for n in range(50)])
    assert {answer.outcome for answer in answers} == {Outcome.CONFIRMED}
    assert sum(commits) == 150  # each: the verdict, the permit spent, the outcome
    assert len(commits) <= 50  # fewer than a third of what they would be alone
    bench.assert_sound()


@pytest.mark.parametrize("where", ["read", "perform"])
def test_a_slow_route_of_one_case_delays_no_other(bench, where):
    entered, go, real = threading.Event(), threading.Event(), getattr(bench.router, where)

    def slow(asked, *rest):
        names = [request.key[0] for request in asked] if where == "read" else [asked.arguments["job"][0]]
        if "j1" in names:
            entered.set()
            assert go.wait(WATCHDOG_S)
        return real(asked, *rest)

    setattr(bench.router, where, slow)
    with ThreadPoolExecutor(2) as pool:
        held = pool.submit(submit, bench.runtime, "spend", amount="1.00")
        assert entered.wait(WATCHDOG_S)
        behind = pool.submit(submit, bench.runtime, "spend", amount="2.00")
        assert submit(bench.runtime, "spend", job_id="j2", amount="3.00").outcome is Outcome.CONFIRMED
        bench.runtime.take_over('/job:["j2"]', "bea", "to see to it")
        assert not held.done()
        assert not behind.done()
        go.set()
        answers = [future.result(WATCHDOG_S) for future in (held, behind)]
    assert [(answer.outcome, answer.revision) for answer in answers] == [(Outcome.CONFIRMED, 1), (Outcome.CONFIRMED, 2)]
    assert bench.router.jobs["j1"]["spent"] == 300
    bench.assert_sound()


def test_a_halt_under_load_begins_nothing_more_and_loses_nothing(tmp_path):
    jobs = [f"j{n}" for n in range(200)]
    bench = DeskBench(tmp_path, *jobs)
    begun, halted, late, perform = threading.Event(), threading.Event(), [], bench.router.perform

    def noted(permit):
        if halted.is_set():
            late.append(permit)
        if len(bench.router.done) > 20:
            begun.set()
        return perform(permit)

    bench.router.perform = noted
    with ThreadPoolExecutor(30) as pool:
        futures = [pool.submit(submit, bench.runtime, "spend", job_id=job, amount="0.10") for job in jobs]
        assert begun.wait(WATCHDOG_S)
        bench.runtime.halt("ops", "stop")
        spent = {content["key"] for content in contents(bench, "spent")}
        halted.set()
        answers = [future.result(WATCHDOG_S) for future in futures]
    assert {permit.key for permit in late} <= spent
    assert len(contents(bench, "spent")) == len(spent)
    held = [answer for answer in answers if isinstance(answer.verdict, Accepted) and answer.outcome is None]
    refused = [answer for answer in answers if isinstance(answer.verdict, Refused)]
    assert {answer.verdict.code for answer in refused} == {"halted"}
    bench.router.perform = perform
    assert len(bench.runtime.resume("ops")) == len(held)
    assert sum(job["spent"] for job in bench.router.jobs.values()) == 10 * (200 - len(refused))
    bench.assert_sound()
    bench.close()


def test_an_answer_that_is_being_decided_is_not_decided_once_more(bench):
    bench.ask("1.00")
    (asked,) = bench.runtime.open_questions()
    entered, go, read = threading.Event(), threading.Event(), bench.router.read

    def slow(requests, as_of):
        if contents(bench, "approval"):
            entered.set()
            assert go.wait(WATCHDOG_S)
        return read(requests, as_of)

    bench.router.read = slow
    with ThreadPoolExecutor(2) as pool:
        said = Said(asked.id, "bob", "boss", "agreed", True, asked.preview.digest)
        answered = pool.submit(bench.runtime.answer, said)
        assert entered.wait(WATCHDOG_S)
        resumed = pool.submit(recover, bench.runtime)
        lane = bench.runtime.context.lanes._lanes['/job:["j1"]']
        deadline = time.monotonic() + WATCHDOG_S
        while not lane.waiting:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        go.set()
        assert isinstance(answered.result(WATCHDOG_S).answer.verdict, Accepted)
        assert resumed.result(WATCHDOG_S) == ()
    assert len(contents(bench, "verdict")) == 2
    bench.assert_sound()


def test_two_runtimes_of_one_ledger_take_turns(bench):
    other = another_runtime(bench)
    jobs = [f"j{n}" for n in range(40)]
    bench.router.jobs = {job: dict(bench.router.jobs["j1"]) for job in jobs}
    runtimes = (bench.runtime, other)
    calls = [lambda n=n: submit(runtimes[n % 2], "spend", job_id=jobs[n], amount="0.10") for n in range(40)]
    assert {answer.outcome for answer in by_threads(calls)} == {Outcome.CONFIRMED}
    other.context = dataclasses.replace(other.context, lanes=Lanes())  # so that nothing but turns lies between them
    read, both, came = bench.router.read, threading.Barrier(2), []

    def together(requests, as_of):
        if len(came) < 2:
            came.append(1)
            both.wait(WATCHDOG_S)  # each has looked its key up by now, and found nothing
        return read(requests, as_of)

    bench.router.read = together
    same = [
        lambda runtime=runtime: submit(runtime, "spend", "same", job_id="j0", amount="0.20") for runtime in runtimes
    ]
    assert len({answer.record for answer in by_threads(same)}) == 1
    assert bench.router.jobs["j0"]["spent"] == 30
    bench.assert_sound()


def test_whatever_comes_at_once_nothing_hangs_and_all_is_sound(tmp_path):
    """Submissions, answers, operators, timers, views and late routes for some seconds, with a watchdog."""
    jobs = [f"j{n}" for n in range(6)]
    bench = DeskBench(tmp_path, *jobs)
    runtime, over = bench.runtime, time.monotonic() + 3
    perform, calls = bench.router.perform, []

    def shaky(permit):
        calls.append(1)
        if len(calls) % 7 == 0:
            return Report(Performed.FAILED)
        time.sleep(0.001 * (len(calls) % 3))
        return perform(permit)

    bench.router.perform = shaky
    errors = []

    def again(work):
        count = 0
        while time.monotonic() < over:
            count += 1
            try:
                work(count)
            except (LedgerError, ValueError) as error:
                if isinstance(error, LedgerError):
                    errors.append(error)

    def answer(_count):
        for asked in runtime.open_questions():
            runtime.answer(Said(asked.id, "bob", "boss", "agreed", True, asked.preview.digest))

    def halting(count):
        if count % 20 == 0:
            runtime.halt("ops", "to see")
            runtime.resume("ops")
        time.sleep(0.005)

    def taking(count):
        (runtime.take_over, runtime.hand_back)[count % 2]('/job:["j0"]', "bea", "")
        time.sleep(0.003)

    works = [
        *[lambda count, job=job: submit(runtime, "spend", job_id=job, amount="0.01") for job in jobs] * 2,
        *[lambda count, job=job: submit(runtime, "ask", f"a{count}", job_id=job, amount="0.01") for job in jobs[:2]],
        answer,
        halting,
        taking,
        lambda count: runtime.foresee(world.candidate("look", job_id="j1"), world.BOT),
        lambda count: runtime.close_overdue(),
        lambda count: recover(runtime) and time.sleep(0.01),
    ]
    threads = [threading.Thread(target=again, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WATCHDOG_S)
        assert not thread.is_alive(), "something hangs"
    assert errors == []
    assert len(runtime.context.lanes) == 0
    found = replay(bench.ledger)
    assert (found.mismatches, found.not_replayed, found.unfinished) == ((), (), ())
    bench.assert_sound()
    bench.close()
