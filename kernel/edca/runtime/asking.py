"""Queries: what somebody looks up is gathered, answered and put on record, before anything of it is told.

There is no case whose lane to hold, nothing to permit and nothing to perform, and no effect can come of it. All queries
of a machine stand in one chain of their own: most are asked before there is any case, and none moves one.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edca.kernel.candidate import Malformed
from edca.kernel.facts import Instance, facts_to_raw, table
from edca.kernel.inputs import Inputs
from edca.kernel.inquiry import Inquiry, Returned
from edca.kernel.look_up import answer_inquiry, clauses_evidence, inquiry_wants
from edca.kernel.values import Unknown
from edca.kernel.verdict import Refused, Stage
from edca.ledger.record import Draft
from edca.ledger.vault import asker_scope
from edca.runtime.cases import case_id
from edca.runtime.context import Owner
from edca.runtime.equal_work import even_out
from edca.runtime.evidence import informed
from edca.runtime.gather import read_all
from edca.runtime.kinds import QUERY
from edca.runtime.modes import recorded_mode
from edca.runtime.opened import is_erased_case, vault_of
from edca.runtime.personal import owner_of
from edca.runtime.stamps import stamped
from edca.runtime.verdicts import clause_from_raw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.candidate import Caller, Provenance
    from edca.kernel.canonical import Data, Part
    from edca.kernel.inquiry import QueryVerdict
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster
    from edca.runtime.answers import RecordReference
    from edca.runtime.context import Context


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """What came of asking: the verdict, and its record."""

    verdict: QueryVerdict
    record: RecordReference


@dataclass(frozen=True, slots=True)
class QueryQuestion:
    """All that an answer depends on, whole: from a record it can be answered again with nothing else at hand."""

    machine: Machine
    inquiry: Inquiry | Malformed
    inputs: Inputs

    def to_data(self) -> dict[str, Data]:
        """Return it as it stands in records; machine and roster stand there by digest."""
        inquiry, inputs = self.inquiry, self.inputs
        is_inquiry = isinstance(inquiry, Inquiry)
        return {
            "at": inputs.now,
            "clock": inputs.clock,
            "machine": self.machine.digest,
            "roster": inputs.roster.digest,
            "inquiry": inquiry.to_raw() if is_inquiry else None,
            "inquiry_digest": inquiry.digest,
            "malformed": None if is_inquiry else inquiry.to_raw(),
            "facts": facts_to_raw(inputs.facts, self.machine.index.entities),
            "mode": inputs.mode,
        }

    @staticmethod
    def from_data(data: Mapping[str, Any], machine: Machine, roster: Roster) -> QueryQuestion:
        """Return the question of a record.

        Raises `KeyError`, `TypeError`, `ValueError` or `ValueProblem` for anything else.
        """
        inquiry = data["inquiry"]
        instances = [Instance.from_raw(instance, machine.index.entities) for instance in data["facts"]]
        return QueryQuestion(
            machine=machine,
            inquiry=Malformed(**data["malformed"]) if inquiry is None else Inquiry(**inquiry),
            inputs=Inputs(
                now=data["at"],
                clock=data["clock"],
                facts=table(instances),
                attestations=(),
                roster=roster,
                key_used_by=None,
                mode=data["mode"],
            ),
        )


def chain_of_queries(tenant: str, machine: str) -> str:
    """Return the chain of all queries of a machine, by the machine's name. No case has such an id."""
    return f"{tenant}/#query:{machine}"


def as_asked_by(caller: Caller, inquiry: Inquiry | Malformed) -> Inquiry | Malformed:
    """Return what was sent, as sent by the caller."""
    proposer, role, subject, model = caller.proposer, caller.role, caller.subject, caller.model
    if isinstance(inquiry, Malformed):
        return dataclasses.replace(inquiry, proposer=proposer, role=role, subject=subject, model=model)
    return Inquiry(inquiry.query, inquiry.arguments, proposer, role, subject, model)


