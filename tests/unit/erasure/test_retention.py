"""Goal: what is personal is kept for as long as its class says, and then erased unless something stands against it."""

import pytest
from complaints_desk import Desk

from edca.api import FixedClock, RetentionError, load_retention
from edca.kernel.calendar import DAY
from edca.runtime.replay import replay

C1, C2, C3 = (f'/complaint:["c{number}"]' for number in (1, 2, 3))
RULES = """
outside_days = 30

[[classes]]
name    = "answered complaints"
machine = "complaints"
states  = ["closed"]
days    = 365
"""


@pytest.fixture
def rules(tmp_path):
    path = tmp_path / "retention.toml"
    path.write_text(RULES, "utf-8")
    return load_retention(path)


def later(desk: Desk, days: int) -> None:
    desk.clock = FixedClock(desk.clock.now() + days * DAY)
    desk.reopen()


def test_what_is_kept_has_a_date_by_its_class(worked, rules):
    found = {one.scope: one for one in worked.kernel.kept(rules)}
    assert C2 not in found  # it has not come to its end, so no time runs
    assert found[C1].until == worked.clock.now() + 365 * DAY
    assert found["/#asker:mia"].until == worked.clock.now() + 30 * DAY


def test_nothing_is_erased_before_its_time_and_all_of_it_after(worked, rules):
    assert worked.kernel.purge(rules, by="otto") == ()
    later(worked, 31)
    (outside,) = worked.kernel.purge(rules, by="otto")
    assert "/#asker:mia" in outside.scopes
    assert C1 not in outside.scopes
    later(worked, 334)
    worked.kernel.hold_case(C3, by="otto", reason="a suit")
    (done,) = worked.kernel.purge(rules, by="otto")
    assert done.scopes == (C1,)
    assert [one.scope for one in worked.kernel.kept(rules)] == [C3]
    record = worked.records()[-1].content
    assert (record["of"], record["rules"]) == ("retention", rules.digest)
    found = replay(worked.ledger)
    assert (found.mismatches, found.not_replayed, found.cells) == ((), (), ())


@pytest.mark.parametrize(
    ("text", "told"),
    [("x = 1", "`x`"), ("[[classes]]\nname = 'a'\nmachine = 'm'\ndays = -1", "days"), ("[", "no TOML")],
)
def test_rules_that_are_none_are_refused_with_their_place(tmp_path, text, told):
    path = tmp_path / "rules.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(RetentionError, match=told):
        load_retention(path)
