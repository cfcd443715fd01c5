"""Properties of what providers send: never an exception, never a second reading, never the answer itself told back."""

import json
from typing import Any

from fuzz_candidates import CALLER, READERS, answers, faults
from hypothesis import given
from hypothesis import strategies as st

from edca.kernel.candidate import Candidate, Malformed
from edca.semantic.candidate import admit
from edca.semantic.candidates import REASK_MAX, from_json, reask

RAW = st.binary(max_size=200) | st.text(max_size=200) | st.integers().map(answers)


@given(st.sampled_from(sorted(READERS)), RAW)
def test_whatever_is_sent_is_a_candidate_or_is_malformed(shape: str, raw: Any) -> None:
    found = READERS[shape](raw, CALLER)
    assert isinstance(found, (Candidate, Malformed))
    assert found == READERS[shape](raw, CALLER)
    assert (found.proposer, found.role, found.subject) == (CALLER.proposer, CALLER.role, CALLER.subject)


@given(st.integers())
def test_what_is_read_is_what_stands_there_and_what_is_told_is_bounded(seed: int) -> None:
    raw = answers(seed)
    assert [(shape, fault) for shape in READERS for fault in faults(shape, raw)[1]] == []


def test_the_answers_made_by_chance_are_of_both_kinds() -> None:
    """Otherwise the test above would show little."""
    read = [READERS[shape](answers(seed), CALLER) for seed in range(300) for shape in READERS]
    assert sum(isinstance(found, Candidate) for found in read) > 60
    assert len({found.problem for found in read if isinstance(found, Malformed)}) > 25


@given(st.sampled_from(sorted(READERS)), st.text("QXZ", min_size=65, max_size=300), st.integers(0, 5))
def test_a_model_is_never_told_its_own_answer_back(shape: str, mark: str, place: int) -> None:
    around = [
        mark,
        {"transition": mark},
        {mark: 1},
        {"name": mark, "arguments": {mark.lower(): 1}},
        {"type": "tool_use", "name": "t", "input": {mark.lower(): mark}},
        {"type": "function_call", "name": "t", "arguments": json.dumps({mark.lower(): mark})},
    ][place]
    found = READERS[shape](json.dumps(around), CALLER)
    if isinstance(found, Malformed):
        told = reask(found)
        assert len(told) <= REASK_MAX
        assert mark not in told
        assert mark.lower() not in told


@given(st.binary(max_size=300))
def test_json_is_read_as_admission_reads_it(payload: bytes) -> None:
    assert from_json(payload, CALLER) == admit(payload, CALLER)


def test_a_problem_of_any_length_makes_a_bounded_question() -> None:
    for size in (0, 255, 256, 257, 100_000):
        wrong = Malformed("x" * size, 0, b"", "bot", "assistant", None, None)
        assert len(reask(wrong)) <= REASK_MAX
