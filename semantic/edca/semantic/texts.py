"""Every text that people or models read is there, and says something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.dsl import tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.diagnostics.source import Span
    from edca.semantic.problems import Problems

Written = tuple[tree.Text | None, "Span", str]  # the text, where it belongs, and what to write where there is none


def check(spec: tree.Spec, problems: Problems) -> None:
    """Report texts that are missing or blank."""
    header = spec.header
    if header.text is not None:
        _report(problems, header.text, header.text.span, "")
    for declaration in spec.declarations:
        for text, span, example in _texts(declaration):
            _report(problems, text, span, example)


def _report(problems: Problems, text: tree.Text | None, span: Span, example: str) -> None:
    if text is None:
        help_ = f"end the line with it: `{example}`"
        problems.add("C024", span, f"`{span.text}` has no text for the people who read it", help=help_)
    elif not text.value.strip():
        help_ = "write one sentence that a person can act on"
        problems.add("C024", text.span, "this text is blank, and people read it", help=help_)


def _texts(declaration: tree.Declaration) -> Iterator[Written]:
    match declaration:
        case tree.CompositeState():
            yield declaration.text, declaration.text.span, ""
            for member in declaration.members:
                yield from _texts(member)
        case tree.TransitionDeclaration() | tree.QueryDeclaration():
            for clause in declaration.clauses:
                yield from _clause(clause)
        case tree.AlwaysLeads():
            yield declaration.text, declaration.text.span, ""
            if declaration.assuming is not None:
                yield declaration.assuming, declaration.assuming.span, ""
        case (
            tree.ClaimDeclaration()
            | tree.StateDeclaration()
            | tree.Forbid()
            | tree.ModeDeclaration()
            | tree.NeverWhen()
            | tree.NeverReaching()
            | tree.Release()
        ):
            yield declaration.text, declaration.text.span, ""
        case _:
            return


def _clause(clause: tree.Clause) -> Iterator[Written]:
    match clause:
        case tree.Means() | tree.Require() | tree.Forbid() | tree.Limit():
            yield clause.text, clause.text.span, ""
        case tree.Confirm():
            yield (
                clause.text,
                clause.code.span,
                f'confirm {clause.code.text} by {clause.by.text} … "What the yes means."',
            )
        case tree.Sign():
            example = f'sign {clause.code.text} by {clause.count} of {clause.by.text} … "What the yes means."'
            yield clause.text, clause.code.span, example
        case tree.OnFailure():
            example = f'on {clause.event.text} … go {clause.target.text} "What a person must know."'
            yield clause.text, clause.event.span, example
        case _:
            return
