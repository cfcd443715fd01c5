"""What checking and laying out a spec cost, by its length: `make bench-language`.

The specs are specs/refund over and over in one machine, each time under new names. Seconds are of processor time, the
best of some runs. Exits with 1 where a target is missed: 2,000 lines are checked and laid out in under 2 seconds each,
and four times the lines take at most 4.6 times as long.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import re
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edca.cli.main import collect_seldom
from edca.diagnostics import Severity, Source, concise
from edca.dsl import tree
from edca.dsl.format import format_source
from edca.dsl.parse import parse
from edca.semantic.compile import compile_spec
from edca.semantic.scenario import run_scenarios

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPEC = Path(__file__).resolve().parents[1] / "specs" / "refund" / "refund.edca"
SIZES = (500, 2_000, 8_000)
SECONDS_MAX = 2.0  # for 2,000 lines
GROWTH_MAX = 4.6  # for four times the lines
_LEXEME = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|[a-z_]\w*')
_ONCE = (tree.RoleDeclaration, tree.CaseDeclaration)  # one of each serves all copies


@dataclass(frozen=True)
class Body:
    """A spec that can be repeated: its text up to the first scenario, its scenarios, and what it declares."""

    header: str
    declarations: tuple[tuple[str, bool], ...]  # how each is written in a copy, and whether only the first has it
    scenarios: tuple[str, ...]
    modes: tuple[tuple[str, tuple[str, ...], str], ...]  # up to what a mode allows, that, and the rest
    names: frozenset[str]

    def copy(self, number: int, *, scenarios: bool) -> str:
        """The text of one copy; that of number 0 has what all share."""
        parts = [text for text, once in self.declarations if number == 0 or not once]
        parts += self.scenarios if scenarios else ()
        if number == 0:
            return "\n\n".join(parts)
        return _LEXEME.sub(lambda m: f"{m[0]}_{number}" if m[0] in self.names else m[0], "\n\n".join(parts))

    def repeated(self, lines: int, *, scenarios: bool) -> str:
        """A spec of about that many lines."""
        text, number = self.header, 0
        while text.count("\n") < lines:
            text += self.copy(number, scenarios=scenarios) + "\n\n"
            number += 1
        # A mode holds for the whole machine, so each has to allow what it allows in all copies.
        for before, allowed, after in self.modes:
            more = [f"{name}_{copy}" for copy in range(1, number) for name in allowed]
            text += f"{before} {', '.join([*allowed, *more])} {after}\n\n"
        return text


def body_of(path: Path) -> Body:
    """Read a spec for repetition."""
    source = Source(path.name, path.read_text("utf-8"))
    spec = parse(source).spec
    if spec is None:
        raise SystemExit(f"{path} can't be read")
    entity = next(d.entity.text for d in spec.declarations if isinstance(d, tree.CaseDeclaration))
    keys = next([k.text for k in d.keys] for d in spec.declarations if isinstance(d, tree.CaseDeclaration))
    declarations: list[tuple[str, bool]] = []
    scenarios: list[str] = []
    modes: list[tuple[str, tuple[str, ...], str]] = []
    names: set[str] = set()
    for declaration in spec.declarations:
        if isinstance(declaration, tree.ScenarioDeclaration):
            scenarios.append(declaration.span.text)
            continue
        if isinstance(declaration, tree.ModeDeclaration):
            allow = next(part for part in declaration.parts if isinstance(part, tree.Allow))
            first, last = allow.transitions[0].span, allow.transitions[-1].span
            before, after = (
                source.text[declaration.span.start : first.start],
                source.text[last.end : declaration.span.end],
            )
            modes.append((before, tuple(name.text for name in allow.transitions), after))
            continue
        once = isinstance(declaration, _ONCE)
        declarations.append((_about(declaration, entity, keys), once))
        names |= set() if once else set(_declared(declaration))
    header = source.text[: spec.declarations[0].span.start]
    return Body(header, tuple(declarations), tuple(scenarios), tuple(modes), frozenset(names | {entity}))


def _declared(declaration: tree.Declaration) -> Iterator[str]:
    """The names that a declaration adds to the spec's one namespace."""
    match declaration:
        case tree.MemoryDeclaration(members):
            yield from (member.name.text for member in members)
        case tree.CompositeState(name, _, members):
            yield name.text
            for member in members:
                yield from _declared(member)
        case tree.Forbid() | tree.NeverWhen() | tree.NeverReaching() | tree.AlwaysLeads():
            yield declaration.code.text
        case tree.Release():
            pass
        case _:
            yield declaration.name.text  # type: ignore[union-attr]  # all others have a name


