"""A record in words: what was attempted, why it was allowed or not, what changed, and who answers.

All of it comes from the ledger alone.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from edca.cli.reading import Readable
from edca.cli.telling_answers import approval_lines, closed_lines
from edca.cli.telling_clauses import passed_by_query, passed_clauses
from edca.cli.telling_configuration import Kept
from edca.cli.telling_effects import question_of, reasons, verdict_of
from edca.cli.telling_erasures import erased_verdict
from edca.cli.telling_operations import KINDS as OPERATIONS
from edca.cli.telling_operations import operation_lines
from edca.kernel.calendar import time_text
from edca.kernel.candidate import Malformed, Provenance
from edca.kernel.canonical import Data
from edca.kernel.inquiry import Returned
from edca.kernel.types import decimal_text
from edca.kernel.values import DECIMAL_TAG, ValueProblem
from edca.ledger.errors import LedgerFormatError
from edca.ledger.record import Record, parse
from edca.runtime.answers import Outcome
from edca.runtime.asking import QueryQuestion
from edca.runtime.asking import verdict_from_raw as query_verdict_from_raw
from edca.runtime.config import CHAIN
from edca.runtime.kinds import APPROVAL, CLOSED, OBSERVED, OUTCOME, QUERY, SETTLEMENT, VERDICT
from edca.runtime.opened import ERASED
from edca.runtime.verdicts import verdict_from_raw
from edca.semantic.explain import for_operator
from edca.semantic.explain_query import query_for_operator

_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError, ValueProblem)


def explained(index: int, record: Record, ledger: Readable) -> tuple[str, ...]:
    """Return a record as lines of text for operators and auditors.

    Raises `LedgerFormatError` for a record whose contents are not what this version writes, and where the ledger does
    not hold what the record was made under.
    """
    content: Any = record.content
    try:
        kept = Kept(ledger)
        head = [f"record {index}: {record.kind}, entry {record.entry} of {record.chain}"]
        if record.kind in (VERDICT, QUERY) and ERASED in content:
            return (*head, _time(content), *erased_verdict(content))
        if record.kind == VERDICT:
            return (*head, *_verdict(content, kept))
        if record.kind == QUERY:
            return (*head, *_query(content, kept))
        if record.kind == OUTCOME:
            return (*head, *_outcome(content, record.chain, kept, ledger))
        if record.kind == OBSERVED:
            return (*head, *_observed(content))
        if record.kind in OPERATIONS:
            return (*head, _time(content), *operation_lines(record.kind, content))
        if record.kind == APPROVAL:
            return (*head, *approval_lines(content))
        if record.kind == CLOSED:
            return (*head, *closed_lines(content))
        if record.kind == SETTLEMENT:
            return (*head, *_settled(content))
        if record.kind == CHAIN:
            return (*head, *kept.told(content))
        return (*head, *(f"{name}: {value_text(content[name])}" for name in sorted(content)))
    except _UNREADABLE as error:
        raise LedgerFormatError(f"record {index} does not hold what a record of its kind holds: {error}") from error


def _query(content: Mapping[str, Any], kept: Kept) -> list[str]:
    machine = kept.machine(content["machine"])
    inquiry, verdict = content["inquiry"], query_verdict_from_raw(content["verdict"])
    places = "; ".join(f"{what}: {kept.place(what, content[what])}" for what in ("routes", "roster"))
    lines = [
        _time(content),
        f"machine: {machine.name} {machine.version}, {kept.place('machine', content['machine'])}; {places}",
    ]
    if inquiry is None:
        sent = content["malformed"]
        lines.append(f"sent by {_person(sent)}: {sent['size']} bytes that are no query")
    else:
        arguments = ", ".join(f"{name}: {value_text(value)}" for name, value in sorted(inquiry["arguments"].items()))
        lines.append(f"asked by {_person(inquiry)}: {inquiry['query']}({arguments})")
    lines += query_for_operator(machine, verdict)
    question = QueryQuestion.from_data(content, machine, kept.roster(content["roster"]))
    lines += (f"  {line}" for line in passed_by_query(question, verdict))
    if isinstance(verdict, Returned):
        lines += [f"  {name} = {value_text(value)}" for name, value in sorted(verdict.values.items())]
    for instance in content["facts"]:
        lines += _instance(instance)
    return lines


def _verdict(content: Mapping[str, Any], kept: Kept) -> list[str]:
    machine = kept.machine(content["machine"])
    candidate, malformed = content["candidate"], content["malformed"]
    places = [f"{what}: {kept.place(what, content[what])}" for what in ("routes", "roster")]
    lines = [
        _time(content),
        f"machine: {machine.name} {machine.version}, {kept.place('machine', content['machine'])}; {'; '.join(places)}",
    ]
    if candidate is None:
        sent = Malformed(**malformed)
        lines.append(f"sent by {_person(malformed)}: {sent.size} bytes that are no candidate")
    else:
        arguments = ", ".join(f"{name}: {value_text(value)}" for name, value in sorted(candidate["arguments"].items()))
        lines.append(f"proposed by {_person(candidate)}: {candidate['transition']}({arguments})")
        if "provenance" in content:
            lines.append(f"  where it came from, which no verdict depends on: {_provenance(content['provenance'])}")
        if content["rationale"]:
            lines.append(f"  rationale, which no verdict depends on: {value_text(content['rationale'])}")
    verdict = verdict_from_raw(content["verdict"])
    question = question_of(content, kept)
    lines += for_operator(machine, verdict, question)
    lines += (f"  {line}" for line in passed_clauses(question, verdict))
    for attested in content["attestations"]:
        signed = ", signed" if attested["authenticated"] == "signed" else ""
        who = f"{attested['by']} as {attested['role']}, through {attested['source']}{signed}"
        lines.append(f"attested: {attested['name']} = {value_text(attested['value'])} by {who}")
    for instance in content["facts"]:
        lines += _instance(instance)
    if content["change"] is not None:
        waits = " once its effects are confirmed" if content["pending"] else ""
        lines += [f"changes{waits}: {text}" for text in _changes(content["change"])]
    return lines


def _outcome(content: Mapping[str, Any], chain: str, kept: Kept, ledger: Readable) -> list[str]:
    accepted = verdict_of(content, chain, ledger)
    digest = content["record"].hex()
    of = f"the verdict {digest}, which is not there" if accepted is None else f"record {accepted.leaf.index}"
    lines = [_time(content), f"outcome of {of}: {content['outcome']}"]
    if accepted is not None:
        lines += (f"  {line}" for line in reasons(question_of(parse(accepted.body).content, kept), content))
    for step in content["effects"]:
        arguments = ", ".join(f"{name}: {value_text(value)}" for name, value in sorted(step["arguments"].items()))
        word = "undo" if step["undoing"] else "effect"
        ensured = "" if step["ensure"] is None else f", postcondition {step['ensure']}"
        lines.append(f"{word} {step['effect']}({arguments}): {step['report']}{ensured}")
        if step["detail"]:
            lines.append(f"  {step['detail']}")
        if len(step["attempts"]) > 1:
            lines.append(f"  attempted {len(step['attempts'])} times")
        for instance in step["after"]:
            lines += _instance(instance)
    change = content["change"]
    # An edge that leads back to where the case was moves its revision alone: what was seen before is out of date.
    still = change is None or (set(change) == {"revision"} and content["outcome"] != Outcome.CONFIRMED.value)
    changes = [] if still else _changes(change)
    return lines + ([f"changed: {text}" for text in changes] or [_unchanged(content["outcome"])])


def _unchanged(outcome: str) -> str:
    match Outcome(outcome):
        case Outcome.UNDONE:
            return "nothing changed: the effects were undone"
        case Outcome.FAILED:
            return "nothing changed: no effect happened"
        case Outcome.QUARANTINED:
            return "nothing changed: the case waits until a person has looked"
        case Outcome.TIMED_OUT:
            return "nothing changed: an effect had no outcome in time"
        case Outcome.CONFIRMED:
            return "nothing changed"


def _time(content: Mapping[str, Any]) -> str:
    return f"time: {time_text(content['at'])} (clock: {content['clock']})"


def _settled(content: Mapping[str, Any]) -> list[str]:
    per = "".join(f", per {value_text(part)}" for part in content["key"])
    actual, limit = decimal_text(content["amount"], content["scale"]), f"limit {content['limit']}{per}"
    return [
        _time(content),
        f"settled: entry {content['settles']} of the case counts {actual} for {limit}, of {content['transition']}",
        "that is the actual amount; the verdict counted an estimate",
    ]


def _how(content: Mapping[str, Any]) -> str:
    return "signed" if content["authenticated"] == "signed" else "asserted by the host"


def _property(code: str, reason: str | None) -> str:
    return f"  breaks the property {code}" if reason is None else f"  whether it keeps the property {code}: {reason}"


def _observed(content: Mapping[str, Any]) -> list[str]:
    return [
        _time(content),
        f"observed by {content['by']} as {content['role']} ({_how(content)}): the case is in state "
        f"{content['after']['state']}",
        *(_property(code, reason) for code, reason in content["properties"].items()),
        *_instance(content["instance"]),
        *(f"changed: {text}" for text in _changes(content["change"])),
    ]


def _provenance(raw: Mapping[str, Any]) -> str:
    told = Provenance.from_raw(raw)
    digests = (("model parameters", told.parameters), ("prompt", told.prompt))
    parts = [f"{what} {digest.hex()}" for what, digest in digests if digest is not None]
    parts += [f"authority by way of {', '.join(told.delegation)}"] if told.delegation else []
    return "; ".join([*parts, *([f"trace {told.trace}"] if told.trace else [])])


def _person(caller: Mapping[str, Any]) -> str:
    model = "" if caller["model"] is None else f", model {caller['model']}"
    subject = "" if caller["subject"] is None else f" for {caller['subject']}"
    return f"{caller['proposer']} (role {caller['role']}{model}){subject}"


def _instance(instance: Mapping[str, Any]) -> list[str]:
    key = ", ".join(value_text(part) for part in instance["key"])
    lines = [f"read: {instance['entity']}({key}) from {instance['source']}, as of {time_text(instance['as_of'])}"]
    if not instance["found"]:
        return [f"{lines[0]}: not found"]
    for name, value in sorted(instance["fields"].items()):
        told = f"unknown, {value['unknown']}" if "unknown" in value else value_text(value["is"])
        lines.append(f"  {name} = {told}")
    return lines


def _changes(change: Mapping[str, Any]) -> list[str]:
    parts = dict(change)
    memory = parts.pop("memory", {})
    moves = [*sorted(parts.items()), *sorted(memory.items())]
    return [f"{name} {value_text(before)} → {value_text(after)}" for name, (before, after) in moves if before != after]


def value_text(value: Data) -> str:
    """Return a value of a record as one line of text: decimals as digits, bytes in hexadecimal."""
    plain = json_data(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)


def json_data(value: Data) -> Any:
    """Return canonical data as JSON can hold it: bytes in hexadecimal, tagged decimals as their digits."""
    match value:
        case bytes():
            return value.hex()
        case dict():
            digits = value.get(DECIMAL_TAG)
            if len(value) == 1 and isinstance(digits, str):
                return digits
            return {name: json_data(part) for name, part in value.items()}
        case list() | tuple():
            return [json_data(part) for part in value]
        case _:
            return value
