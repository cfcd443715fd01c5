"""`edca limits`: how far each limit is used, as a ledger's counters say."""

import json
import time
from typing import Annotated, Final

import typer

from edca.cli.explanation import json_data, value_text
from edca.cli.findings import cell_lines, cells_data
from edca.cli.loading import open_to_read, parse_instant
from edca.cli.options import FINDINGS, AsJSON, Ledger, Now, command_app, examples
from edca.cli.output import document, line, table
from edca.kernel.calendar import duration_text
from edca.kernel.machine import Window, WindowKind
from edca.kernel.types import DecimalType, IntType
from edca.kernel.values import to_raw
from edca.runtime.counter_cells import SPACES
from edca.runtime.limit_use import LimitUse, limit_uses
from edca.runtime.opened import opened as unsealed
from edca.runtime.rebuild import compare_cells

app: Final = command_app()

_HEADINGS: Final = ("machine", "transition", "limit", "per", "counted", "reserved", "at most", "window")
_Check = Annotated[
    bool, typer.Option("--check", help="Compare every counter with what the records add up to; 1 if one differs.")
]


@app.command(epilog=examples("edca limits refunds.ledger", "edca limits refunds.ledger --check --json"))
def limits(ledger: Ledger, now: Now = None, check: _Check = False, as_json: AsJSON = False) -> None:
    """Say how far each limit is used.

    One line for each counter that holds anything: what its window has counted so far, how much of that is only
    reserved (for effects under way, and for candidates that wait for people's answers), and how much it may be. The
    most it may be is as of the newest passage; where it depends on facts, the next may find another.
    """
    instant = time.time_ns() // 1000 if now is None else parse_instant(now)
    with open_to_read(ledger) as opened:
        uses = limit_uses(unsealed(opened), instant)
        differing = [one for one in compare_cells(opened) if one.space in SPACES] if check else []
    if as_json:
        document({"limits": [_data(use) for use in uses], "cells": cells_data(differing) if check else None})
    else:
        if uses:
            table(_HEADINGS, [_row(use) for use in uses])
        else:
            line("no limit has counted anything")
        for told in cell_lines(differing):
            line(told)
        if check and not differing:
            line("every counter holds what the records add up to")
    if differing:
        raise typer.Exit(FINDINGS)


def _row(use: LimitUse) -> list[str]:
    per = ", ".join(part if isinstance(part, str) else json.dumps(json_data(part)) for part in use.key)
    counted = "unknown: the clock stands before it" if use.counted is None else _text(use, use.counted)
    return [
        use.machine,
        use.transition,
        use.code,
        per,
        counted,
        _text(use, use.reserved),
        _text(use, use.bound),
        _window(use.window),
    ]


def _data(use: LimitUse) -> dict[str, object]:
    return {
        "at_most": _text(use, use.bound),
        "counted": None if use.counted is None else _text(use, use.counted),
        "limit": use.code,
        "machine": use.machine,
        "per": json_data(list(use.key)),
        "reserved": _text(use, use.reserved),
        "tenant": use.tenant,
        "transition": use.transition,
        "window": _window(use.window),
    }


def _text(use: LimitUse, units: int) -> str:
    """Return an amount as people write it; the counter may hold more than its limit's type has values for."""
    if not isinstance(use.type, (IntType, DecimalType)):
        return str(units)
    return value_text(to_raw(use.type, units, {}))


def _window(window: Window) -> str:
    length = duration_text(window.length_us)
    match window.kind:
        case WindowKind.ROLLING:
            return f"rolling {length}"
        case WindowKind.UTC:
            return f"utc {length.removeprefix('1 ')}"
