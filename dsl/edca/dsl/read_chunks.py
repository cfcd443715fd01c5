"""One chunk at a time to nodes, and what went wrong to findings."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from lark import Token, Tree

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.diagnostics.source import Source, Span
from edca.dsl import explain, grammar
from edca.dsl.build_declarations import TreeBuilder
from edca.dsl.build_expressions import ExpressionBuilder
from edca.dsl.scan import FINDING_COUNT_MAX, Lexeme, Scan, Sort
from edca.dsl.split import Beginning, Block, Chunk, Split, split_block
from edca.dsl.words import DECLARATIONS

DEPTH_MAX = 100
"""Deepest nesting of brackets, and of expressions in each other; later passes walk expressions recursively."""

_WITH_BODY = frozenset(("transition", "query", "mode", "scenario"))


class ChunkReader:
    """Reads single chunks of one text; collects what was wrong, and the names that were lost with what was."""

    def __init__(self, source: Source, scanned: Scan, builder: ExpressionBuilder | None = None) -> None:
        self._source = source
        self._lexemes = scanned.lexemes
        self._diagnostics = list(scanned.diagnostics)
        self._scan_places = [found.primary.span.start for found in scanned.diagnostics]
        self._builder = builder or TreeBuilder(source)
        self._lost: set[str] = set()
        self._latest: tuple[tuple[str, int, int], Tree[Token] | grammar.Failure] | None = None

    def _chunks(self, split: Split, lexemes: Sequence[Lexeme], what: str) -> Iterator[Chunk]:
        """The chunks of some lexemes; the ends of lines count only in what can't be read without them.

        Args:
            split: how they are taken apart.
            lexemes: all of a file, or of a body.
            what: what they are, as start rules end: declaration, clause or part.
        """
        chunks = tuple(split(lexemes))
        starts = list(accumulate((len(chunk.lexemes) for chunk in chunks), initial=0))
        index = 0
        while index < len(chunks):
            if self._is_whole(chunks[index], what):
                yield chunks[index]
                index += 1
                continue
            place = starts[index]
            # By lines as far as needed: to where a chunk begins either way.
            for chunk in split(lexemes[place:], by_lines=True):
                yield chunk
                place += len(chunk.lexemes)
                index = bisect_left(starts, place)
                if starts[index] == place:
                    break

    def _is_whole(self, chunk: Chunk, what: str) -> bool:
        """Whether a chunk is what its word says; of what stands in a body, only that the body ends."""
        if chunk.beginning is not Beginning.KNOWN or _first_too_deep(chunk.lexemes) is not None:
            return False
        rule, lexemes = f"{chunk.word}_{what}", chunk.lexemes
        if what == "declaration" and (chunk.word in _WITH_BODY or chunk.word == "state"):
            block = split_block(chunk.lexemes)
            if chunk.word in _WITH_BODY or block.opener is not None:
                if block.closer is None or block.rest:
                    return False
                rule, lexemes = f"{chunk.word}_header", block.head
        return isinstance(self._parsed(rule, lexemes), Tree)

    def _parsed(self, start_rule: str, lexemes: tuple[Lexeme, ...]) -> Tree[Token] | grammar.Failure:
        """What the grammar makes of a chunk; the latest is kept, as it is asked for twice in a row."""
        key = (start_rule, lexemes[0].start, lexemes[-1].end)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, grammar.read(start_rule, lexemes)
        return self._latest[1]

    def _lose(self, chunk: Chunk) -> None:
        """Remember the names of a declaration, or a `let`, that couldn't be read."""
        # A memory declares its members, an enum its values; of others only the name matters to the rest of the spec.
        several = chunk.word in ("memory", "enum")
        lexemes = chunk.lexemes[1:] if several else chunk.lexemes[1:2]
        if chunk.word == "case":  # without it nobody knows which entity's name is a value
            lexemes = (*chunk.lexemes[:1], *chunk.lexemes[2:3])
        self._lost.update(lexeme.text for lexeme in lexemes if lexeme.sort is Sort.WORD)

    def _read(self, start_rule: str, lexemes: tuple[Lexeme, ...]) -> object | None:
        """The node that a chunk stands for, or nothing if it couldn't be read; then that has been reported."""
        too_deep = _first_too_deep(lexemes)
        if too_deep is not None:
            self._error("P006", f"brackets are nested more than {DEPTH_MAX} deep", too_deep)
            return None
        found = self._parsed(start_rule, lexemes)
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
            self._diagnostics.append(too_many(self._source))
        return True

    def _span(self, lexemes: Sequence[Lexeme]) -> Span:
        return Span(self._source, lexemes[0].start, lexemes[-1].end)


def too_many(source: Source) -> Diagnostic:
    """The finding that reading stopped because there were so many."""
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
