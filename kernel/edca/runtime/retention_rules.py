"""The rules of retention: which class a case is in follows from its machine and the state that it ended in.

They are kept in the ledger as configuration, and whatever is decided or erased by them names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from edca.kernel import canonical
from edca.runtime.differences import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.canonical import Data, Part
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine
    from edca.runtime.config import Configuration

RETENTION: Final = "retention"
"""What the rules are as a configuration document, and what records call the class."""
OUTSIDE: Final = "outside of cases"


@dataclass(frozen=True, slots=True)
class RetentionClass:
    """Cases of one machine that ended in one of `states` (empty: in any), and for how many days they are kept then."""

    name: str
    machine: str
    states: tuple[str, ...]
    days: int


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """The classes, the first that fits counts. `outside_days`: how long what is asked outside of any case is kept.

    Null: for ever.
    """

    classes: tuple[RetentionClass, ...]
    outside_days: int | None = None

    @property
    def document(self) -> bytes:
        """The canonical bytes that stand in the ledger."""
        rows: list[Data] = [
            {"name": one.name, "machine": one.machine, "states": list(one.states), "days": one.days}
            for one in self.classes
        ]
        return canonical.encode({"classes": rows, "outside_days": self.outside_days})

    @property
    def digest(self) -> bytes:
        """What the document is known by."""
        return _digest(self)

    @staticmethod
    def from_document(document: bytes) -> RetentionRules:
        """Return the rules of a document. Raises `CanonicalError`, `KeyError` or `TypeError` for anything else."""
        data: Any = canonical.decode(document)
        classes = (
            RetentionClass(one["name"], one["machine"], tuple(one["states"]), one["days"]) for one in data["classes"]
        )
        return RetentionRules(tuple(classes), data["outside_days"])

    def class_of(self, machine: Machine, state: str) -> RetentionClass | None:
        """Return the class of a case in that state; null before its end, and where none fits: it is kept for ever."""
        if not machine.index.states[state].final:
            return None
        fits = (one for one in self.classes if one.machine == machine.name and state in (one.states or (state,)))
        return next(fits, None)

    def told(self, machine: Machine, state: str | None) -> dict[str, Data]:
        """Return what a record says that leaves a case in `state`, null where it is of none (any more)."""
        found = None if state is None else self.class_of(machine, state)
        name, days = (None, None) if found is None else (found.name, found.days)
        if state is None and self.outside_days is not None:
            name, days = OUTSIDE, self.outside_days
        return {"rules": self.digest, "class": name, "days": days}


@lru_cache(maxsize=64)
def _digest(rules: RetentionRules) -> bytes:
    return canonical.digest(RETENTION, rules.document)


def with_class(
    content: Mapping[str, Part], rules: RetentionRules | None, machine: Machine, state: str | None
) -> dict[str, Part]:
    """Return a record's content with the class that its case is in from then on, where there are rules."""
    return {**content} if rules is None else {**content, RETENTION: rules.told(machine, state)}


def class_pairs(content: Mapping[str, Any], left: Case | None, configuration: Configuration) -> list[Pair]:
    """Return which class a record must tell of, if it does; `left` is how it leaves its case, null where it is of none.

    Raises `KeyError` or `ValueError` where the rules are not on record.
    """
    told = content.get(RETENTION)
    if not isinstance(told, dict):
        return []
    rules = RetentionRules.from_document(configuration.document(RETENTION, told["rules"]))
    machine = configuration.machine(content["machine"])
    return [Pair(RETENTION, told, rules.told(machine, None if left is None else left.state))]
