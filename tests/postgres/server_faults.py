"""Several nodes under load, while their server is killed and their connections are cut: what stands in the end.

Each writer submits one candidate after another, and each of them again, under its key, until it has an answer. What was
acknowledged must stand, nothing may have happened twice, and no commit may stay of unknown outcome.
"""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import psycopg
from nodes import Node, WatchedDesk, assert_sound, contents, world

from edca.ledger.errors import InDoubtError, LedgerError
from edca.runtime.scheduler import Scheduler

JOBS = tuple(f"j{number}" for number in range(24))
DAY_US = 24 * world.HOUR
_CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE application_name = 'edca' AND pid <> pg_backend_pid() AND random() < 0.5"
)


@dataclass
class Tally:
    """What came of it."""

    acknowledged: dict = field(default_factory=dict)  # the answers, by candidate
    again: int = 0  # submissions whose answer was lost
    stood: int = 0  # commits of unknown outcome that were found to stand …
    gone: int = 0  # … and not to
    in_doubt: int = 0
    kills: int = 0
    cuts: int = 0  # rounds of them
    cut_off: int = 0  # connections
    took_s: float = 0.0


def _watched(node, tally, lock):
    """Count how commits of unknown outcome are resolved."""
    resolve = node.ledger._resolve

    def counted(*parts):
        try:
            resolve(*parts)
        except InDoubtError:
            raise
        except LedgerError:
            with lock:
                tally.gone += 1
            raise
        with lock:
            tally.stood += 1

    node.ledger._resolve = counted
    return node


def run(server, schema, *, kills, cuts, writers=8, nodes=4, seed=1):
    """Put load on the nodes, break things so often, and check what stands. Raises `AssertionError`."""
    chance = random.Random(seed)  # noqa: S311  # which comes when, and nothing secret
    tally, lock, stopped = Tally(), threading.Lock(), threading.Event()
    desk, clock, began = WatchedDesk(*JOBS), world.StillClock(), time.monotonic()
    made = [_watched(Node(server, schema, desk, clock, lease_s=30.0), tally, lock) for _ in range(nodes)]
    failures = []

    def write(number):
        node, turn = made[number % nodes], 0
        while not stopped.is_set():
            key = f"w{number}-{turn}"
            while True:
                try:
                    answer = node.submit("spend", key, job_id=JOBS[(number + 5 * turn) % len(JOBS)], amount="1.00")
                except InDoubtError:
                    with lock:
                        tally.in_doubt += 1
                except LedgerError:
                    with lock:
                        tally.again += 1
                    time.sleep(0.01)
                else:
                    break
            with lock:
                tally.acknowledged[key] = answer
            turn += 1

    def watched_write(number):
        try:
            write(number)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=watched_write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    _break(server, clock, chance, tally, kills, cuts)
    time.sleep(0.3)
    stopped.set()
    for thread in threads:
        thread.join(120)
    assert not failures, failures
    tally.took_s = time.monotonic() - began
    try:
        for node in made:  # each goes on with what it was torn away from
            Scheduler(node.runtime).run_due()
        _check(made[0], desk, tally)
    finally:
        for node in made:
            node.close()
    return tally


def _break(server, clock, chance, tally, kills, cuts):
    """Kill the server and cut connections, in an order that chance gives."""
    todo = ["kill"] * kills + ["cut"] * cuts
    chance.shuffle(todo)
    for what in todo:
        time.sleep(0.05 + chance.random() * 0.25)
        clock.instant += DAY_US // 4  # so that the limit has room again from time to time
        if what == "kill":
            server.kill()
            server.start()
            tally.kills += 1
        else:
            with psycopg.connect(server.dsn, autocommit=True) as connection:
                tally.cut_off += connection.execute(_CUT).fetchone()[0]
            tally.cuts += 1


def _check(node, desk, tally):
    verdicts = contents(node.ledger, "verdict")
    found = {}  # by case and entry
    for job in JOBS:
        chain = f'/job:["{job}"]'
        found.update({(chain, stored.entry): stored.digest for stored in node.ledger.records(chain=chain)})
    lost = [
        key
        for key, answer in tally.acknowledged.items()
        if found.get((answer.record.chain, answer.record.entry)) != answer.record.digest
    ]
    assert lost == []
    spent = [content for content in verdicts if content["candidate"]["transition"] == "spend"]  # timers act besides
    accepted = [content["candidate"]["key"] for content in spent if content["verdict"]["outcome"] == "accepted"]
    assert [key for key, count in Counter(accepted).items() if count > 1] == []
    outcomes = Counter(content["outcome"] for content in contents(node.ledger, "outcome"))
    assert desk.overlaps == 0
    assert sum(job["spent"] for job in desk.jobs.values()) == 100 * outcomes["confirmed"]
    assert len(desk.done) == outcomes["confirmed"]
    assert sum(outcomes.values()) == len(accepted), (outcomes, len(accepted))
    assert tally.in_doubt == 0
    assert_sound(node.ledger)
