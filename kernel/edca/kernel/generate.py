"""Code generation: the expressions of a transition become the text of a Python function, compiled once.

The text is straight-line code in single assignments: a sub-expression is computed once however often clauses repeat it,
an instance of an entity is looked up once, and what can't be unknown is not asked whether it is. It never raises. Every
operand is evaluated whatever its neighbours yield, so that the same run tells which facts are still wanted.

Names of the spec never become names in the text: they, and values, stand in it as literals only. So nothing that an
author, or the maker of a hostile artefact, writes can become code.

`Writer` writes what computes expressions; `decision` says which ones a decision needs, and what follows from them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, assert_never

from edca.kernel.attestations import claims_of
from edca.kernel.expression import (
    Arithmetic,
    Before,
    Bind,
    Choice,
    Compare,
    Conjunction,
    Constant,
    Contains,
    Disjunction,
    Expression,
    Fold,
    History,
    Input,
    IsPresent,
    MakeTuple,
    Negation,
    ReadArgument,
    ReadClaim,
    ReadFact,
    ReadHistory,
    ReadInput,
    ReadLet,
    ReadLocal,
    ReadMemory,
    ReadPart,
    Reduce,
    Select,
    Selection,
    Zip,
)
from edca.kernel.numbering import Node, Numbering
from edca.kernel.text import Term, Text
from edca.kernel.types import OptionalType, Type
from edca.kernel.values import Unknown

if TYPE_CHECKING:
    from edca.kernel.facts import Instance
    from edca.kernel.machine import Machine, Transition

# What memory and history are: as the case stands, as an acceptance would leave them, or as its effects' failure would.
NOW, DONE, FAILED = "now", "done", "failed"
CHAIN_MAX = 24  # operands beyond which a helper is called, as one long conditional would nest too deep for Python


def connect(truths: Sequence[Any], decisive: bool) -> Any:
    """Kleene: one decisive operand decides; else one unknown makes it unknown; else the other truth value."""
    if any(truth is decisive for truth in truths):
        return decisive
    return next((truth for truth in truths if truth.__class__ is Unknown), not decisive)


def whole(values: tuple[Any, ...]) -> Any:
    """Return the values, or the first that is unknown."""
    return next((value for value in values if value.__class__ is Unknown), values)


def stale(instance: Instance) -> Mapping[str, Any]:
    """Return the fields of an instance that can't be relied on now: each is unknown."""
    return dict.fromkeys(instance.fields, Unknown.STALE)


# What the text may name besides its parameters and `machine`.
SPACE: Mapping[str, object] = {
    "U": Unknown,
    "ABSENT": Unknown.ABSENT,
    "MISSING": Unknown.MISSING,
    "UNATTESTED": Unknown.UNATTESTED,
    "UNSTATED": Unknown.UNSTATED,
    "EMPTY": Unknown.EMPTY,
    "NOTHING": {},
    "connect": connect,
    "whole": whole,
    "stale": stale,
    "pairwise": pairwise,
    "claims_of": claims_of,
}
PARAMETERS = "gate, inputs, want, accepting"
# Parts of the parameters, each loaded once where it is used at all.
LOADS: Mapping[str, str] = {
    "arguments": "gate.arguments",
    "candidate": "gate.candidate",
    "memory": "gate.case.memory",
    "claims": "claims_of(machine, gate.candidate.subject, inputs)",
    "facts": "inputs.facts",
    "now": "inputs.now",
    "proposer": "gate.candidate.proposer",
    "subject": "UNSTATED if gate.candidate.subject is None else gate.candidate.subject",
    "confidence": "UNSTATED if gate.candidate.confidence is None else gate.candidate.confidence",
    "key": "gate.case.key",
    "proposers": "gate.case.proposers",
    "signers": "gate.case.signers",
}
_INPUTS: Mapping[Input, str] = {
    Input.NOW: "now",
    Input.PROPOSER: "proposer",
    Input.SUBJECT: "subject",
    Input.CONFIDENCE: "confidence",
    Input.CASE: "key",
}
_HISTORY: Mapping[History, str] = {History.PROPOSER: "proposers", History.SIGNERS: "signers"}
_QUANTIFIERS = (Fold.EVERY, Fold.SOME)
ALWAYS = Constant(True)
_STORED = (ReadFact, ReadArgument, ReadMemory, ReadClaim, ReadHistory)
_MAYBE_UNKNOWN = (Input.SUBJECT, Input.CONFIDENCE)
_SELECT: Mapping[Selection, str] = {
    Selection.FIRST: "({0}[0] if {0} else EMPTY)",
    Selection.LAST: "({0}[-1] if {0} else EMPTY)",
    Selection.DISTINCT: "tuple(dict.fromkeys({0}))",
    Selection.PAIRS: "tuple(pairwise({0}))",
}
_FINISH: Mapping[Fold, str] = {
    Fold.COUNT: "len({0})",
    Fold.SUM: "sum({0})",
    Fold.MIN: "(min({0}) if {0} else EMPTY)",
    Fold.MAX: "(max({0}) if {0} else EMPTY)",
    Fold.COLLECT: "tuple({0})",
    Fold.EVERY: "connect({0}, False)",
    Fold.SOME: "connect({0}, True)",
}


