"""The header and the declarations of a spec to items.

Those with clauses or parts are in `format_clauses` and `format_scenarios`.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from edca.dsl import tree
from edca.dsl.format_doc import BREAK, NOTHING, SPACE, Doc, Nest, concat, spaced
from edca.dsl.format_layout import Block, Item
from edca.dsl.format_scenarios import ScenarioLayout

_Node = TypeVar("_Node")


class DeclarationLayout(ScenarioLayout):
    """Takes the pieces of a whole spec in order and makes items of them."""

    def spec(self, spec: tree.Spec) -> tuple[Item, ...]:
        """All items of a file, one for each line of the header and each declaration."""
        version = self.made(0, "", (self.words(2),))
        machine = self._machine(spec.header)
        imports = [self._import(parted=i == 0) for i in range(len(spec.imports))]
        return version, machine, *imports, *(self.declaration(declaration) for declaration in spec.declarations)

    def _machine(self, header: tree.Header) -> Item:
        first = self.pieces.index
        line = self.words(2 if header.version is None else 4)
        text = NOTHING if header.text is None else concat(BREAK, self.word())
        tier = NOTHING if header.tier is None else concat(BREAK, self.words(2))
        cells = (line,) if header.text is None and header.tier is None else ()
        # `edca 1` stands apart, whatever follows it.
        return self.made(first, "", cells, Nest(concat(line, text, tier)), tall=True, parted=True)

    def _import(self, *, parted: bool) -> Item:
        first = self.pieces.index
        return self.made(first, "", (self.words(2),), parted=parted)

    def declaration(self, node: tree.Declaration) -> Item:
        """A declaration."""
        first = self.pieces.index
        match node:
            case tree.RoleDeclaration():
                return self.made(first, "role", (self.words(2), self.word()))
            case tree.EnumDeclaration(_, values):
                return self._enum(values)
            case tree.TypeDeclaration(_, type_):
                return self.made(first, "type", (self.words(2), spaced(self.word("="), self.type(type_))))
            case tree.RecordDeclaration(_, members):
                return self._record(members)
            case tree.EntityDeclaration():
                return self._entity(node)
            case tree.ClaimDeclaration():
                return self._claim(node)
            case tree.EffectDeclaration(_, parameters):
                effect = concat(self.words(2), self.bracketed(parameters, self.parameter))
                return self.made(first, "", (effect,))
            case tree.CaseDeclaration():
                return self.made(first, "", (self._case(node),))
            case tree.MemoryDeclaration(members):
                return self._memory(members)
            case tree.StateDeclaration():
                return self._state(node)
            case tree.CompositeState():
                return self._composite(node)
            case tree.DefineDeclaration(_, parameters, body):
                head = concat(self.words(2), self.bracketed(parameters, self.parameter) if parameters else NOTHING)
                return self.assigned(first, "define", head, body, tall=True)
            case tree.TableDeclaration():
                return self._table(node)
            case tree.TransitionDeclaration():
                return self.transition(node)
            case tree.QueryDeclaration():
                return self.query(node)
            case tree.Forbid():
                return self.forbid(node)
            case tree.ModeDeclaration():
                return self._mode(node)
            case tree.NeverWhen():
                return self._never_when(node)
            case tree.NeverReaching():
                return self._never_reaching(node)
            case tree.AlwaysLeads():
                return self._always(node)
            case tree.Release():
                return self._release(node)
            case tree.ScenarioDeclaration():
                return self.scenario(node)

    # --- declarations with members -----------------------------------------------------------------------------------

    def _enum(self, values: Sequence[tree.EnumValue]) -> Item:
        first = self.pieces.index
        head, opener = self.words(2), self.word("{")
        items: list[Item] = []
        for value in values:
            start = self.pieces.index
            shown = self.enum_value(value)
            items.append(self.made(start, "", (spaced(shown, self.word()) if self.at("|") else shown,)))
        closer = self.word("}")
        one_line = spaced(opener, *(item.cells[0] for item in items), closer)
        block = Block(Nest(spaced(head, opener)), tuple(items), closer)
        return self.made(first, "enum", (head, one_line), block, tall=True)

    def _record(self, members: Sequence[tree.Member]) -> Item:
        first = self.pieces.index
        head, opener = self.words(2), self.word("{")
        items, inline = self._listed(members, self._member)
        closer = self.word("}")
        block = Block(Nest(spaced(head, opener)), items, closer)
        return self.made(first, "record", (head, spaced(opener, inline, closer)), block, tall=True)

    def _entity(self, node: tree.EntityDeclaration) -> Item:
        first = self.pieces.index
        head = spaced(self.words(3), self.bracketed(node.key, self.parameter), self.word("{"))
        items, _ = self._listed(node.members, self._member)
        return self.made(first, "", (), Block(Nest(head), items, self.word("}")), tall=True)

    def _memory(self, members: Sequence[tree.MemoryMember]) -> Item:
        first = self.pieces.index
        head = self.words(2)
        items, inline = self._listed(members, self._memory_member)
        closer = self.word("}")
        return self.made(first, "", (spaced(head, inline, closer),), Block(Nest(head), items, closer), tall=True)

    def _listed(
        self, nodes: Sequence[_Node], cells: Callable[[_Node], tuple[Doc, ...]]
    ) -> tuple[tuple[Item, ...], Doc]:
        """Members one a line, and all of them on one line; there a `:` stands close to the name."""
        items, inline = [], []
        for node in nodes:
            first = self.pieces.index
            name, *others = cells(node)
            if self.at(","):
                others[-1] = concat(others[-1], self.word())
            items.append(self.made(first, "member", (name, *others)))
            inline.append(concat(name, spaced(*others)))
        return tuple(items), spaced(*inline)

    def _member(self, member: tree.Member) -> tuple[Doc, ...]:
        name = self.word()
        return name, spaced(self.word(":"), self.labelled(member.type, member.modifiers))

    def _memory_member(self, member: tree.MemoryMember) -> tuple[Doc, ...]:
        name = self.word()
        type_ = spaced(self.word(":"), self.labelled(member.type, member.modifiers))
        return name, type_, spaced(self.word("="), self.expression(member.initial))

    # --- declarations of one line ------------------------------------------------------------------------------------

    def _claim(self, node: tree.ClaimDeclaration) -> Item:
        first = self.pieces.index
        name = self.words(2)
        type_ = spaced(self.word(":"), self.labelled(node.type, node.modifiers))
        by, text = self.words(2), self.word()
        folded = Nest(concat(spaced(name, type_, by), BREAK, text))
        return self.made(first, "claim", (name, type_, by, text), folded)

    def _case(self, node: tree.CaseDeclaration) -> Doc:
        head = spaced(self.words(4), self.filled(node.keys, self.name))
        return head if node.fresh is None else spaced(head, self.word("fresh"), self.duration(node.fresh))

    def _state(self, node: tree.StateDeclaration) -> Item:
        first = self.pieces.index
        name = self.words(2)
        flag_count = node.initial + node.final + (0 if node.initial_about is None else 2)
        flags = self.words(flag_count) if flag_count else NOTHING
        text = self.words(1 if node.outcome is None else 2)
        folded = Nest(concat(spaced(name, flags), BREAK, text))
        return self.made(first, "state", (name, flags, text), folded)

    def _composite(self, node: tree.CompositeState) -> Item:
        first = self.pieces.index
        head = self._headed()
        items = tuple(self.declaration(member) for member in node.members)
        return self.made(first, "", (), Block(head, items, self.word("}")), tall=True)

    def _headed(self) -> Doc:
        """`mode degraded "Payments are slow." {`."""
        first = self.pieces.index
        name, text = self.words(2), self.word()
        return concat(self.group(first, name, Nest(concat(BREAK, text))), SPACE, self.word("{"))

    def _table(self, node: tree.TableDeclaration) -> Item:
        first = self.pieces.index
        head = concat(self.words(2), self.bracketed(node.parameters, self.parameter))
        head = spaced(head, self.word("gives"), self.type(node.gives), self.word("{"))
        items = tuple(self._row(row) for row in node.rows)
        return self.made(first, "", (), Block(Nest(head), items, self.word("}")), tall=True)

    def _row(self, row: tree.TableRow) -> Item:
        first = self.pieces.index
        bar = self.word("|")
        cells: list[Doc] = []
        for i, cell in enumerate(row.cells):
            doc = concat(bar, SPACE, self._cell(cell)) if i == 0 else self._cell(cell)
            cells.append(concat(doc, self.word(",")) if i < len(row.cells) - 1 else doc)
        result = spaced(self.word("=>"), self.expression(row.result))
        return self.made(first, "row", (*cells, result), Nest(concat(spaced(*cells), BREAK, result)))

    def _cell(self, cell: tree.TableCell | None) -> Doc:
        match cell:
            case None:
                return self.word("any")
            case tree.RangeCell(low, high):
                return spaced(self.expression(low), self.word("to"), self.expression(high))
            case _:
                return self.expression(cell)

    # --- modes, properties and releases ------------------------------------------------------------------------------

    def _mode(self, node: tree.ModeDeclaration) -> Item:
        first = self.pieces.index
        head = self._headed()
        items = tuple(self._mode_part(part) for part in node.parts)
        return self.made(first, "", (), Block(head, items, self.word("}")), tall=True)

    def _mode_part(self, node: tree.ModePart) -> Item:
        first = self.pieces.index
        match node:
            case tree.Allow(transitions):
                return self.made(first, "", (spaced(self.word("allow"), self.filled(transitions, self.name)),))
            case tree.ModeTrigger(window=window):
                return self.made(first, "", (spaced(self.words(5), self.window(window)),))
            case tree.ModeBy(roles=roles):
                return self.made(first, "", (spaced(self.words(2), self.filled(roles, self.name)),))

    def _never_when(self, node: tree.NeverWhen) -> Item:
        first = self.pieces.index
        code = self.words(2 if node.about is None else 4)
        text = self.word()
        parts = [spaced(self.word("while"), self.filled(node.states, self.name))] if node.states else []
        parts.append(spaced(self.word("when"), self.expression(node.condition, room=len("when "))))
        return self._property(first, "never", code, text, parts)

    def _never_reaching(self, node: tree.NeverReaching) -> Item:
        first = self.pieces.index
        code, text = self.words(2), self.word()
        reaching = spaced(self.word("reaching"), self.filled(node.targets, self.name))
        without = spaced(self.word("without"), self.filled(node.without, self.name))
        return self._property(first, "never", code, text, (spaced(reaching, without),))

    def _always(self, node: tree.AlwaysLeads) -> Item:
        first = self.pieces.index
        code, text = self.words(2), self.word()
        sources = self.filled(node.sources, self.name)
        parts = [spaced(sources, self.words(2), self.filled(node.targets, self.name))]
        if node.assuming is not None:
            parts.append(self.words(2))
        return self._property(first, "always", code, text, parts)

    def _property(self, first: int, kind: str, code: Doc, text: Doc, parts: Sequence[Doc]) -> Item:
        """A property: its code, its text, and what it says, whose parts can stand on lines of their own."""
        folded = Nest(concat(code, *(concat(BREAK, part) for part in (text, *parts))))
        return self.made(first, kind, (code, text, spaced(*parts)), folded)

    def _release(self, node: tree.Release) -> Item:
        first = self.pieces.index
        what = self.words(2)
        if node.field is not None:
            what = concat(what, self.word("."), self.word())
        to = spaced(self.word("to"), self.filled(node.to, self.name))
        text = self.word()
        return self.made(first, "release", (what, to, text), Nest(concat(what, SPACE, to, BREAK, text)))
