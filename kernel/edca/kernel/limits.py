"""Limits: what a candidate would count, against what has been counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.kernel.values import Unknown, to_raw
from edca.kernel.verdict import Move

if TYPE_CHECKING:
    from edca.kernel.inputs import Inputs
    from edca.kernel.machine import Clause, Machine


def tally(
    machine: Machine, offered: str, clause: Clause, counted: tuple[Any, Any, Any] | None, inputs: Inputs
) -> Move | Unknown:
    """Return how the limit's counter would move, or why that is unknown.

    `offered` is what candidates call the transition; `counted` holds what the candidate adds, the bound, and the key.
    """
    limit = clause.limit
    if limit is None or counted is None:
        return Unknown.UNCOUNTED  # an artefact that no compiler makes
    for part in counted:
        if part.__class__ is Unknown:
            unknown: Unknown = part
            return unknown
    amount, bound, key = counted
    used = inputs.used.get((offered, clause.code, key))
    if used is None:
        return Unknown.UNCOUNTED
    entities = machine.index.entities
    raw = tuple(to_raw(type_, part, entities) for type_, part in zip(limit.key_types, key, strict=True))
    return Move(clause.code, raw, used, amount, bound)


def is_kept(move: Move) -> bool:
    """Tell whether a limit is kept: up to and with its bound."""
    return move.used + move.amount <= move.bound
