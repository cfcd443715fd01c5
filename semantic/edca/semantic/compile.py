"""The pipeline from text to machine.

```
text ──parse──▶ syntax tree ──check──▶ checked spec ──lower──▶ machine
                 (dsl)                 (declarations, tables,   (canonical bytes, digest)
                                        rules, structure)
                                              │
                                              └──analyse──▶ warnings
```

Everything an author can get wrong comes back as a diagnostic; all of one run at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.dsl import tree
from edca.dsl.parse import parse
from edca.semantic import declarations, rules, structure, tables
from edca.semantic.analysis import analyse
from edca.semantic.check import check
from edca.semantic.checked import CheckedSpec
from edca.semantic.lower import lower
from edca.semantic.problems import Problems
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Source
    from edca.kernel.machine import Machine
    from edca.semantic.typed import Expression
    from edca.semantic.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Compiled:
    """What became of a spec: the machine where it has no error, what was found, and the trees behind it."""

    machine: Machine | None
    diagnostics: tuple[Diagnostic, ...]
    spec: tree.Spec | None
    checked: CheckedSpec | None


def compile_spec(source: Source) -> Compiled:
    """Compile a spec. Never raises for anything a source can hold."""
    parsed = parse(source)
    if parsed.spec is None:
        return Compiled(None, parsed.diagnostics, None, None)
    checked, found = check_spec(parsed.spec, parsed.lost)
    if checked is None or found.fatal or parsed.diagnostics:
        return Compiled(None, (*parsed.diagnostics, *found.found), parsed.spec, None)
    analyse(parsed.spec, checked, found)
    return Compiled(lower(checked), tuple(found.found), parsed.spec, checked)


def check_spec(spec: tree.Spec, lost: frozenset[str] = frozenset()) -> tuple[CheckedSpec | None, Problems]:
    """Resolve and type a whole spec; null where something is wrong with it. `lost` names could not be read."""
    problems = Problems(lost=lost)
    words = declarations.build(spec, problems)
    about = rules.about_entities(spec, words)
    definitions = tables.definitions(spec, words, about)
    memory = _memory(spec, words)
    forbids = rules.forbids(spec, words, definitions)
    transitions = []
    for declaration in spec.declarations:
        if isinstance(declaration, tree.TransitionDeclaration) and words.declare(declaration.name, "transition"):
            shared = () if declaration.creates is not None else forbids
            found = rules.transition(declaration, words, definitions, shared)
            if found is not None:
                transitions.append(found)
    structure.check(spec, words, transitions)
    if problems.fatal:
        return None, problems
    checked = CheckedSpec(
        name=spec.header.name.text,
        version=spec.header.version.value,
        text="" if spec.header.text is None else spec.header.text.value,
        advisory=spec.header.tier is not None and spec.header.tier.text == "advisory",
        words=words,
        definitions=definitions,
        memory=memory,
        transitions=tuple(transitions),
        forbids=forbids,
    )
    return checked, problems


def _memory(spec: tree.Spec, words: Vocabulary) -> dict[str, Expression]:
    scope = Scope(words=words, constant=True)
    found: dict[str, Expression] = {}
    for declaration in spec.declarations:
        if isinstance(declaration, tree.MemoryDeclaration):
            for member in declaration.members:
                if words.spans.get(member.name.text) != member.name.span:
                    continue  # declared twice, and reported
                value = check(scope, member.initial, words.memory[member.name.text])
                if value is not None:
                    found[member.name.text] = value
    return found
