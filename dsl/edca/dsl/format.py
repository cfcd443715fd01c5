"""The layout of a spec: the same for every author, whatever theirs was.

Only spaces, line ends and the comma behind a last member change; every word, number, text and comment stays as it is
and where it is. So the parse stays the same, and with it the machine and its digest.

The way is: `format_pieces` text to pieces with their comments, `format_declarations` (with `format_scenarios`,
`format_clauses` and `format_expressions`) syntax tree and pieces to items, `format_layout` (with `format_doc`) items to
lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from edca.diagnostics.diagnostic import Diagnostic
from edca.diagnostics.source import Source
from edca.dsl.format_declarations import DeclarationLayout
from edca.dsl.format_layout import Layout, text_of
from edca.dsl.format_pieces import Piece, Pieces, pieces_of
from edca.dsl.parse import parse
from edca.dsl.scan import Lexeme, scan
from edca.dsl.split import Chunk, split_block, split_clauses, split_declarations, split_mode, split_parts, split_states

_Shape: TypeAlias = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Formatted:
    """A spec in its canonical layout, or null where it has syntax errors; `diagnostics` says which."""

    text: str | None
    diagnostics: tuple[Diagnostic, ...]


def format_source(source: Source) -> Formatted:
    """Lay a spec out anew. Formatting what was formatted changes nothing; a mistake of meaning is no obstacle."""
    scanned = scan(source)
    parsed = parse(source, scanned)
    if parsed.spec is None or parsed.diagnostics:
        return Formatted(None, parsed.diagnostics)
    lexemes = scanned.lexemes
    taken = pieces_of(source, lexemes)
    pieces = Pieces(taken)
    items = DeclarationLayout(pieces).spec(parsed.spec)
    text = text_of(Layout(pieces).lines(items))
    # What an author wrote must not depend on this program having no mistake.
    written = Source(source.name, text)
    anew = scan(written).lexemes
    if _shape(source, lexemes, taken) != _shape(written, anew, pieces_of(written, anew)):
        raise AssertionError(f"formatting would have changed what `{source.name}` says")
    return Formatted(text, ())


def _shape(source: Source, lexemes: Sequence[Lexeme], pieces: Sequence[Piece]) -> _Shape:
    """All that a parse depends on, and the comments: the words of each chunk, and what stands around every comment."""
    # A `,` in front of a comment moves, so it has no place in the order of words and comments.
    in_order = (
        text
        for piece in pieces
        for text in (*(comment.text for comment in piece.above), piece.text, *piece.trailing)
        if text != ","
    )
    return (
        tuple(in_order),
        *(_words(chunk, source) for outer in split_declarations(lexemes) for chunk in _inner(outer)),
    )


def _inner(chunk: Chunk) -> tuple[Chunk, ...]:
    """A declaration with the chunks of its body, if it has one that is read chunk by chunk."""
    body = split_block(chunk.lexemes).body
    match chunk.word:
        case "transition" | "query":
            return chunk, *split_clauses(body)
        case "scenario":
            return chunk, *split_parts(body)
        case "mode":
            return chunk, *split_mode(body)
        case "state":
            return chunk, *(inner for member in split_states(body) for inner in _inner(member))
        case _:
            return (chunk,)


def _words(chunk: Chunk, source: Source) -> tuple[str, ...]:
    words = [source.text[lexeme.start : lexeme.end] for lexeme in chunk.lexemes]
    return tuple(
        word for word, after in zip(words, (*words[1:], ""), strict=True) if not (word == "," and after == "}")
    )
