"""What in a record is personal: found by the machine's labels, and wrapped so that the ledger seals it.

Typed values are personal where they are labelled so: arguments, facts, memory, claims. Effects' parameters carry no
label, so one is personal where any call of the machine computes it from something personal. Free text that people,
models and sources write, and what failed clauses read, may quote any of these: in a machine that labels anything
personal, all of it is sealed. A machine that labels nothing has no plan, and pays for nothing.

Ids are not sealed: accounts, cases' keys, idempotency keys. Who proposed and who answers is what a record is for.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edca.kernel.expression import ReadArgument, ReadClaim, ReadFact, ReadLet, ReadMemory
from edca.kernel.types import PrincipalType, ReferenceType
from edca.kernel.values import ValueProblem, from_raw
from edca.ledger.sealing import Personal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.expression import Expression
    from edca.kernel.facts import Facts, Key
    from edca.kernel.inputs import Case
    from edca.kernel.machine import Entity, Machine, Transition
    from edca.kernel.types import Type
    from edca.kernel.values import Raw

PERSONAL: Final = "personal"
_PLANS: Final[dict[bytes, Plan | None]] = {}  # by the machine's digest: asked for at every record
_PLANS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Plan:
    """Which values of a machine's records are personal.

    `arguments` and `declared` are by offered name: what is labelled, and the types of all that is declared. `facts` are
    pairs of entity and field, `about` the entities of these, `effects` pairs of effect and parameter. `names` are all
    that a candidate or an inquiry can rightly ask for, and that a verdict can then name. Where a candidate asks for
    anything else, `case_key` are the types of the arguments that name its case.
    """

    arguments: Mapping[str, frozenset[str]]
    declared: Mapping[str, Mapping[str, Type]]
    facts: frozenset[tuple[str, str]]
    about: frozenset[str]
    memory: frozenset[str]
    claims: frozenset[str]
    effects: frozenset[tuple[str, str]]
    names: frozenset[str]
    case_key: Mapping[str, Type]
    entities: Mapping[str, Entity]

    @staticmethod
    def of(machine: Machine) -> Plan | None:
        """Return the machine's plan, or null where it labels nothing personal."""
        if machine.digest not in _PLANS:
            if len(_PLANS) >= _PLANS_MAX:
                _PLANS.clear()
            _PLANS[machine.digest] = Plan._made(machine)
        return _PLANS[machine.digest]

    @staticmethod
    def _made(machine: Machine) -> Plan | None:
        facts = frozenset((e.name, f.name) for e in machine.entities for f in e.fields if PERSONAL in f.labels)
        memory = frozenset(slot.name for slot in machine.memory if PERSONAL in slot.labels)
        claims = frozenset(claim.name for claim in machine.claims if PERSONAL in claim.labels)
        arguments: dict[str, frozenset[str]] = {}
        declared: dict[str, Mapping[str, Type]] = {}
        for transition in machine.transitions:
            labelled = {p.name for p in transition.parameters if PERSONAL in p.labels}
            arguments[transition.offered] = arguments.get(transition.offered, frozenset()) | labelled
            declared[transition.offered] = {p.name: p.type for p in transition.parameters}
        if not (facts or memory or claims or any(arguments.values())):
            return None
        queries = (query.name for query in machine.queries)
        names = frozenset((*declared, *(one.name for one in machine.transitions), *queries))
        entities = machine.index.entities
        parts = entities[machine.case_about].key
        case_key = {name: part.type for name, part in zip(machine.case_key, parts, strict=True)}
        about = frozenset(entity for entity, _ in facts)
        plan = Plan(arguments, declared, facts, about, memory, claims, frozenset(), names, case_key, entities)
        return dataclasses.replace(plan, effects=frozenset(_told(machine, plan)))

    def marked(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record's content with everything personal in it wrapped. Parts are known by their names.

        They are called the same in records of every kind (`docs/reference/ledger.md`).
        """
        marked = dict(content)
        for name in ("case", "after"):
            if isinstance(marked.get(name), dict) and "memory" in marked[name]:
                marked[name] = {**marked[name], "memory": self._memory(marked[name]["memory"])}
        if isinstance(marked.get("change"), dict) and "memory" in marked["change"]:
            marked["change"] = {**marked["change"], "memory": self._memory(marked["change"]["memory"])}
        if "facts" in marked:
            marked["facts"] = [self._instance(instance) for instance in marked["facts"]]
        if isinstance(marked.get("instance"), dict):
            marked["instance"] = self._instance(marked["instance"])
        if "attestations" in marked:
            marked["attestations"] = [self._attestation(one) for one in marked["attestations"]]
        if isinstance(marked.get("candidate"), dict):
            marked["candidate"] = self._candidate(marked["candidate"])
        if isinstance(marked.get("malformed"), dict):
            malformed = marked["malformed"]
            marked["malformed"] = {**malformed, **{name: Personal(malformed[name]) for name in ("problem", "digest")}}
            for name in ("candidate_digest", "inquiry_digest"):
                if name in marked:
                    marked[name] = _wrapped(marked[name])
        if isinstance(marked.get("inquiry"), dict):
            # What people look up, and what they are told, is theirs as a whole.
            arguments = {name: Personal(value) for name, value in marked["inquiry"]["arguments"].items()}
            query = self._name(marked["inquiry"]["query"])
            marked["inquiry"] = {**marked["inquiry"], "query": query, "arguments": arguments}
            marked["inquiry_digest"] = Personal(marked["inquiry_digest"])
        if isinstance(marked.get("verdict"), dict):
            marked["verdict"] = self._verdict(marked["verdict"])
        if "effects" in marked:
            marked["effects"] = [self._step(step) for step in marked["effects"]]
        for name in ("rationale", "detail"):
            if isinstance(marked.get(name), str):
                marked[name] = Personal(marked[name])
        return marked

    def _memory(self, memory: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _wrapped(value) if name in self.memory else value for name, value in memory.items()}

    def _instance(self, instance: Mapping[str, Any]) -> dict[str, Any]:
        entity, fields = instance["entity"], instance["fields"]
        kept = {
            name: {"is": _wrapped(field["is"])} if (entity, name) in self.facts and "is" in field else field
            for name, field in fields.items()
        }
        return {**instance, "fields": kept}

    def _attestation(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        return {**raw, "value": Personal(raw["value"])} if raw["name"] in self.claims else dict(raw)

    def _candidate(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        offered, given = raw["transition"], raw["arguments"]
        labelled, declared = self.arguments.get(offered, frozenset()), self.declared.get(offered, self.case_key)
        # Whatever no transition declares, or not with such a value, is anything at all.
        arguments = {
            name: Personal(value) if name in labelled or not self._is_of(declared.get(name), value) else value
            for name, value in given.items()
        }
        return {**raw, "transition": self._name(offered), "arguments": arguments, "evidence": Personal(raw["evidence"])}

    def _is_of(self, type_: Type | None, value: Raw) -> bool:
        if type_ is None:
            return False
        try:
            from_raw(type_, value, self.entities)
        except ValueProblem:
            return False
        return True

    def _name(self, asked: str) -> str | Personal:
        """Return what was asked for. What the machine doesn't know by that name is free text, and may say anything."""
        return asked if asked in self.names else Personal(asked)

    def _verdict(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        marked = dict(raw)
        if "transition" in marked:
            marked["transition"] = self._name(marked["transition"])
        if "memory" in marked:
            marked["memory"] = self._memory(marked["memory"])
        if "values" in marked:
            marked["values"] = {name: Personal(value) for name, value in marked["values"].items()}
        if "intents" in marked:
            marked["intents"] = [self._call(intent) for intent in marked["intents"]]
        if "detail" in marked:
            marked["detail"] = Personal(marked["detail"])
        marked["clauses"] = [
            {**clause, "readings": [[name, Personal(value)] for name, value in clause["readings"]]}
            for clause in marked["clauses"]
        ]
        return marked

    def _call(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        effect, arguments = raw["effect"], raw["arguments"]
        told = {name: Personal(v) if (effect, name) in self.effects else v for name, v in arguments.items()}
        return {**raw, "arguments": told}

    def _step(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        step = self._call(raw)
        if "detail" in step:
            step["detail"] = Personal(step["detail"])
        if "attempts" in step:
            step["attempts"] = [{**one, "detail": Personal(one["detail"])} for one in step["attempts"]]
        if "after" in step:
            step["after"] = [self._instance(instance) for instance in step["after"]]
        return step


def _wrapped(value: Any) -> Personal:
    return value if isinstance(value, Personal) else Personal(value)


def _told(machine: Machine, plan: Plan) -> set[tuple[str, str]]:
    """Return which parameters of effects are computed from something personal, in any call."""
    found: set[tuple[str, str]] = set()
    for transition in machine.transitions:
        lets = {let.name: let.value for let in transition.lets}
        for call in (call for act in transition.acts for call in (act.call, act.undo) if call is not None):
            parameters = machine.index.effects[call.effect].parameters
            for parameter, expression in zip(parameters, call.arguments, strict=True):
                if reads_personal(expression, transition, lets, plan):
                    found.add((call.effect, parameter.name))
    return found


def reads_personal(node: object, transition: Transition, lets: Mapping[str, Expression], plan: Plan) -> bool:
    """Tell whether anything that the expression reads on its way is personal."""
    match node:
        case ReadArgument(name):
            return name in plan.arguments[transition.offered]
        case ReadMemory(name):
            return name in plan.memory
        case ReadClaim(name):
            return name in plan.claims
        case ReadLet(name):
            return reads_personal(lets[name], transition, lets, plan)
        case ReadFact(base, entity, field):
            return (entity, field) in plan.facts or reads_personal(base, transition, lets, plan)
        case tuple():
            return any(reads_personal(part, transition, lets, plan) for part in node)
        case _ if dataclasses.is_dataclass(node):
            parts = (getattr(node, field.name) for field in dataclasses.fields(node))
            return any(reads_personal(part, transition, lets, plan) for part in parts)
        case _:
            return False


def subject_of(machine: Machine, case: Case, facts: Facts, told: str | None) -> str:
    """Return whose case it is: the account id of a person, empty where nobody can tell.

    It is the one that its instance names (`owner_of`); else the one on whose behalf the candidate came, as the host
    authenticated them (`told`).
    """
    return owner_of(machine, case.entity, case.key, facts) or told or ""


def owner_of(machine: Machine, name: str, key: Key, facts: Facts) -> str:
    """Return whose an entity's instance is, empty where nobody can tell.

    It is the first of its `fixed` fields that names a principal, or refers to something found by one; or a principal in
    its own key.
    """
    entity, instance = machine.index.entities[name], facts.get((name, key))
    if instance is not None:
        for field in entity.fields:
            value = instance.fields.get(field.name)
            match field.type:
                case PrincipalType() if field.fixed and isinstance(value, str):
                    return value
                case ReferenceType(other) if field.fixed and isinstance(value, tuple) and len(value) == 1:
                    part, found = machine.index.entities[other].key[0], value[0]
                    if isinstance(part.type, PrincipalType) and isinstance(found, str):
                        return found
                case _:
                    continue
    for part, value in zip(entity.key, key, strict=True):
        if isinstance(part.type, PrincipalType) and isinstance(value, str):
            return value
    return ""
