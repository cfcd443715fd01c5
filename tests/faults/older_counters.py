"""Counters as an earlier version kept them: all passages of one in its own cell, and no record in a reservation's."""

from edca.kernel import canonical
from edca.ledger.store import Cell
from edca.runtime.counter_cells import HELD, PARTS, SPACE, Sheet, counters


def as_an_earlier_version_wrote(ledger):
    """Give every counter, and every note of reservations, the form that they had before passages were put away."""
    sheet, older = Sheet(ledger.cell), []
    for name, counter in counters(ledger.cells(SPACE)):
        passages = [canonical.decode(one.encoded.canonical) for one in counter.passages(sheet.pages(name))]
        said = {"name": canonical.decode(name.encoded.canonical), "latest": counter.latest, "passages": passages}
        older.append(Cell(SPACE, name.cell_key, canonical.encode(said)))
    held = [(key, sheet.held(key)) for key, _ in ledger.cells(HELD)]
    older += [Cell(HELD, key, canonical.encode(list(one.counters))) for key, one in held]
    older += [Cell(PARTS, key, None) for key, _ in ledger.cells(PARTS)]
    ledger.commit((), older)
