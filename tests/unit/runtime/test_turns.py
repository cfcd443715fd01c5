"""Goal: turns share commits in the order of arrival, fail alone or together as they should, and never hang."""

import threading
import time
from contextlib import contextmanager

import pytest

from edca.runtime.turns import SHARING_MAX, InterruptedTurnsError, Turns


class Store:
    """Notes what is committed together; `failure` is raised by the next commit, `holding` delays it."""

    def __init__(self):
        self.groups = []
        self.kept = []
        self.failure = None
        self.holding = threading.Event()
        self.holding.set()

    @contextmanager
    def group(self):
        self.kept = []
        yield
        assert self.holding.wait(10)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        self.groups.append(self.kept)

    @contextmanager
    def step(self):
        count = len(self.kept)
        try:
            yield
        except BaseException:
            del self.kept[count:]
            raise


class Broken(Exception):
    """What a commit comes to."""


class Stop(BaseException):
    """An interruption."""


def _start(work):
    """Run it in a thread, and return the thread and a list that its result or error will be put in."""
    came = []

    def run():
        try:
            came.append(work())
        except BaseException as error:
            came.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread, came


def _until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _queued(turns, store, works):
    """Start each in turn behind a commit that is being held; return what `_start` gives."""
    store.holding.clear()
    started = [_start(lambda: turns.take(store, lambda: store.kept.append("first")))]
    _until(lambda: turns._running is not None)
    for count, work in enumerate(works, start=1):
        started.append(_start(lambda work=work: turns.take(store, work)))
        _until(lambda count=count: len(turns._waiting) == count)
    return started


def _results(started):
    for thread, _ in started:
        thread.join(10)
        assert not thread.is_alive()
    return [came[0] for _, came in started]


def test_a_lonely_turn_has_a_commit_of_its_own():
    turns, store = Turns(), Store()
    assert turns.take(store, lambda: store.kept.append(1) or "done") == "done"
    assert store.groups == [[1]]


def test_those_who_wait_share_one_commit_in_order():
    turns, store = Turns(), Store()
    count = SHARING_MAX + 3
    works = [lambda number=number: store.kept.append(number) or number for number in range(count)]
    started = _queued(turns, store, works)
    store.holding.set()
    assert _results(started)[1:] == list(range(count))
    assert store.groups == [["first"], list(range(SHARING_MAX)), list(range(SHARING_MAX, count))]


def test_a_turn_within_a_turn_is_part_of_it():
    turns, store = Turns(), Store()
    assert turns.take(store, lambda: turns.take(store, lambda: store.kept.append(1) or turns.is_running))
    assert (store.groups, turns.is_running) == ([[1]], False)


def test_a_turn_that_raises_fails_alone():
    turns, store = Turns(), Store()

    def fail():
        store.kept.append("lost")
        raise ValueError("no")

    started = _queued(turns, store, [lambda: store.kept.append(1), fail, lambda: store.kept.append(2)])
    store.holding.set()
    results = _results(started)
    assert [type(result) for result in results] == [type(None), type(None), ValueError, type(None)]
    assert store.groups == [["first"], [1, 2]]


def test_a_commit_that_fails_is_told_to_all_who_share_it_and_to_nobody_else():
    turns, store = Turns(), Store()

    def fail():
        raise ValueError("no")

    def break_it():
        store.failure = Broken("the disk is gone")
        return 3

    started = _queued(turns, store, [lambda: 1, fail, break_it])
    store.holding.set()
    results = _results(started)
    assert [type(result) for result in results] == [type(None), Broken, ValueError, Broken]
    assert turns.take(store, lambda: 4) == 4


def test_an_interrupted_leader_takes_nobody_along():
    turns, store = Turns(), Store()

    def stop():
        raise Stop

    started = _queued(turns, store, [stop, lambda: 2])
    store.holding.set()
    results = _results(started)
    assert [type(result) for result in results] == [type(None), Stop, InterruptedTurnsError]
    assert turns.take(store, lambda: 4) == 4


class _Interrupted:
    """A lock whose first wait is interrupted: before it is released, or just after it was got."""

    def __init__(self, lock, *, after):
        self._lock = lock
        self._after = after
        self._is_first = True

    def acquire(self, *arguments, **options):
        if self._is_first:
            self._is_first = False
            if self._after:
                self._lock.acquire(*arguments, **options)
            raise Stop
        return self._lock.acquire(*arguments, **options)

    def release(self):
        self._lock.release()

    def locked(self):
        return self._lock.locked()


@pytest.mark.parametrize("after", [False, True], ids=["while it waits", "as it comes to lead or is over"])
@pytest.mark.parametrize("place", [0, 1])
def test_an_interrupted_waiter_leaves_no_place_behind(monkeypatch, after, place):
    turns, store = Turns(), Store()
    store.holding.clear()
    started = [_start(lambda: turns.take(store, lambda: None))]
    _until(lambda: turns._running is not None)
    waiting = 0
    for number in range(2):
        is_hit = number == place
        new_lock = (lambda: _Interrupted(_taken(), after=after)) if is_hit else _taken
        monkeypatch.setattr("edca.runtime.turns._new_lock", new_lock)
        started.append(_start(lambda number=number: turns.take(store, lambda: number)))
        if is_hit and not after:
            started[-1][0].join(10)
        else:
            waiting += 1
        _until(lambda count=waiting: len(turns._waiting) == count)
    store.holding.set()
    results = _results(started)
    assert isinstance(results[1 + place], Stop)
    assert results[2 - place] == 1 - place
    assert turns.take(store, lambda: "later") == "later"
    assert not turns._waiting


def _taken():
    lock = threading.Lock()
    lock.acquire()
    return lock
