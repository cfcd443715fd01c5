"""Goal: limits count what the records say, exactly to their bound, and nothing gives them room that isn't theirs."""

import dataclasses
import threading

import desk_world as world
import pytest
from desk_bench import DeskBench, code

from edca.kernel import canonical
from edca.kernel.counting import Counter, Passage, Standing
from edca.kernel.machine import Window, WindowKind
from edca.kernel.verdict import Accepted, Escalated, Refused
from edca.ledger.store import Cell
from edca.runtime import counter_cells
from edca.runtime.answers import Outcome
from edca.runtime.counted import Counted, Part
from edca.runtime.counter_cells import SPACE
from edca.runtime.ports import Performed, Report
from edca.runtime.rebuild import compare_cells
from edca.runtime.replay import replay

MINUTE = world.HOUR // 60


@pytest.fixture
def desk(tmp_path):
    desk = DeskBench(tmp_path)
    yield desk
    desk.assert_sound()
    desk.close()


# --- counting, and where a window ends ---------------------------------------------------------------------------


def test_what_is_accepted_counts_to_the_bound_and_not_beyond(desk):
    assert [desk.look() for _ in range(5)] == ["accepted", "accepted", "accepted", "pace", "pace"]


@pytest.mark.parametrize("count", [0, 1, 40])
def test_a_counter_is_the_same_from_memory_and_from_its_cell(count, monkeypatch):
    name = counter_cells.Name("", "desk", "look", "pace", ("bot",))
    held = [Passage(5, 2, 0, record, Standing.RESERVED, 9, b"digest") for record in range(count)]
    part = Part(1, 6, 1, 4, 70, 80, 9, (2, 2**70), (0, 1))
    sheet = counter_cells.Sheet(lambda space, key: None)
    sheet.put(name, Counted(5, (part, *held), 7, ((2, 3),)))
    (cell,) = sheet.cells
    rows = [[5, 2, 0, record, "reserved", 9, b"digest"] for record in range(count)]
    items = [[1, 6, 1, 4, 70, 80, 9, [2, str(2**70)], [0, 1]], *rows]
    said = {
        "name": canonical.decode(name.encoded.canonical),
        "latest": 5,
        "counted": items,
        "parts": 7,
        "gone": [[2, 3]],
    }
    assert cell.value == canonical.encode(said)
    known = counter_cells.counter_from_bytes(cell.value)
    monkeypatch.setattr(counter_cells, "_known", counter_cells._Known())
    assert counter_cells.counter_from_bytes(cell.value) == known


def test_counters_are_kept_in_memory_up_to_a_bound(monkeypatch):
    known = counter_cells._Known()
    monkeypatch.setattr(known, "SIZE_MAX", 10)
    name = counter_cells.Name("", "desk", "look", "pace", ())
    for encoded in (b"12345", b"67890", b"abcde", b"far too long"):
        known.put(encoded, name, Counted())
        assert known.get(encoded) == (name, Counted())
    assert known.get(b"12345") is None and known.get(b"abcde") is None


def test_each_key_has_its_own_counter(desk):
    assert [desk.look() for _ in range(4)][-1] == "pace"
    assert desk.look(world.BOSS) == "accepted"


def test_cases_share_a_counter_that_is_not_per_case(desk):
    assert [desk.look(job=job) for job in ("j1", "j2", "j3", "j1")] == ["accepted"] * 3 + ["pace"]


def test_a_sum_is_kept_exactly_at_its_bound(desk):
    assert code(desk.spend("99.99")) == "accepted"
    assert code(desk.spend("0.02")) == "daily"
    assert code(desk.spend("0.01")) == "accepted"
    assert code(desk.spend("0.00")) == "accepted"
    assert code(desk.spend("0.01")) == "daily"


def test_a_rolling_window_lets_go_exactly_when_it_is_over(desk):
    for _ in range(3):
        desk.look()
    desk.clock.instant += world.HOUR - 1
    assert desk.look() == "pace"
    desk.clock.instant += 1
    assert [desk.look() for _ in range(4)] == ["accepted"] * 3 + ["pace"]


def test_a_day_begins_anew_at_midnight(desk):
    desk.spend("100.00")
    desk.clock.instant = world.NOON + 12 * world.HOUR - 1
    assert code(desk.spend("0.01")) == "daily"
    desk.clock.instant += 1
    assert code(desk.spend("100.00")) == "accepted"


def test_counters_outlive_the_process(desk):
    for _ in range(3):
        desk.look()
    desk.reopen()
    assert desk.look() == "pace"


