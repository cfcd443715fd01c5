"""The verdict, computed from the checked spec alone, in the order in which the language reference tells it.

`judge` answers the question that `edca.kernel.decide.decide` answers, by other means. Two things it leaves out, since
they explain a verdict and are no part of it: what a failed clause read, and the operator's detail. `essence` strips
them from either verdict, so that the two can be compared.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.expression import Input
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import ClauseKind, OnFail, RoleKind
from edca.kernel.roster import Person, is_human
from edca.kernel.values import Unknown, ValueProblem, from_raw, to_raw
from edca.kernel.verdict import (
    OVERLOAD,
    PROPERTY_VIOLATED,
    Accepted,
    Anchor,
    ClauseResult,
    Escalated,
    Need,
    Refused,
    Result,
    Stage,
)
from edca.reference.clauses import judge_clause, may_attest
from edca.reference.consequences import intents_of, memory_after, preview
from edca.reference.evaluate import Surroundings, first_unknown, needed
from edca.reference.graph import StateGraph
from edca.semantic.checked import CheckedTransition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.canonical import Data
    from edca.kernel.inputs import Case, Inputs
    from edca.kernel.inquiry import Inquiry, QueryVerdict
    from edca.kernel.verdict import Verdict
    from edca.semantic.checked import CheckedNever, CheckedQuery, CheckedSpec


class StoppedError(Exception):
    """An early stage failed."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.value)
        self.stage = stage


