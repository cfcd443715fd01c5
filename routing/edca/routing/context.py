"""What all checks of a routes file share: the machine, the file's own names, and the findings so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edca.diagnostics import CODES, Diagnostic, Label, closest
from edca.kernel.types import (
    BoolType,
    EnumType,
    ListType,
    OptionalType,
    RecordType,
    ReferenceType,
    Type,
    describe,
)
from edca.routing import tree
from edca.routing.codec import ENCODINGS, bare, same_code
from edca.routing.model import Codec, Encoding, Identifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from edca.diagnostics import Span
    from edca.dsl.tree import Name
    from edca.kernel.machine import Machine
    from edca.routing.model import SourceRoute, StateRoute, Stored
    from edca.routing.model_documents import HTTPSource, PythonSource

_AS = ("units", "micros", "seconds", "days")


@dataclass(slots=True)
class Context:
    """Looks names up and collects findings. A check that fails returns null, having reported why."""

    machine: Machine
    enums: Mapping[str, EnumType]
    sources: dict[str, SourceRoute | HTTPSource | PythonSource] = field(default_factory=dict)
    codes: dict[str, tree.Codes] = field(default_factory=dict)
    states: dict[str, tuple[str, StateRoute]] = field(default_factory=dict)  # by entity: its source, and its codes
    undecided: set[str] = field(default_factory=set)  # services without a word on idempotency
    broken_codes: frozenset[str] = frozenset()
    broken_sources: frozenset[str] = frozenset()
    found: list[Diagnostic] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)

    def report(
        self, code: str, message: str, span: Span, repair: str | None = None, *, before: Span | None = None
    ) -> None:
        """Keep a finding; `before` is where the same thing stands first."""
        secondary = (Label(before, "first here"),) if before is not None else ()
        self.found.append(Diagnostic(CODES[code], message, Label(span), secondary, repair))

    def unknown(self, code: str, message: str, name: Name, known: Sequence[str]) -> None:
        """Report a name that leads nowhere, with the likely meant one."""
        likely = closest(name.text, known)
        self.report(code, message, name.span, f"did you mean `{likely}`?" if likely else None)

    def identifier(self, source: str, table: Name, column: Name | None = None) -> None:
        """Remember an internal name and where it stands."""
        at = table if column is None else column
        self.identifiers.append(Identifier(source, table.text, None if column is None else column.text, at.span))

    def source(self, name: Name) -> SourceRoute | HTTPSource | PythonSource | None:
        """Return the declared source of that name."""
        if name.text not in self.sources and name.text not in self.broken_sources:
            self.unknown("R010", f"no source `{name.text}` is declared", name, tuple(self.sources))
        return self.sources.get(name.text)

    def distinct(self, names: Sequence[Name], what: str) -> None:
        """Report every name that stands in the list before."""
        first: dict[str, Name] = {}
        for name in names:
            if name.text in first:
                message = f"{what} `{name.text}` has two routes"
                self.report("R002", message, name.span, before=first[name.text].span)
            first.setdefault(name.text, name)

    def codec(self, type_: Type, encoding: tree.Encoding | None, span: Span) -> Codec | None:
        """Return how one column holds a value of the type."""
        inner, optional = bare(type_)
        match inner:
            case ReferenceType():
                repair: str | None = "write `ref (…)` with the columns of its key, or name a part of the key"
            case RecordType():
                repair = "write `record { … }` with a column for each part, or name a part"
            case ListType():
                repair = "write `rows`, `refs` or `values` and the table that holds the elements"
            case _:
                repair = None
        if repair is not None:
            self.report("R003", f"a `{describe(inner)}` doesn't fit one column", span, repair)
            return None
        match encoding:
            case None:
                return Codec(inner, optional, Encoding.PLAIN)
            case tree.AsEncoding(word):
                return self._as(inner, optional, word)
            case tree.CodesEncoding(codes, codes_span):
                pairs = self._codes(inner, codes, codes_span)
                return None if pairs is None else Codec(inner, optional, Encoding.CODES, pairs)

    def _as(self, inner: Type, optional: bool, word: Name) -> Codec | None:
        allowed = [encoding.value for encoding in ENCODINGS.get(type(inner), ()) if encoding.value in _AS]
        if word.text not in allowed:
            said = ", ".join(f"`as {name}`" for name in allowed)
            repair = f"it can be held {said}" if allowed else "leave the `as` out"
            message = f"a `{describe(inner)}` can't be held as `{word.text}`"
            self.report("R003", message, word.span, repair)
            return None
        return Codec(inner, optional, Encoding(word.text))

    def _codes(self, inner: Type, codes: Name | tree.CodeMap, span: Span) -> tuple[tuple[str, Stored], ...] | None:
        if not isinstance(inner, (EnumType, BoolType)):
            self.report("R003", f"a `{describe(inner)}` has no codes: only enums and `bool` have", span)
            return None
        if isinstance(codes, tree.CodeMap):
            return self.code_pairs(codes, value_names(inner), "R004", describe(inner))
        declared = self.codes.get(codes.text)
        if declared is None:
            if codes.text not in self.broken_codes:
                message = f"no codes named `{codes.text}` are declared"
                self.unknown("N001", message, codes, tuple(self.codes))
            return None
        if not isinstance(inner, EnumType) or declared.enum.text != inner.name:
            message = f"`{codes.text}` are codes for `{declared.enum.text}`, and this is a `{describe(inner)}`"
            self.report("R003", message, codes.span, before=declared.name.span)
            return None
        # Whether they are total was said where they are declared.
        return tuple((entry.name.text, entry.code.value) for entry in declared.map.entries)

    def code_pairs(
        self, codes: tree.CodeMap, names: Sequence[str], unknown: str, what: str, *, total: bool = True
    ) -> tuple[tuple[str, Stored], ...] | None:
        """Return the pairs of a map that gives each name one code of its own; `unknown` is the code for others."""
        count = len(self.found)
        self.distinct([entry.name for entry in codes.entries], "the value")
        for index, entry in enumerate(codes.entries):
            if entry.name.text not in names:
                self.unknown(unknown, f"`{what}` has no `{entry.name.text}`", entry.name, names)
            if entry.code.value is None:
                self.report("R003", "`null` can't be a code", entry.code.span)
            for earlier in codes.entries[:index]:
                if same_code(earlier.code.value, entry.code.value) and earlier.name.text != entry.name.text:
                    message = (
                        f"one code stands for both `{earlier.name.text}` and `{entry.name.text}`: "
                        "what is read could mean either"
                    )
                    self.report("R008", message, entry.code.span, before=earlier.code.span)
        missing = [name for name in names if name not in {entry.name.text for entry in codes.entries}]
        if total and missing:
            said = ", ".join(f"`{name}`" for name in missing)
            self.report("R007", f"no code for {said} of `{what}`", codes.span)
        if len(self.found) > count:
            return None
        return tuple((entry.name.text, entry.code.value) for entry in codes.entries)


def value_names(type_: EnumType | BoolType) -> tuple[str, ...]:
    """Return the names that codes of the type are given for."""
    return tuple(name for name, _ in type_.values) if isinstance(type_, EnumType) else ("true", "false")


def enums_of(machine: Machine) -> dict[str, EnumType]:
    """Return the machine's named enums, wherever they are used."""
    types = [part.type for entity in machine.entities for part in entity.key]
    types += [part.type for entity in machine.entities for part in entity.fields]
    types += [part.type for effect in machine.effects for part in effect.parameters]
    types += [part.type for transition in machine.transitions for part in transition.parameters]
    types += [part.type for part in machine.memory]
    types += [part.type for part in machine.claims]
    return {enum.name: enum for type_ in types for enum in _enums(type_) if enum.name}


def _enums(type_: Type) -> Iterator[EnumType]:
    match type_:
        case EnumType():
            yield type_
        case OptionalType(of) | ListType(_, _, of):
            yield from _enums(of)
        case RecordType(_, parts):
            for _, part in parts:
                yield from _enums(part)
        case _:
            pass
