"""The pipeline from text to machine.

```
text ──parse──▶ syntax tree ──check──▶ checked spec ──lower──▶ machine
                 (dsl; imports)        (declarations, tables,   (canonical bytes, digest)
                                        rules, properties, …)
                                              │
                                              └──analyse──▶ warnings
```

Everything an author can get wrong comes back as a diagnostic; all of one run at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.diagnostics.diagnostic import Severity
from edca.dsl import tree
from edca.dsl.parse import parse
from edca.kernel.types import describe
from edca.kernel.values import in_bounds
from edca.semantic import (
    branches,
    declarations,
    imports,
    modes,
    properties,
    queries,
    releases,
    rules,
    structure,
    tables,
    texts,
)
from edca.semantic.analysis import analyse
from edca.semantic.check import check
from edca.semantic.checked import CheckedSpec
from edca.semantic.lower import constant, lower
from edca.semantic.problems import Problems
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Source
    from edca.kernel.machine import Machine
    from edca.semantic.imports import Read
    from edca.semantic.typed import Expression
    from edca.semantic.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of a spec: the machine where it has no error, what was found, and the trees behind it."""

    machine: Machine | None
    diagnostics: tuple[Diagnostic, ...]
    spec: tree.Spec | None
    checked: CheckedSpec | None


def compile_spec(source: Source, read: Read | None = None) -> Compiled:
    """Compile a spec, or check a vocabulary file, of which no machine comes.

    `read` gives the files that it imports, by their path from its own folder. Never raises for anything a source can
    hold.
    """
    parsed = parse(source)
    if parsed.spec is None:
        return Compiled(None, parsed.diagnostics, None, None)
    gathered = imports.gather(parsed.spec, source.name.rpartition("/")[2], parsed.lost, read)
    unread = (*parsed.diagnostics, *gathered.diagnostics, *gathered.problems.found)
    problems = Problems(lost=gathered.lost, whole=gathered.whole, damaged=bool(parsed.diagnostics))
    checked = check_spec(gathered.spec, problems)
    if checked is None or problems.fatal or unread:
        return Compiled(None, (*unread, *problems.found), gathered.spec, None)
    analyse(gathered.spec, checked, problems)
    found = tuple(each for each in problems.found if each.code.id != "N014" or each.primary.span.source == source)
    if any(each.severity is Severity.ERROR for each in found):
        return Compiled(None, found, gathered.spec, None)
    return Compiled(lower(checked), found, gathered.spec, checked)


def without_machine(compiled: Compiled) -> tuple[Diagnostic, ...]:
    """Return what to say where a machine is needed and a vocabulary file was given, else nothing."""
    spec = compiled.spec
    if spec is None or spec.header.version is not None or compiled.diagnostics:
        return ()
    problems = Problems()
    message = f"`{spec.header.name.text}` is a vocabulary, and no machine comes of one"
    problems.add("N020", spec.header.name.span, message, help="name the spec that imports it")
    return tuple(problems.found)


def check_spec(spec: tree.Spec, problems: Problems) -> CheckedSpec | None:
    """Resolve and type a whole spec; null where something is wrong with it, and for a vocabulary file."""
    texts.check(spec, problems)
    words = declarations.build(spec, problems)
    if spec.header.version is None:
        tables.definitions(spec, words, tuple(words.entities))
        return None
    definitions = tables.definitions(spec, words, _case_entities(spec, words))
    memory = _memory(spec, words)
    forbids = rules.forbids(spec, words, definitions)
    transitions = []
    declared = branches.declare(spec, words)
    for declaration in declared:
        shared = () if declaration.creates is not None else forbids
        found = rules.transition(declaration, words, definitions, shared)
        if found is not None:
            transitions.append(found)
    branches.check_even(transitions, words)
    branches.check_limits(transitions, words)
    all_modes = modes.modes(spec, words)
    nevers, paths = properties.properties(spec, words, definitions)
    properties.check_creations(nevers, transitions, definitions, words)
    released = releases.releases(spec, words, transitions)
    asked = queries.queries(spec, words, definitions, forbids, released)
    structure.check(spec, words, transitions)
    if problems.fatal:
        return None
    return CheckedSpec(
        name=spec.header.name.text,
        version=spec.header.version.value,
        text="" if spec.header.text is None else spec.header.text.value,
        advisory=spec.header.tier is not None and spec.header.tier.text == "advisory",
        words=words,
        definitions=definitions,
        tables={
            declaration.name.text: tuple(row.cells for row in declaration.rows)
            for declaration in spec.declarations
            if isinstance(declaration, tree.TableDeclaration)
        },
        memory=memory,
        transitions=tuple(transitions),
        forbids=forbids,
        composites=tuple(words.composites.values()),
        modes=all_modes,
        nevers=nevers,
        paths=paths,
        releases=released,
        queries=asked,
    )


def _case_entities(spec: tree.Spec, words: Vocabulary) -> tuple[str, ...]:
    """Return the entities that a define may take the case to be about: an imported one may serve other machines too."""
    own = spec.span.source
    imported = [
        declaration.name.text
        for declaration in spec.declarations
        if isinstance(declaration, tree.EntityDeclaration) and declaration.span.source != own
    ]
    return tuple(dict.fromkeys((*rules.about_entities(spec, words), *imported)))


def _memory(spec: tree.Spec, words: Vocabulary) -> dict[str, Expression]:
    scope = Scope(words=words, constant=True)
    found: dict[str, Expression] = {}
    for declaration in spec.declarations:
        if isinstance(declaration, tree.MemoryDeclaration):
            for member in declaration.members:
                if words.spans.get(member.name.text) != member.name.span:
                    continue  # declared twice, and reported
                type_ = words.memory[member.name.text]
                value = check(scope, member.initial, type_)
                if value is None:
                    continue
                found[member.name.text] = value
                if not in_bounds(type_, constant(value, {})):
                    message = f"`{member.initial.span.text}` is outside the range of `{member.name.text}`"
                    help_ = f"begin with a {describe(type_)}"
                    words.problems.add("T010", member.initial.span, message, help=help_)
    return found
