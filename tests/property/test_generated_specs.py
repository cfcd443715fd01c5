"""Goal: what holds of every spec, on specs nobody wrote: grammar, layout, digest, and that what checks never fails.

`EDCA_EXAMPLES` sets how many are tried.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING

import random_decisions
from hypothesis import given, settings
from hypothesis import strategies as st
from judgement import reduced
from scenario_writer import scenario
from spec_writer import SpecWriter, chance, generated

from edca.diagnostics import Diagnostic, Severity, Source, human
from edca.dsl.format import format_source
from edca.dsl.parse import parse
from edca.kernel.canonical import encode
from edca.kernel.machine import Machine
from edca.kernel.types import describe
from edca.kernel.values import from_raw
from edca.kernel.verdict import Accepted, Result
from edca.semantic.compile import Compiled, compile_spec
from edca.semantic.imports import File
from edca.semantic.scenario import run_scenarios

if TYPE_CHECKING:
    from random import Random

EXAMPLES = int(os.environ.get("EDCA_EXAMPLES", "200"))
SEEDS = st.integers(0, 2**48)
SIZES = st.sampled_from([1, 1, 1, 2])
_SPACE_OR_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"|\s+')
# What must have been among them, or they would say little about the language.
WANTED = (
    "limit", "sign", "confirm", "after", "unblockable", "priority", "mode", "never", "always", "release", "reaching",
    "undo", "irreversible", "timeout", "failed", "per", "rolling", "utc", "signers", "of", "table", "define", "every",
    "some", "sum", "count", "zip", "pairs", "present", "let", "forbid", "escalate", "when", "in", "eur", "personal",
)  # fmt: skip
_TYPE = re.compile(
    r": (?:list\([^)]*\) of )?(?:int\([^)]*\)|decimal\([^)]*\)|text\([^)]*\)|\w+)(?: in \w+)?(?: optional)?"
)
VOCABULARY = ("role", "enum", "type", "record", "entity", "claim", "effect", "define", "table")  # what can be imported
SPACES = (" ", "  ", "\n", "\t", "\r\n", "\n\n  ", " # aside\n", "\n# a line\n", " ## {\n")


def _bare(node: object) -> object:
    """A tree without its spans."""
    if is_dataclass(node):
        parts = (getattr(node, field.name) for field in fields(node) if "span" not in field.name)
        return (type(node).__name__, *map(_bare, parts))
    return tuple(map(_bare, node)) if isinstance(node, tuple) else node


def _tree(text: str) -> object:
    parsed = parse(Source("generated", text))
    assert not parsed.diagnostics, human(parsed.diagnostics)
    return _bare(parsed.spec)


def _relaid(text: str, random: Random) -> str:
    """The same text with other spaces, line ends and comments."""

    def other(found: re.Match[str]) -> str:
        keep = found[0].startswith('"') or random.random() < 0.6
        return found[0] if keep else random.choice(SPACES)

    return _SPACE_OR_STRING.sub(other, text)


def _retyped(text: str, random: Random) -> str:
    """The same text where, often, one declared type is another."""
    places = list(_TYPE.finditer(text))
    if not places or random.random() < 0.3:
        return text
    others = [*places, *_TYPE.finditer(": bool : id optional : list(3) of id : text(9)")]
    place, other = random.choice(places), random.choice(others)
    return text[: place.start()] + other[0] + text[place.end() :]


def _with_scenarios(writer: SpecWriter) -> str:
    writer.written.scenarios = [scenario(writer)]
    return writer.written.text


def _errors(found: tuple[Diagnostic, ...]) -> list[Diagnostic]:
    return [one for one in found if one.severity is Severity.ERROR]


def _compile(text: str) -> Compiled:
    return compile_spec(Source("generated", text))


@settings(max_examples=EXAMPLES * 3 // 4)
@given(SEEDS)
def test_layout_keeps_the_tree_and_stays_as_it_is(seed: int) -> None:
    text = _with_scenarios(generated(seed, size=1))
    tree = _tree(text)
    noisy = _relaid(text, chance(seed))
    assert _tree(noisy) == tree
    once = format_source(Source("generated", noisy)).text
    assert once is not None
    assert _tree(once) == tree
    assert format_source(Source("generated", once)).text == once


@settings(max_examples=EXAMPLES)
@given(SEEDS, SIZES)
def test_what_is_written_well_checks_and_reads_back(seed: int, size: int) -> None:
    text = generated(seed, size).written.text
    compiled = _compile(text)
    assert compiled.machine is not None, human(_errors(compiled.diagnostics))
    again = Machine.from_bytes(compiled.machine.to_bytes())
    assert again == compiled.machine
    assert again.digest == compiled.machine.digest


@settings(max_examples=EXAMPLES // 2)
@given(SEEDS)
def test_order_comments_layout_and_scenarios_are_no_part_of_the_digest(seed: int) -> None:
    writer = generated(seed, 1)
    first = _compile(writer.written.text).machine
    random = chance(seed)
    random.shuffle(writer.written.declarations)
    second = _compile(_relaid(_with_scenarios(writer), random)).machine
    assert first is not None and second is not None
    assert second.to_bytes() == first.to_bytes()


@settings(max_examples=EXAMPLES // 2)
@given(SEEDS)
def test_what_was_moved_to_imported_files_leaves_the_digest_as_it_is(seed: int) -> None:
    writer = generated(seed, 1)
    first = _compile(writer.written.text).machine
    random = chance(seed)
    moved: dict[str, list[str]] = {"words/inner.edca": [], "outer.edca": []}
    kept: list[str] = []
    for declaration in writer.written.declarations:
        movable = declaration.split()[0] in VOCABULARY and random.random() < 0.7
        (random.choice(list(moved.values())) if movable else kept).append(declaration)
    header, imported = writer.written.header, ['import "outer.edca"', 'import "words/inner.edca"']
    files = {
        "outer.edca": "\n".join(['edca 1 vocabulary outer import "words/inner.edca"', *moved["outer.edca"]]),
        "words/inner.edca": "\n".join(["edca 1 vocabulary inner", *moved["words/inner.edca"]]),
    }
    text = "\n".join([header, *random.choice([imported, imported[::-1], imported[:1]]), *kept])
    second = compile_spec(Source("spec.edca", text), lambda path: File(path, Source(path, files[path])))
    assert first is not None
    assert second.machine is not None, human(_errors(second.diagnostics))
    assert second.machine.to_bytes() == first.to_bytes()


def _decide_some(machine: Machine, random: Random, count: int) -> Counter[Result]:
    """Decide a few candidates for each transition; every verdict can stand in a record."""
    found: Counter[Result] = Counter()
    for transition in machine.transitions:
        for _ in range(count):
            setup = random_decisions.decision(random, machine, transition)
            setup.wanted()
            for value, type_ in random_decisions.results(setup, transition):
                assert random_decisions.has_form_of(value, type_), f"{value!r} is no {describe(type_)}"
            verdict = setup.decide()
            encode(verdict.to_raw())
            found.update(clause.result for clause in verdict.clauses)
            if isinstance(verdict, Accepted):
                for field in machine.memory:
                    from_raw(field.type, verdict.memory[field.name], machine.index.entities)
    return found


def _never_fails(text: str, seed: int) -> Counter[Result] | None:
    """Decisions of a spec that checks; null where it doesn't. Raises what a decision raises, with a short spec."""
    machine = _compile(text).machine
    if machine is None:
        return None
    try:
        return _decide_some(machine, chance(seed), 6)
    except Exception as error:
        kind = type(error)
        shorter = reduced(text, lambda t: _fails_likewise(t, seed, kind), tries=300)
        error.add_note(f"seed {seed}, with this spec:\n{shorter}")
        raise


