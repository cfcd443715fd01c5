"""Law 6: a refusal is a value that says which clauses failed, what they read, what is missing and who can help."""

import dataclasses

import pytest
import worlds
from worlds import Setup

from edca.kernel.canonical import encode
from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.values import Unknown
from edca.kernel.verdict import Accepted, Escalated, Refused, Result, Stage, failed
from edca.semantic.explain import for_operator

CODES_OF_VALUES = {reason.value for reason in Unknown} | {"out_of_range"}


def _broken() -> list[tuple[str, Setup]]:
    """Every known decision, and each with one of its facts lost or one of its parts wrong."""
    found: list[tuple[str, Setup]] = []
    for name, setup in worlds.all_setups():
        found.append((name, setup))
        found += [
            (f"{name}, {handle[0]}.{field} lost", setup.with_fact(handle, field, Unknown.DRIFT))
            for handle, instance in setup.inputs.facts.items()
            for field in instance.fields
        ]
        found.append((f"{name}, no attestations", setup.with_inputs(attestations=())))
        found.append((f"{name}, no case", dataclasses.replace(setup, case=None)))
        found.append((f"{name}, no roster", setup.with_candidate(proposer="nobody")))
        found.append((f"{name}, bad argument", setup.with_arguments(surplus=1)))
    return found


@pytest.mark.parametrize(("name", "setup"), _broken())
def test_a_verdict_is_a_value_with_a_code_of_a_closed_set(name: str, setup: Setup) -> None:
    verdict = setup.decide()
    assert setup.decide() == verdict
    assert encode(setup.decide().to_raw()) == encode(verdict.to_raw())
    codes = {clause.code for clause in verdict.clauses}
    match verdict:
        case Accepted():
            assert all(clause.result in (Result.PASSED, Result.WAIVED) for clause in verdict.clauses)
            assert verdict.code == "accepted"
        case Refused(stage=Stage() as stage):
            assert (verdict.code, verdict.clauses) == (stage.value, ())
            assert verdict.detail
        case Refused(code="property_violated"):
            assert verdict.detail in {item.code for item in setup.machine.properties}
            assert all(clause.on_fail is OnFail.ESCALATE for clause in failed(verdict))
        case Refused():
            assert verdict.code in codes | CODES_OF_VALUES
        case Escalated():
            assert [need.code for need in verdict.needs] == [clause.code for clause in failed(verdict)]
            assert verdict.code == verdict.needs[0].code
            assert all(need.role for need in verdict.needs)


@pytest.mark.parametrize(("name", "setup"), _broken())
def test_the_operator_is_told_what_failed_what_it_read_and_who_can_help(name: str, setup: Setup) -> None:
    verdict = setup.decide()
    lines = "\n".join(for_operator(setup.machine, verdict))
    for clause in failed(verdict):
        assert clause.code in lines
        assert clause.readings or clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN, ClauseKind.LIMIT)
        for reading in clause.readings:
            assert f"{reading.name} = {reading.value}" in lines
        if clause.on_fail is OnFail.ESCALATE:
            assert f"can be answered by: {clause.role}" in lines
        if clause.result is Result.UNKNOWN:
            assert "missing: " in lines
    if isinstance(verdict, Refused) and verdict.stage is not None:
        assert verdict.detail in lines


@pytest.mark.parametrize(("name", "setup"), worlds.accepted_setups())
def test_every_clause_is_in_the_verdict_whatever_failed(name: str, setup: Setup) -> None:
    clauses = [clause.code for clause in setup.decide().clauses]
    blind = setup.with_inputs(facts={}, attestations=()).with_candidate(confidence=0, subject="mallory").decide()
    chosen = not isinstance(blind, Refused) or blind.stage is not Stage.NO_BRANCH
    assert [clause.code for clause in blind.clauses] == (clauses if chosen else [])


def test_readings_name_the_abstract_values() -> None:
    verdict = worlds.approval().with_fact(worlds.ORDER, "refunded", 7_000).decide()
    (clause,) = failed(verdict)
    assert [(r.name, r.value) for r in clause.readings] == [
        ("amount", "20.00"),
        ("order.refunded", "70.00"),
        ("order.total", "80.00"),
    ]


def test_an_unknown_is_named_with_its_reason() -> None:
    verdict = worlds.approval().with_fact(worlds.ORDER, "total", Unknown.STALE).decide()
    (clause,) = failed(verdict)
    assert (clause.code, clause.result, clause.reason) == ("over_total", Result.UNKNOWN, Unknown.STALE)
    assert ("order.total", "unknown (fact_stale)") in [(r.name, r.value) for r in clause.readings]
