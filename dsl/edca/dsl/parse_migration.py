"""The way from text to a map's syntax tree: scan, split into lines, parse each line.

An error stays within its line, so one run finds all independent errors.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.diagnostics.source import Source, Span
from edca.dsl.build_migration import MapBuilder
from edca.dsl.parse import LANGUAGE_VERSION, SOURCE_LENGTH_MAX
from edca.dsl.read_chunks import ChunkReader, too_many
from edca.dsl.scan import FINDING_COUNT_MAX, Lexeme, Scan, scan
from edca.dsl.split import Beginning, Chunk, split_lines
from edca.dsl.tree import migration
from edca.dsl.words import FORMS, LINES


@dataclass(frozen=True, slots=True)
class ParsedMap:
    """What a text says, as far as it could be read; `map` is null where its header could not be."""

    map: migration.Map | None
    diagnostics: tuple[Diagnostic, ...]


def parse_map(source: Source) -> ParsedMap:
    """Read a map. Never raises, whatever the text; every mistake is in the diagnostics."""
    if len(source.text) > SOURCE_LENGTH_MAX:
        span = Span(source, SOURCE_LENGTH_MAX, SOURCE_LENGTH_MAX)
        message = f"a map has at most {SOURCE_LENGTH_MAX} characters, this one has {len(source.text)}"
        return ParsedMap(None, (Diagnostic(CODES["P006"], message, Label(span)),))
    scanned = scan(source)
    if len(scanned.diagnostics) >= FINDING_COUNT_MAX:
        return ParsedMap(None, (*scanned.diagnostics, too_many(source)))
    return _Reader(source, scanned).read()


class _Reader(ChunkReader):
    """Reads the lines of one text and puts what they give together."""

    _builder: MapBuilder

    def __init__(self, source: Source, scanned: Scan) -> None:
        super().__init__(source, scanned, MapBuilder(source))
        self._header: migration.MigrateLine | None = None
        self._lines: list[migration.MapLine] = []

    def read(self) -> ParsedMap:
        lexemes = self._version()
        if not lexemes or lexemes[0].text != "migrate":
            self._no_header(lexemes)
        for chunk in self._chunks(split_lines, lexemes, "line"):
            if self._is_full():
                break
            if chunk.beginning is not Beginning.KNOWN:
                self._unknown(chunk, "line", LINES)
            else:
                self._take(chunk, self._read(f"{chunk.word}_line", chunk.lexemes))
        found = None
        if self._header is not None:
            span = Span(self._source, 0, len(self._source.text))
            found = migration.Map(self._header, tuple(self._lines), span)
        return ParsedMap(found, tuple(self._diagnostics))

    def _version(self) -> Sequence[Lexeme]:
        """Read the language version, and return what stands behind it."""
        lexemes = self._lexemes
        if not lexemes or lexemes[0].text != "edca":
            first = lexemes[0] if lexemes else None
            span = Span(self._source, first.start, first.end) if first else Span(self._source, 0, 0)
            message = "the file doesn't begin with its language version"
            repair = f"write `edca {LANGUAGE_VERSION}` as the first line"
            self._diagnostics.append(Diagnostic(CODES["P007"], message, Label(span), help=repair))
            return lexemes
        end = next((i for i in range(1, len(lexemes)) if lexemes[i].first), len(lexemes))
        language = self._read("edca_declaration", lexemes[:end])
        if isinstance(language, int) and language != LANGUAGE_VERSION:
            message = f"version {language} of the language isn't known; this reads version {LANGUAGE_VERSION}"
            self._error("P005", message, lexemes[1])
        return lexemes[end:]

    def _no_header(self, lexemes: Sequence[Lexeme]) -> None:
        place = lexemes[0] if lexemes else (self._lexemes or (None,))[-1]
        message = "the file doesn't say which machine's cases it moves"
        repair = f"write `{FORMS['migrate_line']}` below the version"
        span = Span(self._source, place.start, place.end) if place else Span(self._source, 0, 0)
        self._diagnostics.append(Diagnostic(CODES["P001"], message, Label(span), help=repair))

    def _take(self, chunk: Chunk, node: object | None) -> None:
        match node:
            case migration.MigrateLine() if self._header is None and not self._lines:
                self._header = node
            case migration.MigrateLine():
                self._error("P001", "`migrate` stands once, at the top of the file", chunk.lexemes[0])
            case _ if isinstance(node, get_args(migration.MapLine)):
                self._lines.append(node)
