"""Reading the givens of a scenario: what is given between two waits, checked against the machine.

What is wrong in a given is reported like any other mistake; the rest of the scenario is read all the same.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from edca.diagnostics.codes import CODES
from edca.dsl import tree
from edca.kernel.evaluate import Frame, closure_of
from edca.kernel.inputs import HALTED, NORMAL
from edca.kernel.machine import ClauseKind
from edca.kernel.types import BoolType, DecimalType, IntType, ListType, PrincipalType, TimeType, Type, describe
from edca.kernel.values import Unknown, Value, in_bounds
from edca.semantic.check import check
from edca.semantic.durations import lasting
from edca.semantic.lower import lower_expression
from edca.semantic.problems import Problems, did_you_mean, listing
from edca.semantic.scenario_world import clauses_by_code
from edca.semantic.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.diagnostics.source import Span
    from edca.kernel.facts import Handle
    from edca.kernel.machine import Clause, Machine
    from edca.semantic.checked import CheckedSpec

ANSWERED = (ClauseKind.CONFIRM, ClauseKind.SIGN)
_COUNT_MAX = 10**18  # far above any bound; a counter may stand above its limit's
_PEOPLE_MAX = 100  # of a list of signers
_PRINCIPAL = PrincipalType("")


@dataclass(slots=True)
class Givens:
    """What is given at one time, and how much time passes after it. `state`, memory and who acted are of the case."""

    now: int | None = None
    subject: str | None = None
    mode: str | None = None
    state: str | None = None
    entered: int | None = None
    memory: dict[str, Value] = field(default_factory=dict)
    proposers: dict[str, str] = field(default_factory=dict)
    signers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    facts: dict[Handle, dict[str, Value | Unknown]] = field(default_factory=dict)
    claims: dict[str, Value] = field(default_factory=dict)
    answers: dict[str, bool] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    wait_us: int = 0


class GivenReader:
    """Reads values and givens of one scenario."""

    def __init__(self, checked: CheckedSpec, machine: Machine, problems: Problems) -> None:
        """Take the spec that the scenario is about, and where findings go."""
        words = dataclasses.replace(checked.words, problems=problems)
        self._machine = machine
        self._problems = problems
        self._scope = Scope(words=words, definitions={}, constant=True, references=True)
        self._given: dict[object, Span] = {}

    def value(
        self, node: tree.Expression, type_: Type, records: Mapping[str, Type] = MappingProxyType({})
    ) -> Value | Unknown:
        """Return a written value, or an unknown where it is wrong (and reported).

        `records` are types of rows that can be written here and have no declaration: `lines("a1", 10.00)`.
        """
        scope = self._scope
        if records:
            words = dataclasses.replace(scope.words, types={**scope.words.types, **records})
            scope = dataclasses.replace(scope, words=words)
        found = check(scope, node, type_)
        if found is None:
            return Unknown.MISSING
        frame = Frame(arguments={}, memory={}, claims={}, inputs={}, facts={})
        value: Value | Unknown = closure_of(lower_expression(found, self._scope.definitions))(frame)
        if not isinstance(value, Unknown) and not in_bounds(type_, value):
            message = f"`{node.span.text}` is outside the range of its type"
            self._problems.add("T010", node.span, message, help=f"give a {describe(type_)}")
        return value

    def read(self, givens: tuple[tree.Given, ...], offered: str) -> tuple[Givens, ...]:
        """Return the givens in front of what happens, a part for each wait and one for what follows the last.

        `offered` is the transition that they lead up to: of two clauses that share a code, its own is meant.
        """
        parts = [Givens()]
        self._given = {}
        for given in givens:
            if isinstance(given, tree.Wait):
                parts[-1].wait_us = lasting(given.duration, self._problems)
                parts.append(Givens())
                self._given = {}
            else:
                self._read_given(given, parts[-1], offered)
        return tuple(parts)

    def _once(self, what: object, name: str, span: Span) -> None:
        """Report what is given a second time with no time between."""
        if what in self._given:
            self._problems.add(
                "N002",
                span,
                f"`{name}` is given twice",
                help="keep one of them",
                declared=self._given[what],
                declared_label="first given here",
            )
        self._given.setdefault(what, span)

    def _read_given(self, given: tree.Given, into: Givens, offered: str) -> None:
        match given:
            case tree.GivenState(state, _):
                self._once("state", state.text, state.span)
                self.check_state(state)
                into.state = state.text
            case tree.GivenValue(name, value, _):
                self._once(("value", name.text), name.text, name.span)
                self._given_value(name, value, into, offered)
            case tree.GivenEntity():
                self._given_entity(given, into)
            case tree.GivenHistory(history, value, span):
                self._once((history.word, history.name.text), f"{history.word} of {history.name.text}", span)
                self._given_history(history, value, into)
            case tree.Wait():
                return

    def check_state(self, state: tree.Name) -> None:
        """Report a name that is none of a state that a case can be in."""
        states = self._machine.index.states
        help_: str | None
        if state.text in states:
            return
        if any(composite.name == state.text for composite in self._machine.composites):
            within = [name for name, found in states.items() if found.within == state.text]
            help_ = f"name the one it is in: {listing(within)}" if within else "name the state within it"
            self._problems.add("N006", state.span, f"no case is ever just in `{state.text}`", help=help_)
        else:
            help_ = did_you_mean(state.text, states)
            self._problems.add("N006", state.span, f"there is no state `{state.text}`", help=help_)

    def _given_value(self, name: tree.Name, node: tree.Expression, into: Givens, offered: str) -> None:
        index, text = self._machine.index, name.text
        clauses = clauses_by_code(self._machine, offered, text)
        limit = next((clause for clause in clauses if clause.limit is not None), None)
        if text == "now":
            into.now = _whole(self.value(node, TimeType()))
        elif text == "subject":
            into.subject = _text(self.value(node, _PRINCIPAL))
        elif text in index.memory:
            keep(into.memory, text, self.value(node, index.memory[text].type))
        elif text in index.claims:
            keep(into.claims, text, self.value(node, index.claims[text].type))
        elif any(clause.kind in ANSWERED for clause in clauses):
            into.answers[text] = self.value(node, BoolType()) is True
        elif limit is not None:
            count = _whole(self.value(node, counter_type(limit)))
            into.counts[text] = 0 if count is None else count
        elif text == "entered":
            into.entered = _whole(self.value(node, TimeType()))
        elif text == "mode":
            self._given_mode(node, into)
        else:
            known = ("now", "subject", "entered", "mode", *index.memory, *index.claims, *self._codes())
            otherwise = "give a memory field, a claim, the code of a `confirm`, `sign` or `limit`, `now`, `subject`, "
            help_ = did_you_mean(text, known, f"{otherwise}`entered` or `mode`")
            self._problems.add("N001", name.span, f"`{text}` can't be given", help=help_)

    def _codes(self) -> list[str]:
        kinds = (*ANSWERED, ClauseKind.LIMIT)
        return sorted({c.code for t in self._machine.transitions for c in t.clauses if c.kind in kinds})

    def _given_mode(self, node: tree.Expression, into: Givens) -> None:
        modes = (NORMAL, HALTED, *self._machine.index.modes)
        name = node.name.text if isinstance(node, tree.Variable) else ""
        if name in modes:
            into.mode = name
            return
        help_ = did_you_mean(name, modes, f"the modes are {listing(modes)}")
        self._problems.add("N001", node.span, f"there is no mode `{node.span.text}`", help=help_)

    def _given_history(self, history: tree.History, node: tree.Expression, into: Givens) -> None:
        index, name = self._machine.index, history.name
        if history.word == "proposer":
            if name.text not in index.offered:
                help_ = did_you_mean(name.text, index.offered)
                self._problems.add("N015", name.span, f"there is no transition `{name.text}`", help=help_)
                return
            proposer = _text(self.value(node, _PRINCIPAL))
            into.proposers |= {} if proposer is None else {name.text: proposer}
            return
        answered = {c.code for t in self._machine.transitions for c in t.clauses if c.kind in ANSWERED}
        if name.text not in answered:
            help_ = did_you_mean(name.text, answered)
            code = "N022" if "N022" in CODES else "N001"
            self._problems.add(code, name.span, f"no `sign` or `confirm` has the code `{name.text}`", help=help_)
            return
        signers = self.value(node, ListType(0, _PEOPLE_MAX, _PRINCIPAL))
        if isinstance(signers, tuple):
            into.signers[name.text] = tuple(sorted({signer for signer in signers if isinstance(signer, str)}))

    def _given_entity(self, given: tree.GivenEntity, into: Givens) -> None:
        entity = self._machine.index.entities.get(given.entity.text)
        if entity is None:
            help_ = did_you_mean(given.entity.text, self._machine.index.entities)
            self._problems.add("N009", given.entity.span, f"there is no entity `{given.entity.text}`", help=help_)
            return
        if len(given.keys) != len(entity.key):
            message = f"the key of `{entity.name}` has {len(entity.key)} parts, found {len(given.keys)}"
            self._problems.add("T004", given.span, message)
            return
        key = [self.value(node, part.type) for node, part in zip(given.keys, entity.key, strict=True)]
        fields: dict[str, Value | Unknown] = {}
        types = {declared.name: declared.type for declared in entity.fields}
        for name, node in given.fields:
            if name.text not in types:
                help_ = did_you_mean(name.text, types)
                self._problems.add("N005", name.span, f"`{entity.name}` has no field `{name.text}`", help=help_)
            elif name.text in fields:
                self._problems.add("N002", name.span, f"`{name.text}` is given twice")
            else:
                fields[name.text] = self.value(node, types[name.text])
        known = tuple(part for part in key if not isinstance(part, Unknown))
        if len(known) == len(key):
            self._once((entity.name, known), f"this {entity.name}", given.entity.span)
            into.facts[entity.name, known] = fields


def counter_type(clause: Clause) -> Type:
    """Return the type in which the counter of a limit is written: its measure's, without the measure's range."""
    match None if clause.limit is None else clause.limit.type:
        case DecimalType(scale, _, _, unit):
            return DecimalType(scale, 0, _COUNT_MAX, unit)
        case IntType(_, _, unit):
            return IntType(0, _COUNT_MAX, unit)
        case _:
            return IntType(0, _COUNT_MAX)


def keep(into: dict[str, Value], name: str, value: Value | Unknown) -> None:
    """Keep a value under its name unless it was wrong."""
    if not isinstance(value, Unknown):
        into[name] = value


def _whole(value: Value | Unknown) -> int | None:
    return value if isinstance(value, int) else None


def _text(value: Value | Unknown) -> str | None:
    return value if isinstance(value, str) else None
