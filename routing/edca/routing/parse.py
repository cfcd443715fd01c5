"""Text to syntax tree: `parse` never raises, and finds the independent mistakes of a file in one run.

The lexemes are cut into declarations, which begin with a reserved word at the start of a line outside braces; the body
of an entity is cut again into members. Each piece is parsed on its own, so that a mistake costs that piece only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken

from edca.diagnostics import CODES, Diagnostic, Label, Source, Span, closest
from edca.routing import build, tree
from edca.routing.scan import Lexeme, Sort, scan

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from lark.parsers.lalr_interactive_parser import InteractiveParser

START_RULES = ("version", "header", "source", "codes", "entity_head", "members", "effect")
DECLARATIONS = ("arp", "routes", "source", "codes", "entity", "effect")

_NESTING_MAX = 50
# What stands third in a declaration.
_THIRD = {
    "routes": ("version",),
    "source": ("sql", "http", "python"),
    "codes": ("for",),
    "entity": ("from",),
    "effect": ("(",),
}
_SIGNS = {
    "{": "LBRACE",
    "}": "RBRACE",
    "(": "LPAR",
    ")": "RPAR",
    ",": "COMMA",
    ".": "DOT",
    "=": "EQUAL",
    "+": "PLUS",
    "-": "MINUS",
    "!=": "COMPARE",
    "<=": "COMPARE",
    ">=": "COMPARE",
    "<": "COMPARE",
    ">": "COMPARE",
}
_COMPARISONS = ("=", "!=", "<=", ">=", "<", ">")


@dataclass(frozen=True, slots=True)
class Parsed:
    """The tree of what could be read (null when not even the header could), and every finding."""

    file: tree.RoutesFile | None
    diagnostics: tuple[Diagnostic, ...]


def parse(source: Source) -> Parsed:
    """Read a routes file. Never raises, whatever the text."""
    scanned = scan(source)
    reader = _Reader(source, list(scanned.diagnostics))
    for piece in _declarations(scanned.lexemes):
        reader.declaration(piece)
    return Parsed(reader.finish(bool(scanned.lexemes)), tuple(reader.found))


@cache
def grammar() -> Lark:
    """Return the parser; it is built once, when first needed."""
    text = files("edca.routing").joinpath("routes.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", start=list(START_RULES), propagate_positions=True, maybe_placeholders=False)


@cache
def _words() -> dict[str, str]:
    """Return the words of the language by text, each with its terminal."""
    return {
        str(terminal.pattern.value): terminal.name
        for terminal in grammar().terminals
        if terminal.pattern.type == "str" and str(terminal.pattern.value).isalpha()
    }


def _declarations(lexemes: Sequence[Lexeme]) -> list[list[Lexeme]]:
    """Cut before each declaration word that opens a line outside braces.

    An unclosed brace would swallow the rest of the file, so inside braces too a line is cut that can begin nothing but
    a declaration (`entity NAME from`).
    """
    pieces: list[list[Lexeme]] = []
    depth = 0
    for index, lexeme in enumerate(lexemes):
        following = [later.text for later in lexemes[index + 1 : index + 3]]
        certain = len(following) == 2 and following[1] in _THIRD.get(lexeme.text, ())
        # A misspelt word cuts as well, or the declaration before it would be blamed.
        known = lexeme.text in DECLARATIONS or closest(lexeme.text, DECLARATIONS) is not None
        starts = (
            lexeme.first and lexeme.sort is Sort.WORD and following[:1] != ["="] and (certain or (depth <= 0 and known))
        )
        if starts or not pieces:
            pieces.append([])
            depth = 0
        pieces[-1].append(lexeme)
        depth += (lexeme.text == "{") - (lexeme.text == "}") if lexeme.sort is Sort.SIGN else 0
    return pieces


def _like_declaration(word: str) -> bool:
    return word in DECLARATIONS or closest(word, DECLARATIONS) is not None


def _members(body: Sequence[Lexeme]) -> list[list[Lexeme]]:
    """Cut an entity's body before each line, outside inner braces, that begins `NAME =` or `case NAME`."""
    pieces: list[list[Lexeme]] = []
    depth = 0
    for index, lexeme in enumerate(body):
        following = body[index + 1] if index + 1 < len(body) else None
        starts = (
            depth == 0
            and lexeme.first
            and lexeme.sort in (Sort.WORD, Sort.QUOTED)
            and following is not None
            and (following.text == "=" or lexeme.text == "case")
        )
        if starts or not pieces:
            pieces.append([])
        pieces[-1].append(lexeme)
        if lexeme.sort is Sort.SIGN:
            depth += (lexeme.text == "{") - (lexeme.text == "}")
    return pieces