def _about(declaration: tree.Declaration, entity: str, keys: list[str]) -> str:
    """The declaration's text, which says what it is about, as it has to where a spec is about many things."""
    span, place, more = declaration.span, None, f" about {entity}"
    match declaration:
        case tree.TransitionDeclaration(about=None, creates=None):
            place = span.source.text.rfind("from", span.start, declaration.sources[0].span.start)
            more = f"about {entity} by {', '.join(keys)} "
        case tree.Forbid(about=None) | tree.NeverWhen(about=None):
            place = declaration.code.span.end
        case tree.StateDeclaration(initial=True, initial_about=None):
            place = span.source.text.find("initial", declaration.name.span.end) + len("initial")
        case tree.CompositeState(members=members):
            text = span.text
            for member in members:
                text = text.replace(member.span.text, _about(member, entity, keys))
            return text
        case _:
            return span.text
    return span.source.text[span.start : place] + more + span.source.text[place : span.end]


# --- measuring ---


def check(text: str) -> None:
    """What `edca check` does. Exits where the spec has an error: then the time would mean nothing."""
    compiled = compile_spec(Source("bench.edca", text))
    errors = [found for found in compiled.diagnostics if found.severity is Severity.ERROR]
    if compiled.machine is None or compiled.spec is None or compiled.checked is None:
        raise SystemExit(f"the repeated spec has errors:\n{concise(errors[:5])}")
    run_scenarios(compiled.spec, compiled.checked, compiled.machine)


def lay_out(text: str) -> None:
    """What `edca fmt` does."""
    if format_source(Source("bench.edca", text)).text is None:
        raise SystemExit("the repeated spec can't be laid out")


def read(text: str) -> None:
    """Parsing alone, which both begin with."""
    parse(Source("bench.edca", text))


STEPS: tuple[tuple[str, Callable[[str], None]], ...] = (("parse", read), ("check", check), ("fmt", lay_out))


def seconds(step: Callable[[str], None], text: str, runs: int) -> float:
    """Processor time of the quickest of some runs."""
    found = []
    for _ in range(runs):
        gc.collect()
        start = time.process_time()
        step(text)
        found.append(time.process_time() - start)
    return min(found)


def measure(body: Body, sizes: list[int], *, scenarios: bool, runs: int) -> list[str]:
    """Print one table and return the targets that were missed."""
    print(f"specs/refund repeated, {'with' if scenarios else 'without'} its scenarios")
    print(f"{'lines':>7}  {'step':<6} {'seconds':>8}  {'us/line':>8}  {'growth':>7}  linear")
    missed: list[str] = []
    before: dict[str, tuple[int, float]] = {}
    for size in sizes:
        text = body.repeated(size, scenarios=scenarios)
        lines = text.count("\n")
        for name, step in STEPS:
            took = seconds(step, text, runs)
            line = f"{lines:>7}  {name:<6} {took:>8.3f}  {took / lines * 1e6:>8.0f}"
            if name in before:
                fewer, quicker = before[name]
                growth, linear = took / quicker, lines / fewer
                line += f"  {growth:>6.2f}x  {linear:.2f}x"
                if fewer > SIZES[1] // 2 and growth > linear * GROWTH_MAX / 4:
                    missed.append(f"{name}: {linear:.1f} times the lines take {growth:.1f} times as long")
            if name != "parse" and took > SECONDS_MAX * lines / 2_000 and size == 2_000:
                missed.append(f"{name}: {lines} lines take {took:.2f} s, more than {SECONDS_MAX:g} s for 2,000")
            before[name] = (lines, took)
            print(line, flush=True)
    print()
    return missed


def profile(body: Body, *, scenarios: bool, rows: int) -> None:
    """Print where the time goes in checking and in laying out 2,000 lines."""
    text = body.repeated(2_000, scenarios=scenarios)
    for name, step in STEPS[1:]:
        profiler = cProfile.Profile()
        profiler.enable()
        step(text)
        profiler.disable()
        print(f"--- {name}")
        pstats.Stats(profiler).sort_stats("tottime").print_stats(rows)


def main() -> int:
    """Measure, print, and tell whether the targets are met."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="numbers of lines (default: 500 2000 8000)")
    parser.add_argument("--runs", type=int, default=3, help="runs, of which the best counts (default: 3)")
    parser.add_argument("--profile", type=int, metavar="ROWS", help="print where the time goes, at 2,000 lines")
    asked = parser.parse_args()
    collect_seldom()  # as the command does
    body = body_of(SPEC)
    if asked.profile:
        profile(body, scenarios=False, rows=asked.profile)
        return 0
    missed = [
        target
        for scenarios in (False, True)
        for target in measure(body, list(asked.sizes), scenarios=scenarios, runs=asked.runs)
    ]
    for target in missed:
        print(f"missed: {target}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
