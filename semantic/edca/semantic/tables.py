"""Defines and decision tables: one body each, in an order in which every use comes after what it uses."""

from __future__ import annotations

import dataclasses
from itertools import product
from typing import TYPE_CHECKING, Literal

from edca.diagnostics.diagnostic import Severity
from edca.dsl import tree
from edca.kernel.expression import Comparison
from edca.kernel.types import BoolType, EnumType, Type, describe
from edca.semantic import extent, typed
from edca.semantic.check import check, infer
from edca.semantic.relations import ORDERED
from edca.semantic.scope import INPUTS, Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edca.semantic.vocabulary import Vocabulary

COMBINATIONS_MAX = 20_000

Declared = tree.DefineDeclaration | tree.TableDeclaration
Cell = tuple[int | str | bool, int | str | bool] | None  # both ends included; null: any


def definitions(spec: tree.Spec, words: Vocabulary, case_entities: tuple[str, ...]) -> dict[str, typed.Definition]:
    """Return every define and table that checks, by name. A define that uses itself is a finding."""
    declared = {
        d.name.text: d
        for d in spec.declarations
        if isinstance(d, (tree.DefineDeclaration, tree.TableDeclaration)) and words.declare(d.name, "define")
    }
    uses = {name: _used(declaration) & set(declared) for name, declaration in declared.items()}
    done: dict[str, typed.Definition] = {}
    waiting = dict(declared)
    while waiting:
        ready = [name for name in waiting if not (uses[name] & set(waiting))]
        if not ready:
            for declaration in waiting.values():
                words.problems.add(
                    "T015",
                    declaration.name.span,
                    f"`{declaration.name.text}` is defined by itself",
                    help="a define can't use itself, directly or through others",
                )
            words.problems.lost |= set(waiting)
            break
        for name in ready:
            scope = Scope(words=words, definitions=done, case_entities=case_entities)
            found = _definition(scope, waiting.pop(name))
            if found is None:
                words.problems.lost |= {name}  # its uses say nothing new
            else:
                done[name] = found
    return done


def _used(node: object) -> set[str]:
    """Return every name that a declaration uses, bare or called."""
    names: set[str] = set()
    pending: list[object] = [node]
    while pending:
        item = pending.pop()
        if isinstance(item, tuple):
            pending.extend(item)
        elif dataclasses.is_dataclass(item) and type(item).__module__.startswith(tree.__name__):
            if isinstance(item, (tree.Variable, tree.Call)):
                names.add(item.name.text)
            pending.extend(getattr(item, field.name) for field in dataclasses.fields(item))
    return names


def _definition(scope: Scope, declaration: Declared) -> typed.Definition | None:
    parameters = tuple((p.name, p.type) for p in scope.words.parameters(declaration.parameters))
    for node in declaration.parameters:
        if scope.taken(node.name.text) and node.name.text not in INPUTS:
            message = f"`{node.name.text}` has a meaning already"
            scope.words.problems.add("N003", node.name.span, message, help="rename the parameter")
    inner = dataclasses.replace(scope, locals=dict(parameters))
    if isinstance(declaration, tree.DefineDeclaration):
        body = infer(inner, declaration.body)
    else:
        body = _table(inner, declaration, parameters)
    if body is None or not extent.fits(body, scope, declaration.name.span):
        return None
    return typed.Definition(declaration.name.text, parameters, body, *extent.measure(body, scope.definitions))


def _table(
    scope: Scope, declaration: tree.TableDeclaration, parameters: tuple[tuple[str, Type], ...]
) -> typed.Expression | None:
    gives = scope.words.resolve(declaration.gives)
    constant = dataclasses.replace(scope, locals={}, constant=True)
    rows: list[tuple[tuple[Cell, ...], typed.Expression, tree.TableRow]] = []
    whole = True
    for row in declaration.rows:
        result = check(scope, row.result, gives)
        if len(row.cells) != len(parameters):
            message = f"the table has {len(parameters)} columns, this row {len(row.cells)}"
            scope.words.problems.add("T004", row.span, message, help="one cell for each parameter; `any` fits all")
            whole = False
            continue
        cells = [_cell(constant, cell, type_) for cell, (_, type_) in zip(row.cells, parameters, strict=True)]
        if result is None or any(cell is False for cell in cells):
            whole = False
            continue
        rows.append((tuple(cell for cell in cells if cell is not False), result, row))
    if not whole or not rows or not _complete(scope, declaration, parameters, rows):
        return None
    body = rows[-1][1]
    for tests, result, _ in reversed(rows[:-1]):
        body = typed.Conditional(_matches(parameters, tests), result, body, gives)
    return body