def test_a_clock_that_went_back_tells_nothing(desk):
    desk.look()
    desk.clock.instant -= 1
    answer = desk.submit("look", job_id="j2")  # a case whose own time doesn't go back
    assert isinstance(answer.verdict, Refused)
    (clause,) = [clause for clause in answer.verdict.clauses if clause.code == "pace"]
    assert clause.reason.value == "counter_missing"


def test_passages_out_of_their_window_are_dropped_when_the_next_is_written(desk):
    for hours in range(5):
        desk.clock.instant = world.NOON + 2 * hours * world.HOUR
        assert desk.look() == "accepted"
    (value,) = [value for _, value in desk.ledger.cells(SPACE)]
    assert len(counter_cells.counter_from_bytes(value)[1].items) == 1


# --- effects ------------------------------------------------------------------------------------------------------


def _standings(desk):
    sheet = counter_cells.Sheet(desk.ledger.cell)
    found = list(counter_cells.counters(desk.ledger.cells(SPACE)))
    return [one.standing for name, counter in found for one in counter.passages(sheet.pages(name))]


def test_confirmed_effects_have_used_what_was_reserved(desk):
    assert desk.spend("60.00").outcome is Outcome.CONFIRMED
    assert _standings(desk) == [Standing.USED]
    assert code(desk.spend("60.00")) == "daily"


def test_failed_effects_give_back_what_was_reserved(desk):
    desk.router.reports = [Report(Performed.FAILED)]
    assert desk.spend("60.00").outcome is Outcome.FAILED
    assert _standings(desk) == []
    assert code(desk.spend("100.00")) == "accepted"


def test_undone_effects_give_back_what_was_reserved(desk):
    desk.router.reports = [Report(Performed.DONE), Report(Performed.DONE)]  # nothing was charged, and that taken back
    assert desk.spend("60.00").outcome is Outcome.UNDONE
    assert code(desk.spend("100.00")) == "accepted"


def _untold(desk, outcome):
    """Spend 60.00 without anybody knowing whether it was charged."""
    desk.router.reports, desk.router.asked = [Report(Performed.UNKNOWN)], Performed.UNKNOWN
    assert desk.spend("60.00").outcome is outcome
    desk.router.asked = None


def test_what_timed_out_has_been_used_as_far_as_anybody_knows(desk):
    _untold(desk, Outcome.TIMED_OUT)
    assert _standings(desk) == [Standing.USED]


def test_what_nobody_can_tell_stays_reserved(desk):
    desk.reopen(world.without_timeouts())
    _untold(desk, Outcome.QUARANTINED)
    assert _standings(desk) == [Standing.RESERVED]
    assert code(desk.spend("41.00", job="j2")) == "daily"
    assert code(desk.spend("40.00", job="j2")) == "accepted"


@pytest.mark.parametrize(
    ("state", "standings", "room"),
    [("stuck", [Standing.USED], "40.00"), ("waiting", [Standing.USED], "40.00")],
)
def test_a_quarantine_is_settled_by_what_a_person_finds(desk, state, standings, room):
    desk.reopen(world.without_timeouts())
    _untold(desk, Outcome.QUARANTINED)
    desk.runtime.observe("job", ("j1",), "bea", state)
    assert _standings(desk) == standings
    assert code(desk.spend("100.00", job="j2")) == "daily"
    assert code(desk.spend(room, job="j2")) == "accepted"


def test_a_quarantine_found_back_where_it_came_from_releases(desk):
    machine = world.without_timeouts()
    moving = [
        dataclasses.replace(transition, target="closed") if transition.name == "spend" else transition
        for transition in machine.transitions
    ]
    desk.reopen(dataclasses.replace(machine, transitions=tuple(moving)))
    _untold(desk, Outcome.QUARANTINED)
    desk.runtime.observe("job", ("j1",), "bea", "waiting")
    assert _standings(desk) == []
    assert code(desk.spend("100.00", job="j2")) == "accepted"


# --- escalations ---------------------------------------------------------------------------------------------------


def test_an_escalation_reserves_and_does_not_count_against_itself(desk):
    assert isinstance(desk.ask("60.00").verdict, Escalated)
    assert code(desk.ask("60.00", job="j2")) == "asked_for"  # somebody else's request has no room beside it
    assert isinstance(desk.ask("60.00").verdict, Escalated)  # asked again: reserved once, not twice
    assert desk.counted("ask", "asked_for") == 60_00


def test_a_reservation_ends_with_the_time_in_which_an_answer_counts(desk):
    desk.ask("60.00")
    desk.clock.instant += 30 * MINUTE
    assert code(desk.ask("60.00", job="j2")) == "asked_for"
    desk.clock.instant += 1
    assert isinstance(desk.ask("60.00", job="j2").verdict, Escalated)