class Writer:
    """Writes the expressions of one transition's function into `text`."""

    def __init__(self, machine: Machine, transition: Transition) -> None:
        """Begin."""
        self._machine = machine
        self._offered = transition.offered
        self._arguments = {parameter.name: parameter.type for parameter in transition.parameters}
        self._numbering = Numbering({let.name: let.value for let in transition.lets})
        self._assigned = {item.name: self.node(item.value) for item in transition.assignments}
        self.text = Text(LOADS)

    def node(self, expression: Expression) -> Node:
        """Return an expression as the other methods take it."""
        return self._numbering.node(expression)

    def lets(self, nodes: Sequence[Node]) -> int:
        """Write the lets that the nodes name, in order, so that none leads deep into others; tell how many."""
        used = self._numbering.used(nodes)
        for let in used:
            self._emit(self._numbering.lets[let], NOW)
        return len(used)

    def truth(self, node: Node, moment: str = NOW) -> Term:
        """Write what computes an expression whose value is needed: an absent one is unknown."""
        return self._needed(node, moment)

    def value(self, node: Node) -> Term:
        """Write what computes an expression that may be absent."""
        return self._emit(node, NOW)

    def together(self, terms: Sequence[Term]) -> Term:
        """Write a tuple of the terms; one that is unknown makes it unknown."""
        return self._tuple(terms)

    # --- expressions -------------------------------------------------------------------------------------------------

    def _emit(self, node: Node, moment: str) -> Term:
        """Write what computes the expression, unless it has been written; return where its value stands."""
        key = (NOW if node.lasting else moment, node.number)
        found = self.text.recall(key)
        return found if found is not None else self.text.keep(key, node.free, self._write(node, moment))

    def _needed(self, node: Node, moment: str) -> Term:
        """Return the value where one is needed: then an absent one is unknown."""
        value = self._emit(node, moment)
        if not value.none:
            return value
        if value.text == "None":
            return Term("ABSENT", True, False)
        found = self.text.recall(value.text)
        if found is None:
            given = self.text.assign(f"ABSENT if {value.text} is None else {value.text}", unknown=True)
            found = self.text.keep(value.text, node.free, given)
        return found

    def _write(self, node: Node, moment: str) -> Term:
        parts = node.parts
        match node.expression:
            case Constant(value):
                return self.text.constant(value)
            case ReadInput(input_):
                return Term(self.text.load(_INPUTS[input_]), input_ in _MAYBE_UNKNOWN, False)
            case ReadArgument(name):
                return self._read(self.text.load("arguments"), name, self._arguments[name])
            case ReadMemory(name):
                if moment == DONE and name in self._assigned:
                    return self._emit(self._assigned[name], NOW)
                return self._read(self.text.load("memory"), name, self._machine.index.memory[name].type)
            case ReadClaim(name):
                if moment != NOW:
                    return Term("UNATTESTED", True, False)  # a claim is made for one candidate only
                none = _optional(self._machine.index.claims[name].type)
                return self.text.assign(
                    f"{self.text.load('claims')}.get({name!r}, UNATTESTED)", unknown=True, none=none
                )
            case ReadHistory(history, name):
                if moment != NOW and (history, name) == (History.PROPOSER, self._offered):
                    return Term(self.text.load("proposer"), False, False)
                return self.text.assign(f"{self.text.load(_HISTORY[history])}.get({name!r}, MISSING)", unknown=True)
            case ReadLet(name):
                return self._emit(self._numbering.lets[name], NOW)
            case ReadLocal(name):
                return self.text.bound(name)
            case ReadFact(_, entity, name):
                return self._fact(node, entity, name, moment)
            case ReadPart(_, index):
                record = self._needed(parts[0], moment)
                return self._strict((record,), f"{record.text}[{index}]", none=True)
            case MakeTuple():
                return self._tuple([self._emit(part, moment) for part in parts])
            case Negation():
                truth = self._needed(parts[0], moment)
                return self._strict((truth,), f"not {truth.text}")
            case Conjunction():
                return self._connective([self._needed(part, moment) for part in parts], decisive=False)
            case Disjunction():
                return self._connective([self._needed(part, moment) for part in parts], decisive=True)
            case Compare(comparison):
                return self._binary(comparison.value, parts, moment)
            case Contains():
                return self._binary("in", parts, moment)
            case IsPresent():
                tested = self._emit(parts[0], moment)
                return self._strict((tested,), f"{tested.text} is not None" if tested.none else "True")
            case Arithmetic(operation):
                return self._binary(operation.value, parts, moment)
            case Choice():
                return self._choice(self._needed(parts[0], moment), *(self._emit(part, moment) for part in parts[1:]))
            case Bind(name):
                self.text.enter({name: self._emit(parts[0], moment)}, loop=False)
                result = self._emit(parts[1], moment)
                self.text.leave()
                return result
            case Reduce():
                return self._reduce(node.expression, parts, moment)
            case Select(selection):
                items = self._needed(parts[0], moment)
                done = self._strict((items,), _SELECT[selection].format(items.text))
                empty = selection in (Selection.FIRST, Selection.LAST)
                return dataclasses.replace(done, unknown=done.unknown or empty, none=empty)
            case Zip():
                a, b = (self._needed(part, moment) for part in parts)
                return self._strict((a, b), f"tuple(zip({a.text}, {b.text}))")
            case Before():
                return self._emit(parts[0], moment)  # only what is read after an effect has an earlier value
            case _:
                assert_never(node.expression)

    def _read(self, mapping: str, name: str, type_: Type) -> Term:
        return self.text.assign(f"{mapping}[{name!r}]", none=_optional(type_))

    def _tuple(self, values: Sequence[Term]) -> Term:
        text = f"({''.join(f'{value.text}, ' for value in values)})"
        if sum(value.unknown for value in values) > CHAIN_MAX:
            return self.text.assign(f"whole({text})", unknown=True)
        return self._strict(values, text)

    def _fact(self, node: Node, entity: str, name: str, moment: str) -> Term:
        base = self._needed(node.parts[0], moment)
        key = (entity, base.text)
        found = self.text.recall(key)
        if found is None:
            found = self.text.keep(key, node.free, self._fields(entity, base))
        # Even where the type knows no absence: a source that gives none all the same must not let anything through.
        value = self._strict((base,), f"{found.text}.get({name!r}, MISSING)", none=True)
        return dataclasses.replace(value, unknown=True)

    def _fields(self, entity: str, base: Term) -> Term:
        """Look an instance up; note it as wanted where it isn't there.

        Nothing is known of an instance that is stale or yet to come.
        """
        text, fresh_us = self.text, self._machine.fresh_us
        handle, instance, fields = text.new(), text.new(), text.new()
        facts, now, indent = text.load("facts"), text.load("now"), text.indent
        if base.unknown:
            text.line(f"{fields} = NOTHING")
            text.line(f"if {base.text}.__class__ is not U:")
            text.indent += " "
        text.line(f"{handle} = ({entity!r}, {base.text})")
        text.line(f"{instance} = {facts}.get({handle})")
        text.line(f"if {instance} is None:")
        text.line(f" want({handle})")
        text.line(f" {fields} = NOTHING")
        too_old = "" if fresh_us is None else f" or {now} - {instance}.as_of > {fresh_us}"
        text.line(f"elif {instance}.as_of > {now}{too_old}:")
        text.line(f" {fields} = stale({instance})")
        text.line("else:")
        text.line(f" {fields} = {instance}.fields")
        text.indent = indent
        return Term(fields, False, False)

    def _strict(self, operands: Sequence[Term], text: str, *, none: bool = False) -> Term:
        """Assign `text`, or the first operand that is unknown."""
        unknown = [operand.text for operand in operands if operand.unknown]
        for name in reversed(unknown):
            text = f"{name} if {name}.__class__ is U else {text}"
        return self.text.assign(text, unknown=bool(unknown), none=none)

    def _binary(self, operator: str, parts: Sequence[Node], moment: str) -> Term:
        a, b = (self._needed(part, moment) for part in parts)
        return self._strict((a, b), f"{a.text} {operator} {b.text}")

    def _connective(self, truths: Sequence[Term], *, decisive: bool) -> Term:
        unknown = [truth.text for truth in truths if truth.unknown]
        if not unknown:
            return self.text.assign((" or " if decisive else " and ").join(truth.text for truth in truths))
        if len(truths) > CHAIN_MAX:
            return self.text.assign(f"connect(({', '.join(truth.text for truth in truths)}), {decisive})", unknown=True)
        neither = " and ".join(f"{truth.text} is {not decisive}" for truth in truths)
        decides = " or ".join(f"{truth.text} is {decisive}" for truth in truths)
        *others, last = unknown
        first = "".join(f"{name} if {name}.__class__ is U else " for name in others)
        text = f"{not decisive} if {neither} else {decisive} if {decides} else {first}{last}"
        return self.text.assign(text, unknown=True)

    def _choice(self, truth: Term, a: Term, b: Term) -> Term:
        chosen = self._strict((truth,), f"({a.text} if {truth.text} else {b.text})", none=a.none or b.none)
        return dataclasses.replace(chosen, unknown=chosen.unknown or a.unknown or b.unknown)

    # --- folds -------------------------------------------------------------------------------------------------------

    def _reduce(self, reduce: Reduce, parts: Sequence[Node], moment: str) -> Term:
        domain, condition, body = parts
        items = self._needed(domain, moment)
        result, item, indent = self.text.new(), self.text.new(), self.text.indent
        if items.unknown:
            self.text.line(f"if {items.text}.__class__ is U:")
            self.text.line(f" {result} = {items.text}")
            self.text.line("else:")
            self.text.indent += " "
        none = not isinstance(domain.expression, _STORED)  # what is stored in a list is never absent
        self.text.enter({reduce.name: Term(item, False, none)}, loop=True)
        loop = f"for {item} in {items.text}:"
        if reduce.condition == ALWAYS and reduce.fold in _QUANTIFIERS:
            unknown = self._quantify(reduce.fold is Fold.SOME, loop, body, result, moment)
        else:
            unknown = self._fold(reduce.fold, loop, condition, body, result, moment)
        self.text.leave()
        self.text.indent = indent
        return Term(result, items.unknown or unknown, False)

    def _quantify(self, decisive: bool, loop: str, body: Node, result: str, moment: str) -> bool:
        """Write a quantifier over every element; tell whether it may be unknown."""
        self.text.line(f"{result} = {not decisive}")
        self.text.line(loop)
        self.text.indent += " "
        truth = self._needed(body, moment)
        self.text.line(f"if {truth.text} is {decisive}:")
        self.text.line(f" {result} = {decisive}")
        if not body.reads:
            self.text.line(" break")  # nothing in the rest of the list could be wanted
        if truth.unknown:
            self.text.line(f"elif {result} is {not decisive} and {truth.text}.__class__ is U:")
            self.text.line(f" {result} = {truth.text}")
        return truth.unknown

    def _fold(self, fold: Fold, loop: str, condition: Node, body: Node, result: str, moment: str) -> bool:
        """Write a fold over the elements that satisfy a condition; one unknown condition leaves it unknown."""
        kept, unsure, lacking = self.text.new(), self.text.new(), self.text.new()
        outer = self.text.indent
        self.text.line(f"{kept} = []")
        self.text.line(f"{unsure} = {lacking} = None")
        self.text.line(loop)
        self.text.indent += " "
        keep, value = self._needed(condition, moment), self._needed(body, moment)
        self.text.line(f"if {keep.text} is True:")
        if value.unknown and fold not in _QUANTIFIERS:
            self.text.line(f" if {value.text}.__class__ is not U:")
            self.text.line(f"  {kept}.append({value.text})")
            self.text.line(f" elif {lacking} is None:")
            self.text.line(f"  {lacking} = {value.text}")
        else:
            self.text.line(f" {kept}.append({value.text})")
        if keep.unknown:
            self.text.line(f"elif {unsure} is None and {keep.text}.__class__ is U:")
            self.text.line(f" {unsure} = {keep.text}")
        self.text.indent = outer
        self.text.line(f"{result} = {unsure} or {lacking} or {_FINISH[fold].format(kept)}")
        return keep.unknown or value.unknown or fold in (Fold.MIN, Fold.MAX)


def _optional(type_: Type) -> bool:
    return isinstance(type_, OptionalType)
