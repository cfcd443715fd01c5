"""Limits: what a candidate would count, against what has been counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.evaluate import Frame, known
from edca.kernel.values import Unknown, to_raw
from edca.kernel.verdict import Move

if TYPE_CHECKING:
    from edca.kernel.inputs import Inputs
    from edca.kernel.machine import Limit, Machine
    from edca.kernel.program import LimitProgram
    from edca.kernel.values import Value


@dataclass(frozen=True, slots=True)
class Tally:
    """Whether a limit is kept, and how its counter would move (null where something about it is unknown)."""

    kept: bool
    move: Move | None
    unknown: Unknown | None


def tally(
    machine: Machine,
    counter: tuple[str, str],
    limit: Limit | None,
    program: LimitProgram | None,
    frame: Frame,
    inputs: Inputs,
) -> Tally:
    """Count what the candidate would add. A limit is kept up to and with its bound.

    `counter` is the transition's id and the limit's code.
    """
    if limit is None or program is None:
        return Tally(False, None, Unknown.UNCOUNTED)  # an artefact that no compiler makes
    amount, bound = known(program.measure(frame)), known(program.bound(frame))
    key = key_of(program, frame)
    unknown = next((part for part in (amount, bound, key) if isinstance(part, Unknown)), None)
    if unknown is not None or isinstance(key, Unknown):
        return Tally(False, None, unknown)
    used = inputs.used.get((*counter, key))
    if used is None:
        return Tally(False, None, Unknown.UNCOUNTED)
    entities = machine.index.entities
    raw = tuple(to_raw(type_, part, entities) for type_, part in zip(limit.key_types, key, strict=True))
    return Tally(used + amount <= bound, Move(counter[1], raw, used, amount, bound), None)


def key_of(program: LimitProgram, frame: Frame) -> tuple[Value, ...] | Unknown:
    """Return what the limit counts per: the values of its keys, unknown when any of them is."""
    values = tuple(known(closure(frame)) for closure in program.keys)
    return next((value for value in values if isinstance(value, Unknown)), values)
