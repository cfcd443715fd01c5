"""What a check of a ledger came to: what holds, what does not, and what nobody has looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from edca.ledger.checks import (
    NO_ROOT,
    NO_SIGNED,
    NOT_DECODED,
    NOT_READ,
    NOTHING_READ,
    WHO_WROTE,
    Check,
    Flaw,
    asked_of_records,
)
from edca.ledger.kept import UNNAMED, Kept, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.ledger.scan import Finding, Scan

Progress: TypeAlias = Callable[[int, int], None]
"""Called with how many records are done, and how many there are."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check of a whole ledger found, which questions it could answer, and which not.

    `checked` holds without exception, `failed` does not hold: `findings` say where. `not_checked` is open.
    `size` and `root` are of the records as they are in the file: worth keeping elsewhere if nothing was
    found. `is_ledger` is false for a file that nothing marks as a ledger, such as another one named by mistake.
    """

    size: int
    root: bytes
    findings: tuple[Finding, ...]
    checked: tuple[str, ...]
    failed: tuple[str, ...]
    not_checked: tuple[str, ...]
    is_ledger: bool

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found. It says nothing about `not_checked`."""
        return not self.findings


def verification(scan: Scan, besides: Sequence[Check], tail: str, others: Sequence[str]) -> Verification:
    """Return what a pass came to.

    `besides` is what was asked besides of the records. `tail` says what can't be known of deleted newest records, and
    `others` what else nobody can know who has only what was read.
    """
    flaws = {finding.what for finding in scan.findings}
    bodies = scan.bodies_absent == 0
    checks = (*asked_of_records(decoding=scan.decoding, bodies=bodies), *besides)
    broken = [check.what for check in checks if flaws & check.broken_by]
    cut_short = [check.what for check in checks if not flaws & check.broken_by and flaws & check.cut_short_by]
    held = [check.what for check in checks if not flaws & (check.broken_by | check.cut_short_by)]
    for one in scan.kept.kept:
        if one.flaw is not None:
            broken.append(f"the signatures of {one.name} hold")
        elif one in scan.kept.denied:
            broken.append(one.what)
        elif Flaw.BODY in flaws:
            # The root is over headers: a body that isn't its header's is not vouched for by it.
            cut_short.append(one.what)
        else:
            held.append(one.what)
    signed = [one for one in scan.kept.kept if one.signers]
    vouching = [one for one in signed if one.what in held]
    for one in signed:
        held += [f"{one.name} is signed by {one.signing}"]
    if vouching:
        newest = max(vouching, key=_size)
        held.append(f"who wrote the first {counted(_size(newest))}: {newest.keepers} signed for them")
    open_ = _open(scan, vouching, tail, others)
    if scan.is_complete:
        open_ += [f"around what was found, whether {what}" for what in cut_short]
    return Verification(
        size=scan.range.size,
        root=scan.range.root(),
        findings=tuple(scan.findings),
        checked=tuple(held) if scan.is_complete else (),
        failed=tuple(broken),
        not_checked=tuple(open_),
        is_ledger=scan.is_ledger,
    )


def _open(scan: Scan, vouching: list[Kept], tail: str, others: Sequence[str]) -> list[str]:
    """Return what is left open whatever was found."""
    size, believed = scan.range.size, scan.kept.believed
    if not scan.is_complete:
        rest = f"anything past the first {counted(size)}: it can't be read"
        return [rest, WHO_WROTE, NOT_READ, *others] if size else [NOTHING_READ]
    open_ = [tail]
    if any(one.root is None for one in believed):
        open_.append(NO_ROOT)
    if not vouching:
        open_.append(NO_SIGNED if any(one.name != UNNAMED for one in scan.kept.kept) else WHO_WROTE)
    elif (counts := max(map(_size, vouching))) < size:
        open_.append(
            f"who wrote the {counted(size - counts)} after the first {counts}: no signed checkpoint counts them"
        )
    if scan.bodies_absent:
        open_.append(f"what was recorded: {_bodies(scan.bodies_absent)} not there")
    elif not scan.decoding:
        open_.append(NOT_DECODED)
    return [*open_, NOT_READ, *others]


def _bodies(count: int) -> str:
    return "1 body is" if count == 1 else f"{count} bodies are"


def _size(kept: Kept) -> int:
    return kept.size or 0
