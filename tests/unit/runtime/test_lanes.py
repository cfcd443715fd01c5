"""Goal: a lane is had by one at a time, in the order of arrival, and nothing is left of it afterwards."""

import threading
import time

import pytest

from edca.runtime import lanes as module
from edca.runtime.lanes import Lanes


def _until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_those_who_wait_get_it_in_the_order_of_their_arrival():
    lanes, came = Lanes(), []

    def take(number):
        with lanes.hold("a"):
            came.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(20)]
    with lanes.hold("a"):
        for count, thread in enumerate(threads, start=1):
            thread.start()
            _until(lambda count=count: len(lanes._lanes["a"].waiting) == count)
        assert came == []
    for thread in threads:
        thread.join(10)
    assert came == list(range(20))
    assert len(lanes) == 0


def test_other_lanes_and_no_lane_are_free_meanwhile():
    lanes, held = Lanes(), []

    def take():
        with lanes.hold("b"), lanes.hold(None):
            held.append(len(lanes))

    with lanes.hold("a"):
        thread = threading.Thread(target=take)
        thread.start()
        thread.join(10)
    assert held == [2]


def test_who_holds_a_lane_may_hold_it_again():
    lanes = Lanes()
    with lanes.hold("a"):
        with pytest.raises(ValueError, match="inside"), lanes.hold("a"):
            raise ValueError("inside")
        assert len(lanes) == 1
    assert len(lanes) == 0


class Stop(BaseException):
    """An interruption."""


@pytest.mark.parametrize("after", [False, True], ids=["while it waits", "just as it got it"])
def test_an_interrupted_waiter_leaves_no_place_behind(monkeypatch, after):
    lanes, came, real = Lanes(), [], threading.Lock

    class Interrupted:
        def __init__(self):
            self.lock = real()
            self.count = 0

        def acquire(self):
            self.count += 1
            if self.count == 2 and not after:
                raise Stop
            self.lock.acquire()
            if self.count == 2:
                raise Stop

        def release(self):
            self.lock.release()

    def take(number):
        try:
            with lanes.hold("a"):
                came.append(number)
        except Stop:
            came.append("stopped")

    threads = [threading.Thread(target=take, args=(number,)) for number in range(2)]
    with lanes.hold("a"):
        monkeypatch.setattr(module.threading, "Lock", Interrupted)
        threads[0].start()
        _until(lambda: len(lanes._lanes["a"].waiting) == after or came)
        monkeypatch.setattr(module.threading, "Lock", real)
        threads[1].start()
        _until(lambda: len(lanes._lanes["a"].waiting) == 1 + after)
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert came == ["stopped", 1]
    assert len(lanes) == 0
