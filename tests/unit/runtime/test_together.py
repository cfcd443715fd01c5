"""Goal: candidates that are taken together come to what each would come to alone, and whatever fails fails apart."""

import sys
import threading
from collections import Counter
from contextlib import suppress

import desk_world as world
import pytest
from crowd import WATCHDOG_S, contents
from desk_bench import DeskBench

from edca.kernel.inputs import Attestation
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.ledger.errors import InDoubtError
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime import together
from edca.runtime.answers import Answer, Outcome
from edca.runtime.entrance import OverloadedError
from edca.runtime.loop import Runtime
from edca.runtime.recover import recover
from edca.runtime.together import Apart, Submission, Unfinished

JOBS = [f"j{number}" for number in range(1, 7)]


@pytest.fixture
def desk(tmp_path):
    made = DeskBench(tmp_path, *JOBS)
    yield made
    made.close()


def _submission(transition, key="", caller=world.BOT, attestations=(), **arguments):
    return Submission(world.candidate(transition, key, **arguments), caller, attestations)


def _mixed():
    """Accepted with effects and without, refused and escalated, each about a case of its own."""
    return [
        _submission("look", "a", job_id="j1"),
        _submission("spend", "b", job_id="j2", amount="1.00"),
        _submission("spend", "c", job_id="j3", amount="99999.00"),
        _submission("ask", "d", job_id="j4", amount="3.00"),
        _submission("look", "e", job_id="j5"),
        _submission("look", "", job_id="nobody"),
    ]


def _came(runtime, submissions):
    """Take them together, finish what is unfinished, and submit what was given back, in order."""
    found, _ = runtime.submit_together(submissions)
    return [_gone_on(runtime, one, came) for one, came in zip(submissions, found, strict=True)]


def _gone_on(runtime, submission, came):
    match came:
        case Unfinished():
            return runtime.finish(came)
        case Apart.APART:
            return runtime.submit(submission.payload, submission.caller, submission.attestations)
        case _:
            return came


def _is_free(runtime):
    return len(runtime.context.lanes) == 0 and runtime._entrance._inside == 0


def _verdicts(desk):
    return [stored.body for stored in desk.ledger.records() if parse(stored.body).kind == "verdict"]


def test_together_they_come_to_the_very_records_that_each_comes_to_alone(desk, tmp_path):
    (tmp_path / "alone").mkdir()
    alone = DeskBench(tmp_path / "alone", *JOBS)
    each = [alone.runtime.submit(one.payload, one.caller, one.attestations) for one in _mixed()]
    found, is_late = desk.runtime.submit_together(_mixed())
    assert not is_late
    assert [type(came) for came in found] == [Answer, Unfinished, Answer, Answer, Answer, Answer]
    answers = [_gone_on(desk.runtime, one, came) for one, came in zip(_mixed(), found, strict=True)]
    assert [answer.verdict for answer in answers] == [answer.verdict for answer in each]
    assert {type(answer.verdict) for answer in answers} == {Accepted, Refused, Escalated}
    # The chains are the cases' own, so a record's bytes don't depend on what stands between them in the ledger.
    assert _verdicts(desk) == _verdicts(alone)
    assert answers[1].outcome is Outcome.CONFIRMED
    assert _is_free(desk.runtime)
    desk.assert_sound()
    alone.close()


def test_they_share_one_commit(desk, monkeypatch):
    commits, transact = [], SQLiteLedger._transact

    def noted(ledger, staged):
        commits.append(len(staged.rows))
        transact(ledger, staged)

    monkeypatch.setattr(SQLiteLedger, "_transact", noted)
    _came(desk.runtime, [_submission("look", job_id=job) for job in JOBS])
    assert commits == [len(JOBS)]


def test_more_than_may_share_a_commit_are_all_taken_and_no_limit_is_overshot(tmp_path):
    desk = DeskBench(tmp_path, *[f"x{number}" for number in range(150)])
    answers = _came(desk.runtime, [_submission("look", job_id=f"x{number}") for number in range(150)])
    assert Counter(answer.verdict.code for answer in answers) == {"accepted": 3, "pace": 147}
    desk.assert_sound()
    desk.close()


def test_the_second_about_one_case_is_given_back_and_meets_it_as_the_first_has_left_it(desk):
    twice = [_submission("spend", key, job_id="j1", amount="1.00") for key in "ab"]
    found, _ = desk.runtime.submit_together(twice)
    assert [type(came) for came in found] == [Unfinished, Apart]
    answers = [_gone_on(desk.runtime, one, came) for one, came in zip(twice, found, strict=True)]
    assert [answer.revision for answer in answers] == [1, 2]
    desk.assert_sound()


def test_what_was_answered_before_is_answered_the_same_again(desk):
    first = _came(desk.runtime, _mixed())
    size = desk.ledger.size
    again = _came(desk.runtime, _mixed())
    assert [answer.record for answer in again[:5]] == [answer.record for answer in first[:5]]
    assert desk.ledger.size == size + 1  # who has no key is decided again
    desk.assert_sound()


def test_what_is_no_submission_at_all_fails_apart(desk):
    vouched = [Attestation("agreed", "perhaps", "bea", "boss", "desk", desk.clock.instant)]
    wrong = _submission("ask", "w", attestations=vouched, job_id="j1", amount="1.00")
    found, _ = desk.runtime.submit_together([wrong, _submission("look", job_id="j2")])
    assert isinstance(found[0], ValueError)
    assert found[1].verdict.code == "accepted"
    assert _is_free(desk.runtime)


