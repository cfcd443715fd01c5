"""Goal: a call that takes too long is left behind, and no more threads are left behind than there may be."""

import threading
import time

import pytest

from edca.runtime.readers import LateError, Readers


def _readers():
    return [thread for thread in threading.enumerate() if thread.name == "edca-reader"]


def test_answers_and_errors_are_those_of_the_call():
    readers = Readers()
    assert readers.call(lambda: 7, 10) == 7
    with pytest.raises(KeyError):
        readers.call(lambda: {}["x"], 10)


def test_one_thread_serves_calls_that_follow_each_other():
    before, readers = len(_readers()), Readers()
    names = {readers.call(threading.get_ident, 10) for _ in range(100)}
    assert len(names) == 1
    assert len(_readers()) == before + 1


def test_a_late_call_is_left_behind_and_its_thread_comes_back():
    readers, hanging = Readers(1), threading.Event()
    began = time.monotonic()
    with pytest.raises(LateError):
        readers.call(lambda: hanging.wait(10), 0.05)
    with pytest.raises(LateError):  # all of them hang
        readers.call(lambda: 1, 0.05)
    assert time.monotonic() - began < 5
    hanging.set()
    assert readers.call(lambda: 2, 10) == 2


def test_no_time_at_all_is_late_without_a_call():
    called = []
    with pytest.raises(LateError):
        Readers().call(lambda: called.append(1), 0)
    assert called == []


def test_many_at_once_come_out_right(monkeypatch):
    monkeypatch.setattr("edca.runtime.readers._IDLE_S", 0.001)  # so that threads end while others count on them
    readers, wrong = Readers(4), []

    def many(number):
        for count in range(200):
            if readers.call(lambda count=count: (number, count), 10) != (number, count):
                wrong.append(number)

    threads = [threading.Thread(target=many, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert wrong == []
