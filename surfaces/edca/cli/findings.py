"""What verification and replay found, as JSON-ready data: shared by the commands that report it."""

from collections.abc import Sequence

from edca.cli.telling_erasures import vault_finding_data
from edca.ledger.verification import Verification
from edca.runtime.cell_differences import CellDifference
from edca.runtime.replayed import Replayed
from edca.runtime.stamps import Kernel, this_kernel


def verification_data(found: Verification) -> dict[str, object]:
    """Return a verification as JSON-ready data."""
    return {
        "checked": list(found.checked),
        "failed": list(found.failed),
        "findings": [
            {"detail": finding.detail, "index": finding.index, "what": finding.what.value} for finding in found.findings
        ],
        "not_checked": list(found.not_checked),
        "ok": found.is_sound,
        "root": found.root.hex(),
        "size": found.size,
    }


def replay_data(found: Replayed) -> dict[str, object]:
    """Return a replay's result as JSON-ready data."""
    return {
        "cells": cells_data(found.cells),
        "equal": found.equal,
        "kernels": [_kernel_data(kernel, count) for kernel, count in found.kernels],
        "erased": list(found.erased),
        "mismatches": [
            {"index": one.index, "path": one.path, "recomputed": one.recomputed, "recorded": one.recorded}
            for one in found.mismatches
        ],
        "not_replayed": [{"index": one.index, "reason": one.reason} for one in found.not_replayed],
        "ok": replays(found),
        "personal": [vault_finding_data(one) for one in found.vault],
        "total": found.total,
        "unfinished": list(found.unfinished),
    }


def replays(found: Replayed) -> bool:
    """Whether every record says what its contents yield, and every cell beside them what the records add up to.

    A record that could not be replayed does not; one whose input was erased does, as far as anybody can tell.
    """
    return found.equal + len(found.erased) == found.total and not found.cells and not found.vault


def cells_data(found: Sequence[CellDifference]) -> list[dict[str, str]]:
    """Return cells that are not what the records add up to as JSON-ready data."""
    return [
        {"cell": one.cell, "key": one.key, "records": one.records, "space": one.space, "what": one.what}
        for one in found
    ]


def cell_lines(found: Sequence[CellDifference]) -> list[str]:
    """Return the same for people, a line each."""
    return [f"{one.what}: the ledger's cell holds {one.cell}, its records say {one.records}" for one in found]


def kernel_lines(found: Replayed) -> list[str]:
    """Return which other kernels decided, a line each: that replay comes to the same is then worth more, not less."""
    here = this_kernel()
    others = [(kernel, count) for kernel, count in found.kernels if kernel != here]
    return [f"{count} records were decided by {_kernel(kernel)}, this is {_kernel(here)}" for kernel, count in others]


def _kernel(kernel: Kernel) -> str:
    source = "without its source" if kernel.digest is None else f"source {kernel.digest.hex()[:16]}"
    return f"kernel {kernel.version} ({source})"


def _kernel_data(kernel: Kernel, count: int) -> dict[str, object]:
    digest = None if kernel.digest is None else kernel.digest.hex()
    return {"digest": digest, "is_this": kernel == this_kernel(), "records": count, "version": kernel.version}
