"""Goal: a record says in which retention class its case is from then on, by rules that stand in the ledger."""

import pytest
from complaints_desk import Desk, bot

from edca.api.history import History
from edca.runtime.replay import replay
from edca.runtime.retention_rules import RetentionClass, RetentionRules

RULES = RetentionRules(
    (
        RetentionClass("of another machine", "others", (), 1),
        RetentionClass("answered complaints", "complaints", ("closed",), 365),
        RetentionClass("other complaints", "complaints", (), 30),
    ),
    outside_days=7,
)


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path, retention=RULES)
    yield made
    made.close()
    made.engine.dispose()


def told(desk):
    """Return kind, and class and days that each record tells, of those that tell any."""
    found = [(record.kind, record.content.get("retention")) for record in desk.records()]
    assert {one["rules"] for _, one in found if one is not None} <= {RULES.digest}
    return [(kind, one["class"], one["days"]) for kind, one in found if one is not None]


def test_the_class_is_that_of_the_state_that_the_case_is_left_in(desk):
    desk.note("c1", bot("mia"), "words")
    desk.answer("c1", bot("mia"), "mia")
    assert told(desk) == [("verdict", None, None), ("verdict", None, None), ("outcome", "answered complaints", 365)]
    desk.note("c1", bot("mia"), "more")  # refused: it came to its end
    desk.note("c9", bot("mia"), "words")  # there is none
    assert told(desk)[3:] == [("verdict", "answered complaints", 365), ("verdict", "outside of cases", 7)]
    assert replay(desk.ledger).mismatches == ()
    rows = [row for table, row in History(desk.ledger.records()).rows() if table.name == "verdicts"]
    assert [row[-1] for row in rows] == [None, None, "answered complaints", "outside of cases"]


def test_the_rules_stand_in_the_ledger_from_the_first_record_on(desk):
    whats = [record.content["what"] for record in desk.records() if record.kind == "config"]
    assert whats.count("retention") == 1
    desk.reopen()
    assert [record.content["what"] for record in desk.records() if record.kind == "config"] == whats


@pytest.mark.parametrize(
    ("of_class", "days"), [("answered complaints", 365), ("other complaints", 30), (None, 0), ("made up", None)]
)
def test_replay_names_a_record_that_says_another_class(desk, monkeypatch, of_class, days):
    monkeypatch.setattr(
        RetentionRules, "told", lambda self, *_: {"rules": self.digest, "class": of_class, "days": days}
    )
    desk.note("c1", bot("mia"), "words")
    monkeypatch.undo()
    (found,) = replay(desk.ledger).mismatches
    assert found.path.startswith("retention")


def test_it_is_told_of_what_was_erased_as_well(desk):
    desk.note("c1", bot("mia"), "words")
    desk.answer("c1", bot("mia"), "mia")
    before = told(desk)
    desk.kernel.erase("mia", by="otto", reason="her letter")
    found = replay(desk.ledger)
    assert (told(desk), found.mismatches, found.not_replayed) == (before, (), ())
    assert found.erased


def test_without_rules_no_record_names_any(tmp_path):
    desk = Desk(tmp_path)
    desk.note("c1", bot("mia"), "words")
    assert told(desk) == []
    desk.close()
    desk.engine.dispose()


def test_what_is_erased_by_a_class_is_what_its_records_said(desk):
    desk.note("c1", bot("mia"), "words")
    desk.answer("c1", bot("mia"), "mia")
    (kept,) = desk.kernel.kept(RULES)
    assert ("outcome", kept.of_class, 365) in told(desk)
