"""Scenarios and their parts to items."""

from collections.abc import Sequence

from edca.dsl import tree
from edca.dsl.format_clauses import ClauseLayout
from edca.dsl.format_doc import NOTHING, Doc, Nest, concat, spaced
from edca.dsl.format_layout import Block, Item


class ScenarioLayout(ClauseLayout):
    """Takes the pieces of scenarios in order and makes items of them."""

    def scenario(self, node: tree.ScenarioDeclaration) -> Item:
        """A scenario and its parts, one a line."""
        first = self.pieces.index
        head = self.words(3)
        items: list[Item] = []
        for step in node.steps:
            items += (self._given(given) for given in step.givens)
            items += self._when(step.when), self._then(step.then)
        return self.made(first, "", (), Block(Nest(head), tuple(items), self.word("}")), tall=True)

    def _given(self, node: tree.Given) -> Item:
        first = self.pieces.index
        keyword = self.word()
        match node:
            case tree.GivenState():
                return self.made(first, "", (spaced(keyword, self.word()),))
            case tree.GivenValue(_, value):
                return self.made(first, "", (spaced(keyword, self.words(2), self.expression(value)),))
            case tree.GivenHistory(history, value):
                cells = keyword, self.expression(history), self.word("="), self.expression(value)
                return self.made(first, "", (spaced(*cells),))
            case tree.Wait(duration):
                return self.made(first, "", (spaced(keyword, self.duration(duration)),))
            case tree.GivenEntity(_, keys, fields):
                name = concat(self.word(), self.bracketed(keys, self.expression))
                head = spaced(keyword, name, self.word("{"))
                start = self.pieces.index
                items = (self.made(start, "", (self._assignments(fields),)),) if fields else ()
                closer = self.word("}")
                one_line = spaced(head, *(item.cells[0] for item in items), closer)
                return self.made(first, "", (one_line,), Block(Nest(head), items, closer))

    def _when(self, node: tree.When) -> Item:
        first = self.pieces.index
        match node:
            case tree.Proposal():
                head = self.words(4 if node.principal is None else 5)
                proposal = concat(head, self.bracketed(node.arguments, self._argument))
                confidence = NOTHING if node.confidence is None else self.words(2)
                return self.made(first, "", (spaced(proposal, confidence),))
            case tree.Asking():
                head = self.words(4 if node.principal is None else 5)
                return self.made(first, "", (concat(head, self.bracketed(node.arguments, self._argument)),))
            case tree.Answer():
                return self.made(first, "", (self.words(4 if node.principal is None else 5),))
            case tree.Happening():
                return self.made(first, "", (self.words(4 if node.word == "times" else 3),))

    def _then(self, node: tree.Then) -> Item:
        first = self.pieces.index
        parts: list[Doc] = [self.words(2)]
        if node.codes:
            if self.at("needs"):
                parts.append(self.word())
            parts.append(self.filled(node.codes, self.name))
        if node.target is not None:
            parts.append(self.words(1 if node.outcome == "in" else 2))
        if node.memory:
            parts += self.word("with"), self._assignments(node.memory)
        return self.made(first, "", (spaced(*parts),))

    def _assignments(self, values: Sequence[tuple[tree.Name, tree.Expression]]) -> Doc:
        return self.filled(values, lambda pair: spaced(self.words(2), self.expression(pair[1])))

    def _argument(self, argument: tuple[tree.Name, tree.Expression]) -> Doc:
        return concat(self.word(), spaced(self.word(":"), self.expression(argument[1])))
