"""Types and expressions to documents.

The syntax tree says what belongs together; the text of every piece is the author's own, parentheses included.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from edca.dsl import tree
from edca.dsl.format_doc import BREAK, NOTHING, SPACE, Align, Concat, Doc, Group, Nest, Word, concat, spaced
from edca.dsl.format_pieces import Pieces

_Node = TypeVar("_Node")

_CHAINED = (("or",), ("and",), ("+", "-"), ("*",))


class ExpressionLayout:
    """Takes the pieces of types and expressions in order and makes documents of them."""

    def __init__(self, pieces: Pieces) -> None:
        self.pieces = pieces

    # --- what all constructs share -----------------------------------------------------------------------------------

    def word(self, expected: str = "") -> Word:
        """The next piece, whose text must be as expected, if anything is."""
        piece = self.pieces.take()
        if expected and piece.text != expected:
            raise AssertionError(f"the syntax tree has `{expected}` where the text has `{piece.text}`")
        return Word(piece)

    def words(self, count: int) -> Doc:
        """The next `count` pieces with spaces between."""
        return spaced(*(self.word() for _ in range(count)))

    def at(self, text: str) -> bool:
        """Whether the next piece is this one."""
        return self.pieces.here.text == text

    def group(self, first: int, *parts: Doc) -> Doc:
        """What was made of the pieces since `first`, on one line if it fits and no comment stands in between."""
        return Group(Concat(parts), self.pieces.is_broken(first, self.pieces.index - 1))

    def filled(self, nodes: Sequence[_Node], layout: Callable[[_Node], Doc], separator: str = ",") -> Doc:
        """Nodes with separators between, as many on each line as fit."""
        parts: list[Doc] = []
        for i, node in enumerate(nodes):
            if i == 0:
                parts.append(layout(node))
                continue
            if separator != ",":
                parts.append(SPACE)
            parts.append(self.word(separator))
            first = self.pieces.index
            parts.append(self.group(first, BREAK, layout(node)))
        return Align(Concat(tuple(parts)), 0)

    def bracketed(self, nodes: Sequence[_Node], layout: Callable[[_Node], Doc]) -> Doc:
        """`(a, b)` or `[a, b]`."""
        return concat(self.word(), self.filled(nodes, layout), self.word())

    def name(self, _name: tree.Name) -> Doc:
        """A name."""
        return self.word()

    def duration(self, _duration: tree.DurationLiteral) -> Doc:
        """`30 days`."""
        return self.words(2)

    def parameter(self, parameter: tree.Parameter) -> Doc:
        """`amount: money secret`."""
        return concat(self.word(), self.word(":"), SPACE, self.labelled(parameter.type, parameter.modifiers))

    def labelled(self, node: tree.Type, modifiers: Sequence[tree.Name]) -> Doc:
        """A type and the modifiers behind it."""
        return spaced(self.type(node), *(self.word() for _ in modifiers))

    def enum_value(self, value: tree.EnumValue) -> Doc:
        """`on_time "on time"`."""
        return self.words(1 if value.wire is None else 2)

    # --- types -------------------------------------------------------------------------------------------------------

    def type(self, node: tree.Type) -> Doc:
        """A type."""
        match node:
            case tree.SimpleType() | tree.NamedType():
                return self.word()
            case tree.IntegerType(unit=unit) | tree.DecimalType(unit=unit):
                bounded = concat(self.word(), self._bounds())
                return bounded if unit is None else spaced(bounded, self.words(2))
            case tree.TextType():
                return concat(self.word(), self._bounds())
            case tree.OneOfType(values):
                return spaced(self.words(2), self.filled(values, self.enum_value, "|"))
            case tree.PrincipalType():
                return self.words(2)
            case tree.ListType(of=of):
                return spaced(concat(self.word("list"), self._bounds()), self.word("of"), self.type(of))
            case tree.OptionalType(of):
                return spaced(self.type(of), self.word("optional"))

    def _bounds(self) -> Doc:
        """`(2, 0.00 to 1.00)`, `(-5 to 5)`, `(400)` or nothing: how much is given is the author's choice."""
        if not self.at("("):
            return NOTHING
        parts: list[Doc] = [self.word("(")]
        while not self.at(")"):
            if self.at("to"):
                parts += [SPACE, self.word(), SPACE]
            elif self.at(","):
                parts += [self.word(), SPACE]
            else:
                parts.append(self.word())
        return concat(*parts, self.word(")"))

    # --- expressions -------------------------------------------------------------------------------------------------

    def expression(self, node: tree.Expression, room: int = 0) -> Doc:
        """An expression. `room` is how many columns left of it are free for `and` and `or` at the start of a line."""
        if not self._is_parenthesised(node):
            return self._bare(node, room)
        return concat(self.word("("), Align(self.expression(node), 0), self.word(")"))

    def _is_parenthesised(self, node: tree.Expression) -> bool:
        return self.pieces.here.start < node.span.start

    def _bare(self, node: tree.Expression, room: int) -> Doc:
        match node:
            case tree.Number() | tree.String() | tree.Truth() | tree.DateLiteral() | tree.TimeLiteral():
                return self.word()
            case tree.Variable():
                return self.word()
            case tree.DurationLiteral():
                return self.duration(node)
            case tree.Field(base):
                return concat(self.expression(base), self.word("."), self.word())
            case tree.Call(_, arguments) | tree.Builtin(_, arguments):
                return concat(self.word(), self.bracketed(arguments, self.expression))
            case tree.Lookup(_, keys):
                return concat(self.words(2), self.bracketed(keys, self.expression))
            case tree.History():
                return self.words(3)
            case tree.ListLiteral(items):
                return self.bracketed(items, self.expression)
            case tree.Unary("-", operand):
                return concat(self.word("-"), self.expression(operand))
            case tree.Unary(_, operand):
                return spaced(self.word("not"), self.expression(operand))
            case tree.Binary():
                return self._binary(node, room)
            case tree.Presence(operand):
                return spaced(self.expression(operand), self.words(2))
            case tree.Conditional():
                return self._conditional(node)
            case tree.Quantified():
                return self._quantified(node)
            case tree.Aggregate():
                return self._aggregate(node)

    def _binary(self, node: tree.Binary, room: int) -> Doc:
        operators = next((chained for chained in _CHAINED if node.operator in chained), None)
        if operators is None:
            return self._comparison(node)
        first = self.pieces.index
        operands = self._operands(node, operators)
        # `require a` above `and b`: the operands stand in one column where what comes before leaves room for that.
        width = len(node.operator) + 1
        return Align(self.group(first, *operands), -width if width <= room else 0)

    def _operands(self, node: tree.Binary, operators: Sequence[str]) -> list[Doc]:
        """The operands of `a + b - c`, an operator before each but the first."""
        left = node.left
        if isinstance(left, tree.Binary) and left.operator in operators and not self._is_parenthesised(left):
            operands = self._operands(left, operators)
        else:
            operands = [self.expression(left)]
        return [*operands, BREAK, self.word(node.operator), SPACE, self.expression(node.right)]

    def _comparison(self, node: tree.Binary) -> Doc:
        first = self.pieces.index
        closed = self._is_parenthesised(node.left) or _has_brackets(node.left)
        left = self.expression(node.left)
        operator = self.words(2 if node.operator == "not in" else 1)
        closed = closed or self._is_parenthesised(node.right) or _has_brackets(node.right)
        right = self.expression(node.right)
        if closed:
            # A line breaks better within the brackets.
            return spaced(left, operator, right)
        return Align(self.group(first, left, Nest(concat(BREAK, operator, SPACE, right))), 0)

    def _conditional(self, node: tree.Conditional) -> Doc:
        first = self.pieces.index
        return Align(self.group(first, *self._branches(node)), 0)

    def _branches(self, node: tree.Conditional) -> list[Doc]:
        """The branches of `if a then b else if c then d else e`, all in one column."""
        condition = spaced(self.word("if"), self.expression(node.condition))
        then = spaced(self.word("then"), self.expression(node.then))
        keyword = self.word("else")
        otherwise = node.otherwise
        if isinstance(otherwise, tree.Conditional) and not self._is_parenthesised(otherwise):
            others = self._branches(otherwise)
        else:
            others = [self.expression(otherwise)]
        return [condition, BREAK, then, BREAK, keyword, SPACE, *others]

    def _quantified(self, node: tree.Quantified) -> Doc:
        first = self.pieces.index
        head = spaced(self.words(3), self.expression(node.domain), self.word("satisfies"))
        body = self.expression(node.body)
        return Align(self.group(first, head, Nest(concat(BREAK, body))), 0)

    def _aggregate(self, node: tree.Aggregate) -> Doc:
        opening = concat(self.word(), self.word("("))
        parts: list[Doc] = []
        if node.body is None:
            parts.append(spaced(self.words(2), self.expression(node.domain)))
        else:
            parts.append(self.expression(node.body))
            first = self.pieces.index
            parts.append(self.group(first, BREAK, self.words(3), SPACE, self.expression(node.domain)))
        if node.condition is not None:
            first = self.pieces.index
            parts.append(self.group(first, BREAK, self.word("where"), SPACE, self.expression(node.condition)))
        return concat(opening, Align(Concat(tuple(parts)), 0), self.word(")"))


def _has_brackets(node: tree.Expression) -> bool:
    match node:
        case tree.Call() | tree.Builtin() | tree.Lookup() | tree.ListLiteral() | tree.Aggregate():
            return True
        case tree.Field(base):
            return _has_brackets(base)
        case _:
            return False
