"""Verdicts back from their raw form: what a record or a remembered answer says, as a value to match on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.kernel.machine import ClauseKind, OnFail
from edca.kernel.roster import person_on_record
from edca.kernel.values import Unknown
from edca.kernel.verdict import (
    Accepted,
    Anchor,
    ClauseResult,
    Escalated,
    Intent,
    Move,
    Need,
    Reading,
    Refused,
    Result,
    Stage,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


def verdict_from_raw(raw: Mapping[str, Any]) -> Verdict:
    """Return the verdict whose `to_raw` is `raw`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    clauses = tuple(clause_from_raw(clause) for clause in raw["clauses"])
    match raw["outcome"]:
        case "accepted":
            return Accepted(
                transition=raw["transition"],
                source=raw["source"],
                target=raw["target"],
                memory=raw["memory"],
                intents=tuple(Intent(intent["effect"], intent["arguments"]) for intent in raw["intents"]),
                anchor=_anchor(raw["anchor"]),
                clauses=clauses,
                moves=_moves(raw["moves"]),
                code=raw["code"],
            )
        case "refused":
            return Refused(
                transition=raw["transition"],
                code=raw["code"],
                stage=None if raw["stage"] is None else Stage(raw["stage"]),
                detail=raw["detail"],
                clauses=clauses,
                anchor=None if raw["anchor"] is None else _anchor(raw["anchor"]),
                reason=None if raw["reason"] is None else Unknown(raw["reason"]),
            )
        case "escalated":
            return Escalated(
                transition=raw["transition"],
                code=raw["code"],
                needs=tuple(Need(n["code"], ClauseKind(n["kind"]), n["role"], n["count"]) for n in raw["needs"]),
                anchor=_anchor(raw["anchor"]),
                clauses=clauses,
                moves=_moves(raw["moves"]),
                preview=raw["preview"],
            )
        case other:
            raise ValueError(f"a verdict is accepted, refused or escalated, not {other!r}")


def _anchor(raw: Mapping[str, Any]) -> Anchor:
    return Anchor(person_on_record(raw["principal"]), raw["role"], raw["mandate"])


def _moves(rows: Iterable[Mapping[str, Any]]) -> tuple[Move, ...]:
    return tuple(Move(row["code"], tuple(row["key"]), row["used"], row["amount"], row["bound"]) for row in rows)


def clause_from_raw(raw: Mapping[str, Any]) -> ClauseResult:
    """Return the result whose `to_raw` is `raw`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    return ClauseResult(
        code=raw["code"],
        kind=ClauseKind(raw["kind"]),
        on_fail=OnFail(raw["on_fail"]),
        role=raw["role"],
        withheld=raw["withheld"],
        result=Result(raw["result"]),
        reason=None if raw["reason"] is None else Unknown(raw["reason"]),
        readings=tuple(Reading(name, value) for name, value in raw["readings"]),
        answered_by=tuple(person_on_record(account) for account in raw["answered_by"]),
    )