def _cell(scope: Scope, cell: tree.TableCell | None, type_: Type) -> Cell | Literal[False]:
    """Return the cell's two ends, null for `any`, or false where it is wrong."""
    if cell is None:
        return None
    if isinstance(cell, tree.RangeCell):
        low, high = check(scope, cell.low, type_), check(scope, cell.high, type_)
        if not isinstance(type_, ORDERED):
            message = f"{describe(type_)} has no order, so it has no range"
            scope.words.problems.add("T006", cell.span, message, help="write one row for each value")
            return False
    else:
        low = high = check(scope, cell, type_)
    ends = [end.value for end in map(_folded, (low, high)) if end is not None and isinstance(end.value, (int, str))]
    if len(ends) == 2:
        return (ends[0], ends[1])
    if low is not None and high is not None:
        scope.words.problems.add("T012", cell.span, "a cell holds a written value")
    return False


def _folded(expression: typed.Expression | None) -> typed.Literal | None:
    """Return a literal in the units its column has."""
    if isinstance(expression, typed.Converted):
        inner, type_ = expression.operand, expression.type
        if isinstance(inner, typed.Literal) and isinstance(inner.value, int):
            return typed.Literal(_units(type_, inner), type_)
    return expression if isinstance(expression, typed.Literal) else None


def _units(type_: Type, literal: typed.Literal) -> int:
    have, want = getattr(literal.type, "scale", 0), getattr(type_, "scale", 0)
    value = literal.value
    return value * int(10 ** (want - have)) if isinstance(value, int) else 0


def _matches(parameters: tuple[tuple[str, Type], ...], cells: tuple[Cell, ...]) -> typed.Expression:
    tests: list[typed.Expression] = []
    for (name, type_), cell in zip(parameters, cells, strict=True):
        if cell is None:
            continue
        local = typed.LocalRead(name, type_)
        low, high = (typed.Literal(end, type_) for end in cell)
        if low == high:
            tests.append(typed.Comparing(Comparison.EQUAL, local, low, BoolType()))
        else:
            tests.append(typed.Comparing(Comparison.AT_LEAST, local, low, BoolType()))
            tests.append(typed.Comparing(Comparison.AT_MOST, local, high, BoolType()))
    if not tests:
        return typed.Literal(True, BoolType())
    return tests[0] if len(tests) == 1 else typed.Connective(True, tuple(tests), BoolType())


def _complete(
    scope: Scope,
    declaration: tree.TableDeclaration,
    parameters: tuple[tuple[str, Type], ...],
    rows: list[tuple[tuple[Cell, ...], typed.Expression, tree.TableRow]],
) -> bool:
    """Report combinations that no row or more than one row fits."""
    columns = [
        list(_samples(type_, [cells[index] for cells, _, _ in rows])) for index, (_, type_) in enumerate(parameters)
    ]
    size = 1
    for column in columns:
        size *= len(column)
    if size > COMBINATIONS_MAX or size == 0:
        message = "the table has too many combinations to check, or a column that can't be listed"
        scope.words.problems.add("T016", declaration.name.span, message, help="split it into smaller tables")
        return False
    sound = True
    fitted: set[int] = set()
    for combination in product(*columns):
        fitting = [row for cells, _, row in rows if all(map(_fits, cells, combination))]
        fitted |= {row.span.start for row in fitting}
        shown = ", ".join(str(value).lower() if isinstance(value, bool) else str(value) for value in combination)
        if not fitting and sound:
            help_ = f"add a row for it: `| {shown} => …`"
            scope.words.problems.add("T018", declaration.name.span, f"no row fits `{shown}`", help=help_)
            sound = False
        elif len(fitting) > 1 and sound:
            scope.words.problems.add(
                "T019",
                fitting[1].span,
                f"two rows fit `{shown}`",
                help="rows may not overlap: narrow one of them",
                declared=fitting[0].span,
                declared_label="this row fits it as well",
            )
            sound = False
    for _, _, row in rows:
        if sound and row.span.start not in fitted:
            scope.words.problems.add(
                "C021",
                row.span,
                "no value fits this row",
                help="a range runs from low to high, within the range of its column",
                severity=Severity.WARNING,
            )
    return sound


def _samples(type_: Type, cells: list[Cell]) -> Iterator[int | str | bool]:
    """Yield one value from every part of the column's range that the cells can tell apart."""
    if isinstance(type_, EnumType):
        yield from dict(type_.values)
    elif isinstance(type_, BoolType):
        yield from (False, True)
    elif isinstance(type_, ORDERED):
        low, high = getattr(type_, "low", -(2**62)), getattr(type_, "high", 2**62)
        edges = {low}
        for cell in cells:
            if cell is not None and isinstance(cell[0], int) and isinstance(cell[1], int):
                edges |= {cell[0], cell[1] + 1}
        yield from sorted(edge for edge in edges if low <= edge <= high)


def _fits(cell: Cell, value: int | str | bool) -> bool:
    if cell is None:
        return True
    low, high = cell
    if isinstance(value, str) or isinstance(low, str) or isinstance(high, str):
        return value == low
    return low <= value <= high
