"""How the mode changes: pure rules, the same when a ledger is written and when it is replayed.

One mode is in force at a time. A halt outranks it and leaves it as it is underneath; a trigger of another mode is noted
once and ignored; and only a mode that a trigger began is ended by one.
"""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import RoleKind
from edca.runtime.signals import count, is_met

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.machine import Machine, Signal, Trigger
    from edca.kernel.roster import Roster
    from edca.runtime.signals import Events


class ModeError(ValueError):
    """The mode can't be changed so; the message says why. Nothing is recorded."""


class NotHaltedError(ModeError):
    """There is no halt to end."""


class Act(enum.Enum):
    """What a record of a mode says."""

    ENTER = "enter"
    LEAVE = "leave"
    HALT = "halt"
    RESUME = "resume"
    IGNORED = "ignored"  # a trigger of another mode was met while one is in force


@dataclass(frozen=True, slots=True)
class Standing:
    """The declared mode, whether a trigger began it, whether the machine is halted, and whose triggers were ignored."""

    declared: str = NORMAL
    triggered: bool = False
    halted: bool = False
    ignored: tuple[str, ...] = ()

    @property
    def in_force(self) -> str:
        """The mode that decisions are made in."""
        return HALTED if self.halted else self.declared

    def to_data(self) -> dict[str, Data]:
        """Return the standing as it stands in records."""
        return {
            "declared": self.declared,
            "triggered": self.triggered,
            "halted": self.halted,
            "ignored": list(self.ignored),
        }

    @staticmethod
    def from_data(data: Mapping[str, Any]) -> Standing:
        """Return the standing of a record. Raises `KeyError` or `TypeError` for anything else."""
        return Standing(data["declared"], data["triggered"], data["halted"], tuple(data["ignored"]))


@dataclass(frozen=True, slots=True)
class ModeChange:
    """One step of the mode: what happened to `mode`, and by which person, operator or trigger.

    `counted` is what the trigger's window held: as far as it is kept, which is one more than any trigger asks about.
    """

    act: Act
    mode: str
    before: Standing
    after: Standing
    trigger: Trigger | None = None
    counted: int | None = None
    by: str | None = None
    role: str | None = None
    reason: str = ""

    def to_data(self) -> dict[str, Data]:
        """Return the change as it stands in its record."""
        return {
            "act": self.act.value,
            "mode": self.mode,
            "from": self.before.in_force,
            "to": self.after.in_force,
            "before": self.before.to_data(),
            "after": self.after.to_data(),
            "trigger": None if self.trigger is None else _trigger_to_data(self.trigger),
            "counted": self.counted,
            "by": self.by,
            "role": self.role,
            "authenticated": None if self.by is None else "asserted",
            "reason": self.reason,
        }


def _trigger_to_data(trigger: Trigger) -> dict[str, Data]:
    return {
        "signal": trigger.signal.value,
        "exceeds": trigger.exceeds,
        "count": trigger.count,
        "window": trigger.window.kind.value,
        "length_us": trigger.window.length_us,
    }


def entered(
    machine: Machine, before: Standing, events: Events, happened: Sequence[Signal], at: int
) -> tuple[ModeChange, ...]:
    """Return what the signals that have just been counted bring about; triggers of other signals are not looked at."""
    changes: list[ModeChange] = []
    now = before
    for mode in machine.modes:
        met = [t for t in mode.enter if t.signal in happened and is_met(t, events, at)]
        if not met or mode.name == now.declared or mode.name in now.ignored:
            continue
        counted = count(met[0], events, at)
        if now.in_force == NORMAL:
            after = Standing(declared=mode.name, triggered=True)
            changes.append(ModeChange(Act.ENTER, mode.name, now, after, met[0], counted))
        else:
            after = dataclasses.replace(now, ignored=(*now.ignored, mode.name))
            changes.append(ModeChange(Act.IGNORED, mode.name, now, after, met[0], counted))
        now = after
    return tuple(changes)