@dataclass(slots=True)
class _Reader:
    """Collects what the pieces of one file hold."""

    source: Source
    found: list[Diagnostic]
    version_seen: bool = False
    header: tree.Header | None = None
    sources: list[tree.Source | tree.HTTPSource | tree.PythonSource] = field(default_factory=list)
    codes: list[tree.Codes] = field(default_factory=list)
    entities: list[tree.Entity | tree.DocumentEntity] = field(default_factory=list)
    effects: list[tree.Effect] = field(default_factory=list)
    broken: list[tuple[str, str]] = field(default_factory=list)

    def declaration(self, piece: list[Lexeme]) -> None:
        """Read one declaration, or report why it can't be read."""
        word = piece[0].text if piece[0].sort is Sort.WORD else ""
        if _too_deep(piece):
            self._report("P006", f"braces nest at most {_NESTING_MAX} deep", piece[0])
            self._break(piece)
            return
        builder = build.Builder(self.source)
        match word:
            case "arp":
                self._version(piece)
            case "routes":
                if (parsed := self._parse("header", piece)) is not None:
                    if self.header is not None:
                        self._report("R002", "the file has two headers", piece[0])
                    self.header = builder.header(parsed)
            case "source":
                if (parsed := self._parse("source", piece)) is not None:
                    self.sources.append(builder.source_declaration(parsed))
            case "codes":
                if (parsed := self._parse("codes", piece)) is not None:
                    self.codes.append(builder.codes(parsed))
            case "entity":
                self._entity(builder, piece)
            case "effect":
                if (parsed := self._parse("effect", piece)) is not None:
                    self.effects.append(builder.effect(parsed))
            case _:
                likely = closest(piece[0].text, DECLARATIONS)
                repair = f"did you mean `{likely}`?" if likely else f"begin with one of {', '.join(DECLARATIONS)}"
                self._report("P001", f"`{piece[0].text}` doesn't begin a declaration", piece[0], repair)

    def finish(self, any_text: bool) -> tree.RoutesFile | None:
        """Return the file's tree, and report what every file must have."""
        start = Span(self.source, 0, 0)
        # Where nothing at all could be read, that has been said.
        looked = any_text or not self.found
        if not self.version_seen and looked:
            message = "the file doesn't begin with its language version"
            self.found.append(Diagnostic(CODES["P007"], message, Label(start), help="write `arp 1` first"))
        if self.header is None:
            if ("routes", "") not in self.broken and looked:
                message = "the file doesn't say which machine its routes are for"
                repair = 'write `routes NAME version "1.0.0" for MACHINE`'
                self.found.append(Diagnostic(CODES["P001"], message, Label(start), help=repair))
            return None
        return tree.RoutesFile(
            self.header,
            tuple(self.sources),
            tuple(self.codes),
            tuple(self.entities),
            tuple(self.effects),
            tuple(self.broken),
            Span(self.source, 0, len(self.source.text)),
        )

    def _version(self, piece: list[Lexeme]) -> None:
        self.version_seen = True
        parsed = self._parse("version", piece)
        if parsed is not None and piece[1].text != "1":
            self._report("P005", f"routes language {piece[1].text} is not known", piece[1], "write `arp 1`")

    def _entity(self, builder: build.Builder, piece: list[Lexeme]) -> None:
        """Read an entity's head, then its members one by one."""
        opening = next((i for i, x in enumerate(piece) if x.sort is Sort.SIGN and x.text == "{"), len(piece))
        head = self._parse("entity_head", piece[:opening])
        if opening == len(piece):
            if head is not None:
                self._report("P001", "the entity has no body", piece[-1], "write its fields between `{` and `}`")
                self._break(piece)
            return
        body = piece[opening + 1 :]
        closed = bool(body) and body[-1].sort is Sort.SIGN and body[-1].text == "}"
        if not closed:
            self._report("P001", "the entity's `{` is never closed", piece[opening], "close it with `}`")
        members: list[tree.Member] = []
        states: list[tree.CaseState] = []
        whole = closed
        for part in _members(body[:-1] if closed else body):
            parsed = self._parse("members", part)
            if parsed is None:
                whole = False
                continue
            for member in builder.members(parsed):
                if isinstance(member, tree.Member):
                    members.append(member)
                else:
                    states.append(member)
        if head is not None:
            self.entities.append(builder.entity(head, tuple(members), tuple(states), broken=not whole))

    def _parse(self, rule: str, piece: Sequence[Lexeme]) -> Tree[Token] | None:
        """Parse one piece, or report the first lexeme that can't stand where it does."""
        state = grammar().parse_interactive("", start=rule)
        for index, lexeme in enumerate(piece):
            following = piece[index + 1] if index + 1 < len(piece) else None
            token = Token(_terminal(lexeme, following, state), lexeme.text, start_pos=lexeme.start, end_pos=lexeme.end)
            try:
                state.feed_token(token)
            except UnexpectedToken:
                if not lexeme.after_gap:
                    message = f"`{_shown(lexeme)}` can't stand here"
                    self._report("P001", message, lexeme, _expected(_accepts(state)))
                self._break(piece)
                return None
        try:
            parsed = state.feed_eof()  # type: ignore[no-untyped-call]  # lark has no types here
        except UnexpectedToken:
            self._report("P001", "something is missing behind this", piece[-1], _expected(_accepts(state)))
            self._break(piece)
            return None
        if not isinstance(parsed, Tree):
            raise TypeError("the grammar's start rules give trees")
        return parsed

    def _break(self, piece: Sequence[Lexeme]) -> None:
        """Remember what could not be read, so that its absence isn't reported as well."""
        word = piece[0].text
        named = word in ("source", "codes", "entity", "effect") and len(piece) > 1
        self.broken.append((word, piece[1].text if named else ""))

    def _report(self, code: str, message: str, lexeme: Lexeme, repair: str | None = None) -> None:
        span = Span(self.source, lexeme.start, lexeme.end)
        self.found.append(Diagnostic(CODES[code], message, Label(span), help=repair))