class Reference:
    """One checked spec, ready to judge. `digest` is its machine's: cases say under which machine they run."""

    def __init__(self, spec: CheckedSpec, digest: bytes) -> None:
        """Build the graph of states; everything else is read off the spec each time."""
        self.spec = spec
        self._digest = digest
        self._graph = StateGraph(spec)
        asked = [
            clause for item in spec.transitions for clause in item.clauses if clause.kind is not ClauseKind.CONFIRM
        ]
        # Who answers, signs or waives must be on the roster: of others the host's word counts, but not for that.
        self._staff: set[str | None] = {item.answers for item in spec.transitions}
        self._staff |= {clause.role for clause in asked}

    def judge(self, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Verdict:
        """Return the verdict, without readings and detail."""
        name = candidate.transition if isinstance(candidate, Candidate) else ""
        listed = {principal.id for principal in inputs.roster.principals}
        heard = tuple(said for said in inputs.attestations if said.by in listed or said.role not in self._staff)
        try:
            return self._judge(case, candidate, dataclasses.replace(inputs, attestations=heard))
        except _Chosen as chosen:
            return _refused(chosen.item.name, chosen.stage.value, chosen.stage)
        except StoppedError as stopped:
            return _refused(name, stopped.stage.value, stopped.stage)

    # --- the early stages -------------------------------------------------------------------------------------------

    def _judge(self, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Verdict:
        if isinstance(candidate, Malformed):
            raise StoppedError(Stage.MALFORMED)
        if case is None:
            raise StoppedError(Stage.UNKNOWN_CASE)
        if case.machine != self._digest:
            raise StoppedError(Stage.WRONG_MACHINE)
        named = [item for item in self.spec.transitions if item.offered == candidate.transition]
        self.check_proposer(named, candidate, inputs)
        if inputs.key_used_by is not None:
            raise StoppedError(Stage.DUPLICATE)
        self._check_mode(candidate, inputs)
        if case.human_only and self.spec.words.roles[candidate.role].kind is not RoleKind.HUMAN:
            raise StoppedError(Stage.MODE)
        _check_case(case, candidate, inputs)
        if not self._graph.knows(case.entity, case.state, candidate.transition):
            raise StoppedError(Stage.NO_SUCH_TRANSITION)
        around = self._around(case, candidate, inputs, self.arguments(named[0], candidate))
        item = self._choose(case, candidate, around)
        if candidate.role not in item.by:
            raise _Chosen(item, Stage.WRONG_ROLE)
        if item.after_us is not None and inputs.now - case.entered < item.after_us:
            raise _Chosen(item, Stage.TOO_EARLY)
        anchor = self._anchor(item, candidate, inputs)
        return self._weigh(item, dataclasses.replace(around, lets=dict(item.lets)), case, candidate, inputs, anchor)

    def check_proposer(
        self, named: Sequence[CheckedTransition | CheckedQuery], candidate: Candidate | Inquiry, inputs: Inputs
    ) -> None:
        """Stop where the roster does not give who proposes, or asks, the role, or the role may not."""
        principal = next((p for p in inputs.roster.principals if p.id == candidate.proposer), None)
        if principal is None or (principal.starts or inputs.now) > inputs.now:
            raise StoppedError(Stage.UNKNOWN_PROPOSER)
        if principal.ends is not None and principal.ends <= inputs.now:
            raise StoppedError(Stage.UNKNOWN_PROPOSER)
        role = self.spec.words.roles.get(candidate.role)
        if role is None or role.name not in principal.roles:
            raise StoppedError(Stage.WRONG_ROLE)
        if named and not any(role.name in item.by for item in named):
            raise StoppedError(Stage.WRONG_ROLE)
        if (role.kind is RoleKind.MODEL) != (principal.model is not None):
            raise StoppedError(Stage.WRONG_ROLE)
        if candidate.model != principal.model:
            raise StoppedError(Stage.MODEL_MISMATCH)

    def _check_mode(self, candidate: Candidate, inputs: Inputs) -> None:
        if inputs.mode == NORMAL:
            return
        mode = next((mode for mode in self.spec.modes if mode.name == inputs.mode), None)
        if inputs.mode == HALTED or mode is None:
            raise StoppedError(Stage.HALTED)
        if candidate.transition not in mode.allow:
            raise StoppedError(Stage.MODE)

    def arguments(self, item: CheckedTransition | CheckedQuery, candidate: Candidate | Inquiry) -> dict[str, Any]:
        """Return the arguments as values; stop where one is missing, surplus or not of its type."""
        values: dict[str, Any] = {}
        try:
            for parameter in item.parameters:
                raw = candidate.arguments.get(parameter.name)
                values[parameter.name] = from_raw(parameter.type, raw, self.spec.words.entities)
        except ValueProblem:
            raise StoppedError(Stage.BAD_ARGUMENT) from None
        if set(candidate.arguments) - set(values):
            raise StoppedError(Stage.BAD_ARGUMENT)
        return values

    def _choose(self, case: Case, candidate: Candidate, around: Surroundings) -> CheckedTransition:
        def ask(item: CheckedTransition) -> bool:
            truth = True if item.guard is None else needed(item.guard, around)
            if isinstance(truth, Unknown):
                raise StoppedError(Stage.NO_BRANCH)
            return truth is True

        item = self._graph.take(case.entity, case.state, candidate.transition, ask)
        if item is None:
            raise StoppedError(Stage.NO_BRANCH)
        return item

    def _anchor(self, item: CheckedTransition, candidate: Candidate, inputs: Inputs) -> Anchor:
        roles = self.spec.words.roles
        if candidate.role == item.answers and roles[candidate.role].kind is RoleKind.HUMAN:
            for principal in inputs.roster.principals:
                if principal.id == candidate.proposer and is_human(principal):
                    return Anchor(Person(principal), candidate.role, None)
        now = inputs.now
        holders = {
            p.id: Person(p)
            for p in inputs.roster.principals
            if item.answers in p.roles and is_human(p) and (p.starts or now) <= now and (p.ends or now + 1) > now
        }
        for mandate in sorted(inputs.roster.mandates, key=lambda mandate: mandate.id):
            covers = not mandate.transitions or item.name in mandate.transitions or item.offered in mandate.transitions
            in_force = mandate.starts <= now < mandate.ends and now < (mandate.revoked_at or now + 1)
            if mandate.uses_max is not None:
                known = mandate.id in inputs.mandate_uses
                in_force = in_force and known and inputs.mandate_uses[mandate.id] + 1 <= mandate.uses_max
            if mandate.machine == self.spec.name and mandate.role == item.answers and covers and in_force:
                if mandate.principal in holders:
                    return Anchor(holders[mandate.principal], mandate.role, mandate.id)
        raise _Chosen(item, Stage.NO_ANCHOR)

    # --- what the clauses read --------------------------------------------------------------------------------------

    def _around(self, case: Case, candidate: Candidate, inputs: Inputs, arguments: Mapping[str, Any]) -> Surroundings:
        return Surroundings(
            definitions=self.spec.definitions,
            arguments=arguments,
            memory=case.memory,
            claims=self._claims(candidate, inputs),
            proposers=case.proposers,
            signers=case.signers,
            inputs={
                Input.NOW: inputs.now,
                Input.PROPOSER: candidate.proposer,
                Input.SUBJECT: Unknown.UNSTATED if candidate.subject is None else candidate.subject,
                Input.CONFIDENCE: Unknown.UNSTATED if candidate.confidence is None else candidate.confidence,
                Input.CASE: case.key,
            },
            facts=self.facts(inputs),
        )

    def facts(self, inputs: Inputs) -> dict[tuple[str, Any], Mapping[str, Any]]:
        """Return what is known of each instance; of one that was read too long ago, or after now, nothing is."""
        fresh = self._fresh_us()
        facts: dict[tuple[str, Any], Mapping[str, Any]] = {}
        for (entity, key), instance in inputs.facts.items():
            age = inputs.now - instance.as_of
            stale = age < 0 or (fresh is not None and age > fresh)
            facts[entity, key] = {name: Unknown.STALE if stale else value for name, value in instance.fields.items()}
        return facts

    def _fresh_us(self) -> int | None:
        case = self.spec.words.case
        if case is None or case.fresh is None:
            return None
        seconds = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}[case.fresh.unit]
        return case.fresh.count * seconds * 1_000_000

    def _claims(self, candidate: Candidate, inputs: Inputs) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for claim in self.spec.words.claims.values():
            heard = [
                attestation
                for attestation in inputs.attestations
                if attestation.name == claim.name
                and attestation.role == claim.by
                and attestation.at <= inputs.now
                and may_attest(attestation, candidate, inputs)
            ]
            newest = max((attestation.at for attestation in heard), default=None)
            said = [attestation.value for attestation in heard if attestation.at == newest]
            if said:
                found[claim.name] = said[0] if all(value == said[0] for value in said) else Unknown.UNATTESTED
        return found

    # --- the clauses ------------------------------------------------------------------------------------------------

    def _weigh(
        self,
        item: CheckedTransition,
        around: Surroundings,
        case: Case,
        candidate: Candidate,
        inputs: Inputs,
        anchor: Anchor,
    ) -> Verdict:
        shared = [forbid.clause for forbid in self.spec.forbids if forbid.about == item.about]
        clauses = [*([] if item.creates or item.unblockable else shared), *item.clauses]
        entities = self.spec.words.entities
        shown = preview(self.spec, self._digest, item, clauses, around, case, candidate, inputs).digest
        judged = [judge_clause(item, clause, around, candidate, inputs, entities, shown) for clause in clauses]
        results = tuple(one.result for one in judged)
        moves = tuple(one.move for one in judged if one.move is not None)
        failed = [result for result in results if result.result not in (Result.PASSED, Result.WAIVED)]
        refusing = [result for result in failed if result.on_fail is OnFail.REFUSE]
        if refusing:
            return _refused(item.name, refusing[0].code, None, results, anchor)
        memory, problem = memory_after(self.spec, item, around, case)
        violated = self._violated(item, self._after(around, candidate, results), case, memory)
        if failed:
            if True in violated:
                return _refused(item.name, PROPERTY_VIOLATED, None, results, anchor)
            if inputs.overloaded:
                return _refused(item.name, OVERLOAD, None, results, anchor)
            demanded = {clause.code: max(1, clause.count) for clause in clauses}
            needs = tuple(
                Need(result.code, result.kind, result.role or "", demanded[result.code] - len(result.answered_by))
                for result in failed
            )
            return Escalated(
                transition=item.name,
                code=needs[0].code,
                needs=needs,
                anchor=anchor,
                clauses=results,
                moves=moves,
                preview=shown,
            )
        intents, problem = intents_of(self.spec, item, around, problem)
        if problem is not None:
            return _refused(item.name, problem, None, results, anchor)
        if violated:
            refused = _refused(item.name, PROPERTY_VIOLATED, None, results, anchor)
            return dataclasses.replace(refused, reason=first_unknown(violated[:1]))
        words = self.spec.words
        return Accepted(
            transition=item.name,
            source=case.state,
            target=item.target,
            memory={name: to_raw(type_, memory[name], words.entities) for name, type_ in words.memory.items()},
            intents=intents,
            anchor=anchor,
            clauses=results,
            moves=moves,
        )

    # --- what would come about --------------------------------------------------------------------------------------

    def _after(self, around: Surroundings, candidate: Candidate, results: Sequence[ClauseResult]) -> Surroundings:
        """Return what properties may read: who acted in the case as the acceptance would leave it, and no argument."""
        asked = (ClauseKind.CONFIRM, ClauseKind.SIGN)
        signers = {result.code: tuple(map(str, result.answered_by)) for result in results if result.kind in asked}
        return dataclasses.replace(
            around,
            arguments={},
            lets={},
            claims={},
            proposers={**around.proposers, candidate.transition: candidate.proposer},
            signers={**around.signers, **signers},
        )

    def _violated(
        self, item: CheckedTransition, around: Surroundings, case: Case, memory: Mapping[str, Any]
    ) -> list[Any]:
        """Return what each property that could come about yields, where that is anything but false.

        Those of the target come before those of the failure edges, each in the order of their codes.
        """
        edges = {edge.target for edge in (item.on_failed, item.on_timeout) if edge is not None and item.acts}
        found: list[Any] = []
        for states, then in (({item.target}, memory), (edges, case.memory)):
            for property_ in sorted(self.spec.nevers, key=lambda never: never.code):
                if property_.about == item.about and not states.isdisjoint(_states(property_, self.spec)):
                    found.append(needed(property_.condition, dataclasses.replace(around, memory=then)))
        return [truth for truth in found if truth is not False]


class _Chosen(StoppedError):
    """A stage failed after a branch was chosen."""

    def __init__(self, item: CheckedTransition, stage: Stage) -> None:
        super().__init__(stage)
        self.item = item


def _states(property_: CheckedNever, spec: CheckedSpec) -> Sequence[str]:
    return property_.states or tuple(spec.words.states)


def _check_case(case: Case, candidate: Candidate, inputs: Inputs) -> None:
    if inputs.now < case.touched:
        raise StoppedError(Stage.CLOCK_WENT_BACK)
    if candidate.revision is not None and candidate.revision != case.revision:
        raise StoppedError(Stage.STALE_REVISION)
    if case.pending is not None:
        raise StoppedError(Stage.EFFECT_PENDING)
    routed = inputs.facts.get((case.entity, case.key))
    if routed is not None and case.state in routed.mapped and routed.state != case.state:
        raise StoppedError(Stage.STATE_DRIFT)


def _refused(
    transition: str,
    code: str,
    stage: Stage | None,
    clauses: tuple[ClauseResult, ...] = (),
    anchor: Anchor | None = None,
) -> Refused:
    return Refused(transition=transition, code=code, stage=stage, detail="", clauses=clauses, anchor=anchor)


def essence(verdict: Verdict | QueryVerdict) -> Data:
    """Return the verdict in raw form without what only explains it, so that two engines' can be compared."""
    raw = dict(verdict.to_raw())
    raw.pop("detail", None)
    clauses = raw["clauses"]
    if isinstance(clauses, list):
        kept = [
            {k: v for k, v in c.items() if k not in ("readings", "withheld")} for c in clauses if isinstance(c, dict)
        ]
        raw["clauses"] = list(kept)
    return raw


def _bare(clause: Mapping[str, Data]) -> Data:
    return {name: value for name, value in clause.items() if name not in ("readings", "withheld")}