def ask(context: Context, inquiry: Inquiry | Malformed, came_from: Provenance | None = None) -> QueryAnswer:
    """Answer, and return what came of it once that is on record. Raises what the ledger raises.

    `came_from` is what the host has told of it: it is recorded, and no answer depends on it.
    """
    return informed(context, lambda inner: _gather(inner, inquiry), lambda inner, _: _record(inner, inquiry, came_from))


def verdict_from_raw(raw: Mapping[str, Any]) -> QueryVerdict:
    """Return the verdict whose `to_raw` is `raw`. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    clauses = tuple(clause_from_raw(clause) for clause in raw["clauses"])
    match raw["outcome"]:
        case "returned":
            return Returned(query=raw["query"], values=raw["values"], clauses=clauses, code=raw["code"])
        case "refused":
            stage = None if raw["stage"] is None else Stage(raw["stage"])
            code, detail = raw["code"], raw["detail"]
            return Refused(transition=raw["transition"], code=code, stage=stage, detail=detail, clauses=clauses)
        case other:
            raise ValueError(f"a query is returned or refused, not {other!r}")


def _gather(context: Context, inquiry: Inquiry | Malformed) -> QueryQuestion:
    """Read what the answer wants, and look up the mode and the roster in force."""
    now = context.clock.now()
    with context.store.reading():
        roster, mode = context.roster, recorded_mode(context)
    inputs = Inputs(now, context.clock.source, {}, (), roster, None, mode)
    facts = read_all(
        context.router,
        {},
        now,
        lambda known: inquiry_wants(context.machine, inquiry, dataclasses.replace(inputs, facts=known)),
        seen=lambda instance: _unless_erased(context, instance),
    )
    query = context.machine.index.queries.get(inquiry.query) if isinstance(inquiry, Inquiry) else None
    if facts and query is not None and inquiry.model is not None:
        even_out(context.machine, context.router, query.about, clauses_evidence(query), facts, now)
    return QueryQuestion(context.machine, inquiry, dataclasses.replace(inputs, facts=facts))


def _unless_erased(context: Context, instance: Instance) -> Instance:
    """Return what a source says of an instance; of one whose case was erased, that, whatever the source still has.

    So nothing personal is put on record of it again, nor told. It is read all the same, to take as long as any other.
    """
    scope = case_id(context.machine, context.tenant, instance.entity, instance.key)
    if not is_erased_case(context.store, scope):
        return instance
    fields = dict.fromkeys(instance.fields, Unknown.ERASED)
    return dataclasses.replace(instance, found=False, state=Unknown.ERASED, fields=fields)


def _record(context: Context, inquiry: Inquiry | Malformed, came_from: Provenance | None) -> QueryAnswer:
    question = _gather(context, inquiry)
    verdict = answer_inquiry(question.machine, question.inquiry, question.inputs)
    content: dict[str, Part] = {
        **({} if came_from is None else {"provenance": came_from.to_raw()}),
        **question.to_data(),
        "tenant": context.tenant,
        "routes": context.router.digest,
        "verdict": verdict.to_raw(),
        "stages": ["admit"] if isinstance(inquiry, Malformed) else ["admit", "gather", "decide"],
    }
    chain = chain_of_queries(context.tenant, context.machine.name)
    draft, owner = Draft(chain, QUERY, stamped(question.machine, content)), _owner(context, question)
    return QueryAnswer(verdict, context.append(draft, lambda _: (), owner=owner))


def _owner(context: Context, question: QueryQuestion) -> Owner:
    """Return whose the personal values are: of the case that something was read about; else whose that thing is.

    Where nobody can tell, they are theirs on whose behalf it was asked.
    """
    machine, facts, inquiry = question.machine, question.inputs.facts, question.inquiry
    vault, handles = vault_of(context.store), sorted(facts, key=repr)
    for entity, key in handles:
        scope = case_id(machine, context.tenant, entity, key)
        if vault is not None and vault.key(scope) is not None:
            return Owner(scope)
    owners = (owner_of(machine, *handle, facts) for handle in handles)
    asker = next((owner for owner in owners if owner), None) or inquiry.subject or inquiry.proposer
    return Owner(asker_scope(context.tenant, asker), asker)