def _accepts(state: InteractiveParser) -> set[str]:
    accepts: set[str] = state.accepts()  # type: ignore[no-untyped-call]  # lark has no types here
    return accepts


def _choices(state: InteractiveParser) -> Collection[str]:
    choices: dict[str, object] = state.choices()  # type: ignore[no-untyped-call]  # lark has no types here
    return choices


def _too_deep(piece: Sequence[Lexeme]) -> bool:
    depth = deepest = 0
    for lexeme in piece:
        if lexeme.sort is Sort.SIGN:
            depth += (lexeme.text in "{(") - (lexeme.text in "})")
            deepest = max(deepest, depth)
    return deepest > _NESTING_MAX


def _terminal(lexeme: Lexeme, following: Lexeme | None, state: InteractiveParser) -> str:
    """Return which of the grammar's terminals the lexeme is.

    A word is a name before `=` and the like, since no word of the language stands there, and wherever the parser could
    not take the word itself; so nearly every word may also name a column or a field.
    """
    match lexeme.sort:
        case Sort.SIGN:
            return _SIGNS[lexeme.text]
        case Sort.STRING:
            return "STRING"
        case Sort.NUMBER:
            return "INT"
        case Sort.QUOTED:
            return "NAME"
        case Sort.WORD:
            word = _words().get(lexeme.text, "NAME")
            compared = following is not None and following.sort is Sort.SIGN and following.text in _COMPARISONS
            possible = _choices(state)
            if compared or word not in possible:
                return "NAME"
            # The table may offer a word that a later step would refuse; only a trial, which is slow, tells.
            return word if "NAME" not in possible or word in _accepts(state) else "NAME"


def _shown(lexeme: Lexeme) -> str:
    return f'"{lexeme.text}"' if lexeme.sort is Sort.STRING else lexeme.text


def _expected(accepts: set[str]) -> str:
    """Say what could have stood there, in the language's own words."""
    named = {"NAME": "a name", "STRING": 'a text in `"`', "INT": "a whole number", "COMPARE": "a comparison"}
    words = {terminal: f"`{word}`" for word, terminal in _words().items()}
    signs = {terminal: f"`{sign}`" for sign, terminal in _SIGNS.items() if terminal != "COMPARE"}
    said = sorted((named | words | signs).get(terminal, "the end") for terminal in accepts)
    return f"expected {', '.join(said)}"
