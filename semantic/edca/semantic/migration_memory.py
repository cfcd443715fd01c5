"""The memory of a map: what each field of the new version holds, from memory as the old one left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl.tree.migration import ForgetMemory, MemoryLine
from edca.kernel.expression import History, ReadMemory
from edca.kernel.machine import Assignment
from edca.kernel.migration import Forgotten
from edca.semantic import walk
from edca.semantic.check import check
from edca.semantic.draft import usable
from edca.semantic.lower import lower_expression
from edca.semantic.migration_changes import enums, is_field_kept, known_history, seen_as
from edca.semantic.problems import did_you_mean, listing
from edca.semantic.scope import Scope
from edca.semantic.typed import MemoryRead
from edca.semantic.vocabulary import Vocabulary

if TYPE_CHECKING:
    from edca.diagnostics.source import Span
    from edca.dsl.tree.migration import Map
    from edca.kernel.machine import Machine
    from edca.semantic.problems import Problems


def memory(
    written: Map, old: Machine, new: Machine, problems: Problems
) -> tuple[tuple[Assignment, ...], tuple[Forgotten, ...]]:
    """Return what every field of the new version holds, by name, and which old ones are let go of."""
    scope = _scope(written, old, new, problems)
    found: dict[str, Assignment] = {}
    places: dict[str, Span] = {}
    read: set[str] = set()
    for line in written.lines:
        if not isinstance(line, MemoryLine):
            continue
        name = line.name.text
        slot = new.index.memory.get(name)
        if slot is None:
            help_ = did_you_mean(name, new.index.memory, f"its memory is {listing(new.index.memory)}")
            problems.add("N001", line.name.span, f"the new version has no memory `{name}`", help=help_)
        elif name in places:
            message = f"`{name}` stands in two lines"
            problems.add(
                "M005", line.name.span, message, help="leave one", declared=places[name], declared_label="first here"
            )
        else:
            places[name] = line.name.span
            value = usable(scope, check(scope, line.value, slot.type), line.value.span)
            if value is None:
                read |= set(old.index.memory)  # it may have read any of them
                continue
            own = {node.name for node in walk.nodes(value, {}) if isinstance(node, MemoryRead)}
            read |= own
            _check_labels(line, own, old, new, problems)
            found[name] = Assignment(name, lower_expression(value, {}))
    for name in sorted(new.index.memory):
        if name in places:
            continue
        if is_field_kept(old, new, name):
            found[name] = Assignment(name, ReadMemory(name))
            read.add(name)
        else:
            _unfilled(name, written, old, problems)
    forgotten = _forgotten(written, old, new, read, problems)
    return tuple(found[name] for name in sorted(found)), forgotten


def _scope(written: Map, old: Machine, new: Machine, problems: Problems) -> Scope:
    """Return what an expression of a map may name: the old version's memory and history, the time, and enum values."""
    grown = enums(new)
    words = Vocabulary(problems)
    words.memory = {slot.name: seen_as(slot.type, grown) for slot in old.memory}
    words.offered = {name: written.header.span for name in sorted(known_history(old, History.PROPOSER))}
    words.answered = {name: written.header.span for name in sorted(known_history(old, History.SIGNERS))}
    for enum in (*grown.values(), *enums(old).values()):
        for value, _ in enum.values:
            words.enum_values.setdefault(value, []).append(enum)
    return Scope(words=words, standing=True)


def _check_labels(line: MemoryLine, read: set[str], old: Machine, new: Machine, problems: Problems) -> None:
    name = line.name.text
    labels = {label for field in read for label in old.index.memory[field].labels}
    for label in sorted(labels - set(new.index.memory[name].labels)):
        message = f"a {label} value would be kept in `{name}`, which isn't"
        help_ = f"declare `{name}` {label} in the new version, or compute it from something else"
        problems.add("C044", line.value.span, message, help=help_)


def _unfilled(name: str, written: Map, old: Machine, problems: Problems) -> None:
    if name in old.index.memory:
        why = f"memory `{name}` is not of the same type in both versions"
        help_ = f"write `memory {name} = {name}`, or what it holds instead"
    else:
        why = f"the old version has no memory `{name}`"
        help_ = f"write `memory {name} = VALUE`: a field of the old version that it takes over, or a constant"
    problems.add("M003", written.header.span, f"{why}, and no line says what it holds", help=help_)


def _forgotten(written: Map, old: Machine, new: Machine, read: set[str], problems: Problems) -> tuple[Forgotten, ...]:
    found: dict[str, Forgotten] = {}
    for line in written.lines:
        if not isinstance(line, ForgetMemory):
            continue
        name = line.name.text
        if name not in old.index.memory:
            help_ = did_you_mean(name, old.index.memory, f"its memory is {listing(old.index.memory)}")
            problems.add("N001", line.name.span, f"the old version has no memory `{name}`", help=help_)
        elif name in found:
            problems.add("M005", line.name.span, f"`{name}` stands in two lines", help="leave one")
        else:
            found[name] = Forgotten(name, line.text.value)
            if name in read:
                message = f"`{name}` is not forgotten: the new memory is made from it"
                problems.add("M009", line.name.span, message, help="leave this line out")
            check_why(line.text.value, line.text.span, problems)
    for name in sorted(set(old.index.memory) - read - set(found)):
        message = f"nothing takes over the old version's memory `{name}`"
        help_ = f'write `memory NEW = {name}`, or `forget {name} "WHY"`'
        problems.add("M004", written.header.span, message, help=help_)
    return tuple(found.values())


def check_why(text: str, span: Span, problems: Problems) -> None:
    """Report a line that lets go of something and doesn't say why."""
    if not text.strip():
        problems.add("C024", span, "the line doesn't say why", help="write why it may be forgotten")
