"""Transitions with their clauses, and scenarios with their parts, to items."""

from collections.abc import Sequence
from dataclasses import replace

from edca.dsl import tree
from edca.dsl.format_doc import BREAK, NOTHING, SPACE, Doc, Nest, concat, spaced
from edca.dsl.format_expressions import ExpressionLayout
from edca.dsl.format_layout import Block, Item

_ABOUT = "about"  # the kind of the clauses that say what a transition is about, and who may propose it


class ClauseLayout(ExpressionLayout):
    """Takes the pieces of transitions and scenarios in order and makes items of them."""

    # --- making items ------------------------------------------------------------------------------------------------

    def made(
        self,
        first: int,
        kind: str,
        cells: tuple[Doc, ...],
        folded: Doc | Block | None = None,
        *,
        tall: bool = False,
        parted: bool = False,
    ) -> Item:
        """The item made of the pieces since `first`; where nothing else is said, it folds wherever its columns can."""
        folded = Nest(spaced(*cells)) if folded is None else folded
        return Item(first, self.pieces.index - 1, kind, cells, folded, tall, parted)

    def assigned(self, first: int, kind: str, head: Doc, value: tree.Expression, *, tall: bool = False) -> Item:
        """`head = value`; the value stands on lines of its own where it doesn't fit."""
        sign = self.word("=")
        body = self.expression(value)
        folded = Nest(concat(head, SPACE, sign, BREAK, body))
        return self.made(first, kind, (head, spaced(sign, body)), folded, tall=tall)

    # --- transitions -------------------------------------------------------------------------------------------------

    def transition(self, node: tree.TransitionDeclaration) -> Item:
        """A transition: what it is called and takes, from where to where, and its clauses."""
        first = self.pieces.index
        name = self.words(2)
        if self.at("("):
            name = concat(name, self.bracketed(node.parameters, self.parameter))
        way = spaced(
            self._subject(node),
            self.word("from"),
            self.filled(node.sources, self.name),
            self.words(2),
        )
        head = concat(Nest(concat(name, BREAK, way)), BREAK, self.word("{"))
        items: list[Item] = []
        for clause in node.clauses:
            item = self.clause(clause)
            rules_begin = bool(items) and items[-1].kind == _ABOUT and item.kind != _ABOUT
            items.append(replace(item, parted=True) if rules_begin else item)
        return self.made(first, "", (), Block(head, tuple(items), self.word("}")), tall=True)

    def _subject(self, node: tree.TransitionDeclaration) -> Doc:
        if node.about is not None:
            return spaced(self.words(3), self.filled(node.keys, self.name))
        return NOTHING if node.creates is None else self.words(2)

    def clause(self, node: tree.Clause) -> Item:
        """A clause of a transition."""
        first = self.pieces.index
        match node:
            case tree.Means() | tree.Answers():
                return self.made(first, _ABOUT, (self.word(), self.word()))
            case tree.By(roles):
                return self.made(first, _ABOUT, (self.word(), self.filled(roles, self.name)))
            case tree.Let(_, value):
                return self.assigned(first, "let", self.words(2), value)
            case tree.Assign(_, value):
                return self.assigned(first, "set", self.words(2), value)
            case tree.Require():
                return self._require(node)
            case tree.Forbid():
                return self.forbid(node)
            case tree.Confirm():
                return self._confirm(node)
            case tree.Perform():
                return self._perform(node)
            case tree.OnFailure(after=after):
                event = self.word("on"), self.word(), NOTHING if after is None else self.duration(after)
                return self.made(first, "on", (spaced(*event), self.words(2)))

    def _require(self, node: tree.Require) -> Item:
        first = self.pieces.index
        keyword = self.word("require")
        condition = self.expression(node.condition, room=len("require "))
        start = self.pieces.index
        otherwise = self.words(3 if node.escalate is None else 4)
        text = self.word()
        refusal = self.group(start, otherwise, Nest(concat(BREAK, text)))
        folded = Nest(concat(keyword, SPACE, condition, BREAK, refusal))
        return self.made(first, "require", (spaced(keyword, condition), spaced(otherwise, text)), folded)

    def forbid(self, node: tree.Forbid) -> Item:
        """`forbid`, within a transition or for all."""
        first = self.pieces.index
        code = self.words(2 if node.about is None else 4)
        text = self.word()
        condition = spaced(self.word("when"), self.expression(node.condition, room=len("when ")))
        folded = Nest(concat(code, BREAK, text, BREAK, condition))
        return self.made(first, "forbid", (code, text, condition), folded)

    def _confirm(self, node: tree.Confirm) -> Item:
        first = self.pieces.index
        head = self.words(4)
        if node.within is not None:
            head = spaced(head, self.word("within"), self.duration(node.within))
        below: list[Doc] = []
        if node.when is not None:
            below.append(spaced(self.word("when"), self.expression(node.when, room=len("when "))))
        if node.text is not None:
            below.append(self.word())
        folded = Nest(concat(head, *(concat(BREAK, part) for part in below)))
        return self.made(first, "", (spaced(head, *below),), folded)

    def _perform(self, node: tree.Perform) -> Item:
        first = self.pieces.index
        head = spaced(self.word("do"), self._invocation(node.invocation))
        items: list[Item] = []
        if node.ensure is not None:
            start = self.pieces.index
            cells = self.word("ensure"), self.expression(node.ensure, room=len("ensure "))
            items.append(self.made(start, "do", cells))
        if node.undo is not None:
            start = self.pieces.index
            undo = self.word("undo"), self._invocation(node.undo)
            items.append(self.made(start, "do", undo))
        elif node.irreversible:
            start = self.pieces.index
            items.append(self.made(start, "", (self.word("irreversible"),)))
        if not items:
            return self.made(first, "", (head,))
        return self.made(first, "", (), Block(Nest(head), tuple(items), None))

    def _invocation(self, node: tree.Invocation) -> Doc:
        return concat(self.word(), self.bracketed(node.arguments, self.expression))

    # --- scenarios ---------------------------------------------------------------------------------------------------

    def scenario(self, node: tree.ScenarioDeclaration) -> Item:
        """A scenario and its parts, one a line."""
        first = self.pieces.index
        head = self.words(3)
        items = [self._given(given) for given in node.givens]
        items += self._when(node.when), self._then(node.then)
        return self.made(first, "", (), Block(Nest(head), tuple(items), self.word("}")), tall=True)

    def _given(self, node: tree.Given) -> Item:
        first = self.pieces.index
        keyword = self.word("given")
        match node:
            case tree.GivenState():
                return self.made(first, "", (spaced(keyword, self.word()),))
            case tree.GivenValue(_, value):
                return self.made(first, "", (spaced(keyword, self.words(2), self.expression(value)),))
            case tree.GivenEntity(_, keys, fields):
                name = concat(self.word(), self.bracketed(keys, self.expression))
                head = spaced(keyword, name, self.word("{"))
                start = self.pieces.index
                items = (self.made(start, "", (self._assignments(fields),)),) if fields else ()
                closer = self.word("}")
                cells = (spaced(head, *(item.cells[0] for item in items), closer),)
                return self.made(first, "", cells, Block(Nest(head), items, closer))

    def _when(self, node: tree.When) -> Item:
        first = self.pieces.index
        proposal = concat(self.words(4), self.bracketed(node.arguments, self._argument))
        confidence = NOTHING if node.confidence is None else self.words(2)
        return self.made(first, "", (spaced(proposal, confidence),))

    def _then(self, node: tree.Then) -> Item:
        first = self.pieces.index
        parts: list[Doc] = [self.words(2)]
        if node.codes:
            if self.at("needs"):
                parts.append(self.word())
            parts.append(self.filled(node.codes, self.name))
        if node.target is not None:
            parts.append(self.words(2))
        if node.memory:
            parts += self.word("with"), self._assignments(node.memory)
        return self.made(first, "", (spaced(*parts),))

    def _assignments(self, values: Sequence[tuple[tree.Name, tree.Expression]]) -> Doc:
        return self.filled(values, lambda pair: spaced(self.words(2), self.expression(pair[1])))

    def _argument(self, argument: tuple[tree.Name, tree.Expression]) -> Doc:
        return concat(self.word(), spaced(self.word(":"), self.expression(argument[1])))
