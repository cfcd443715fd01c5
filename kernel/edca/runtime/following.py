"""Following modes and notes through a ledger, for its replay: what each record must say, given those before it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate
from edca.kernel.inputs import address
from edca.kernel.verdict import Accepted
from edca.runtime import mode_changes, signals
from edca.runtime.answers import Outcome, idempotency_key, remembered
from edca.runtime.cases import case_id, case_to_data, touched
from edca.runtime.differences import Pair
from edca.runtime.kinds import TAKEOVER
from edca.runtime.mode_changes import Act, ModeChange, Standing
from edca.runtime.modes import chain_of_modes
from edca.runtime.ports import Performed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.inputs import Case
    from edca.kernel.machine import Machine, Signal
    from edca.kernel.roster import Roster
    from edca.kernel.verdict import Result, Verdict
    from edca.ledger.record import Record
    from edca.runtime.ports import Cells
    from edca.runtime.question import Question
    from edca.runtime.signals import Events


class Modes:
    """The mode of each machine of a ledger, as its records so far have left it."""

    def __init__(self) -> None:
        """Start with every machine in the normal mode."""
        self._standing: dict[str, Standing] = {}
        self._events: dict[str, Events] = {}
        self._due: dict[str, list[ModeChange]] = {}  # what must be on record before anything else is decided

    def verdict(self, tenant: str, question: Question, verdict: Verdict) -> list[Pair]:
        """Return the pairs of a verdict, and count what it signals."""
        chain = chain_of_modes(tenant, question.machine.name)
        standing = self._standing.get(chain, Standing())
        pairs = [Pair("mode", question.inputs.mode, standing.in_force), *self._overdue(chain)]
        happened = signals.of_verdict(verdict, question.inputs.facts)
        self._count(chain, question.machine, happened, question.inputs.now)
        return pairs

    def in_force(self, tenant: str, machine: str) -> str:
        """Return the mode that the records so far have left a machine in."""
        return self._standing.get(chain_of_modes(tenant, machine), Standing()).in_force

    def outcome(self, machine: Machine, content: Mapping[str, Any], outcome: Outcome) -> list[Pair]:
        """Return the pairs of an outcome, and count what it signals."""
        chain = chain_of_modes(content["tenant"], machine.name)
        pairs = self._overdue(chain)
        happened = signals.of_outcome(outcome, [step["in_time"] for step in content["effects"]])
        self._count(chain, machine, happened, content["at"])
        return pairs

    def change(self, record: Record, machine: Machine, roster: Roster) -> list[Pair]:
        """Return the pairs of a record of kind `mode`. Raises `ModeError` where nobody could bring it about."""
        content: Any = record.content
        chain = chain_of_modes(content["tenant"], machine.name)
        standing = self._standing.get(chain, Standing())
        act = Act(content["act"])
        expected: ModeChange | None
        if content["by"] is not None:
            name, by, role, reason = (content[part] for part in ("mode", "by", "role", "reason"))
            at = content["at"]
            expected = mode_changes.commanded(machine, roster, standing, act, name, by, role, reason, at)
        elif act is Act.LEAVE:
            expected = mode_changes.left(machine, standing, self._events.get(chain, {}), content["at"])
        else:
            due = self._due.get(chain, [])
            expected = due.pop(0) if due else None
        self._standing[chain] = Standing.from_data(content["after"])
        if expected is None:
            return [Pair("act", act.value, None)]
        pairs = [Pair(name, content[name], value) for name, value in sorted(expected.to_data().items())]
        return [Pair("chain", record.chain, chain), *pairs]

    def _overdue(self, chain: str) -> list[Pair]:
        due = self._due.pop(chain, [])
        return [Pair("mode changes left out", [], [change.to_data() for change in due])] if due else []

    def _count(self, chain: str, machine: Machine, happened: Sequence[Signal], at: int) -> None:
        if not happened or not signals.counted(machine):
            return
        events = signals.after(machine, self._events.get(chain, {}), happened, at)
        self._events[chain] = events
        standing = self._standing.get(chain, Standing())
        self._due[chain] = list(mode_changes.entered(machine, standing, events, happened, at))


def noted(record: Record, before: Case | None) -> tuple[list[Pair], Case | None]:
    """Return the pairs of a record that moves no state (`takeover`, `late`, `reconciled`), and the case after it."""
    content: Any = record.content
    pairs = [Pair("case", content["case"], None if before is None else case_to_data(before))]
    if before is None:
        return pairs, None
    after = touched(before, record.entry, content["at"])
    if record.kind == TAKEOVER:
        pairs.append(Pair("human_only", content["human_only"], not before.human_only))
        after = dataclasses.replace(after, human_only=not before.human_only)
    return pairs, after


def answered(cells: Cells, tenant: str, question: Question) -> list[Pair]:
    """Return what a verdict must say of its idempotency key, and that no acceptance under it was decided again."""
    machine, candidate = question.machine, question.candidate
    about = address(machine, candidate) if isinstance(candidate, Candidate) else None
    if about is None or not isinstance(candidate, Candidate) or not candidate.key:
        return []
    id_ = None if about.key is None else case_id(machine, tenant, about.entity, about.key)
    found = remembered(cells, idempotency_key(tenant, machine, candidate, about, id_))
    if found is None:
        return [Pair("key_used_by", question.inputs.key_used_by, None)]
    if found.candidate != candidate.digest:
        return [Pair("key_used_by", question.inputs.key_used_by, found.candidate)]
    pairs = [Pair("key_used_by", question.inputs.key_used_by, None)]
    if isinstance(found.answer.verdict, Accepted):
        settled = f"entry {found.answer.record.entry} of `{found.answer.record.chain}` has accepted it already"
        pairs.append(Pair("the idempotency key", "decided once more", settled))
    return pairs


def as_left(case: Case, left: Case | None) -> Case:
    """Return the case of an acceptance with what has been put on record of it since, which moves no state."""
    return case if left is None else dataclasses.replace(case, touched=left.touched, human_only=left.human_only)


def outcome_of(steps: Any, intent_count: int, recorded: Outcome, passed: Result, *, has_deadline: bool) -> Outcome:
    """Return the outcome that the steps amount to; a quarantine promises nothing, and its reason may be no step."""
    if recorded is Outcome.QUARANTINED:
        return recorded
    reports = {(step["place"], step["undoing"]): Performed(step["report"]) for step in steps}
    done = {place for (place, undoing), report in reports.items() if report is Performed.DONE and not undoing}
    undone = {place for (place, undoing), report in reports.items() if report is Performed.DONE and undoing}
    tried = any(undoing for _, undoing in reports)
    ensured = {step["place"] for step in steps if step["ensure"] == passed.value}
    lost = Outcome.TIMED_OUT if has_deadline else Outcome.QUARANTINED
    if any(report is Performed.UNKNOWN for report in reports.values()):
        return lost
    if len(ensured) == intent_count and not undone:
        return Outcome.CONFIRMED
    if done != undone:
        return lost if tried else Outcome.QUARANTINED
    return Outcome.UNDONE if done else Outcome.FAILED
