"""Parse trees to syntax trees: one method a rule, nothing decided."""

from __future__ import annotations

from dataclasses import dataclass

from lark import Token, Tree

from edca.diagnostics import Source, Span
from edca.dsl.tree import Name, Text
from edca.routing import tree

Node = Tree[Token]


@dataclass(frozen=True, slots=True)
class Builder:
    """Builds the nodes of one source. The given trees are those of the grammar's rules of the same names."""

    source: Source

    def header(self, node: Node) -> tree.Header:
        """Return the file's header."""
        return tree.Header(
            self._name(_tree(node, 0)),
            self._text(_token(node, 1)),
            self._name(_tree(node, 2)),
            self._span(node),
        )

    def source_declaration(self, node: Node) -> tree.Source | tree.HTTPSource | tree.PythonSource:
        """Return a declared source."""
        name, span = self._name(_tree(node, 0)), self._span(node)
        match node.data:
            case "python_source":
                return tree.PythonSource(name, span)
            case "http_source":
                options = tuple(self._option(part) for part in _trees(node)[1:])
                return tree.HTTPSource(name, self._text(_token(node, 1)), options, span)
            case _:
                applied = None
                if len(node.children) == 3:
                    applied = tree.Applied(*(self._name(part) for part in _trees(_tree(node, 2))))
                return tree.Source(name, self._text(_token(node, 1)), applied, span)

    def _option(self, node: Node) -> tree.Option:
        texts = tuple(self._text(token) for token in _tokens(node, "STRING"))
        return tree.Option(str(node.data), texts, _numbers(node), self._span(node))

    def codes(self, node: Node) -> tree.Codes:
        """Return a named map of codes."""
        name, enum, entries = _trees(node)
        return tree.Codes(self._name(name), self._name(enum), self._code_map(entries), self._span(node))

    def entity(
        self,
        head: Node,
        members: tuple[tree.Member, ...],
        states: tuple[tree.CaseState, ...],
        *,
        broken: bool,
    ) -> tree.Entity | tree.DocumentEntity:
        """Return an entity of its head and members."""
        if head.data == "document_head":
            return self._document_entity(head, members, states, broken=broken)
        name, source, table, key, *rest = _trees(head)
        return tree.Entity(
            name=self._name(name),
            source=self._name(source),
            table=self._name(table),
            key=self._cells(key),
            key_span=self._span(key),
            joins=tuple(self._join(part) for part in rest if part.data == "join"),
            allot=next((self._allot(part) for part in rest if part.data == "allot"), None),
            members=members,
            states=states,
            broken=broken,
            span=self._span(head),
        )

    def _document_entity(
        self, head: Node, members: tuple[tree.Member, ...], states: tuple[tree.CaseState, ...], *, broken: bool
    ) -> tree.DocumentEntity:
        name, source, fetch, key, *rest = _trees(head)
        parts = {str(part.data): part for part in rest}
        batch = parts.get("batch")
        allotted = parts.get("allotted")
        ignoring = self._names(parts["ignoring_names"]) if "ignoring_names" in parts else ()
        return tree.DocumentEntity(
            name=self._name(name),
            source=self._name(source),
            fetch=self._fetch(fetch),
            key=self._cells(key),
            key_span=self._span(key),
            batch=None if batch is None else self._batch(batch),
            ignoring=None if "ignoring_others" in parts else ignoring,
            allot=None if allotted is None else self._fetch(_tree(allotted, 0)),
            members=members,
            states=states,
            broken=broken,
            span=self._span(head),
        )

    def _fetch(self, node: Node) -> tree.Fetch:
        text = self._text(_token(node, 0))
        return tree.Called(text) if node.data == "called" else tree.Got(text, self._inside(node))

    def _batch(self, node: Node) -> tree.Batch:
        prefix, each, between = (self._text(token) for token in _tokens(node, "STRING"))
        (up_to,) = _numbers(node)
        return tree.Batch(prefix, each, between, up_to, self._inside(node), self._span(node))

    def _inside(self, node: Node) -> tuple[Name, ...]:
        """Return the members behind `in`, none where there is no `in`."""
        found = [part for part in _trees(node) if part.data == "inside"]
        return self._names(_tree(found[0], 0)) if found else ()

    def members(self, node: Node) -> list[tree.Member | tree.CaseState]:
        """Return the members of a piece of an entity's body."""
        members: list[tree.Member | tree.CaseState] = []
        for part in _trees(node):
            name = self._name(_tree(part, 0))
            if part.data == "state_member":
                members.append(tree.CaseState(name, self._cell(_tree(part, 1)), self._span(part)))
            else:
                members.append(tree.Member(name, self._place(_tree(part, 1)), self._span(part)))
        return members

    def effect(self, node: Node) -> tree.Effect:
        """Return an effect."""
        parts = _trees(node)
        names = next((self._names(part) for part in parts if part.data == "names"), ())
        return tree.Effect(
            self._name(parts[0]),
            names,
            self._name(parts[-2]),
            self._statements(parts[-1]),
            self._span(node),
        )

    # --- names and literals ---

    def _span(self, node: Node | Token) -> Span:
        if isinstance(node, Token):
            return Span(self.source, node.start_pos or 0, node.end_pos or 0)
        return Span(self.source, node.meta.start_pos, node.meta.end_pos)

    def _name(self, node: Node) -> Name:
        return Name(str(_token(node, 0)), self._span(node))

    def _names(self, node: Node) -> tuple[Name, ...]:
        return tuple(self._name(part) for part in _trees(node))

    def _text(self, token: Token) -> Text:
        return Text(str(token), self._span(token))

    def _literal(self, node: Node) -> tree.Literal:
        value: bool | int | str | None
        match node.data:
            case "text_literal":
                value = str(node.children[0])
            case "int_literal":
                value = int(str(node.children[0]))
            case "negative_literal":
                value = -int(str(node.children[-1]))
            case "true_literal":
                value = True
            case "false_literal":
                value = False
            case _:
                value = None
        return tree.Literal(value, self._span(node))

    def _code_map(self, node: Node) -> tree.CodeMap:
        entries = tuple(
            tree.CodeEntry(self._name(_tree(part, 0)), self._literal(_tree(part, 1))) for part in _trees(node)
        )
        return tree.CodeMap(entries, self._span(node))

    # --- reads ---

    def _join(self, node: Node) -> tree.Join:
        table, *pairs = _trees(node)
        on = tuple((self._name(_tree(pair, 0)), self._name(_tree(pair, 1))) for pair in pairs)
        return tree.Join(self._name(table), on, self._span(node))

    def _allot(self, node: Node) -> tree.Allot:
        table, column, by = _trees(node)
        return tree.Allot(self._name(table), self._name(column), self._names(by), self._span(node))

    def _encoding(self, node: Node) -> tree.Encoding:
        part = _tree(node, 0)
        match node.data:
            case "as_encoding":
                return tree.AsEncoding(self._name(part), self._span(node))
            case "named_codes":
                return tree.CodesEncoding(self._name(part), self._span(node))
            case _:
                return tree.CodesEncoding(self._code_map(part), self._span(node))

    def _column(self, node: Node) -> tree.Column:
        *leading, name = self._names(node)
        return tree.Column(tuple(leading), name, self._span(node))

    def _cell(self, node: Node) -> tree.Cell:
        column, *encoding = _trees(node)
        return tree.Cell(self._column(column), self._encoding(encoding[0]) if encoding else None, self._span(node))

    def _cells(self, node: Node) -> tuple[tree.Cell, ...]:
        return tuple(self._cell(part) for part in _trees(node))

    def _item(self, node: Node) -> tree.Item:
        match node.data:
            case "cell":
                return self._cell(node)
            case "reference":
                return tree.Reference(self._cells(_tree(node, 0)), self._span(node))
            case _:
                return self._record(_tree(node, 0))

    def _record(self, parts: Node) -> tree.Record:
        found = tuple(tree.Part(self._name(_tree(part, 0)), self._item(_tree(part, 1))) for part in _trees(parts))
        return tree.Record(found, self._span(parts))

    def _place(self, node: Node) -> tree.Place:
        parts = {str(part.data): part for part in _trees(node)}
        match node.data:
            case "row_elements" | "ref_elements" | "value_elements":
                return self._elements(node)
            case "one_value" | "values":
                table, column = (self._name(part) for part in _trees(node)[:2])
                encoding = next((self._encoding(p) for p in _trees(node) if str(p.data) in _ENCODINGS), None)
                item: tree.Item = tree.Cell(tree.Column((), column, column.span), encoding, column.span)
            case "one_reference" | "refs":
                table = self._name(_tree(node, 0))
                cells = parts["cells"]
                item = tree.Reference(self._cells(cells), self._span(cells))
            case "one_record" | "rows":
                table = self._name(_tree(node, 0))
                item = self._record(parts["parts"])
            case _:
                return self._item(node)
        where = tuple(self._match(part) for part in _trees(parts["where"]))
        if "by" in parts:
            return tree.ManyRows(table, where, self._names(parts["by"]), item, self._span(node))
        if node.data in ("rows", "refs", "values"):
            raise TypeError("the grammar gives every list an order")
        pick = parts.get("pick")
        if pick is None:
            return tree.OneRow(table, where, (), None, item, self._span(node))
        last = _token(pick, 0).type == "LAST"
        return tree.OneRow(table, where, self._names(_tree(pick, 1)), last, item, self._span(node))

    def _elements(self, node: Node) -> tree.Elements:
        where, *rest = _trees(node)
        among = self._names(_tree(where, 0)) if where.data == "at" else self._got(where)
        item: tree.Item
        match node.data:
            case "row_elements":
                item = self._record(rest[0])
            case "ref_elements":
                item = tree.Reference(self._cells(rest[0]), self._span(rest[0]))
            case _:
                # An element that is a scalar has no name: it is the member of that name of nothing.
                here = tree.Column((), Name("", self._span(where)), self._span(where))
                item = tree.Cell(here, self._encoding(rest[0]) if rest else None, self._span(node))
        return tree.Elements(among, item, self._span(node))

    def _got(self, node: Node) -> tree.Got:
        return tree.Got(self._text(_token(node, 0)), self._inside(node))

    def _match(self, node: Node) -> tree.Match:
        column, equals = _trees(node)
        side = self._column(equals) if equals.data == "column" else self._literal(equals)
        return tree.Match(self._name(column), side)

    # --- effects ---

    def _statements(self, node: Node) -> tuple[tree.Statement, ...]:
        return tuple(self._statement(part) for part in _trees(node))

    def _statement(self, node: Node) -> tree.Statement:
        span = self._span(node)
        if node.data in ("request", "call"):
            return self._call(node)
        first = self._name(_tree(node, 0))
        parts = {str(part.data): part for part in _trees(node)[1:]}
        where = tuple(self._test(part) for part in _trees(parts["tests"])) if "tests" in parts else ()
        expect = int(str(_token(parts["expect"], 0))) if "expect" in parts else None
        match node.data:
            case "insert":
                return tree.Insert(first, self._assignments(parts["assignments"]), span)
            case "update":
                return tree.Update(first, self._assignments(parts["assignments"]), where, expect, span)
            case "delete":
                return tree.Delete(first, where, expect, span)
            case "check":
                return tree.Check(first, where, expect or 0, span)
            case _:
                path = self._path(parts["path"])
                return tree.Loop(first, path, self._statements(parts["statements"]), span)

    def _call(self, node: Node) -> tree.Request | tree.Invoke:
        parts = {str(part.data): part for part in _trees(node)}
        text, span = self._text(_tokens(node, "STRING")[0]), self._span(node)
        send = None if "send" not in parts else self._object(parts["send"])
        asked = None
        if "asked" in parts:
            asked = tree.Asked(str(_token(parts["asked"], 0)), self._text(_token(parts["asked"], 1)))
        if node.data == "call":
            return tree.Invoke(text, send, asked, span)
        statuses = tuple(
            tree.Status(str(_token(part, 0)), _numbers(part), self._span(part))
            for part in _trees(node)
            if part.data == "status"
        )
        word = _token(_tree(node, 0), 0)
        return tree.Request(Name(str(word), self._span(word)), text, send, statuses, asked, span)

    def _object(self, node: Node) -> tree.ObjectBody:
        return tree.ObjectBody(self._sent(_tree(node, 0)), self._span(node))

    def _sent(self, node: Node) -> tuple[tree.Sent, ...]:
        return tuple(tree.Sent(self._name(_tree(part, 0)), self._body(_tree(part, 1))) for part in _trees(node))

    def _body(self, node: Node) -> tree.Body:
        match node.data:
            case "object_body":
                return self._object(node)
            case "list_body":
                variable, over, sent = _trees(node)
                return tree.ListBody(self._name(variable), self._path(over), self._sent(sent), self._span(node))
            case _:
                return self._value(node)

    def _assignments(self, node: Node) -> tuple[tree.Assignment, ...]:
        return tuple(
            tree.Assignment(self._name(_tree(part, 0)), self._operand(_tree(part, 1))) for part in _trees(node)
        )

    def _operand(self, node: Node) -> tree.Value | tree.Change | tree.Numbered:
        match node.data:
            case "change":
                add = _token(node, 1).type == "PLUS"
                value = self._value(_tree(node, 2))
                return tree.Change(self._name(_tree(node, 0)), add, value, self._span(node))
            case "numbered":
                prefix, start = self._text(_token(node, 0)), int(str(_token(node, 1)))
                where = tuple(self._test(part) for part in _trees(_tree(node, 2)))
                return tree.Numbered(prefix, start, where, self._span(node))
            case _:
                return self._value(node)

    def _test(self, node: Node) -> tree.Test:
        column, value = self._name(_tree(node, 0)), self._value(_tree(node, 2))
        return tree.Test(column, str(_token(node, 1)), value, self._span(node))

    def _value(self, node: Node) -> tree.Value:
        if node.data == "state_value":
            return tree.StateValue(self._name(_tree(node, 0)), self._name(_tree(node, 1)), self._span(node))
        if node.data != "path_value":
            return self._literal(node)
        path, *encoding = _trees(node)
        return tree.PathValue(self._path(path), self._encoding(encoding[0]) if encoding else None, self._span(node))

    def _path(self, node: Node) -> tree.Path:
        return tree.Path(self._names(node), self._span(node))


_ENCODINGS = ("as_encoding", "named_codes", "inline_codes")


def _tree(node: Node, index: int) -> Node:
    child = node.children[index]
    if not isinstance(child, Tree):
        raise TypeError(f"the grammar gives `{node.data}` a rule at {index}")
    return child


def _trees(node: Node) -> list[Node]:
    return [child for child in node.children if isinstance(child, Tree)]


def _tokens(node: Node, type_: str) -> list[Token]:
    return [child for child in node.children if isinstance(child, Token) and child.type == type_]


def _numbers(node: Node) -> tuple[int, ...]:
    return tuple(int(str(token)) for token in _tokens(node, "INT"))


def _token(node: Node, index: int) -> Token:
    child = node.children[index]
    if not isinstance(child, Token):
        raise TypeError(f"the grammar gives `{node.data}` a token at {index}")
    return child
