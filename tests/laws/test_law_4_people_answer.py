"""Law 4 for answers: no answer never approves, a model can't answer, and an answer holds for what was shown alone."""

from __future__ import annotations

import dataclasses

import pytest
import worlds
from setups import Setup, rebound, shown

from edca.kernel.candidate import Candidate
from edca.kernel.inputs import Attestation
from edca.kernel.machine import ClauseKind
from edca.kernel.roster import Roster
from edca.kernel.values import TIME_MAX
from edca.kernel.verdict import Accepted, Escalated

ASKING = [(name, setup) for name, setup in worlds.all_setups() if isinstance(setup.decide(), Escalated)]


def _answers(setup: Setup, by: str, binds: bytes | None = None, *, value: bool = True) -> tuple[Attestation, ...]:
    verdict = setup.decide()
    assert isinstance(verdict, Escalated)
    seen = shown(setup) if binds is None else binds
    return tuple(
        Attestation(need.code, value, f"{by} {number}", need.role, "test", setup.inputs.now, seen)
        for need in verdict.needs
        for number in range(need.count)
    )


def _people(setup: Setup, answers: tuple[Attestation, ...], model: str | None = None) -> Setup:
    """The same with whoever answers on the roster, in the roles they answer in."""
    known = setup.inputs.roster.principals
    example = known[0]
    ids = {answer.by: tuple(sorted({one.role for one in answers if one.by == answer.by})) for answer in answers}
    added = tuple(dataclasses.replace(example, id=id_, roles=roles, model=model) for id_, roles in ids.items())
    roster = Roster((*known, *added), setup.inputs.roster.mandates)
    return setup.with_inputs(roster=roster, attestations=(*setup.inputs.attestations, *answers))


@pytest.mark.parametrize(("name", "setup"), ASKING)
def test_no_answer_never_approves(name: str, setup: Setup) -> None:
    """Time alone lets nothing through: an escalation stays one, or comes to be refused."""
    for later in (1, 60_000_000, 3_600_000_000, 8 * 86_400_000_000, 400 * 86_400_000_000):
        now = min(setup.inputs.now + later, TIME_MAX)
        facts = {handle: dataclasses.replace(one, as_of=now) for handle, one in setup.inputs.facts.items()}
        verdict = rebound(setup.with_inputs(now=now, facts=facts)).decide()
        waits = {need.code for need in verdict.needs} if isinstance(verdict, Escalated) else set()
        asked = [clause for clause in setup.decide().clauses if clause.kind in (ClauseKind.CONFIRM, ClauseKind.SIGN)]
        if isinstance(verdict, Accepted):
            # Only what waits for no person may come right by itself, such as "not before nine o'clock".
            assert all(clause.answered_by or clause.result.value == "passed" for clause in asked), (name, waits)


@pytest.mark.parametrize(("name", "setup"), ASKING)
def test_a_model_cannot_answer(name: str, setup: Setup) -> None:
    answers = _answers(setup, "robot")
    assert _people(setup, answers, worlds.MODEL).bytes() == setup.bytes()


@pytest.mark.parametrize(("name", "setup"), ASKING)
def test_nobody_answers_what_they_propose(name: str, setup: Setup) -> None:
    assert isinstance(setup.candidate, Candidate)
    proposer = setup.candidate.proposer
    answers = tuple(dataclasses.replace(one, by=proposer) for one in _answers(setup, "x"))
    assert not isinstance(setup.with_inputs(attestations=(*setup.inputs.attestations, *answers)).decide(), Accepted)
    found = _people(setup, _answers(setup, "other"))
    accounts = tuple(
        dataclasses.replace(one, person=proposer) if one.id.startswith("other") else one
        for one in found.inputs.roster.principals
    )
    same = found.with_inputs(roster=Roster(accounts, found.inputs.roster.mandates))
    assert same.bytes() == setup.bytes()


@pytest.mark.parametrize(("name", "setup"), ASKING)
def test_who_has_a_key_on_any_account_answers_unsigned_on_none(name: str, setup: Setup) -> None:
    found = _people(setup, _answers(setup, "other"))
    known = found.inputs.roster.principals
    mine = [one.id for one in known if one.id.startswith("other")]
    keyed = [
        dataclasses.replace(next(one for one in known if one.id == id_), id=f"{id_}'s", key=bytes(32)) for id_ in mine
    ]
    people = [dataclasses.replace(one, person=one.id.removesuffix("'s") + "!") for one in keyed]
    people += [dataclasses.replace(one, person=one.id + "!") if one.id in mine else one for one in known]
    assert found.with_inputs(roster=Roster(tuple(people), found.inputs.roster.mandates)).bytes() == setup.bytes()


@pytest.mark.parametrize(("name", "setup"), ASKING)
def test_an_answer_to_another_preview_is_none(name: str, setup: Setup) -> None:
    digest = shown(setup)
    assert digest is not None
    for place in range(len(digest)):
        flipped = bytes(byte ^ (1 if index == place else 0) for index, byte in enumerate(digest))
        assert _people(setup, _answers(setup, "p", flipped)).bytes() == setup.bytes()


def test_the_right_answers_of_the_right_people_do_count() -> None:
    """Else the tests above would hold for a kernel that hears nobody."""
    passed = 0
    for _, setup in ASKING:
        heard = _people(setup, _answers(setup, "somebody"))
        passed += isinstance(heard.decide(), Accepted)
    assert passed > len(ASKING) // 2
