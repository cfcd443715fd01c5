"""The way from text to syntax tree: scan, split into chunks, parse each chunk, put the tree together.

An error stays within its chunk, so one run finds all independent errors, and what was understood is still handed on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import TypeAlias

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.diagnostics.source import Source, Span
from edca.dsl import tree
from edca.dsl.build_declarations import MachineLine, VocabularyLine
from edca.dsl.read_blocks import BlockReader
from edca.dsl.read_chunks import too_many
from edca.dsl.reserved import unusable_names
from edca.dsl.scan import FINDING_COUNT_MAX, Scan, scan
from edca.dsl.split import Beginning, Chunk, split_declarations
from edca.dsl.words import DECLARATIONS, FORMS, VOCABULARY

_Line: TypeAlias = MachineLine | VocabularyLine

SOURCE_LENGTH_MAX = 1_000_000
"""Longest text of a spec, in characters."""

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


def parse(source: Source, scanned: Scan | None = None) -> Parsed:
    """Read a spec. Never raises, whatever the text; every mistake is in the diagnostics.

    `scanned` are the lexemes of the text, for whoever has them already.
    """
    if len(source.text) > SOURCE_LENGTH_MAX:
        span = Span(source, SOURCE_LENGTH_MAX, SOURCE_LENGTH_MAX)
        message = f"a spec has at most {SOURCE_LENGTH_MAX} characters, this one has {len(source.text)}"
        return Parsed(None, (Diagnostic(CODES["P006"], message, Label(span)),), frozenset())
    scanned = scanned or scan(source)
    if len(scanned.diagnostics) >= FINDING_COUNT_MAX:
        return Parsed(None, (*scanned.diagnostics, too_many(source)), frozenset())
    return _Reader(source, scanned).read()


class _Reader(BlockReader):
    """Reads the chunks of one text and puts what they give together."""

    def __init__(self, source: Source, scanned: Scan) -> None:
        super().__init__(source, scanned)
        self._is_vocabulary = False

    def read(self) -> Parsed:
        chunks = self._chunks(split_declarations, self._lexemes, "declaration")
        language, line, rest = self._header(tuple(islice(chunks, 2)))
        imports: list[tree.Import] = []
        declarations: list[tree.Declaration] = []
        leading = True
        for chunk in chain(rest, chunks):
            if self._is_full():
                break
            if chunk.beginning is Beginning.KNOWN and chunk.word == "import":
                imports += self._import(chunk, leading=leading)
                continue
            leading = False
            declaration = self._declaration(chunk)
            if declaration is not None:
                self._check_names(declaration)
                declarations.append(declaration)
        spec = None
        if line is not None:
            header, span = self._header_node(language, *line), Span(self._source, 0, len(self._source.text))
            spec = tree.Spec(header, tuple(imports), tuple(declarations), span)
        return Parsed(spec, tuple(self._diagnostics), frozenset(self._lost))

    # --- header ------------------------------------------------------------------------------------------------------

    def _header(self, chunks: Sequence[Chunk]) -> tuple[int, tuple[_Line, Span] | None, Sequence[Chunk]]:
        """The language version, and the line that names the machine or vocabulary.

        Args:
            chunks: the first two of the file.

        Returns:
            Both, and those of the chunks that belong to neither.
        """
        language, start, rest = LANGUAGE_VERSION, 0, chunks
        if rest and rest[0].beginning is Beginning.KNOWN and rest[0].word == "edca":
            language = self._language(rest[0])
            start, rest = rest[0].lexemes[0].start, rest[1:]
        else:
            self._no_version()
        if rest and rest[0].beginning is Beginning.KNOWN and rest[0].word in ("machine", "vocabulary"):
            self._is_vocabulary = rest[0].word == "vocabulary"
            line = self._read(f"{rest[0].word}_declaration", rest[0].lexemes)
            span = Span(self._source, start, rest[0].lexemes[-1].end)
            return language, (line, span) if isinstance(line, MachineLine | VocabularyLine) else None, rest[1:]
        # Something unknown in its place is reported as such, with `machine` among what could be meant.
        if chunks and (not rest or rest[0].beginning is Beginning.KNOWN):
            place = rest[0].lexemes[0] if rest else chunks[-1].lexemes[-1]
            message = "the file doesn't say which machine it describes"
            repair = f"write `{FORMS['machine_declaration']}` below the version"
            self._error("P001", message, place, repair=repair)
        return language, None, rest

    def _header_node(self, language: int, line: _Line, span: Span) -> tree.Header:
        match line:
            case MachineLine():
                return tree.Header(language, line.name, line.version, line.text, line.tier, span)
            case VocabularyLine():
                return tree.Header(language, line.name, None, None, None, span)

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

    def _import(self, chunk: Chunk, *, leading: bool) -> tuple[tree.Import, ...]:
        node = self._read("import_declaration", chunk.lexemes)
        if not leading:
            repair = "move it up, below the line that names the machine"
            self._error("P001", "an `import` stands behind a declaration", chunk.lexemes[0], repair=repair)
        return (node,) if isinstance(node, tree.Import) else ()

    def _mixed(self, chunk: Chunk) -> None:
        """Report a declaration that a vocabulary file can't have."""
        message = f"a vocabulary file has no `{chunk.word}`: only a machine has"
        self._error("P010", message, chunk.lexemes[0], repair="move it to the machine that imports this file")
        if chunk.word == "state":
            self._lose_states(chunk)
        else:
            self._lose(chunk)

    def _declaration(self, chunk: Chunk) -> tree.Declaration | None:
        match chunk.beginning:
            case Beginning.UNKNOWN:
                self._unknown(chunk, "declaration", DECLARATIONS)
                self._lose(chunk)
                return None
            case Beginning.KNOWN:
                pass
        match chunk.word:
            case "edca" | "machine" | "vocabulary":
                self._error("P001", f"`{chunk.word}` stands once, at the top of the file", chunk.lexemes[0])
                return None
            case word if self._is_vocabulary and word not in VOCABULARY:
                self._mixed(chunk)
                return None
            case "transition":
                return self._transition(chunk)
            case "query":
                return self._query(chunk)
            case "scenario":
                return self._scenario(chunk)
            case "mode":
                return self._mode(chunk)
            case "state":
                return self._state(chunk)
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
