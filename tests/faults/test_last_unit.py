"""Goal: two cases that race for the last unit: both were right when they were decided, and one gets it."""

import threading

import pytest
import refund_world as world

from edca.kernel.verdict import Accepted
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.answers import Outcome
from edca.runtime.loop import Runtime
from edca.runtime.replay import replay


class LastUnitRouter(world.OrderRouter):
    """Pays only while the order has something left, and begins no effect before both cases are decided."""

    def __init__(self, path, both_decided):
        super().__init__(path)
        self._both_decided = both_decided

    def perform(self, permit):
        self._both_decided.wait(10)
        return super().perform(permit)

    def _add(self, connection, column, amount, arguments):
        statement = f"UPDATE orders SET {column} = {column} + ? WHERE order_id = ? AND {column} + ? <= total"
        return connection.execute(statement, (amount, arguments["order"][0], amount)).rowcount


@pytest.mark.parametrize("machine", [world.MACHINE, world.timed(30_000_000)], ids=["plain", "with a deadline"])
def test_one_of_two_cases_gets_the_last_unit(tmp_path, machine):
    world.create_world(tmp_path / "world.db", "o1")
    both_decided = threading.Barrier(2)
    answers = {}
    ledgers = {name: SQLiteLedger.open(tmp_path / f"{name}.db", durable=False) for name in ("left", "right")}

    def race(name):
        router = LastUnitRouter(tmp_path / "world.db", both_decided)
        runtime = Runtime(machine, router, ledgers[name], world.ROSTER, world.TickingClock(), admit=_admit, tenant=name)
        runtime.submit(world.candidate("approve", "a", order_id="o1", amount="40.00"), world.SUPERVISOR)
        answers[name] = runtime.submit(world.candidate("pay", "p", order_id="o1"), world.SUPERVISOR)

    # 40.00 are left, and both want them.
    _spend_most(tmp_path / "world.db")
    threads = [threading.Thread(target=race, args=(name,)) for name in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(answer.verdict, Accepted) for answer in answers.values())
    outcomes = sorted(answer.outcome.value for answer in answers.values())
    assert outcomes == [Outcome.CONFIRMED.value, Outcome.FAILED.value]
    assert world.row(tmp_path / "world.db", "o1")[1] == 10000
    for name, ledger in ledgers.items():
        content = parse(ledger.read(ledger.size - 1).body).content
        reports = [step["report"] for step in content["effects"]]
        assert reports == (["done"] if answers[name].outcome is Outcome.CONFIRMED else ["precondition_lost"])
        found = replay(ledger)
        assert found.equal == found.total
        ledger.close()


def _spend_most(path):
    router = world.OrderRouter(path)
    with router._open() as connection, connection:
        connection.execute("UPDATE orders SET refunded = 6000")


def _admit(payload, caller):
    raise AssertionError((payload, caller))