def _fails_likewise(text: str, seed: int, kind: type[Exception]) -> bool:
    machine = _compile(text).machine
    try:
        if machine is not None:
            _decide_some(machine, chance(seed), 6)
    except kind:
        return True
    except Exception:  # another failure is another finding
        return False
    return False


@settings(max_examples=EXAMPLES)
@given(SEEDS, SIZES)
def test_what_checks_never_fails_when_it_is_decided(seed: int, size: int) -> None:
    assert _never_fails(generated(seed, size).written.text, seed) is not None


@settings(max_examples=EXAMPLES)
@given(SEEDS, st.sampled_from([0.005, 0.03]))
def test_types_that_were_mixed_up_are_found_or_do_no_harm(seed: int, mistakes: float) -> None:
    """The checker and the evaluator agree: whatever of it checks, never fails at run time."""
    text = _retyped(generated(seed, 1, mistakes).written.text, chance(seed))
    compiled = _compile(text)
    assert (compiled.machine is None) == bool(_errors(compiled.diagnostics))
    _never_fails(text, seed)


@settings(max_examples=EXAMPLES // 2)
@given(SEEDS)
def test_scenarios_are_run_or_explained(seed: int) -> None:
    compiled = _compile(_with_scenarios(generated(seed, 1)))
    assert compiled.machine is not None and compiled.spec is not None and compiled.checked is not None
    results, found = run_scenarios(compiled.spec, compiled.checked, compiled.machine)
    assert results or found
    human(found)


def test_the_generated_specs_say_something() -> None:
    """They have every kind of clause and declaration; clauses pass, fail and are unknown; mix-ups are seen."""
    results: Counter[Result] = Counter()
    words: Counter[str] = Counter()
    mixed = [_retyped(generated(seed, 1, 0.005).written.text, chance(seed)) for seed in range(40)]
    assert 4 <= sum(_compile(text).machine is not None for text in mixed) <= 36
    for seed in range(40):
        text = generated(seed, 2).written.text
        words.update(set(re.findall(r"[a-z]+", text)))
        results += _never_fails(text, seed) or Counter()
    assert set(results) >= {Result.PASSED, Result.FAILED, Result.UNKNOWN}
    assert min(results[result] for result in (Result.PASSED, Result.FAILED, Result.UNKNOWN)) > 100
    assert set(WANTED) - set(words) == set()
