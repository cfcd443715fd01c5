"""Alters which records a ledger holds: drops, repeats, swaps, cuts, forks and splices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sweep import Sweep, Tally

from edca.ledger.checks import Flaw
from edca.ledger.kept import Kept
from edca.ledger.parts import Row


@dataclass(frozen=True)
class Alteration:
    """Rows other than the ledger's, the same as its own before `start`; `names` are the records to be named."""

    part: str
    rows: list[Row]
    start: int
    names: tuple[int, ...]


def alterations(rows: list[Row], other: list[Row]) -> Iterator[Alteration]:
    """Yield every record dropped, repeated and swapped with its neighbour, with and without new numbers in the table.

    `other` are the rows of another ledger: each record is the last one before they follow, or the first one behind.
    """
    for index in range(len(rows)):
        gap = [*rows[:index], *rows[index + 1 :]]
        if index + 1 < len(rows):  # without the newest, only its chain's head tells: a cut
            yield Alteration("dropped, leaving a gap", gap, index, (index,))
            yield Alteration("dropped, others moved up", _numbered(gap), index, (index,))
            swapped = [*rows[:index], rows[index + 1], rows[index], *rows[index + 2 :]]
            yield Alteration("swapped with the next", _numbered(swapped), index, (index,))
        yield Alteration("repeated", _numbered([*rows[: index + 1], *rows[index:]]), index, (index + 1,))
        if 0 < index < len(other) and rows[index - 1] != other[index - 1]:
            yield Alteration("spliced", [*rows[:index], *other[index:]], index, (index,))


def alter(sweep: Sweep, other: list[Row], tally: Tally) -> None:
    """Try all of them: each must be named at the record where the rows first are not what they were."""
    for one in alterations(sweep.rows, other):
        found = sweep.findings(one.rows, one.start)
        named = bool(found) and found[0].index in one.names
        tally.count(one.part, bool(found), named, f"at {one.start}: {[f.detail for f in found[:1]]}")


def cut(sweep: Sweep, tally: Tally, *, every: int = 1) -> None:
    """Cut the newest records off in every length, with their chains' heads: any one root kept from later tells."""
    size = len(sweep.rows)
    for left in range(0, size, every):
        for counted in {left + 1, (left + size) // 2 + 1, size}:
            if not left < counted <= size:
                continue
            kept = Kept(counted, sweep.roots[counted], "a kept checkpoint")
            scan = sweep.known[left].resumed((kept,))
            scan.compare_end()
            names = [finding.what for finding in scan.findings]
            told = f"was over {counted} record" in "".join(finding.detail for finding in scan.findings)
            tally.count(
                "cut, or rolled back", bool(names), names == [Flaw.CHECKPOINT] and told, f"to {left}, kept {counted}"
            )


def fork(sweep: Sweep, forked: Sweep, tally: Tally) -> None:
    """Compare a ledger that went another way after some records with every root that was kept before and behind."""
    since = next(number for number, row in enumerate(sweep.rows) if row != forked.rows[number])
    assert since > 0
    for counted in range(1, min(len(sweep.rows), len(forked.rows)) + 1):
        kept = Kept(counted, sweep.roots[counted], "a kept checkpoint")
        scan = forked.known[counted].resumed((kept,))
        scan.compare_kept()
        if counted <= since:
            assert not scan.findings, counted
            continue
        named = [finding.detail for finding in scan.findings]
        tally.count("forked", bool(named), "have another root" in "".join(named), f"kept {counted}, forked at {since}")


def _numbered(rows: list[Row]) -> list[Row]:
    """Return the rows with the numbers that their places have: who edits the table would set those."""
    return [(number, *row[1:]) for number, row in enumerate(rows)]
