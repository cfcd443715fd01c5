"""The way from text to syntax tree: scan, split into chunks, parse each chunk, put the tree together.

An error stays within its chunk, so one run finds all independent errors, and what was understood is still handed on.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lark import Token, Tree

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.diagnostics.source import Source, Span
from edca.dsl import explain, grammar, tree
from edca.dsl.build_declarations import MachineLine, TransitionHeader, TreeBuilder
from edca.dsl.reserved import unusable_names
from edca.dsl.scan import FINDING_COUNT_MAX, Lexeme, Scan, Sort, scan
from edca.dsl.split import (
    Beginning,
    Block,
    Chunk,
    split_block,
    split_clauses,
    split_declarations,
    split_parts,
)
from edca.dsl.words import CLAUSES, DECLARATIONS, FORMS, PARTS

SOURCE_LENGTH_MAX = 1_000_000
"""Longest text of a spec, in characters."""

DEPTH_MAX = 100
"""Deepest nesting of brackets, and of expressions in each other; later passes walk expressions recursively."""

LANGUAGE_VERSION = 1
"""The version of the language that this parser reads."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a text says, as far as it could be read.

    `spec` is null if the header couldn't be read. It may be partial when there are diagnostics: `lost` are the names
    that were declared in what couldn't be read, and those of transitions that lack a clause for that reason. Later
    passes must not report such a name as unknown, nor what is missing in its declaration.
    """

    spec: tree.Spec | None
    diagnostics: tuple[Diagnostic, ...]
    lost: frozenset[str]


def parse(source: Source) -> Parsed:
    """Read a spec. Never raises, whatever the text; every mistake is in the diagnostics."""
    if len(source.text) > SOURCE_LENGTH_MAX:
        span = Span(source, SOURCE_LENGTH_MAX, SOURCE_LENGTH_MAX)
        message = f"a spec has at most {SOURCE_LENGTH_MAX} characters, this one has {len(source.text)}"
        return Parsed(None, (Diagnostic(CODES["P006"], message, Label(span)),), frozenset())
    scanned = scan(source)
    if len(scanned.diagnostics) >= FINDING_COUNT_MAX:
        return Parsed(None, (*scanned.diagnostics, _too_many(source)), frozenset())
    return _Reader(source, scanned).read()


class _Reader:
    """Reads the chunks of one text and collects what they give."""

    def __init__(self, source: Source, scanned: Scan) -> None:
        self._source = source
        self._lexemes = scanned.lexemes
        self._diagnostics = list(scanned.diagnostics)
        self._scan_places = [found.primary.span.start for found in scanned.diagnostics]
        self._builder = TreeBuilder(source)
        self._lost: set[str] = set()

    def read(self) -> Parsed:
        chunks = split_declarations(self._lexemes)
        language, machine, rest = self._header(chunks)
        declarations: list[tree.Declaration] = []
        for chunk in rest:
            if self._is_full():
                break
            declaration = self._declaration(chunk)
            if declaration is not None:
                self._check_names(declaration)
                declarations.append(declaration)
        spec = None
        if machine is not None:
            line, span = machine
            header = tree.Header(language, line.name, line.version, line.text, line.tier, span)
            spec = tree.Spec(header, tuple(declarations), Span(self._source, 0, len(self._source.text)))
        return Parsed(spec, tuple(self._diagnostics), frozenset(self._lost))

    # --- header ------------------------------------------------------------------------------------------------------

    def _header(self, chunks: Sequence[Chunk]) -> tuple[int, tuple[MachineLine, Span] | None, Sequence[Chunk]]:
        """The language version, the machine's line, and the chunks behind them."""
        language, start, rest = LANGUAGE_VERSION, 0, chunks
        if rest and rest[0].beginning is Beginning.KNOWN and rest[0].word == "edca":
            language = self._language(rest[0])
            start, rest = rest[0].lexemes[0].start, rest[1:]
        else:
            self._no_version()
        if rest and rest[0].beginning is Beginning.KNOWN and rest[0].word == "machine":
            line = self._read("machine_declaration", rest[0].lexemes)
            span = Span(self._source, start, rest[0].lexemes[-1].end)
            return language, (line, span) if isinstance(line, MachineLine) else None, rest[1:]
        # Something unknown in its place is reported as such, with `machine` among what could be meant.
        if chunks and (not rest or rest[0].beginning is Beginning.KNOWN):
            place = rest[0].lexemes[0] if rest else chunks[-1].lexemes[-1]
            message = "the file doesn't say which machine it describes"
            repair = f"write `{FORMS['machine_declaration']}` below the version"
            self._error("P001", message, place, repair=repair)
        return language, None, rest

    def _language(self, chunk: Chunk) -> int:
        language = self._read("edca_declaration", chunk.lexemes)
        if isinstance(language, int) and language != LANGUAGE_VERSION:
            message = f"version {language} of the language isn't known; this reads version {LANGUAGE_VERSION}"
            self._error("P005", message, chunk.lexemes[1])
        return LANGUAGE_VERSION

    def _no_version(self) -> None:
        first = self._lexemes[0] if self._lexemes else None
        span = Span(self._source, first.start, first.end) if first else Span(self._source, 0, 0)
        message = "the file doesn't begin with its language version"
        repair = f"write `edca {LANGUAGE_VERSION}` as the first line"
        self._diagnostics.append(Diagnostic(CODES["P007"], message, Label(span), help=repair))

    # --- declarations ------------------------------------------------------------------------------------------------

    def _declaration(self, chunk: Chunk) -> tree.Declaration | None:
        match chunk.beginning:
            case Beginning.UNKNOWN:
                self._unknown(chunk, "declaration", DECLARATIONS)
                self._lose(chunk)
                return None
            case Beginning.LATER:
                self._later(chunk)
                self._lose(chunk)
                return None
            case Beginning.KNOWN:
                pass
        match chunk.word:
            case "edca" | "machine":
                self._error("P001", f"`{chunk.word}` stands once, at the top of the file", chunk.lexemes[0])
                return None
            case "transition":
                return self._transition(chunk)
            case "scenario":
                return self._scenario(chunk)
            case word:
                node = self._read(f"{word}_declaration", chunk.lexemes)
                if isinstance(node, tree.Declaration):
                    return node
                self._lose(chunk)
                return None

    def _check_names(self, declaration: tree.Declaration) -> None:
        for name in unusable_names(declaration):
            message = f"`{name.text}` is a word of the language: no expression could refer to this name"
            self._diagnostics.append(Diagnostic(CODES["N012"], message, Label(name.span), help="choose another name"))

    def _lose(self, chunk: Chunk) -> None:
        """Remember the names of a declaration, or a `let`, that couldn't be read."""
        # A memory declares its members, an enum its values; of others only the name matters to the rest of the spec.
        several = chunk.word in ("memory", "enum")
        lexemes = chunk.lexemes[1:] if several else chunk.lexemes[1:2]
        if chunk.word == "case":  # without it nobody knows which entity's name is a value
            lexemes = (*chunk.lexemes[:1], *chunk.lexemes[2:3])
        self._lost.update(lexeme.text for lexeme in lexemes if lexeme.sort is Sort.WORD)

    def _transition(self, chunk: Chunk) -> tree.TransitionDeclaration | None:
        block = split_block(chunk.lexemes)
        header = self._read("transition_header", block.head)
        clauses: list[tree.Clause] = []
        for clause_chunk in split_clauses(block.body):
            if self._is_full():
                break
            clause = self._clause(clause_chunk)
            if clause is None:
                # A misspelt word may have been meant as `let`.
                if clause_chunk.word == "let" or clause_chunk.beginning is not Beginning.KNOWN:
                    self._lose(clause_chunk)
                self._lose(chunk)
            else:
                clauses.append(clause)
        if not isinstance(header, TransitionHeader):
            self._lose(chunk)
            return None
        if not self._is_closed(block, "transition"):
            self._lose(chunk)
        return tree.TransitionDeclaration(
            name=header.name,
            parameters=header.parameters,
            about=header.about,
            keys=header.keys,
            creates=header.creates,
            sources=header.sources,
            target=header.target,
            clauses=tuple(clauses),
            span=self._span(chunk.lexemes),
        )

    def _clause(self, chunk: Chunk) -> tree.Clause | None:
        match chunk.beginning:
            case Beginning.UNKNOWN:
                self._unknown(chunk, "clause", CLAUSES)
                return None
            case Beginning.LATER:
                self._later(chunk)
                return None
            case Beginning.KNOWN:
                node = self._read(f"{chunk.word}_clause", chunk.lexemes)
                return node if isinstance(node, tree.Clause) else None

    # --- scenarios ---------------------------------------------------------------------------------------------------

    def _scenario(self, chunk: Chunk) -> tree.ScenarioDeclaration | None:
        block = split_block(chunk.lexemes)
        title = self._read("scenario_header", block.head)
        parts: list[tree.Given | tree.When | tree.Then] = []
        complete = isinstance(title, tree.Text)
        for part_chunk in split_parts(block.body):
            if self._is_full():
                return None
            part = self._part(part_chunk)
            if part is None:
                complete = False
            else:
                parts.append(part)
        closed = self._is_closed(block, "scenario")
        if not (complete and closed) or not isinstance(title, tree.Text):
            return None
        givens = [part for part in parts if isinstance(part, tree.Given)]
        match parts[len(givens) :]:
            case [tree.When() as when, tree.Then() as then]:
                return tree.ScenarioDeclaration(title, tuple(givens), when, then, self._span(chunk.lexemes))
            case _:
                message = "a scenario has its `given` parts first, then one `when`, then one `then`"
                self._error("P001", message, chunk.lexemes[1])
                return None

    def _part(self, chunk: Chunk) -> tree.Given | tree.When | tree.Then | None:
        match chunk.beginning:
            case Beginning.UNKNOWN | Beginning.LATER:
                self._unknown(chunk, "part of a scenario", PARTS)
                return None
            case Beginning.KNOWN:
                node = self._read(f"{chunk.word}_part", chunk.lexemes)
                return node if isinstance(node, tree.Given | tree.When | tree.Then) else None

    # --- reading one chunk -------------------------------------------------------------------------------------------

    def _read(self, start_rule: str, lexemes: tuple[Lexeme, ...]) -> object | None:
        """The node that a chunk stands for, or nothing if it couldn't be read; then that has been reported."""
        too_deep = _first_too_deep(lexemes)
        if too_deep is not None:
            self._error("P006", f"brackets are nested more than {DEPTH_MAX} deep", too_deep)
            return None
        found = grammar.read(start_rule, lexemes)
        if isinstance(found, grammar.Failure):
            if not self._was_scanned_badly(lexemes):
                self._diagnostics.append(explain.failure(self._source, found))
            return None
        if _is_deeper(found, DEPTH_MAX):
            repair = "name a part of it with `let` or `define`"
            self._error("P006", f"the expression is nested more than {DEPTH_MAX} deep", lexemes[0], repair=repair)
            return None
        return self._builder.transform(found)

    def _is_closed(self, block: Block, what: str) -> bool:
        """Whether a block has both braces and nothing behind them; reports it if not."""
        if block.opener is None:
            if not self._was_scanned_badly(block.head):
                repair = f"a {what} has its body between `{{` and `}}`"
                self._error("P001", f"the {what} has no body", block.head[-1], "expected `{` after this", repair=repair)
            return False
        if block.closer is None:
            last = (block.opener, *block.body)[-1]
            secondary = ((block.opener, "opened here"),)
            self._error("P001", "`{` is never closed", last, "expected `}` after this", secondary=secondary)
            return False
        if block.rest:
            rest = Chunk(Beginning.UNKNOWN, block.rest)
            self._unknown(rest, "declaration", DECLARATIONS)
            return False
        return True

    def _unknown(self, chunk: Chunk, what: str, beginnings: Iterable[str]) -> None:
        if not self._was_scanned_badly(chunk.lexemes):
            self._diagnostics.append(explain.unknown(self._source, chunk, what, beginnings))

    def _later(self, chunk: Chunk) -> None:
        self._diagnostics.append(explain.later(self._source, chunk))

    def _error(
        self,
        code: str,
        message: str,
        place: Lexeme,
        label: str = "",
        *,
        secondary: Iterable[tuple[Lexeme, str]] = (),
        repair: str | None = None,
    ) -> None:
        self._diagnostics.append(
            explain.report(self._source, code, message, place, label, secondary=secondary, repair=repair)
        )

    def _was_scanned_badly(self, lexemes: Sequence[Lexeme]) -> bool:
        """Whether the scanner reported something within these lexemes: what fails there then is likely its echo."""
        index = bisect_left(self._scan_places, lexemes[0].start)
        return index < len(self._scan_places) and self._scan_places[index] <= lexemes[-1].end

    def _is_full(self) -> bool:
        """Whether there are so many findings that reading on is no use; says so once."""
        if len(self._diagnostics) < FINDING_COUNT_MAX:
            return False
        if len(self._diagnostics) == FINDING_COUNT_MAX:
            self._diagnostics.append(_too_many(self._source))
        return True

    def _span(self, lexemes: Sequence[Lexeme]) -> Span:
        return Span(self._source, lexemes[0].start, lexemes[-1].end)


def _too_many(source: Source) -> Diagnostic:
    end = len(source.text)
    message = f"{FINDING_COUNT_MAX} errors: the rest of the file wasn't read"
    return Diagnostic(CODES["P006"], message, Label(Span(source, end, end)))


def _first_too_deep(lexemes: Sequence[Lexeme]) -> Lexeme | None:
    """The first bracket that is opened too deep within others."""
    depth = 0
    for lexeme in lexemes:
        if lexeme.sort is not Sort.SIGN:
            continue
        if lexeme.text in "([{":
            depth += 1
            if depth > DEPTH_MAX:
                return lexeme
        elif lexeme.text in ")]}":
            depth -= 1
    return None


def _is_deeper(root: Tree[Token], depth_max: int) -> bool:
    """Whether a parse tree has more levels than allowed; walked level by level, as its depth is the author's doing."""
    level = [root]
    for _ in range(depth_max):
        level = [child for node in level for child in node.children if isinstance(child, Tree)]
        if not level:
            return False
    return True
