"""Parse trees of types and expressions to nodes of the syntax tree."""

# ruff: noqa: D102 - a method is named after the rule whose node it makes; the rule says the rest

from dataclasses import dataclass
from functools import cache

from lark import Token
from lark.tree import Meta
from lark.visitors import Transformer_NonRecursive, v_args

from edca.diagnostics.source import Source, Span
from edca.dsl import tree
from edca.dsl.words import UNITS


@dataclass(frozen=True, slots=True)
class LabelledType:
    """A type and the labels behind it."""

    type: tree.Type
    labels: tuple[tree.Name, ...]


@cache
def _rules(builder: type) -> tuple[str, ...]:
    """Return the names of the rules that a builder has methods for."""
    return tuple(name for name in dir(builder) if name.islower() and not hasattr(Transformer_NonRecursive, name))


@v_args(meta=True, inline=True)
class ExpressionBuilder(Transformer_NonRecursive[Token, object]):
    """One method for each rule of types and expressions, and for the terminals and lists that all rules share.

    A method's parameters are what its rule keeps: named parts in order, `None` for an optional part that is missing.
    The builder isn't recursive, since how deep a parse tree goes is the author's doing.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        for rule in _rules(type(self)):
            # Lark wraps a method anew whenever it is looked up on the class; here once for a whole text.
            setattr(self, rule, getattr(self, rule))

    def _span(self, place: Meta | Token) -> Span:
        start, end = place.start_pos, place.end_pos
        if start is None or end is None:
            raise AssertionError("every rule reads at least one lexeme")
        return Span(self._source, start, end)

    # --- what all rules share ----------------------------------------------------------------------------------------

    def NAME(self, token: Token) -> tree.Name:
        return tree.Name(str(token), self._span(token))

    def STRING(self, token: Token) -> tree.Text:
        return tree.Text(str(token), self._span(token))

    def names(self, _meta: Meta, *names: tree.Name) -> tuple[tree.Name, ...]:
        return names

    def expressions(self, _meta: Meta, *expressions: tree.Expression) -> tuple[tree.Expression, ...]:
        return expressions

    def duration(self, meta: Meta, count: Token, unit: Token) -> tree.DurationLiteral:
        return tree.DurationLiteral(int(count), UNITS[unit], self._span(meta))

    def number(self, meta: Meta, digits: Token) -> tree.Number:
        return tree.Number(str(digits), self._span(meta))

    # --- types -------------------------------------------------------------------------------------------------------

    def enum_value(self, meta: Meta, name: tree.Name, wire: tree.Text | None) -> tree.EnumValue:
        return tree.EnumValue(name, wire, self._span(meta))

    def signed_integer(self, _meta: Meta, minus: Token | None, digits: Token) -> int:
        return int(digits) if minus is None else -int(digits)

    def signed_number(self, _meta: Meta, minus: Token | None, digits: Token) -> str:
        return str(digits) if minus is None else f"-{digits}"

    def simple_type(self, meta: Meta, word: Token) -> tree.SimpleType:
        return tree.SimpleType(str(word), self._span(meta))

    def integer_type(self, meta: Meta, low: int | None, high: int | None, unit: tree.Name | None) -> tree.IntegerType:
        return tree.IntegerType(low, high, unit, self._span(meta))

    def decimal_type(
        self, meta: Meta, scale: Token | None, low: str | None, high: str | None, unit: tree.Name | None
    ) -> tree.DecimalType:
        return tree.DecimalType(None if scale is None else int(scale), low, high, unit, self._span(meta))

    def text_type(self, meta: Meta, length_max: Token | None) -> tree.TextType:
        return tree.TextType(None if length_max is None else int(length_max), self._span(meta))

    def one_of_type(self, meta: Meta, *values: tree.EnumValue) -> tree.OneOfType:
        return tree.OneOfType(values, self._span(meta))

    def principal_type(self, meta: Meta, role: tree.Name) -> tree.PrincipalType:
        return tree.PrincipalType(role, self._span(meta))

    def list_type(self, meta: Meta, first: Token | None, second: Token | None, of: tree.Type) -> tree.ListType:
        span = self._span(meta)
        if first is None:
            return tree.ListType(None, None, of, span)
        if second is None:
            return tree.ListType(0, int(first), of, span)
        return tree.ListType(int(first), int(second), of, span)

    def named_type(self, meta: Meta, name: tree.Name) -> tree.NamedType:
        return tree.NamedType(name, self._span(meta))

    def optional_type(self, meta: Meta, of: tree.Type) -> tree.OptionalType:
        return tree.OptionalType(of, self._span(meta))

    def labelled_type(self, _meta: Meta, type_: tree.Type, *labels: tree.Name) -> LabelledType:
        return LabelledType(type_, labels)

    def label(self, meta: Meta, word: Token) -> tree.Name:
        return tree.Name(str(word), self._span(meta))

    # --- operators ---------------------------------------------------------------------------------------------------

    def binary(self, meta: Meta, left: tree.Expression, operator: Token, right: tree.Expression) -> tree.Binary:
        return tree.Binary(str(operator), left, right, self._span(operator), self._span(meta))

    def comparison(
        self, meta: Meta, left: tree.Expression, operator: tuple[str, Span], right: tree.Expression
    ) -> tree.Binary:
        text, operator_span = operator
        return tree.Binary(text, left, right, operator_span, self._span(meta))

    def comparison_operator(self, meta: Meta, *parts: Token) -> tuple[str, Span]:
        return " ".join(parts), self._span(meta)

    def negation(self, meta: Meta, operand: tree.Expression) -> tree.Unary:
        return tree.Unary("not", operand, self._span(meta))

    def minus(self, meta: Meta, operand: tree.Expression) -> tree.Unary:
        return tree.Unary("-", operand, self._span(meta))

    def is_present(self, meta: Meta, operand: tree.Expression) -> tree.Presence:
        return tree.Presence(operand, True, self._span(meta))

    def is_absent(self, meta: Meta, operand: tree.Expression) -> tree.Presence:
        return tree.Presence(operand, False, self._span(meta))

    def field(self, meta: Meta, base: tree.Expression, name: tree.Name) -> tree.Field:
        return tree.Field(base, name, self._span(meta))

    # --- literals and names ------------------------------------------------------------------------------------------

    def string(self, meta: Meta, text: tree.Text) -> tree.String:
        return tree.String(text.value, self._span(meta))

    def truth(self, meta: Meta) -> tree.Truth:
        return tree.Truth(True, self._span(meta))

    def falsehood(self, meta: Meta) -> tree.Truth:
        return tree.Truth(False, self._span(meta))

    def date(self, meta: Meta, text: Token) -> tree.DateLiteral:
        return tree.DateLiteral(str(text), self._span(meta))

    def time(self, meta: Meta, text: Token) -> tree.TimeLiteral:
        return tree.TimeLiteral(str(text), self._span(meta))

    def variable(self, meta: Meta, name: tree.Name) -> tree.Variable:
        return tree.Variable(name, self._span(meta))

    def list_literal(self, meta: Meta, items: tuple[tree.Expression, ...] | None) -> tree.ListLiteral:
        return tree.ListLiteral(items or (), self._span(meta))

    # --- calls and open forms ----------------------------------------------------------------------------------------

    def call(self, meta: Meta, name: tree.Name, arguments: tuple[tree.Expression, ...] | None) -> tree.Call:
        return tree.Call(name, arguments or (), self._span(meta))

    def lookup(self, meta: Meta, entity: tree.Name, keys: tuple[tree.Expression, ...]) -> tree.Lookup:
        return tree.Lookup(entity, keys, self._span(meta))

    def proposer_of(self, meta: Meta, transition: tree.Name) -> tree.History:
        return tree.History("proposer", transition, self._span(meta))

    def signers_of(self, meta: Meta, code: tree.Name) -> tree.History:
        return tree.History("signers", code, self._span(meta))

    def fold_function(self, _meta: Meta, word: Token) -> str:
        return str(word)

    def collect_function(self, _meta: Meta, word: Token) -> str:
        return str(word)

    def plain_function(self, _meta: Meta, word: Token) -> str:
        return str(word)

    def builtin(self, meta: Meta, function: str, arguments: tuple[tree.Expression, ...]) -> tree.Builtin:
        return tree.Builtin(function, arguments, self._span(meta))

    def count_all(self, meta: Meta, items: tree.Expression) -> tree.Builtin:
        return tree.Builtin("count", (items,), self._span(meta))

    def count_where(
        self, meta: Meta, variable: tree.Name, domain: tree.Expression, condition: tree.Expression | None
    ) -> tree.Aggregate:
        return tree.Aggregate("count", variable, domain, None, condition, self._span(meta))

    def aggregate(
        self,
        meta: Meta,
        function: str,
        body: tree.Expression,
        variable: tree.Name,
        domain: tree.Expression,
        condition: tree.Expression | None,
    ) -> tree.Aggregate:
        return tree.Aggregate(function, variable, domain, body, condition, self._span(meta))

    def conditional(
        self, meta: Meta, condition: tree.Expression, then: tree.Expression, otherwise: tree.Expression
    ) -> tree.Conditional:
        return tree.Conditional(condition, then, otherwise, self._span(meta))

    def every(self, meta: Meta, variable: tree.Name, domain: tree.Expression, body: tree.Expression) -> tree.Quantified:
        return tree.Quantified(True, variable, domain, body, self._span(meta))

    def some(self, meta: Meta, variable: tree.Name, domain: tree.Expression, body: tree.Expression) -> tree.Quantified:
        return tree.Quantified(False, variable, domain, body, self._span(meta))
