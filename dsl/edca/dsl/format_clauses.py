"""Transitions and queries with their clauses to items."""

from dataclasses import replace

from edca.dsl import tree
from edca.dsl.format_doc import BREAK, NOTHING, SPACE, Doc, Nest, concat, spaced
from edca.dsl.format_expressions import ExpressionLayout
from edca.dsl.format_layout import Block, Item

_ABOUT = "about"  # the kind of the clauses that say what a transition is about, and who may propose it when


class ClauseLayout(ExpressionLayout):
    """Takes the pieces of transitions in order and makes items of them."""

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
        if node.branch is not None:
            name = concat(name, self.word("."), self.word())
        if self.at("("):
            name = concat(name, self.bracketed(node.parameters, self.parameter))
        start = self.pieces.index
        way: Doc = spaced(
            self._subject(node),
            self.word("from"),
            self.filled(node.sources, self.name),
            self.words(2),
        )
        if node.guard is not None:
            guard = spaced(self.word("when"), self.expression(node.guard, room=len("when ")))
            way = self.group(start, way, Nest(concat(BREAK, guard)))
        head = concat(Nest(concat(name, BREAK, way)), BREAK, self.word("{"))
        return self._with_clauses(first, head, node.clauses)

    def _with_clauses(self, first: int, head: Doc, clauses: tuple[tree.Clause, ...]) -> Item:
        """A declaration's head and its clauses; the rules stand apart from what says what it is about."""
        items: list[Item] = []
        for clause in clauses:
            item = self.clause(clause)
            rules_begin = bool(items) and items[-1].kind == _ABOUT and item.kind != _ABOUT
            items.append(replace(item, parted=True) if rules_begin else item)
        return self.made(first, "", (), Block(head, tuple(items), self.word("}")), tall=True)

    def query(self, node: tree.QueryDeclaration) -> Item:
        """A query: what it is called and takes, what it is about, and its clauses."""
        first = self.pieces.index
        head = concat(self.words(2), self.bracketed(node.parameters, self.parameter))
        if node.about is not None:
            subject = spaced(self.words(3), self.filled(node.keys, self.name))
            head = Nest(concat(head, BREAK, subject))
        return self._with_clauses(first, concat(head, BREAK, self.word("{")), node.clauses)

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
            case tree.Priority():
                return self.made(first, _ABOUT, (self.word(), self.word()))
            case tree.After(duration):
                return self.made(first, _ABOUT, (self.word(), self.duration(duration)))
            case tree.Unblockable():
                return self.made(first, _ABOUT, (self.word(),))
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
            case tree.Sign():
                return self._sign(node)
            case tree.Limit():
                return self._limit(node)
            case tree.Perform():
                return self._perform(node)
            case tree.OnFailure():
                return self._on(node)
            case tree.Returns():
                return self._returns(node)

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
        return self._demanded(first, head, node.when, node.text)

    def _sign(self, node: tree.Sign) -> Item:
        first = self.pieces.index
        head = self.words(6)
        if node.distinct_from:
            head = spaced(head, self.words(2), self.filled(node.distinct_from, self.expression))
        if node.within is not None:
            head = spaced(head, self.word("within"), self.duration(node.within))
        return self._demanded(first, head, node.when, node.text)

    def _limit(self, node: tree.Limit) -> Item:
        first = self.pieces.index
        head = self.words(3)
        if node.measure is not None:
            head = concat(head, self.bracketed((node.measure,), self.expression))
        head = spaced(head, self.word("to"), self.expression(node.bound), self.window(node.window))
        if node.keys:
            head = spaced(head, self.word("per"), self.filled(node.keys, self.expression))
        return self._demanded(first, head, node.when, node.text)

    def window(self, window: tree.Window) -> Doc:
        """`per rolling 1 hour` or `per utc day`."""
        return self.words(4 if window.kind == "rolling" else 3)

    def _demanded(self, first: int, head: Doc, when: tree.Expression | None, text: tree.Text | None) -> Item:
        """A clause that says at its end when it is demanded, and its text."""
        below: list[Doc] = []
        if when is not None:
            below.append(spaced(self.word("when"), self.expression(when, room=len("when "))))
        if text is not None:
            below.append(self.word())
        folded = Nest(concat(head, *(concat(BREAK, part) for part in below)))
        return self.made(first, "", (spaced(head, *below),), folded)

    def _on(self, node: tree.OnFailure) -> Item:
        first = self.pieces.index
        event = spaced(self.word("on"), self.word(), NOTHING if node.after is None else self.duration(node.after))
        way = self.words(2)
        if node.text is None:
            return self.made(first, "on", (event, way))
        text = self.word()
        return self.made(first, "on", (event, way, text), Nest(concat(event, SPACE, way, BREAK, text)))

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

    def _returns(self, node: tree.Returns) -> Item:
        first = self.pieces.index
        name = self.words(2)
        if node.rows is None:
            return self.assigned(first, "returns", name, node.value)
        each = spaced(name, self.words(4), self.expression(node.value))
        if node.rows.where is not None:
            where = spaced(self.word("where"), self.expression(node.rows.where, room=len("where ")))
            each = self.group(first, each, BREAK, where)
        head = spaced(each, self.word("{"))
        items: list[Item] = []
        for _, value in node.rows.fields:
            start = self.pieces.index
            cells = self.word(), spaced(self.word("="), self.expression(value))
            cells = (cells[0], concat(cells[1], self.word(","))) if self.at(",") else cells
            items.append(self.made(start, "field", cells))
        closer = self.word("}")
        one_line = spaced(head, *(spaced(*item.cells) for item in items), closer)
        return self.made(first, "", (one_line,), Block(Nest(head), tuple(items), closer))

    def _invocation(self, node: tree.Invocation) -> Doc:
        return concat(self.word(), self.bracketed(node.arguments, self.expression))