def left(machine: Machine, before: Standing, events: Events, at: int) -> ModeChange | None:
    """Return how a trigger ends the mode that a trigger began, or null where none is met."""
    mode = machine.index.modes.get(before.declared)
    if mode is None or not before.triggered or before.halted:
        return None
    met = next((trigger for trigger in mode.leave if is_met(trigger, events, at)), None)
    if met is None:
        return None
    return ModeChange(Act.LEAVE, mode.name, before, Standing(), met, count(met, events, at))


def commanded(
    machine: Machine,
    roster: Roster,
    before: Standing,
    act: Act,
    name: str,
    by: str,
    role: str | None,
    reason: str,
    at: int,
) -> ModeChange:
    """Return what a person (`enter`, `leave`) or an operator (`halt`, `resume`) brings about; `name` is for `enter`.

    An operator is whom the host vouches for: no role of the spec is asked, and none can lift a halt. Raises `ModeError`
    where it is not theirs to do, or there is nothing to begin or to end.
    """
    match act:
        case Act.ENTER:
            after = _entered_by(machine, roster, before, name, by, role, at)
            return ModeChange(act, name, before, after, by=by, role=role, reason=reason)
        case Act.LEAVE:
            after = _left_by(machine, roster, before, by, role, at)
            return ModeChange(act, before.declared, before, after, by=by, role=role, reason=reason)
        case Act.HALT:
            check_operator(roster, by)
            if not reason.strip():
                raise ModeError("a halt needs a reason")
            return ModeChange(act, HALTED, before, dataclasses.replace(before, halted=True), by=by, reason=reason)
        case Act.RESUME:
            check_operator(roster, by)
            after = _resumed(machine, before)
            return ModeChange(act, after.in_force, before, after, by=by, reason=reason)
        case Act.IGNORED:
            raise ModeError("only a trigger is ignored")


def _entered_by(
    machine: Machine, roster: Roster, before: Standing, name: str, by: str, role: str | None, at: int
) -> Standing:
    mode = machine.index.modes.get(name)
    if mode is None:
        raise ModeError(f"the machine has no mode `{name}`")
    if role not in mode.enter_by:
        raise ModeError(f"role `{role}` may not begin mode `{name}`")
    _check_person(machine, roster, by, role, at)
    if before.in_force != NORMAL:
        raise ModeError(f"the machine is in mode `{before.in_force}` already")
    return Standing(declared=name)


def _left_by(machine: Machine, roster: Roster, before: Standing, by: str, role: str | None, at: int) -> Standing:
    mode = machine.index.modes.get(before.declared)
    if before.halted:
        raise ModeError("the machine is halted; only an operator resumes it")
    if mode is None:
        raise ModeError("no mode that the machine declares is in force")
    if role not in mode.leave_by:
        raise ModeError(f"role `{role}` may not end mode `{mode.name}`")
    _check_person(machine, roster, by, role, at)
    return Standing()


def _resumed(machine: Machine, before: Standing) -> Standing:
    """Return what was in force before the halt; a mode that the machine no longer declares ends with it."""
    lost = before.declared != NORMAL and before.declared not in machine.index.modes
    if not before.halted and not lost:
        raise NotHaltedError("the machine is not halted")
    return Standing() if lost else dataclasses.replace(before, halted=False, ignored=())


def _check_person(machine: Machine, roster: Roster, by: str, role: str | None, at: int) -> None:
    principal = roster.find(by)
    declared = None if role is None else machine.index.roles.get(role)
    held = principal is not None and principal.model is None and role in principal.roles and principal.is_valid(at)
    if not held or declared is None or declared.kind is not RoleKind.HUMAN:
        raise ModeError(f"`{by}` is no person in role `{role}` on the roster")


def check_operator(roster: Roster, by: str) -> None:
    """Raise `ModeError` for somebody who can't be an operator, whoever vouches for them."""
    if not by.strip() or not by.isprintable():
        raise ModeError("an operator has a name")
    principal = roster.find(by)
    if principal is not None and principal.model is not None:
        raise ModeError(f"behind `{by}` stands a model, and only people are operators")