def test_a_reservation_that_has_ended_gives_its_own_candidate_no_room(desk):
    desk.ask("60.00")
    desk.clock.instant += 30 * MINUTE + 1
    (move,) = (move for move in desk.ask("60.00").verdict.moves if move.code == "asked_for")
    assert move.used == 0


def test_a_refusal_of_the_same_candidate_releases_what_it_held(desk):
    desk.ask("60.00")
    desk.submit("lapse", caller=world.Caller("ticker", "timer"))
    desk.clock.instant += 2 * world.HOUR
    desk.submit("lapse", caller=world.Caller("ticker", "timer"))
    # At an early stage now, which reads no counter: released all the same.
    assert code(desk.ask("60.00")) == "no_such_transition"
    assert _standings(desk) == []
    assert list(desk.ledger.cells(counter_cells.HELD)) == []


def test_what_only_cannot_be_decided_now_keeps_what_it_holds(desk):
    desk.ask("60.00")
    desk.runtime.halt("ops", "Look first.")
    assert code(desk.ask("60.00")) == "halted"
    assert _standings(desk) == [Standing.RESERVED]
    desk.runtime.resume("ops")
    assert code(desk.ask("41.00", job="j2")) == "asked_for"


def test_with_one_counter_no_two_escalations_share_room(desk):
    for job, amount in (("j1", "40.00"), ("j2", "40.00"), ("j3", "40.00")):
        desk.ask(amount, job=job)
    assert desk.counted("ask", "asked_for") == 80_00


# --- nobody overshoots ------------------------------------------------------------------------------------------


def test_a_thousand_spenders_at_once_never_overshoot(tmp_path):
    jobs = [f"j{number}" for number in range(1000)]
    desk = DeskBench(tmp_path, *jobs)
    answers, start = [None] * len(jobs), threading.Barrier(50)

    def spend(first):
        start.wait()
        for place in range(first, len(jobs), 50):
            answers[place] = desk.spend("3.00", job=jobs[place])

    threads = [threading.Thread(target=spend, args=(first,)) for first in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    accepted = [answer for answer in answers if isinstance(answer.verdict, Accepted)]
    assert len(accepted) == 33
    assert {code(answer) for answer in answers} == {"accepted", "daily"}
    assert sum(job["spent"] for job in desk.router.jobs.values()) == 99_00
    desk.assert_sound()
    desk.close()


# --- cells are believed as far as the records add up to them -----------------------------------------------------


def _only_cell(desk):
    ((key, value),) = desk.ledger.cells(SPACE)
    return key, value


def test_a_deleted_counter_is_found(tmp_path):
    desk = DeskBench(tmp_path)
    desk.look()
    key, _ = _only_cell(desk)
    desk.ledger.commit((), [Cell(SPACE, key, None)])
    (found,) = compare_cells(desk.ledger)
    assert (found.cell, found.records) == ("nothing", "1 by record 3 (used)")
    assert "limit pace of look, machine desk per ['bot']" in found.what
    assert replay(desk.ledger).cells == (found,)
    desk.look()  # decided with the counter gone: the record itself now differs from what the records add up to
    (mismatch,) = replay(desk.ledger).mismatches
    assert mismatch.path.startswith("counters")
    desk.close()


def test_a_counter_restored_from_before_is_found(tmp_path):
    desk = DeskBench(tmp_path)
    desk.look()
    key, value = _only_cell(desk)
    desk.look()
    desk.ledger.commit((), [Cell(SPACE, key, value)])
    assert len(compare_cells(desk.ledger)) == 1
    desk.close()


def test_a_forged_counter_is_found(tmp_path):
    desk = DeskBench(tmp_path)
    desk.ledger.commit((), [Cell(SPACE, "00", b"\x80")])
    (found,) = compare_cells(desk.ledger)
    assert (found.cell, found.records) == ("unreadable", "nothing")
    desk.close()


# --- the value itself ---------------------------------------------------------------------------------------------


def test_amounts_of_another_scale_are_counted_rounded_up():
    day = Window(WindowKind.ROLLING, 24 * world.HOUR)
    counter = Counter().with_passage(Passage(1, 1001, 3, 0, Standing.USED), day)
    counter = counter.with_passage(Passage(1, 2, 0, 1, Standing.USED), day)
    assert counter.sum(day, 2, 1, None) == 101 + 200
    assert counter.sum(day, 3, 1, None) == 1001 + 2000