def test_a_turn_that_fails_fails_apart(desk, monkeypatch):
    decide = together.decide_and_record

    def failing(context, addressed, ahead, begun):
        recorded = decide(context, addressed, ahead, begun)
        if addressed.about.key == ("j2",):
            raise KeyError("a bug")
        return recorded

    monkeypatch.setattr(together, "decide_and_record", failing)
    found, _ = desk.runtime.submit_together([_submission("look", job_id=job) for job in JOBS])
    assert [type(came) for came in found] == [Answer, KeyError, *[Answer] * 4]
    assert len(_verdicts(desk)) == 5
    assert _is_free(desk.runtime)
    desk.assert_sound()


def test_a_commit_that_fails_is_told_to_all_and_leaves_nothing(desk, monkeypatch):
    def failing(ledger, staged):
        raise OSError("no room")

    size = desk.ledger.size
    with monkeypatch.context() as patched:
        patched.setattr(SQLiteLedger, "_transact", failing)
        found, _ = desk.runtime.submit_together([_submission("spend", job_id=job, amount="1.00") for job in JOBS])
    assert [type(came) for came in found] == [OSError] * len(JOBS)
    assert _is_free(desk.runtime)
    assert not desk.router.done
    desk.reopen()
    assert desk.ledger.size == size
    desk.assert_sound()


def test_a_slow_source_of_one_sends_the_others_on_their_own_ways(desk, monkeypatch):
    monkeypatch.setattr(together, "PATIENCE_S", 0.01)
    go, read = threading.Event(), desk.router.read

    def slow(requests, as_of):
        if requests[0].key == ("j2",):
            assert go.wait(WATCHDOG_S)
        return read(requests, as_of)

    desk.router.read = slow
    found, is_late = desk.runtime.submit_together([_submission("look", job_id=job) for job in JOBS])
    assert is_late
    assert [type(came) for came in found] == [Answer, *[Apart] * 5]
    assert _is_free(desk.runtime)
    assert desk.look(job="j3") == "accepted"
    go.set()
    assert desk.look(job="j2") == "accepted"
    desk.assert_sound()


def test_those_beyond_the_bound_are_sent_away(tmp_path):
    desk = DeskBench(tmp_path, *JOBS)
    runtime = Runtime(
        world.MACHINE, desk.router, desk.ledger, world.ROSTER, desk.clock, admit=lambda *_: None, waiting_max=4
    )
    found, _ = runtime.submit_together([_submission("look", job_id=job) for job in JOBS])
    assert [type(came) for came in found] == [*[Answer] * 4, *[OverloadedError] * 2]
    assert _is_free(runtime)
    desk.close()


SOUND = {
    ("confirmed", 100),
    ("quarantined", 100),
    ("quarantined", 0),
}  # within an effect, a person must look


class Stop(BaseException):
    """An interruption."""


@pytest.mark.parametrize("fault", [RuntimeError, Stop])
def test_wherever_it_fails_all_can_be_submitted_again_and_each_has_one_record(tmp_path, fault):
    """Every function of the loop that is entered in this thread is a place where the next run fails."""
    wanted = [_submission("look", "a", job_id="j1"), _submission("spend", "b", job_id="j2", amount="1.00")]
    places, endings = _places(tmp_path, wanted), Counter()
    assert len(places) > 150
    for number in range(1, len(places) + 1, 7):
        folder = tmp_path / str(number)
        folder.mkdir()
        desk = DeskBench(folder, *JOBS)
        sys.setprofile(_failing_at(number, fault))
        try:
            found, _ = desk.runtime.submit_together(wanted)
            endings["raised" if any(isinstance(came, Exception) for came in found) else "came"] += 1
            for one, came in zip(wanted, found, strict=True):
                with suppress(fault, InDoubtError):  # each in a thread of its own, as it were
                    _gone_on(desk.runtime, one, came)
        except fault:
            endings["stopped"] += 1
        finally:
            sys.setprofile(None)
        assert _is_free(desk.runtime), places[number - 1]
        if desk.ledger._in_doubt:
            desk.reopen()
        recover(desk.runtime)
        for one in wanted:
            assert desk.runtime.submit(one.payload, one.caller).verdict.code == "accepted", places[number - 1]
        assert len(contents(desk, "verdict")) == 2, places[number - 1]
        (outcome,) = contents(desk, "outcome")
        assert (outcome["outcome"], desk.router.jobs["j2"]["spent"]) in SOUND, places[number - 1]
        desk.assert_sound()
        desk.close()
    assert endings["stopped" if fault is Stop else "raised"] > 5


def _failing_at(number, fault):
    """What fails the so-manieth call."""
    count = 0

    def watch(frame, event, argument):
        nonlocal count
        if event == "call" and _is_watched(frame):
            count += 1
            if count == number:
                sys.setprofile(None)
                raise fault()

    return watch


def _is_watched(frame):
    module = str(frame.f_globals.get("__name__", ""))
    name = frame.f_code.co_name
    is_letting_go = name in ("finish", "leave", "_leave")  # what fails before it lets go lets nothing go
    return module.startswith(("edca.runtime", "edca.ledger", "edca.kernel")) and name[0] != "<" and not is_letting_go


def _places(tmp_path, wanted):
    (tmp_path / "watched").mkdir()
    desk, places = DeskBench(tmp_path / "watched", *JOBS), []

    def watch(frame, event, argument):
        if event == "call" and _is_watched(frame):
            places.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")

    sys.setprofile(watch)
    try:
        found, _ = desk.runtime.submit_together(wanted)
        for one, came in zip(wanted, found, strict=True):
            _gone_on(desk.runtime, one, came)
    finally:
        sys.setprofile(None)
    desk.close()
    return places
