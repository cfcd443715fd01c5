"""Goal: what a counter has put away counts like the rest, in use and in replay; and so does what was kept before."""

import desk_world as world
import pytest
from desk_bench import DeskBench, code
from older_counters import as_an_earlier_version_wrote

from edca.kernel import canonical
from edca.kernel.verdict import Escalated
from edca.ledger.errors import SchemaError, TamperedError
from edca.ledger.store import Cell
from edca.runtime import counter_cells
from edca.runtime.answers import Outcome
from edca.runtime.context import Context
from edca.runtime.counted import SHARE
from edca.runtime.counter_cells import PARTS, SPACE
from edca.runtime.limit_use import limit_uses
from edca.runtime.older_cells import write_anew
from edca.runtime.ports import Performed, Report
from edca.runtime.rebuild import compare_cells, stored_cells

MINUTE = world.HOUR // 60


@pytest.fixture
def desk(tmp_path):
    desk = DeskBench(tmp_path)
    yield desk
    desk.assert_sound()
    desk.close()


def _standings(desk):
    sheet = counter_cells.Sheet(desk.ledger.cell)
    found = list(counter_cells.counters(desk.ledger.cells(SPACE)))
    return [one.standing for name, counter in found for one in counter.passages(sheet.pages(name))]


def test_what_is_put_away_is_counted_settled_released_and_replayed(desk):
    first = desk.spend("0.05")
    for number in range(6 * SHARE):
        if number % 7 == 3:
            desk.router.reports = [Report(Performed.FAILED)]
        assert desk.spend("0.01").outcome is (Outcome.FAILED if number % 7 == 3 else Outcome.CONFIRMED)
        desk.clock.instant += MINUTE
    failed = len(range(3, 6 * SHARE, 7))
    assert len(list(desk.ledger.cells(PARTS))) >= 2
    assert desk.counted("spend", "daily") == 5 + 6 * SHARE - failed
    assert len(_standings(desk)) == 1 + 6 * SHARE - failed
    desk.runtime.settle(first.record.index, "daily", 7)
    assert desk.counted("spend", "daily") == 7 + 6 * SHARE - failed
    (use,) = limit_uses(desk.ledger, desk.clock.instant)
    assert (use.counted, use.reserved) == (7 + 6 * SHARE - failed, 0)
    desk.assert_sound()
    desk.reopen()
    assert desk.counted("spend", "daily") == 7 + 6 * SHARE - failed
    desk.clock.instant += 24 * world.HOUR
    for _ in range(2 * SHARE):
        desk.spend("0.01")
    assert list(desk.ledger.cells(PARTS)) == []


def test_an_escalated_candidate_does_not_count_against_itself_where_its_reservation_was_put_away(desk):
    jobs = [f"j{number}" for number in range(4 * SHARE)]
    desk.router.jobs.update({job: dict(desk.router.jobs["j1"]) for job in jobs})
    assert isinstance(desk.ask("60.00").verdict, Escalated)
    for job in jobs[2:]:
        assert isinstance(desk.ask("0.01", job=job).verdict, Escalated)
    (cell, *_) = desk.ledger.cells(PARTS)
    assert b"reserved" in cell[1]
    held = 60_00 + len(jobs) - 2
    assert desk.counted("ask", "asked_for") == held
    assert isinstance(desk.ask("60.00").verdict, Escalated)
    assert desk.counted("ask", "asked_for") == held
    desk.clock.instant += 30 * MINUTE + 1
    assert isinstance(desk.ask("99.00", job="j1").verdict, Escalated)
    assert desk.counted("ask", "asked_for") == 99_00
    assert len(_standings(desk)) == 1


@pytest.mark.parametrize("value", [None, b"\x90", b"\xc1"], ids=["gone", "empty", "garbage"])
def test_a_part_that_is_gone_or_altered_is_not_counted_with_and_is_named(desk, value):
    answers = [desk.spend("0.01") for _ in range(3 * SHARE + 1)]
    ((key, sound),) = desk.ledger.cells(PARTS)
    desk.ledger.commit((), [Cell(PARTS, key, value)])
    (found,) = compare_cells(desk.ledger)
    assert found.what.startswith("part 0 of what a limit has counted")
    with pytest.raises(TamperedError):
        desk.runtime.settle(answers[SHARE].record.index, "daily", 7)  # the first that was put away
    desk.ledger.commit((), [Cell(PARTS, key, sound)])


# --- what an earlier version has written --------------------------------------------------------------------------


def test_what_an_earlier_version_kept_is_written_anew_from_the_records_on_opening(desk):
    for _ in range(4 * SHARE):
        desk.spend("0.01")
    desk.ask("60.00")
    cells = stored_cells(desk.ledger)
    as_an_earlier_version_wrote(desk.ledger)
    assert stored_cells(desk.ledger) != cells
    with pytest.raises(SchemaError, match="earlier version"):
        desk.spend("0.01", job="j2")
    assert {one.cell for one in compare_cells(desk.ledger) if one.space == SPACE} == {
        "passages as an earlier version kept them"
    }
    desk.reopen()
    assert stored_cells(desk.ledger) == cells
    assert desk.counted("spend", "daily") == 4 * SHARE
    assert isinstance(desk.ask("60.00").verdict, Escalated)
    desk.submit("look")


def test_what_an_older_cell_says_is_not_taken_over(desk):
    desk.spend("60.00")
    as_an_earlier_version_wrote(desk.ledger)
    ((key, value),) = desk.ledger.cells(SPACE)
    said = canonical.decode(value)
    desk.ledger.commit((), [Cell(SPACE, key, canonical.encode({**said, "passages": []}))])
    desk.reopen()
    assert code(desk.spend("60.00", job="j2")) == "daily"


def test_whoever_counts_meanwhile_is_not_overwritten(desk, monkeypatch):
    desk.spend("60.00")
    as_an_earlier_version_wrote(desk.ledger)
    turn, others = Context.turn, []

    def overtaken(context, work):
        if not others:
            others.append(desk.ledger.cell(SPACE, next(key for key, _ in desk.ledger.cells(SPACE))))
            desk.ledger.commit((), [Cell(SPACE, "ff", others[0])])
        return turn(context, work)

    monkeypatch.setattr(Context, "turn", overtaken)
    write_anew(desk.runtime.context)
    assert len(others) == 1
    assert [key for key, _ in desk.ledger.cells(SPACE)] != ["ff"]
