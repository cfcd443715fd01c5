"""What the tests of the syntax share: a machine's header, and trees as short text."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass

import pytest

from edca.diagnostics import Source, concise
from edca.dsl import tree
from edca.dsl.parse import parse

HEADER = 'edca 1 machine m version "1" '


def _sketch(node: object) -> str:
    """A node as text: operators as in Lisp, everything else as `Class(fields)`; spans are left out."""
    match node:
        case tree.Name(text) | tree.Number(text) | tree.DateLiteral(text) | tree.TimeLiteral(text):
            return text
        case tree.Text(value) | tree.String(value):
            return f'"{value}"'
        case tree.Truth(value):
            return str(value).lower()
        case tree.DurationLiteral(count, unit):
            return f"{count}{unit}"
        case tree.Variable(name) | tree.NamedType(name):
            return name.text
        case tree.Field(base, name):
            return f"{_sketch(base)}.{name.text}"
        case tree.Unary(operator, operand):
            return f"({operator} {_sketch(operand)})"
        case tree.Binary(operator, left, right):
            return f"({operator} {_sketch(left)} {_sketch(right)})"
        case tree.Call(name, arguments):
            return f"{name.text}{_sketch(arguments)}"
        case tree.Builtin(function, arguments):
            return f"{function}!{_sketch(arguments)}"
        case tuple():
            return f"[{' '.join(_sketch(item) for item in node)}]"
        case _ if not is_dataclass(node):
            return str(node)
        case _:
            parts = [_sketch(getattr(node, field.name)) for field in fields(node) if "span" not in field.name]
            return f"{type(node).__name__}({', '.join(parts)})"


def _declarations(text: str) -> tuple[tree.Declaration, ...]:
    parsed = parse(Source("test", HEADER + text))
    assert not parsed.diagnostics, concise(parsed.diagnostics)
    assert parsed.spec is not None
    assert not parsed.lost
    return parsed.spec.declarations


@pytest.fixture(scope="session")
def declared() -> Callable[[str], str]:
    """The declarations of a correct text, sketched, one a line."""
    return lambda text: "\n".join(_sketch(declaration) for declaration in _declarations(text))


@pytest.fixture(scope="session")
def clauses() -> Callable[[str], str]:
    """The clauses of a correct transition's body, sketched, one a line."""

    def read(text: str) -> str:
        (transition,) = _declarations(f"transition t from a to b {{ {text} }}")
        assert isinstance(transition, tree.TransitionDeclaration)
        return "\n".join(_sketch(clause) for clause in transition.clauses)

    return read


@pytest.fixture(scope="session")
def expression() -> Callable[[str], str]:
    """A correct expression, sketched."""

    def read(text: str) -> str:
        (define,) = _declarations(f"define x = {text}")
        assert isinstance(define, tree.DefineDeclaration)
        return _sketch(define.body)

    return read


@pytest.fixture(scope="session")
def type_of() -> Callable[[str], str]:
    """A correct type, sketched."""

    def read(text: str) -> str:
        (declaration,) = _declarations(f"type x = {text}")
        assert isinstance(declaration, tree.TypeDeclaration)
        return _sketch(declaration.type)

    return read
