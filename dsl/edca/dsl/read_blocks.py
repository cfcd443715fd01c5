"""Declarations with bodies, read chunk by chunk: transitions, queries, composite states, modes and scenarios."""

from collections.abc import Sequence
from dataclasses import dataclass

from edca.diagnostics.codes import CODES
from edca.diagnostics.diagnostic import Diagnostic, Label
from edca.dsl import tree
from edca.dsl.build_clauses import QueryHeader, TransitionHeader
from edca.dsl.build_declarations import BlockHeader
from edca.dsl.read_chunks import ChunkReader
from edca.dsl.scan import Sort
from edca.dsl.split import Beginning, Block, Chunk, split_block, split_clauses, split_mode, split_parts, split_states
from edca.dsl.words import CLAUSES, MODE_PARTS, PARTS

STATE_DEPTH_MAX = 10
"""Deepest nesting of states that is read; how much of it a machine may have is a later pass's to say."""


class BlockReader(ChunkReader):
    """Reads declarations with a body."""

    # --- transitions and queries -------------------------------------------------------------------------------------

    def _transition(self, chunk: Chunk) -> tree.TransitionDeclaration | None:
        block = split_block(chunk.lexemes)
        header = self._read("transition_header", block.head)
        clauses = self._clauses(chunk, block)
        if not isinstance(header, TransitionHeader):
            self._lose(chunk)
            return None
        if not self._is_closed(block, "transition"):
            self._lose(chunk)
        return tree.TransitionDeclaration(
            name=header.name,
            branch=header.branch,
            parameters=header.parameters,
            about=header.about,
            keys=header.keys,
            creates=header.creates,
            sources=header.sources,
            target=header.target,
            guard=header.guard,
            clauses=clauses,
            span=self._span(chunk.lexemes),
        )

    def _query(self, chunk: Chunk) -> tree.QueryDeclaration | None:
        block = split_block(chunk.lexemes)
        header = self._read("query_header", block.head)
        clauses = self._clauses(chunk, block)
        if not isinstance(header, QueryHeader):
            self._lose(chunk)
            return None
        if not self._is_closed(block, "query"):
            self._lose(chunk)
        span = self._span(chunk.lexemes)
        return tree.QueryDeclaration(header.name, header.parameters, header.about, header.keys, clauses, span)

    def _clauses(self, chunk: Chunk, block: Block) -> tuple[tree.Clause, ...]:
        """The clauses of a declaration; where one can't be read, the declaration's name is lost."""
        clauses: list[tree.Clause] = []
        for clause_chunk in self._chunks(split_clauses, block.body, "clause"):
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
        return tuple(clauses)

    def _clause(self, chunk: Chunk) -> tree.Clause | None:
        match chunk.beginning:
            case Beginning.UNKNOWN:
                self._unknown(chunk, "clause", CLAUSES)
                return None
            case Beginning.KNOWN:
                node = self._read(f"{chunk.word}_clause", chunk.lexemes)
                return node if isinstance(node, tree.Clause) else None

    # --- states and modes --------------------------------------------------------------------------------------------

    def _state(self, chunk: Chunk, depth: int = 1) -> tree.StateDeclaration | tree.CompositeState | None:
        block = split_block(chunk.lexemes)
        if block.opener is None:
            node = self._read("state_declaration", chunk.lexemes)
            if isinstance(node, tree.StateDeclaration):
                return node
            self._lose(chunk)
            return None
        if depth > STATE_DEPTH_MAX:
            self._error("P006", f"states are nested more than {STATE_DEPTH_MAX} deep", chunk.lexemes[0])
            return None
        header = self._read("state_header", block.head)
        members: list[tree.StateDeclaration | tree.CompositeState] = []
        for member_chunk in self._chunks(split_states, block.body, "declaration"):
            if self._is_full():
                break
            if member_chunk.beginning is Beginning.KNOWN and member_chunk.word == "state":
                member = self._state(member_chunk, depth + 1)
            else:
                member = None
                self._unknown(member_chunk, "state", ("state",))
                self._lose(member_chunk)
            if member is not None:
                members.append(member)
        if not self._is_closed(block, "state") or not isinstance(header, BlockHeader):
            self._lose_states(chunk)
        if not isinstance(header, BlockHeader):
            return None
        return tree.CompositeState(header.name, header.text, tuple(members), self._span(chunk.lexemes))

    def _lose_states(self, chunk: Chunk) -> None:
        """Remember the names of a composite state that couldn't be read, and of all states in it."""
        pairs = zip(chunk.lexemes, chunk.lexemes[1:], strict=False)
        self._lost.update(name.text for word, name in pairs if word.text == "state" and name.sort is Sort.WORD)

    def _mode(self, chunk: Chunk) -> tree.ModeDeclaration | None:
        block = split_block(chunk.lexemes)
        header = self._read("mode_header", block.head)
        parts: list[tree.ModePart] = []
        complete = isinstance(header, BlockHeader)
        for part_chunk in self._chunks(split_mode, block.body, "part"):
            if self._is_full():
                return None
            part = self._mode_part(part_chunk)
            if part is None:
                complete = False
            else:
                parts.append(part)
        closed = self._is_closed(block, "mode")
        if not (complete and closed) or not isinstance(header, BlockHeader):
            self._lose(chunk)
            return None
        return tree.ModeDeclaration(header.name, header.text, tuple(parts), self._span(chunk.lexemes))

    def _mode_part(self, chunk: Chunk) -> tree.ModePart | None:
        match chunk.beginning:
            case Beginning.UNKNOWN:
                self._unknown(chunk, "part of a mode", MODE_PARTS)
                return None
            case Beginning.KNOWN:
                node = self._read(f"{chunk.word}_part", chunk.lexemes)
                return node if isinstance(node, tree.ModePart) else None

    # --- scenarios ---------------------------------------------------------------------------------------------------

    def _scenario(self, chunk: Chunk) -> tree.ScenarioDeclaration | None:
        block = split_block(chunk.lexemes)
        title = self._read("scenario_header", block.head)
        parts: list[tree.Given | tree.When | tree.Then] = []
        complete = isinstance(title, tree.Text)
        for part_chunk in self._chunks(split_parts, block.body, "part"):
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
        steps = _steps(parts)
        if isinstance(steps, _Disorder):
            message = "each step of a scenario has its `given` and `wait` parts first, then one `when`, then one `then`"
            place = title.span if steps.part is None else steps.part.span
            self._diagnostics.append(Diagnostic(CODES["P001"], message, Label(place, f"expected {steps.expected}")))
            return None
        return tree.ScenarioDeclaration(title, steps, self._span(chunk.lexemes))

    def _part(self, chunk: Chunk) -> tree.Given | tree.When | tree.Then | None:
        match chunk.beginning:
            case Beginning.UNKNOWN:
                self._unknown(chunk, "part of a scenario", PARTS)
                return None
            case Beginning.KNOWN:
                node = self._read(f"{chunk.word}_part", chunk.lexemes)
                return node if isinstance(node, tree.Given | tree.When | tree.Then) else None


@dataclass(frozen=True, slots=True)
class _Disorder:
    """The part of a scenario that stands out of order or lacks one behind it (null: it has none), and what it needs."""

    part: tree.Given | tree.When | tree.Then | None
    expected: str


def _steps(parts: Sequence[tree.Given | tree.When | tree.Then]) -> tuple[tree.Step, ...] | _Disorder:
    """The steps that these parts make."""
    steps: list[tree.Step] = []
    givens: list[tree.Given] = []
    when: tree.When | None = None
    for part in parts:
        if isinstance(part, tree.Then):
            if when is None:
                return _Disorder(part, "`when` before this")
            steps.append(tree.Step(tuple(givens), when, part))
            givens, when = [], None
        elif when is not None:
            return _Disorder(part, "`then` before this")
        elif isinstance(part, tree.When):
            when = part
        else:
            givens.append(part)
    if when is not None:
        return _Disorder(when, "`then` after this")
    if givens or not steps:
        return _Disorder(givens[-1] if givens else None, "`when` after this")
    return tuple(steps)
