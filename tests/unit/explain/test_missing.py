"""Goal: operators are told what a verdict lacks, and who could supply it; of each thing no more than is so."""

from __future__ import annotations

import dataclasses

import worlds
from setups import Setup, said

from edca.kernel.roster import Roster
from edca.kernel.values import Unknown
from edca.runtime.question import Question
from edca.semantic.explain import for_operator
from edca.semantic.missing import missing, missing_line


def _lacks(setup: Setup) -> list[str]:
    return [missing_line(lack) for lack in missing(_question(setup), setup.decide())]


def _approval() -> Setup:
    """The small refund, with nothing counted yet."""
    setup = worlds.approval()
    limits = {"pace": ("bot",), "daily": ("carla",)}
    declared = [clause.code for clause in setup.machine.index.transitions["approve_refund"].clauses]
    return setup.with_inputs(used={("approve_refund", code, limits[code]): 0 for code in declared if code in limits})


def test_what_is_accepted_lacks_nothing() -> None:
    assert _lacks(_approval()) == []


def test_a_claim_and_who_can_attest_it() -> None:
    unexplained = _approval().with_inputs(attestations=(said("agreed", True),))
    assert _lacks(unexplained) == [
        "claim reason, by customer (claim_unattested)",
        "waiver of over_limit, by supervisor",
    ]


def test_a_fact_and_the_source_that_could_not_tell_it() -> None:
    for why in (Unknown.MISSING, Unknown.DRIFT):
        assert _lacks(_approval().with_fact(worlds.ORDER, "total", why)) == [
            f"fact order(o1).total, by source test ({why.value})"
        ]
    old = _approval()
    order = dataclasses.replace(old.inputs.facts[worlds.ORDER], as_of=worlds.NOW - 10**12)
    assert "fact order(o1).total, by source test (fact_stale)" in _lacks(old.with_instance(order))
    lost = _lacks(_approval().without(worlds.LINE))
    assert lost == ["fact line(o1, a1).returnable, by source test (fact_missing)"]


def test_answers_with_the_role_and_how_many_people() -> None:
    asked = _approval().with_inputs(attestations=(said("reason", "Broken."),))
    assert _lacks(asked) == ["confirmation of agreed, by customer"]
    assert _lacks(asked.with_candidate(confidence=8_000)) == [
        "waiver of unsure, by supervisor",
        "confirmation of agreed, by customer",
    ]
    large = _approval().with_fact(worlds.ORDER, "total", 500_000).with_arguments(amount="2500.00")
    assert _lacks(large) == [
        "waiver of over_limit, by supervisor",
        "2 signatures to twice, by supervisor",
    ]


def test_nobody_is_asked_who_has_said_no() -> None:
    declined = _approval().with_inputs(attestations=(said("agreed", False), said("reason", "Broken.")))
    assert _lacks(declined) == []


def test_what_the_proposer_and_the_host_left_unsaid() -> None:
    assert _lacks(_approval().with_candidate(confidence=None)) == [
        "input confidence, by proposer (input_unstated)",
        "waiver of unsure, by supervisor",
    ]
    assert "input subject, by host (input_unstated)" in _lacks(_approval().with_candidate(subject=None))


def test_counters_and_somebody_who_answers() -> None:
    uncounted = _approval().with_inputs(used={})
    expected = [f"what {code} has counted, by ledger (counter_missing)" for _, code, _ in _approval().inputs.used]
    assert _lacks(uncounted) == expected
    alone = _approval()
    roster = Roster(alone.inputs.roster.principals, ())
    assert _lacks(alone.with_inputs(roster=roster)) == ["anchor of approve_refund, by supervisor"]


def _question(setup: Setup) -> Question:
    return Question(setup.machine, setup.case, None, setup.candidate, setup.inputs)


def test_operators_read_it_below_the_clauses() -> None:
    setup = _approval().with_fact(worlds.ORDER, "total", Unknown.DRIFT)
    lines = for_operator(setup.machine, setup.decide(), _question(setup))
    assert "  to be supplied: fact order(o1).total, by source test (schema_drift)" in lines
