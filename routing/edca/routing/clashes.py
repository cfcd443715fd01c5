"""The check of a spec together with its routes: no public name may be an internal one.

Whatever a spec declares, a model may come to see. So a name that also stands for a table or column would tell it
something about the source, and nobody reading a transcript could say which of the two was meant.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edca.diagnostics import CODES, Diagnostic, Label, ordered
from edca.dsl import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.routing.model import Identifier, Routes

_WORD = re.compile(r"\w+")
# An ordinary English word may stand in a text even where a column has the same name.
_TECHNICAL = re.compile(r".*[_0-9].*")


def clashes(spec: tree.Spec, routes: Routes) -> tuple[Diagnostic, ...]:
    """Return a finding for each public name that is an internal one (R009), the case of letters aside.

    Texts that people and models read are searched too, for internal names that are no ordinary words (N013).
    """
    internal: dict[str, Identifier] = {}
    for identifier in routes.identifiers:
        if identifier.is_call:
            continue
        internal.setdefault((identifier.column or identifier.table).casefold(), identifier)
    found: list[Diagnostic] = []
    reported: set[str] = set()
    for name in _names(spec):
        text = name.text if isinstance(name, tree.Name) else name.value
        clash = internal.get(text.casefold())
        if clash is not None and text.casefold() not in reported:
            reported.add(text.casefold())
            kind = "table" if clash.column is None else "column" if clash.table else "member"
            message = f"`{text}` is also the name of an internal {kind}"
            labels = (Label(clash.span, f"the {kind}"),)
            repair = "rename it in the spec, or give the source a view under other names"
            found.append(Diagnostic(CODES["R009"], message, Label(name.span), labels, repair))
    for prose in _texts(spec):
        for word in _WORD.findall(prose.value):
            clash = internal.get(word.casefold())
            if clash is not None and _TECHNICAL.fullmatch(word):
                message = f"the text names `{word}`, which only the routes may know"
                labels = (Label(clash.span, "internal"),)
                found.append(Diagnostic(CODES["N013"], message, Label(prose.span), labels))
    return ordered(found, cap=None).diagnostics


def _names(spec: tree.Spec) -> Iterator[tree.Name | tree.Text]:
    """Yield what the spec declares, in written order: the names it makes public."""
    yield spec.header.name
    for declaration in spec.declarations:
        match declaration:
            case tree.RoleDeclaration(name=name) | tree.StateDeclaration(name=name) | tree.ModeDeclaration(name=name):
                yield name
            case tree.EnumDeclaration():
                yield declaration.name
                yield from _enum_names(declaration.values)
            case tree.TypeDeclaration():
                yield declaration.name
                yield from _type_names(declaration.type)
            case tree.RecordDeclaration():
                yield declaration.name
                yield from _member_names(declaration.members)
            case tree.EntityDeclaration():
                yield declaration.name
                yield from _parameter_names(declaration.key)
                yield from _member_names(declaration.members)
            case tree.ClaimDeclaration():
                yield declaration.name
                yield from _type_names(declaration.type)
            case tree.EffectDeclaration():
                yield declaration.name
                yield from _parameter_names(declaration.parameters)
            case tree.MemoryDeclaration():
                for member in declaration.members:
                    yield member.name
                    yield from _type_names(member.type)
            case tree.DefineDeclaration():
                yield declaration.name
                yield from _parameter_names(declaration.parameters)
            case tree.TableDeclaration():
                yield declaration.name
                yield from _parameter_names(declaration.parameters)
                yield from _type_names(declaration.gives)
            case tree.Forbid() | tree.NeverWhen() | tree.NeverReaching() | tree.AlwaysLeads():
                yield declaration.code
            case tree.TransitionDeclaration():
                yield declaration.name
                if declaration.branch is not None:
                    yield declaration.branch
                yield from _parameter_names(declaration.parameters)
                yield from _clause_names(declaration.clauses)
            case tree.QueryDeclaration():
                yield declaration.name
                yield from _parameter_names(declaration.parameters)
                yield from _clause_names(declaration.clauses)
            case tree.CompositeState():
                yield from _state_names(declaration)
            case tree.CaseDeclaration() | tree.ScenarioDeclaration() | tree.Release():
                pass  # they declare nothing


def _state_names(declaration: tree.StateDeclaration | tree.CompositeState) -> Iterator[tree.Name]:
    yield declaration.name
    if isinstance(declaration, tree.CompositeState):
        for member in declaration.members:
            yield from _state_names(member)


def _clause_names(clauses: tuple[tree.Clause, ...]) -> Iterator[tree.Name]:
    for clause in clauses:
        match clause:
            case tree.Let(name=name):
                yield name
            case tree.Returns():
                yield clause.name
                yield from (field for field, _ in (() if clause.rows is None else clause.rows.fields))
            case (
                tree.Require(code=code)
                | tree.Forbid(code=code)
                | tree.Confirm(code=code)
                | tree.Sign(code=code)
                | tree.Limit(code=code)
            ):
                yield code
            case _:
                pass  # the other clauses declare nothing


def _enum_names(values: tuple[tree.EnumValue, ...]) -> Iterator[tree.Name | tree.Text]:
    for value in values:
        yield value.name
        if value.wire is not None:
            yield value.wire


def _parameter_names(parameters: tuple[tree.Parameter, ...]) -> Iterator[tree.Name | tree.Text]:
    for parameter in parameters:
        yield parameter.name
        yield from _type_names(parameter.type)


def _member_names(members: tuple[tree.Member, ...]) -> Iterator[tree.Name | tree.Text]:
    for member in members:
        yield member.name
        yield from _type_names(member.type)


def _type_names(type_: tree.Type) -> Iterator[tree.Name | tree.Text]:
    """Yield the values of enums that are written out where a type stands, and the units of numbers."""
    match type_:
        case tree.IntegerType(unit=unit) | tree.DecimalType(unit=unit):
            if unit is not None:
                yield unit
        case tree.OneOfType():
            yield from _enum_names(type_.values)
        case tree.ListType() | tree.OptionalType():
            yield from _type_names(type_.of)
        case _:
            pass  # other types only use names


def _texts(spec: tree.Spec) -> Iterator[tree.Text]:
    """Yield the texts that people and models read."""
    if spec.header.text is not None:
        yield spec.header.text
    for declaration in spec.declarations:
        match declaration:
            case tree.ClaimDeclaration() | tree.StateDeclaration() | tree.Forbid() | tree.ModeDeclaration():
                yield declaration.text
            case tree.NeverWhen() | tree.NeverReaching() | tree.Release():
                yield declaration.text
            case tree.AlwaysLeads():
                yield declaration.text
                if declaration.assuming is not None:
                    yield declaration.assuming
            case tree.CompositeState():
                yield from _state_texts(declaration)
            case tree.TransitionDeclaration() | tree.QueryDeclaration():
                yield from _clause_texts(declaration.clauses)
            case _:
                pass  # no text of its own


def _state_texts(declaration: tree.StateDeclaration | tree.CompositeState) -> Iterator[tree.Text]:
    yield declaration.text
    if isinstance(declaration, tree.CompositeState):
        for member in declaration.members:
            yield from _state_texts(member)


def _clause_texts(clauses: tuple[tree.Clause, ...]) -> Iterator[tree.Text]:
    for clause in clauses:
        match clause:
            case tree.Means() | tree.Require() | tree.Forbid() | tree.Limit():
                yield clause.text
            case tree.Confirm() | tree.Sign() | tree.OnFailure() if clause.text is not None:
                yield clause.text
            case _:
                pass  # no text of its own
