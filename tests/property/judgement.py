"""Judges how the compiler takes a text, whatever the text, and cuts a text down to what still shows a failure."""

from __future__ import annotations

import re
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import random_decisions
from mutation import LEXEME
from spec_writer import chance

from edca.diagnostics import Diagnostic, Severity, Source, human
from edca.dsl import tree
from edca.dsl.format import format_source
from edca.kernel.canonical import encode
from edca.kernel.machine import Machine
from edca.kernel.values import in_bounds
from edca.semantic.compile import Compiled, compile_spec
from edca.semantic.scenario import run_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.semantic.checked import CheckedSpec


@dataclass(frozen=True)
class Judgement:
    """How a text was taken: what is wrong with that (nothing, as a rule), whether it compiled, the codes found."""

    wrong: str | None = None
    compiled: bool = False
    codes: tuple[str, ...] = ()


def judge(text: str) -> Judgement:
    """Tell how the compiler takes a text.

    A text is taken well if nothing is raised, if it gives a machine or an error but never both or neither, if every
    finding points into it and can be shown, if the machine reads back from its bytes, lacks nothing that was written
    and decides without a value of a wrong type, and if laying the text out either gives one that stays as it is or says
    why not.
    """
    try:
        return _taken(Source("mutant.edca", text))
    except TimeoutError:
        raise
    except Exception as error:
        return Judgement(signature(error))


def signature(error: BaseException) -> str:
    """One line that is the same for one and the same crash: what was raised, and where."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "edca" in frame.filename]
    # In a recursion the last frame is a matter of chance; the innermost of a few says enough.
    where = "elsewhere"
    if frames:
        last = frames[-1]
        where = f"{Path(last.filename).name}:{last.name}"
    message = str(error).splitlines()[0][:60] if str(error) and not isinstance(error, RecursionError) else ""
    return f"{type(error).__name__} in {where} {re.sub(r'[0-9]+|`[^`]*`', '…', message)}".strip()


def _taken(source: Source) -> Judgement:
    compiled = compile_spec(source)
    found = compiled.diagnostics
    errors = [one for one in found if one.severity is Severity.ERROR]
    if compiled.machine is not None and compiled.spec is not None and compiled.checked is not None:
        found += run_scenarios(compiled.spec, compiled.checked, compiled.machine)[1]
    codes = tuple(sorted({one.code.id for one in found}))
    return Judgement(_wrong(source, compiled, errors, found), compiled.machine is not None, codes)


def _wrong(source: Source, compiled: Compiled, errors: list[Diagnostic], found: tuple[Diagnostic, ...]) -> str | None:
    """Say what is not as it should be."""
    machine = compiled.machine
    vocabulary = compiled.spec is not None and compiled.spec.header.version is None
    if not vocabulary and (machine is None) != bool(errors):
        return "neither a machine nor an error" if machine is None else "a machine and an error"
    if machine is not None and Machine.from_bytes(machine.to_bytes()) != machine:
        return "the machine doesn't read back from its bytes"
    if machine is not None and compiled.spec is not None and compiled.checked is not None:
        wrong = _lost(compiled.spec, compiled.checked) or _unsound(machine)
        if wrong is not None:
            return wrong
    for label in (label for one in found for label in (one.primary, *one.secondary)):
        if label.span.source is not source or not 0 <= label.span.start <= label.span.end <= len(source.text):
            return "a finding points out of the text"
    human(found)
    formatted = format_source(source)
    if (formatted.text is None) != bool(formatted.diagnostics):
        return "laying out gives neither a text nor a finding, or both"
    if formatted.text is not None and format_source(Source("formatted", formatted.text)).text != formatted.text:
        return "laying out twice gives another layout"
    return None


def _lost(spec: tree.Spec, checked: CheckedSpec) -> str | None:
    """Say what was written and is not in the machine, though no finding tells why."""
    kept = {transition.name: transition for transition in checked.transitions}
    for declaration in spec.declarations:
        if not isinstance(declaration, tree.TransitionDeclaration):
            continue
        name = declaration.name.text + (f".{declaration.branch.text}" if declaration.branch is not None else "")
        if name not in kept:
            return "a transition is lost"
        was = Counter(type(clause) for clause in declaration.clauses)
        found = kept[name]
        tests = (tree.Require, tree.Forbid, tree.Confirm, tree.Sign, tree.Limit)
        for what, written, read in (
            ("clause", sum(was[kind] for kind in tests), len(found.clauses)),
            ("let", was[tree.Let], len(found.lets)),
            ("set", was[tree.Assign], len(found.assignments)),
            ("effect", was[tree.Perform], len(found.acts)),
            ("failure edge", was[tree.OnFailure], sum(e is not None for e in (found.on_failed, found.on_timeout))),
        ):
            if written != read:
                return f"a {what} is lost"
    of = Counter(type(declaration) for declaration in spec.declarations)
    properties = of[tree.NeverWhen] + of[tree.NeverReaching] + of[tree.AlwaysLeads]
    same = (
        of[tree.Forbid] == len(checked.forbids)
        and properties == len(checked.nevers) + len(checked.paths)
        and of[tree.ModeDeclaration] == len(checked.modes)
        and of[tree.Release] == len(checked.releases)
    )
    return None if same else "a forbid, property, mode or release is lost"


def _unsound(machine: Machine) -> str | None:
    """Say what a few decisions compute that the checker has not promised; what they raise is raised."""
    if not all(in_bounds(field.type, field.initial) for field in machine.memory):
        return "memory begins with a value that its type doesn't allow"
    random = chance(0)
    for transition in machine.transitions:
        for _ in range(2):
            setup = random_decisions.decision(random, machine, transition)
            encode(setup.decide().to_raw())
            results = random_decisions.results(setup, transition)
            if not all(random_decisions.has_form_of(value, type_) for value, type_ in results):
                return "a value is not of the type that it was checked as"
    return None


def shows(wrong: str, judged: Callable[[str], Judgement] = judge) -> Callable[[str], bool]:
    """Whether the same is wrong with another text."""
    return lambda text: judged(text).wrong == wrong


def reduced(text: str, fails: Callable[[str], bool], tries: int = 600) -> str:
    """A shorter text that still fails: lines first, then tokens, taken out in ever smaller pieces."""
    for split in (lambda t: t.splitlines(keepends=True), LEXEME.findall):
        size = max(1, len(split(text)) // 2)
        while size:
            parts, place = split(text), 0
            while place < len(parts) and tries:
                shorter = "".join([*parts[:place], *parts[place + size :]])
                tries -= 1
                if shorter != text and fails(shorter):
                    parts, text = split(shorter), shorter
                else:
                    place += size
            size //= 2
    return text
