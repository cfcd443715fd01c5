"""Law 4: nothing a model writes can decide, and confidence can only lower what is allowed."""

import dataclasses

import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from setups import rebound
from worlds import Setup, said

from edca.diagnostics import Source
from edca.kernel.candidate import CONFIDENCE_SCALE, Candidate
from edca.kernel.canonical import encode
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX
from edca.kernel.verdict import Accepted, Escalated, Refused, Stage
from edca.semantic.compile import compile_spec

CASES = worlds.all_setups()
BY_MODELS = [(name, s) for name, s in CASES if isinstance(s.candidate, Candidate) and s.candidate.model is not None]


@given(rationale=st.text(max_size=200), evidence=st.lists(st.text(max_size=20), max_size=3))
@settings(max_examples=30)
def test_reasons_and_cited_evidence_change_no_verdict(rationale: str, evidence: list[str]) -> None:
    for _, setup in CASES:
        assert isinstance(setup.candidate, Candidate)
        talked = setup.with_candidate(rationale=rationale)
        assert talked.bytes() == setup.bytes()
        assert isinstance(talked.candidate, Candidate)
        assert talked.candidate.digest == setup.candidate.digest
        assert talked.candidate == setup.candidate
        # What is cited is part of what people are asked about, so they would have to answer anew.
        assert _but_what_is_bound(rebound(setup.with_candidate(evidence=tuple(evidence)))) == _but_what_is_bound(setup)


def _but_what_is_bound(setup: Setup) -> bytes:
    return encode({name: value for name, value in setup.decide().to_raw().items() if name != "preview"})


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_less_confidence_never_allows_more(name: str, setup: Setup) -> None:
    rank = {Accepted: 2, Escalated: 1, Refused: 0}
    steps = [None, *range(0, 10**CONFIDENCE_SCALE + 1, 250)]
    ranks = [rank[type(rebound(setup.with_candidate(confidence=step)).decide())] for step in steps]
    assert ranks == sorted(ranks)


@pytest.mark.parametrize(
    "clause",
    [
        'require confidence < 0.5 else refuse r "R."',
        'require not (confidence >= 0.5) else refuse r "R."',
        'forbid r "R." when confidence > 0.5',
        'require confidence == 0.5 else refuse r "R."',
        'confirm r by person when confidence > 0.5 "Agreed."',
    ],
)
def test_a_clause_that_rewards_less_confidence_does_not_compile(clause: str) -> None:
    text = f"""edca 1 machine m version "1"
        role agent model role person human
        entity thing key (thing_id: id) {{ a: bool }}
        case about thing by thing_id
        state open initial "Open." state closed final "Closed." success
        transition close(thing_id: id) from open to closed {{
          means "Close it." by agent answers person
          require thing.a else refuse not_a "It must be a." {clause} }}"""
    assert compile_spec(Source("low.edca", text)).machine is None


@pytest.mark.parametrize(("name", "setup"), BY_MODELS)
def test_a_model_holds_no_human_role(name: str, setup: Setup) -> None:
    candidate = setup.candidate
    assert isinstance(candidate, Candidate)
    pretender = Principal("bot", (candidate.role, "supervisor", "customer"), worlds.MODEL)
    others = tuple(p for p in setup.inputs.roster.principals if p.id != candidate.proposer)
    crowned = setup.with_inputs(roster=Roster((*others, pretender), setup.inputs.roster.mandates)).with_candidate(
        proposer="bot", role="supervisor", model=worlds.MODEL
    )
    verdict = crowned.decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.WRONG_ROLE


def test_a_model_cannot_answer_for_anything() -> None:
    setup = worlds.approval()
    bot = Principal("bot", ("assistant", "supervisor"), worlds.MODEL)
    mandate = Mandate("mine", "bot", "supervisor", "refund", (), 0, TIME_MAX)
    verdict = setup.with_inputs(roster=Roster((bot,), (mandate,))).decide()
    assert isinstance(verdict, Refused)
    assert verdict.stage is Stage.NO_ANCHOR


@pytest.mark.parametrize("role", ["assistant", "customer"])
def test_a_model_cannot_confirm(role: str) -> None:
    setup = worlds.approval()
    talk = tuple(item for item in setup.inputs.attestations if item.name != "agreed")
    for proposer, name in (("bot", "assistant"), ("sven", "supervisor")):
        model = worlds.MODEL if proposer == "bot" else None
        asked = setup.with_candidate(proposer=proposer, role=name, model=model)
        assert isinstance(asked.decide(), Accepted)
        verdict = asked.with_inputs(attestations=(*talk, said("agreed", True, "bot", role))).decide()
        assert isinstance(verdict, Escalated)
        assert [need.code for need in verdict.needs] == ["agreed"]


def test_a_claim_is_never_a_models_word() -> None:
    """A model's role can attest nothing, so a claim `by` it means nothing."""
    setup = worlds.approval()
    talk = tuple(item for item in setup.inputs.attestations if item.name != "reason")
    told = (*talk, said("reason", "It arrived broken.", "bot", "assistant"))
    assert setup.with_inputs(attestations=told).bytes() == setup.with_inputs(attestations=talk).bytes()
    text = setup.machine.to_bytes()
    assert b"assistant" in text
    spec = (worlds.ROOT / "specs/refund/refund.edca").read_text("utf-8")
    compiled = compile_spec(Source("refund.edca", spec.replace("text(400) by customer", "text(400) by assistant")))
    assert "C010" in {found.code.id for found in compiled.diagnostics}


@pytest.mark.parametrize(("name", "setup"), BY_MODELS)
def test_only_the_pinned_model_is_heard(name: str, setup: Setup) -> None:
    for model in (None, worlds.MODEL + "x", "latest"):
        verdict = setup.with_candidate(model=model).decide()
        assert isinstance(verdict, Refused)
        assert verdict.stage is Stage.MODEL_MISMATCH


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_what_the_proposer_adds_is_refused(name: str, setup: Setup) -> None:
    """No argument can smuggle in a route, a tool or a value of its own."""
    before = setup.decide()
    stages = list(Stage)
    early = before.stage if isinstance(before, Refused) else None
    expected = Stage.BAD_ARGUMENT if early is None else min(early, Stage.BAD_ARGUMENT, key=stages.index)
    for extra in ("adapter", "tool", "state", "promised", "sql"):
        verdict = setup.with_arguments(**{extra: "x"}).decide()
        assert isinstance(verdict, Refused)
        assert verdict.stage is expected


def test_a_candidate_is_frozen() -> None:
    candidate = worlds.approval().candidate
    with pytest.raises(dataclasses.FrozenInstanceError):
        candidate.proposer = "sven"  # type: ignore[misc]
