"""Replay: every decision of a ledger is made again from its records alone, and compared byte by byte.

It needs no router, no clock and no network. It also follows each case through its records and compares what they leave
with what the next one found, so that a record left out or altered in meaning shows up even where its hashes are right.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.kernel.candidate import Candidate
from edca.kernel.counting import limit_of, scale_of
from edca.kernel.decide import decide
from edca.kernel.facts import Instance
from edca.kernel.inputs import Case, address
from edca.kernel.look_up import answer_inquiry
from edca.kernel.movement import arrived
from edca.kernel.verdict import Accepted, Result, Verdict
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import parse
from edca.runtime import config, mandates, observe, rosters
from edca.runtime.answers import Outcome
from edca.runtime.asking import QueryQuestion, chain_of_queries
from edca.runtime.asking import verdict_from_raw as query_verdict_from_raw
from edca.runtime.cases import Opened, Row, case_id, case_to_data, change, new_case, touched
from edca.runtime.cell_differences import CellDifference
from edca.runtime.counters import reserved_until
from edca.runtime.differences import Pair, first_difference
from edca.runtime.erased import readable
from edca.runtime.follow_effects import Open, spent_pairs, step_pairs
from edca.runtime.following import Modes, answered, as_left, noted, outcome_of
from edca.runtime.following_erasures import Erasures
from edca.runtime.following_migrations import Migrations
from edca.runtime.gather import met_case
from edca.runtime.heard import Heard
from edca.runtime.kinds import (
    APPROVAL,
    CLOSED,
    HOLD,
    LATE,
    MIGRATED,
    MIGRATION,
    MODE,
    OBSERVED,
    OUTCOME,
    QUERY,
    RECONCILED,
    ROSTER,
    SETTLEMENT,
    SPENT,
    TAKEOVER,
    VERDICT,
)
from edca.runtime.kinds import ERASED as ERASED_KIND
from edca.runtime.opened import ERASED, OpenedStore, opened
from edca.runtime.question import Question, counters_to_data
from edca.runtime.rebuild import Rebuilt, compare_cells, stored_cells
from edca.runtime.records import after_outcome, after_verdict, chain_of, change_promised, standing
from edca.runtime.replayed import UNREADABLE, Mismatch, NotReplayed, Replayed
from edca.runtime.retention_rules import class_pairs
from edca.runtime.stamps import Stamps
from edca.runtime.vault_check import check_vault
from edca.runtime.verdicts import verdict_from_raw

if TYPE_CHECKING:
    from edca.kernel.candidate import Malformed
    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Inputs
    from edca.kernel.inquiry import Inquiry, QueryVerdict
    from edca.kernel.machine import Machine
    from edca.ledger.record import Record
    from edca.ledger.store import StoredRecord
    from edca.runtime.ports import Store

Engine: TypeAlias = "Callable[[Machine, Case | None, Candidate | Malformed, Inputs], Verdict]"
QueryEngine: TypeAlias = "Callable[[Machine, Inquiry | Malformed, Inputs], QueryVerdict]"
Essence: TypeAlias = "Callable[[Verdict | QueryVerdict], Data]"


def replay(
    ledger: Store,
    progress: Callable[[int, int], None] | None = None,
    engine: Engine = decide,
    essence: Essence | None = None,
    query_engine: QueryEngine = answer_inquiry,
) -> Replayed:
    """Replay all records in order. `progress` is called with (done, total) after each; `engine` decides,
    `query_engine` answers what was looked up.

    `essence` takes from a verdict what the engine can tell, and only that is compared: null, and all of it is.
    Raises what reading the ledger raises: replay takes bytes as they are, `ledger.verify` checks them.
    """
    ledger = opened(ledger)
    total = ledger.size
    follower = _Follower(engine, essence, query_engine)
    mismatches: list[Mismatch] = []
    not_replayed: list[NotReplayed] = []
    erased: list[int] = []
    done = 0
    for stored in ledger.records():
        index = stored.leaf.index
        try:
            difference = first_difference(follower.follow(stored))
            if difference is None and follower.is_erased:
                erased.append(index)
        except UNREADABLE as error:
            not_replayed.append(NotReplayed(index, f"{type(error).__name__}: {error}"))
        else:
            if difference is not None:
                mismatches.append(Mismatch(index, *difference))
        done += 1
        if progress is not None:
            progress(done, total)
    return Replayed(
        total=done,
        equal=done - len(mismatches) - len(not_replayed) - len(erased),
        mismatches=tuple(mismatches),
        not_replayed=tuple(not_replayed),
        unfinished=tuple(sorted(open_.index for open_ in follower.open.values())),
        cells=_differing(ledger, follower, done),
        erased=tuple(erased),
        vault=check_vault(ledger.store, values=False).findings if isinstance(ledger, OpenedStore) else (),
        kernels=tuple(follower.stamps.kernels.items()),
    )


def _differing(ledger: Store, follower: _Follower, done: int) -> tuple[CellDifference, ...]:
    """Compare the cells with what the records add up to; where a writer went on meanwhile, build them anew."""
    cells = stored_cells(ledger)
    return follower.rebuilt.differences(cells) if ledger.size == done else compare_cells(ledger)


class _Follower:
    """Reads records in order and yields, for each, what it says beside what its contents yield."""

    def __init__(self, engine: Engine, essence: Essence | None, query_engine: QueryEngine) -> None:
        self.open: dict[str, Open] = {}
        self.is_erased = False  # whether personal values of the newest record were
        self._engine = engine
        self._essence = essence
        self._query_engine = query_engine
        self._configuration = config.Configuration()
        self.rebuilt = Rebuilt(self._configuration)
        self._modes = Modes()
        self._heard = Heard()
        self._migrations = Migrations(self._configuration)
        self._adopted = rosters.Followed()
        self._erasures = Erasures()
        self._quarantined: dict[str, str] = {}  # whose effects nobody could tell about, by the case's id
        self.stamps = Stamps(self._configuration)
        self._left: dict[str, Case] = {}  # how the records so far left each case
        self._entries: dict[str, int] = {}  # the entry that each chain's next record gets

    def follow(self, stored: StoredRecord) -> list[Pair]:
        record = readable(stored, self._configuration)
        self._entries[record.chain] = record.entry + 1
        self.is_erased = ERASED in record.content
        told = parse(stored.body) if self.is_erased else record  # stand-ins leave out what was attested
        try:
            return [*self.stamps.take(told.content), *self._follow(stored, record)]
        finally:
            self.rebuilt.take(stored, record)

    def _follow(self, stored: StoredRecord, record: Record) -> list[Pair]:
        content: Any = record.content
        under = self._adopted.pairs(content, self._configuration)
        pairs = [*under, *self._followed(stored, record)]
        return [*pairs, *class_pairs(content, self._left.get(record.chain), self._configuration)]

    def _followed(self, stored: StoredRecord, record: Record) -> list[Pair]:
        match record.kind:
            case config.CHAIN:
                self._configuration.take(record.content)
                return []
            case kind if kind == VERDICT:
                return self._verdict(stored, record)
            case kind if kind == QUERY:
                return self._query(record)
            case kind if kind == OUTCOME:
                return self._outcome(record)
            case kind if kind == OBSERVED:
                return self._observed(record)
            case kind if kind == SETTLEMENT:
                return self._settlement(record)
            case kind if kind == MODE:
                content: Any = record.content
                machine, roster = (
                    self._configuration.machine(content["machine"]),
                    self._configuration.roster(content["roster"]),
                )
                return self._modes.change(record, machine, roster)
            case kind if kind == SPENT:
                return self._spent(record)
            case kind if kind == ROSTER:
                return self._adopted.take(record.chain, record.content, self._configuration)
            case kind if kind in (TAKEOVER, LATE, RECONCILED, APPROVAL, CLOSED):
                self._migrations.noted(record)
                pairs, after = noted(record, self._left.get(record.chain))
                if after is not None:
                    self._left[record.chain] = after
                return [*pairs, *self._heard.take(stored, record, self._configuration)]
            case kind if kind in (ERASED_KIND, HOLD):
                return self._erasures.take(record)
            case kind if kind == MIGRATION:
                return self._migrations.begun(record, stored.digest)
            case kind if kind == MIGRATED:
                self._heard.moved(record)
                pairs, self._left[record.chain] = self._migrations.moved(record, self._left.get(record.chain))
                return pairs
            case kind:
                raise LedgerFormatError(f"this version writes no record of kind `{kind}`")

    def _verdict(self, stored: StoredRecord, record: Record) -> list[Pair]:
        content: Any = record.content
        machine = self._configuration.machine(content["machine"])
        roster = self._configuration.roster(content["roster"])
        question = Question.from_data(content, machine, roster)
        case, candidate = question.case, question.candidate
        # What was decided on values that were erased can't be decided again, and is taken as it was recorded.
        is_known = ERASED not in content
        recorded = verdict_from_raw(content["verdict"])
        verdict = self._engine(machine, case, candidate, question.inputs) if is_known else recorded
        pending = isinstance(verdict, Accepted) and bool(verdict.intents)
        pairs = [
            Pair("chain", record.chain, chain_of(question, verdict)),
            Pair("pending", content["pending"], pending),
            Pair("reserved_until", content["reserved_until"], reserved_until(machine, verdict, question.inputs.now)),
        ]
        if is_known:
            used = self.rebuilt.used(content["tenant"], question)
            pairs += [
                Pair("candidate_digest", content["candidate_digest"], candidate.digest),
                self._compared(content["verdict"], verdict),
                Pair("counters", content["counters"], counters_to_data(used)),
            ]
        pairs += self._modes.verdict(content["tenant"], question, verdict)
        self._migrations.verdict(record.chain, question, verdict, stored.digest)
        pairs += self._heard.verdict(stored, content, question, verdict)
        uses: dict[str, Data] = dict(mandates.uses(self.rebuilt, content["tenant"], machine, roster))
        pairs.append(Pair("mandate_uses", content["mandate_uses"], uses))
        pairs += answered(self.rebuilt, content["tenant"], question)
        if case is None:
            return pairs
        found = self._found(question, case, record)
        pairs += [
            Pair("case", content["case"], None if found is None else case_to_data(found)),
            Pair("case.id", case.id, _id(question, content["tenant"])),
        ]
        if isinstance(verdict, Accepted) and is_known:
            pairs.append(Pair("change", content["change"], change_promised(question, verdict, None)))
        if record.chain == case.id:
            now = question.inputs.now
            left = touched(after_verdict(machine, case, candidate, verdict, now), record.entry, now)
            if isinstance(verdict, Accepted) and pending and isinstance(candidate, Candidate):
                digest = stored.digest
                left = dataclasses.replace(left, pending=digest)
                self.open[case.id] = Open(
                    stored.leaf.index, digest, question, case, candidate, verdict, is_erased=not is_known
                )
            self._left[case.id] = left
        return pairs

    def _query(self, record: Record) -> list[Pair]:
        """Return what a query's record says beside what its contents yield. It moves nothing, so nothing follows."""
        content: Any = record.content
        machine = self._configuration.machine(content["machine"])
        question = QueryQuestion.from_data(content, machine, self._configuration.roster(content["roster"]))
        tenant, recorded = content["tenant"], content["verdict"]
        around = [
            Pair("chain", record.chain, chain_of_queries(tenant, machine.name)),
            Pair("mode", content["mode"], self._modes.in_force(tenant, machine.name)),
        ]
        if ERASED in content:
            return around
        verdict = self._query_engine(machine, question.inquiry, question.inputs)
        if self._essence is None:
            compared = Pair("verdict", recorded, verdict.to_raw())
        else:
            compared = Pair("verdict", self._essence(query_verdict_from_raw(recorded)), self._essence(verdict))
        return [Pair("inquiry_digest", content["inquiry_digest"], question.inquiry.digest), *around, compared]

    def _compared(self, recorded: Any, verdict: Verdict) -> Pair:
        if self._essence is None:
            return Pair("verdict", recorded, verdict.to_raw())
        return Pair("verdict", self._essence(verdict_from_raw(recorded)), self._essence(verdict))

    def _found(self, question: Question, case: Case, record: Record) -> Case | None:
        """Return the case as the verdict must have found it, or null where it can't have found one."""
        left = self._left.get(case.id)
        if question.opened is Opened.LEDGER:
            return left
        if left is not None and Row(left).holds_state:
            return None
        machine, entry = question.machine, record.entry
        if record.chain != case.id:
            entry = self._entries.get(case.id, 0)
        if question.opened is Opened.CREATED:
            state = machine.index.initial[case.entity]
            return new_case(machine, case.id, case.entity, case.key, state, entry, question.inputs.now)
        instance = question.inputs.facts[case.entity, case.key]
        return met_case(machine, case.id, instance, entry, question.inputs.now, left)

    def _spent(self, record: Record) -> list[Pair]:
        content: Any = record.content
        pairs, after = noted(record, self._left.get(record.chain))
        if after is not None:
            self._left[record.chain] = after
        open_ = self.open.get(record.chain)
        if open_ is None or open_.digest != content["record"]:
            raise LedgerFormatError("a permit was spent that no verdict waits for")
        return pairs + spent_pairs(open_, content)

    def _outcome(self, record: Record) -> list[Pair]:
        content: Any = record.content
        open_ = self.open.pop(record.chain, None)
        if open_ is None:
            raise LedgerFormatError("no verdict waits for this outcome")
        machine, verdict, recorded = open_.question.machine, open_.verdict, Outcome(content["outcome"])
        pairs = [Pair("record", content["record"], open_.digest)]
        is_known = ERASED not in content and not open_.is_erased
        for number, step in enumerate(content["effects"] if is_known else ()):
            pairs += step_pairs(f"effects[{number}]", step, open_)
        outcome = outcome_of(
            content["effects"],
            len(verdict.intents),
            recorded,
            Result.PASSED,
            has_deadline=machine.index.transitions[verdict.transition].on_timeout is not None,
        )
        pairs.append(Pair("outcome", recorded.value, outcome.value))
        pairs += self._modes.outcome(machine, content, outcome)
        before = as_left(open_.case, self._left.get(record.chain))
        after = after_outcome(machine, before, open_.candidate, verdict, outcome, content["at"])
        pairs.append(Pair("after", content["after"], None if after is None else standing(after)))
        if is_known:
            moved = None if after is None else change(machine, open_.case, after)
            pairs.append(Pair("change", content["change"], moved))
        if after is None:
            self._left.pop(record.chain, None)
            return pairs
        if outcome is Outcome.QUARANTINED:
            after = dataclasses.replace(after, pending=open_.digest)
            self._quarantined[record.chain] = verdict.transition
        self._left[record.chain] = touched(after, record.entry, content["at"])
        return pairs

    def _observed(self, record: Record) -> list[Pair]:
        content: Any = record.content
        machine, before = self._configuration.machine(content["machine"]), self._left.get(record.chain)
        instance = Instance.from_raw(content["instance"], machine.index.entities)
        if before is None:
            raise LedgerFormatError("a case was observed that the ledger has not met")
        roster, transition = self._configuration.roster(content["roster"]), self._quarantined.pop(record.chain, None)
        state = observe.observed_state(machine, instance, content["named"])
        after = arrived(before, state, content["at"])
        self._left[record.chain] = touched(after, record.entry, content["at"])
        return [
            Pair("case", content["case"], case_to_data(before)),
            Pair("resolves", content["resolves"], before.pending),
            Pair("after", content["after"], standing(after)),
            *(
                ()
                if ERASED in content
                else (
                    Pair("change", content["change"], change(machine, before, after)),
                    *observe.expected(machine, roster, before, transition, instance, content),
                )
            ),
        ]

    def _settlement(self, record: Record) -> list[Pair]:
        content: Any = record.content
        machine, before = self._configuration.machine(content["machine"]), self._left.get(record.chain)
        limit = limit_of(machine, content["transition"], content["limit"])
        if before is not None:
            self._left[record.chain] = touched(before, record.entry, content["at"])
        return [
            Pair("case", content["case"], None if before is None else case_to_data(before)),
            Pair("machine_name", content["machine_name"], machine.name),
            Pair("scale", content["scale"], None if limit is None else scale_of(limit.type)),
        ]


def _id(question: Question, tenant: str) -> str | None:
    """Return the id of the case that the candidate is about, as far as the candidate settles it."""
    if not isinstance(question.candidate, Candidate) or question.case is None:
        return None
    about = address(question.machine, question.candidate)
    if about is None:
        return None
    key = question.case.key if about.key is None else about.key
    return case_id(question.machine, tenant, about.entity, key)
