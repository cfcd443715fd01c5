"""Law 3, no record, no act: whatever call inside the loop fails, no effect goes unrecorded, and every candidate ends.

The calls are not listed by hand: a run of the loop is watched, and each function of EDCA that is entered, and each call
that it makes into C code (the database among it), is a place where the next run fails.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import refund_world

from edca.ledger.errors import LedgerError
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.verify import verify
from edca.runtime.cases import load_row
from edca.runtime.loop import Runtime
from edca.runtime.recover import recover
from edca.runtime.replay import replay

EVERY = int(os.environ.get("EDCA_FAULTS_EVERY", "67"))  # each so many-th place; 1 tries all
LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
)  # raised before its release, a lock would stay held; and no release fails
WATCHED = ("edca.runtime", "edca.ledger", "edca.kernel")
APPROVE = refund_world.candidate("approve", "approve", order_id="o1", amount="20.00")


class InjectedError(Exception):
    """Something that nobody foresaw."""


@contextmanager
def watching(fail_at: int = 0, fault: Callable[[], BaseException] = InjectedError) -> Iterator[list[str]]:
    """Count the calls of the loop in this thread, and raise at the one asked for; what is yielded names them."""
    places: list[str] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event not in ("call", "c_call") or isinstance(getattr(argument, "__self__", None), LOCKS):
            return
        module = str(frame.f_globals.get("__name__", ""))
        if not module.startswith(WATCHED) or frame.f_code.co_name.startswith("<"):
            return
        called = frame.f_code.co_name if event == "call" else f"{frame.f_code.co_name} -> {argument.__name__}"
        places.append(f"{module}.{called}")
        if len(places) == fail_at:
            sys.setprofile(None)
            raise fault()

    sys.setprofile(watch)
    try:
        yield places
    finally:
        sys.setprofile(None)


def opened(folder: Path) -> tuple[SQLiteLedger, Runtime]:
    """A runtime over the folder's ledger and world."""
    ledger = SQLiteLedger.open(folder / "ledger.db", durable=False)
    router = refund_world.OrderRouter(folder / "world.db")
    clock = refund_world.TickingClock(refund_world.START + 60_000_000)
    return ledger, Runtime(refund_world.MACHINE, router, ledger, refund_world.ROSTER, clock, admit=_no_bytes)


def _no_bytes(payload: bytes, _caller: object) -> Any:
    raise AssertionError(payload)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder where an amount is promised, and not paid yet."""
    folder = tmp_path_factory.mktemp("begun")
    refund_world.create_world(folder / "world.db", "o1")
    ledger, runtime = opened(folder)
    with ledger:
        runtime.submit(APPROVE, refund_world.SUPERVISOR)
    return folder


def pay(runtime: Runtime, transition: str) -> Any:
    """Ask for the payment; whoever asks again asks under the same key."""
    return runtime.submit(refund_world.candidate(transition, "pay", order_id="o1"), refund_world.SUPERVISOR)


def done(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "world.db")) as connection:
        count: int = connection.execute("SELECT count(*) FROM done").fetchone()[0]
    return count


def kinds(folder: Path) -> Counter[str]:
    with SQLiteLedger.open(folder / "ledger.db", create=False) as ledger:
        return Counter(parse(stored.body).kind for stored in ledger.records())


FAULTS: dict[str, Callable[[], BaseException]] = {
    "a bug": lambda: InjectedError("injected"),
    "a broken disk": lambda: sqlite3.OperationalError("disk I/O error"),
    "an interrupt": KeyboardInterrupt,
}


@pytest.mark.parametrize("transition", ["pay", "pay_and_stamp"])
@pytest.mark.parametrize("fault", FAULTS)
def test_law_3_wherever_it_fails_nothing_happens_off_the_record_and_it_ends(
    begun: Path, tmp_path: Path, transition: str, fault: str
) -> None:
    effects = 1 + (transition == "pay_and_stamp")
    shutil.copytree(begun, tmp_path / "watched")
    ledger, runtime = opened(tmp_path / "watched")
    with ledger, watching() as places:
        pay(runtime, transition)
    assert len(places) > 200 and any("-> execute" in place for place in places)
    endings: Counter[str] = Counter()
    for number in range(1 + len(fault) % EVERY, len(places) + 1, EVERY):
        folder = tmp_path / "failing"
        shutil.copytree(begun, folder)
        ending = failing_at(folder, number, FAULTS[fault], transition)
        endings[ending] += 1
        assert ending in ("paid", "stuck", "quarantined"), (places[number - 1], ending)
        assert done(folder) <= effects, places[number - 1]
        shutil.rmtree(folder)
    assert endings["paid"] > 0
    print(f"{transition}, {fault}: {endings.total()} of {len(places)} places: {dict(endings)}")


def failing_at(folder: Path, number: int, fault: Callable[[], BaseException], transition: str) -> str:
    """Run with the failure, then as after a restart, and return how the case ends.

    Nothing is collected in between: what a traceback keeps alive must not hold the file.
    """
    gc.disable()
    try:
        return _failing_at(folder, number, fault, transition)
    finally:
        gc.enable()


def _failing_at(folder: Path, number: int, fault: Callable[[], BaseException], transition: str) -> str:
    ledger, runtime = opened(folder)
    try:
        with watching(number, fault):
            pay(runtime, transition)
    except (InjectedError, LedgerError, sqlite3.Error, KeyboardInterrupt):
        pass  # the caller was told; what became of it is read from the ledger
    finally:
        ledger.close()
    if done(folder):
        assert kinds(folder)["verdict"] == 2, f"an effect without its record, failing at {number}"
    ledger, runtime = opened(folder)
    with ledger:
        recover(runtime)
        answer = pay(runtime, transition)
        row = load_row(ledger, '/order:["o1"]')
        assert row is not None and answer.verdict.code
        found = replay(ledger)
    assert (found.equal, found.unfinished) == (found.total, ())
    assert verify(folder / "ledger.db").findings == ()
    if row.quarantined:
        return "quarantined"
    state: str = row.case.state
    return state
