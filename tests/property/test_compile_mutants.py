"""Goal: whatever is done to a spec, it compiles or it is explained, soon; `make campaign-mutants` tries many more."""

import re
import time

import pytest
from judgement import judge, reduced, shows
from mutation import ROOT, bases, lightly, mutate
from scenario_writer import scenario
from spec_writer import chance, generated

COUNT = 300


def _mutants() -> list[str]:
    """Half made from the repository's own specs, half from specs written by chance."""
    random = chance(2026)
    found = bases()
    texts = []
    for number in range(COUNT):
        text = random.choices(found, lightly(found))[0][1]
        if number % 2:
            writer = generated(number // 10, size=1)
            writer.written.scenarios = [scenario(writer)]
            text = writer.written.text
        texts.append(mutate(text, random))
    return texts


def test_every_mutant_compiles_or_is_explained() -> None:
    wrong = []
    explained = 0
    for text in _mutants():
        start = time.process_time()
        judgement = judge(text)
        problem = judgement.wrong
        explained += not judgement.compiled
        if problem is not None:
            wrong.append(f"{problem}\n{reduced(text, shows(problem))}")
        assert time.process_time() - start < 10 or problem, f"too slow:\n{text}"
    assert wrong == []
    assert explained > COUNT // 2, "most mutants should be wrong, or they say little"


def test_what_is_not_damaged_is_taken_well() -> None:
    for name in ("refund", "incident"):
        text = (ROOT / "specs" / name / f"{name}.edca").read_text("utf-8")
        assert judge(text).wrong is None
        assert judge(text).compiled


def test_a_crash_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge would notice: a compiler that raises, and one that loses its findings."""

    def crash(*_given: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("edca.semantic.compile.declarations.build", crash)
    problem = judge(generated(1, size=1).written.text).wrong
    assert problem is not None and problem.startswith("KeyError in")


def test_a_reduced_text_still_fails() -> None:
    """What is reported is short, and shows the same."""
    text = generated(3, size=1).written.text
    shorter = reduced(text, lambda t: "answers" in t)
    assert shorter == "answers"
    assert re.search("answers", text)
