"""One pass over the records of a ledger, in order: what contradicts what.

Records are taken a few at a time, and twice if need be. First quickly, asking only whether everything about them is as
it should be; that is how nearly all records of nearly all ledgers are. Where it isn't, the same few are gone through
once more, one by one, to find which of them does not fit and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from edca.ledger.checks import Flaw
from edca.ledger.errors import LedgerFormatError
from edca.ledger.forms import Forms
from edca.ledger.kept import Comparison
from edca.ledger.leaf import NO_HASH, ChainTag, Leaf, chain_tag
from edca.ledger.parallel import Checked
from edca.ledger.parts import ChainKey, Part, Row, part_of
from edca.ledger.record import Record, body_digest, parse
from edca.ledger.remains import absent
from edca.ledger.tree import CompactRange, leaf_hash


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction. `index` is the record it is about, or None if it is about the whole ledger."""

    index: int | None
    what: Flaw
    detail: str


Newest: TypeAlias = tuple[int, int, bytes | None]
"""A chain's newest record so far: index, entry, and its body's digest, None if header and body disagree about it."""


@dataclass(slots=True)
class Scan:
    """The state of the pass. `decoding` is whether every body is read, or its digest compared only.

    A published ledger has no hints (`has_hints`), and may lack bodies: `bodies_absent` counts those.
    """

    kept: Comparison
    decoding: bool = True
    has_hints: bool = True
    range: CompactRange = field(default_factory=CompactRange)
    next_index: int = 0
    tip: bytes | None = NO_HASH
    """Leaf hash of the record read last; None if one is missing after it, or its header is in doubt."""
    newest: dict[ChainKey, Newest] = field(default_factory=dict)
    bodies_absent: int = 0
    forms: Forms = field(default_factory=Forms)
    findings: list[Finding] = field(default_factory=list)
    is_complete: bool = False
    is_ledger: bool = True

    def find(self, index: int | None, what: Flaw, detail: str) -> None:
        """Keep a finding."""
        self.findings.append(Finding(index, what, detail))

    def take(self, rows: Sequence[Row]) -> None:
        """Go past some records, and compare the root where as many are read as a kept checkpoint was over."""
        start = 0
        while start < len(rows):
            due = self.kept.until_next(self.range.size)
            end = len(rows) if due is None else min(len(rows), start + due)
            part = rows[start:end]
            if not self._took_sound(part):
                for row in part:
                    self._row(*row)
            self.compare_kept()
            start = end

    def compare_signatures(self) -> None:
        """Note the kept checkpoints that are not to be believed."""
        for one in self.kept.kept:
            if one.flaw is not None:
                self.find(None, Flaw.SIGNATURE, f"{one.name}: {one.flaw}")

    def compare_kept(self) -> None:
        """Compare the root with those kept at this size."""
        self._compare(self.range)

    def _compare(self, tree: CompactRange) -> None:
        for detail in self.kept.contradictions(tree):
            self.find(None, Flaw.CHECKPOINT, detail)

    def compare_end(self) -> None:
        """Compare what was read, once nothing follows, with all that was kept."""
        self.is_complete = True
        for detail in self.kept.contradictions_at_end(self.range, self.next_index):
            self.find(None, Flaw.CHECKPOINT, detail)

    def take_checked(self, checked: Checked) -> bool:
        """Go past records that a worker has found sound. Where they don't fit here, stay, and return false."""
        tree = self.range.joined(checked.tree)
        marks = [self.range.joined(mark) for mark in checked.marks]
        if tree is None or not self._took(checked.part, tree):
            return False
        for mark in marks:
            if mark is not None:
                self._compare(mark)
        self.compare_kept()
        return True

    def _took_sound(self, rows: Sequence[Row]) -> bool:
        """Go past records that nothing is wrong with. Where anything is, stay where the pass is, and return false."""
        made = part_of(rows[0][0], rows, self.forms.read if self.decoding else None, has_hints=self.has_hints)
        return made is not None and self._took(made[0], self.range.extend(made[1]))

    def _took(self, part: Part, tree: CompactRange) -> bool:
        """Go past a part, with which the ledger so far has that `tree`, if it fits to what was before it."""
        if part.first != self.next_index or part.previous != self.tip:
            return False
        for chain, (entry, back, prev, *_) in part.chains.items():
            before = self.newest.get(chain)
            index, due, digest = (None, 0, NO_HASH) if before is None else (before[0], before[1] + 1, before[2])
            if entry != due or (self.has_hints and back != index):
                return False
            if prev is not None and digest is not None and prev != digest:
                return False
        self.newest.update((chain, (index, entry, digest)) for chain, (*_, index, entry, digest) in part.chains.items())
        self.tip, self.next_index, self.range = part.tip, part.first + part.size, tree
        self.bodies_absent += part.bodies_absent
        return True

    def _row(self, index: int, back: Any, header: Any, body: Any) -> None:
        if index > self.next_index:
            self.find(self.next_index, Flaw.MISSING, absent(self.next_index, index - 1))
            self.tip = None
        elif index < self.next_index:
            self.find(index, Flaw.ORDER, "a record stands before the first")
        self.next_index = max(self.next_index, index + 1)
        found_before = len(self.findings)
        leaf = self._check_header(index, header)
        record, digest = self._check_body(index, leaf, body)
        if len(self.findings) > found_before:
            # An altered header changes its leaf hash: the flaw would be reported once more at the successor.
            self.tip = None
        self._check_chain(index, back, leaf, record, digest)

    def _check_header(self, index: int, header: Any) -> Leaf | None:
        """Check a header and its link, and move tip and range past it."""
        raw = header if isinstance(header, bytes) else b""
        previous, self.tip = self.tip, leaf_hash(raw)
        self.range = self.range.append(self.tip)
        try:
            leaf = Leaf.from_bytes(raw)
        except LedgerFormatError as error:
            self.find(index, Flaw.HEADER, str(error))
            return None
        if leaf.index != index:
            self.find(index, Flaw.HEADER, f"the header is that of record {leaf.index}")
        elif previous is not None and leaf.previous != previous:
            detail = "it does not follow the record before it: one of the two was altered, or one between is gone"
            self.find(index, Flaw.ORDER, detail)
        return leaf

    def _check_body(self, index: int, leaf: Leaf | None, body: Any) -> tuple[Record | None, bytes | None]:
        """Return the record and its digest as far as they can be relied on, None where they can't."""
        if body is None and not self.has_hints:
            self.bodies_absent += 1
            return None, None if leaf is None else leaf.body_digest
        raw = body if isinstance(body, bytes) else b""
        digest = body_digest(raw)
        if leaf is not None and leaf.body_digest != digest:
            self.find(index, Flaw.BODY, "the body is not the one its header was made for")
            return None, None
        try:
            record = parse(raw)
        except LedgerFormatError as error:
            self.find(index, Flaw.BODY, str(error))
            return None, digest
        if leaf is not None and leaf.chain != chain_tag(record.chain):
            self.find(index, Flaw.HEADER, f"the header names another chain than the body's `{record.chain}`")
        if leaf is not None and leaf.entry != record.entry:
            self.find(index, Flaw.HEADER, f"the header says entry {leaf.entry}, the body {record.entry}")
        return record, digest

    def _check_chain(
        self, index: int, back: Any, leaf: Leaf | None, record: Record | None, digest: bytes | None
    ) -> None:
        """Check a record against its chain's record before it; whichever part is sound names the chain."""
        if record is not None:
            chain, entry = key_of(chain_tag(record.chain)), record.entry
        elif leaf is not None:
            chain, entry = key_of(leaf.chain), leaf.entry
        else:
            return
        before = self.newest.get(chain)
        self.newest[chain] = index, entry, digest
        due = 0 if before is None else before[1] + 1
        if entry != due:
            self.find(index, Flaw.CHAIN, f"it is entry {entry} of its chain, where entry {due} is due")
            return
        prev = NO_HASH if before is None else before[2]
        if record is not None and prev is not None and record.prev != prev:
            self.find(index, Flaw.CHAIN, "it names another body than its chain's record before it")
        if self.has_hints and back != (None if before is None else before[0]):
            self.find(index, Flaw.CHAIN, f"the table's hint at its chain's record before it is wrong: {back}")


def key_of(tag: ChainTag) -> ChainKey:
    """Return the key of a chain in `Scan.newest`."""
    return int(tag.kind), tag.case_tag
