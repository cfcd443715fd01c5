"""Writes whole specs by chance that check by construction, with everything that the language has.

A spec is kept as separate declarations, so that tests can put them in another order.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from random import Random

import graph_of
from readable_names import Name, Scope, readable
from vocabulary_writer import LENGTHS, Plan, VocabularyWriter, written

from edca.kernel.types import (
    BoolType,
    DecimalType,
    IntType,
    ListType,
    OptionalType,
    RecordType,
    ReferenceType,
    Type,
)

WINDOWS = ("rolling 1 hour", "rolling 30 days", "rolling 90 seconds", "utc hour", "utc day", "utc week")
SIGNALS = ("failures", "timeouts", "drifts", "refusals", "escalations")


@dataclass
class Written:
    """A spec as text, in parts; `scenarios` are no part of its meaning."""

    header: str
    declarations: list[str] = field(default_factory=list)
    scenarios: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole."""
        return "\n".join([self.header, *self.declarations, *self.scenarios, ""])


class SpecWriter(VocabularyWriter):
    """Writes one whole spec into `written`."""

    def __init__(self, random: Random, size: int = 2, mistakes: float = 0.0) -> None:
        """Choose by `random`; for `mistakes` see `expression_writer`."""
        super().__init__(random, size, mistakes)
        self.written = Written("")

    # --- transitions ---

    def transition(self, plan: Plan, level: int) -> str:
        """One transition, or one branch; `level` is its priority among them."""
        arguments = [Name(name, type_, "argument", not label) for name, type_, label in plan.parameters]
        scope = self.scope(*arguments)
        listed = ", ".join(f"{name}: {written(type_)}{label}" for name, type_, label in plan.parameters)
        head = f"transition {plan.name}{f'.{plan.branch}' if plan.branch else ''}({listed})"
        head += f" from {', '.join(plan.sources)} to {plan.target}"
        if plan.branch:
            head += f" when {self.condition(scope.only(clean=True))}"  # what branches do would tell of a label
        by = self.random.choice([("agent",), ("agent", "person"), ("person", "chief"), ("chief",), ("clock",)])
        lines = [f"means {self.text()}", f"by {', '.join(by)}", f"answers {self.random.choice(['chief', 'person'])}"]
        if plan.branch:
            lines.append(f"priority {level}")
        if self.random.random() < 0.2:
            lines.append(f"after {self.random.choice(LENGTHS)}")
        if self.random.random() < 0.2 and "agent" not in by:
            lines.append("unblockable")
        lets = []
        for i in self.some(1):
            body = self.expressions.value(scope.only(clean=True), BoolType(), 2)
            lets.append(f"let l{len(self.declarations)}_{i} = {body}")
            scope = scope.adding([Name(f"l{len(self.declarations)}_{i}", BoolType(), "let")])
        lines += [*lets, *self._tests(plan, scope), *self._results(plan, scope)]
        return head + " {\n  " + "\n  ".join(lines) + "\n}"

    def condition(self, scope: Scope) -> str:
        """A condition of a depth that fits the size."""
        return self.expressions.condition(scope, self.random.randint(1, 1 + self.size))

    def _tests(self, plan: Plan, scope: Scope) -> list[str]:
        full = plan.name if plan.branch is None else f"{plan.name}_{plan.branch}"
        lines = []
        if plan.edges:
            lines.append(f"require x0.ready else refuse {full}_ready {self.text()}")
        for i in self.some(2):
            code = f"{full}_k{i}"
            match self.random.randrange(5):
                case 0:
                    lines.append(f"forbid {code} {self.text()} when {self.condition(scope)}")
                case 1:
                    lines.append(f"require {self.condition(scope)} else escalate chief {code} {self.text()}")
                case 2 if "agent" not in plan.sources:
                    lines.append(f"require confidence >= 0.85 else escalate chief {code} {self.text()}")
                case 3:
                    lines.append(self._limit(plan, scope, code))
                case _:
                    lines.append(f"require {self.condition(scope)} else refuse {code} {self.text()}")
        for n, code in enumerate(plan.signed):
            role, within = self.random.choice(["person", "chief"]), self.maybe(f" within {self.random.choice(LENGTHS)}")
            when = self.maybe(f" when {self.condition(scope)}")
            if n == 0 and plan.edges:
                when = ""
            if self.random.random() < 0.5 or (n == 0 and plan.edges):
                lines.append(f"confirm {code} by {role}{within}{when} {self.text()}")
            else:
                other = self.random.choice([" distinct from proposer", " distinct from proposer, subject", ""])
                earlier = f" distinct from signers of {plan.signed[0]}" if n and self.random.random() < 0.5 else other
                lines.append(
                    f"sign {code} by {self.random.randint(2, 3)} of {role}{earlier}{within}{when} {self.text()}"
                )
        return lines

    def _limit(self, plan: Plan, scope: Scope, code: str) -> str:
        measures = [
            (name, type_)
            for name, type_, label in plan.parameters
            if isinstance(type_, (IntType, DecimalType)) and type_.low >= 0 and label != " personal"
        ]
        if measures and self.random.random() < 0.6:
            name, type_ = self.random.choice(measures)
            counted = f"sum({name}) to {self.expressions.digits(type_, type_.low, type_.high)}"
        else:
            counted = f"count to {self.random.randint(1, 20)}"
        keys = [n.text for n in scope.only("fact", "input", "argument", clean=True).of(("IdType",))]
        keys += ["proposer", "subject", "x0"]
        per = self.maybe(f" per {', '.join(dict.fromkeys(self.random.choices(keys, k=self.random.randint(1, 2))))}")
        when = self.maybe(f" when {self.condition(scope)}", 0.2)
        return f"limit {code} {counted} per {self.random.choice(WINDOWS)}{per}{when} {self.text()}"

    def _results(self, plan: Plan, scope: Scope) -> list[str]:
        clean = scope.only(clean=True)
        lines = []
        for name in self.base:
            if name.origin == "memory" and self.random.random() < 0.3:
                lines.append(f"set {name.text} = {self.expressions.value(clean, name.type, 2)}")
        if plan.edges:
            calls = []
            for effect, types in self.random.sample(self.effects, self.random.randint(1, len(self.effects))):
                values = [self.expressions.value(clean, type_, 1) for type_ in types[1:]]
                calls.append(f"{effect}({', '.join(['x0', *values])})")
            undone = calls[0] if plan.signed == () or self.random.random() < 0.5 else None
            ensure = self.random.choice(["x0.ready", "x0.ready == before(x0.ready)", self.condition(clean)])
            for call in calls:
                lines.append(f"do {call} ensure {ensure} {'irreversible' if undone is None else f'undo {undone}'}")
            failed, timeout = plan.edges
            lines.append(f"on failed go {failed} {self.text()}")
            lines.append(f"on timeout {self.random.choice(LENGTHS)} go {timeout} {self.text()}")
        return lines

    # --- the rest ---

    def rest(self) -> None:
        """Forbids, modes, properties, releases."""
        add, random = self.declarations.append, self.random
        scope = self.scope()
        for i in self.some(1):
            where = self.maybe(" about x0", 0.3)
            add(f"forbid w{i}{where} {self.text()} when {self.condition(scope.only('fact', 'memory', 'now', 'input'))}")
        offered = list(dict.fromkeys(plan.name for plan in self.plans))
        for i in self.some(1):
            if len(offered) > 1:
                allowed = random.sample(offered, random.randint(1, len(offered) - 1))
                add(self._mode(f"o{i}", allowed))
        held = scope.only("fact", "memory", "now")
        for i in self.some(1):
            states = random.sample([*self.states, *self.finals, *self.composites], random.randint(0, 2))
            about = self.maybe(" about x0", 0.3)
            within = f" while {', '.join(states)}" if states else ""
            # What memory begins with mustn't break it where cases begin, so there a fact has its say.
            sure = " and x0.ready" if not states or {self.states[0], *self.composites} & set(states) else ""
            add(f"never y{i}{about} {self.text()}{within} when ({self.condition(held)}){sure}")
        graph = graph_of.Graph(self.states, self.finals, self.composites, self.plans)
        for i, (target, needed) in enumerate(random.sample(graph.passages(), min(self.size, len(graph.passages())))):
            add(f"never z{i} {self.text()} reaching {target} without {needed}")
        source = random.choice(self.states)
        if graph.ends_from(source):
            add(f"always a0 {self.text()} {source} leads to {', '.join(self.finals)} assuming {self.text()}")
        for thing in self.things.values():
            labelled = [name for name, _, label in thing.fields if label]
            if labelled and random.random() < 0.4:
                to = random.choice(["agent", self.effects[0][0], f"agent, {self.effects[0][0]}"])
                add(f"release {thing.name}.{random.choice(labelled)} to {to} {self.text()}")

    def query(self, name: str) -> str:
        """One query about an entity. What is forbidden for the main one may read a case, so those are unblockable."""
        random, thing = self.random, self.random.choice(list(self.things.values()))
        key = ", ".join(f"{part}: {written(type_)}" for part, type_ in thing.key)
        free = thing.name == "x0"
        by = random.choice(
            [("person",), ("person", "chief")] if free else [("agent",), ("agent", "person"), ("chief",)]
        )
        lines = [f"means {self.text()}", f"by {', '.join(by)}", *(["unblockable"] if free else [])]
        own = readable(self.things, Name(thing.name, ReferenceType(thing.name), "fact"))
        plain = self.scope().only("now", "argument", clean=True)
        plain = dataclasses.replace(plain, history=((), ()), rules=())
        plain = plain.adding(Name(part, type_, "argument") for part, type_ in thing.key)
        whole = plain.adding(one for one in own if one.clean)
        scope = _usable(whole)
        for i in self.some(1):
            lines.append(f"let {name}_l{i} = {self.expressions.value(scope, BoolType(), 2)}")
            scope = scope.adding([Name(f"{name}_l{i}", BoolType(), "let")])
        told = [one for one in scope.names if not _names_entity(one.type) and one.origin in ("fact", "let")]
        lines.append(f"require proposer == proposer and ({self.condition(scope)}) else refuse {name}_k {self.text()}")
        for i in self.some(1):
            lines.append(f"forbid {name}_f{i} {self.text()} when {self.condition(_usable(scope.adding(own)))}")
        for i in range(random.randint(1, 3)):
            value = random.choice(told).text if told and random.random() < 0.6 else f"({self.condition(scope)})"
            lines.append(f"returns {name}_v{i} = {value}")
        lists = [one for one in whole.names if isinstance(one.type, ListType)]
        if lists:
            over = random.choice(lists)
            assert isinstance(over.type, ListType)
            row = readable(self.things, Name("r9", over.type.of, "argument"), 1)
            fields = [one for one in row if one.clean and not _names_entity(one.type)]
            inner = _usable(dataclasses.replace(scope.adding(one for one in row if one.clean), depth=1))
            where = self.maybe(f" where {self.condition(inner)}")
            chosen = ", ".join(f"c{i} = {one.text}" for i, one in enumerate(fields[:3])) or "c0 = 1 < 2"
            lines.append(f"returns {name}_r = each r9 in {over.text}{where} {{ {chosen} }}")
        return (
            f"query {name}({key}) about {thing.name} by {', '.join(p for p, _ in thing.key)} {{\n  "
            + "\n  ".join(lines)
            + "\n}"
        )

    def _mode(self, name: str, allowed: list[str]) -> str:
        random = self.random
        lines = [f"allow {', '.join(allowed)}", "leave by chief"]
        for _ in range(random.randint(1, 2)):
            signal, window = random.choice(SIGNALS), random.choice(WINDOWS)
            lines.append(f"enter when {signal} > {random.randint(0, 9)} per {window}")
        if random.random() < 0.5:
            lines.append(f"leave when {random.choice(SIGNALS)} <= {random.randint(0, 2)} per rolling 10 minutes")
        if random.random() < 0.5:
            lines.append("enter by chief, person")
        return f"mode {name} {self.text()} {{ " + "\n  ".join(lines) + " }"

    def write(self) -> None:
        """Write the whole spec."""
        self.vocabulary()
        self.state_declarations()
        self.rule_declarations()
        levels = iter(self.random.sample(range(1, 101), len(self.plans)))
        for plan in self.plans:
            self.declarations.append(self.transition(plan, next(levels)))
        self.rest()
        for i in self.some(1):
            self.declarations.append(self.query(f"q{i}"))
        tier = "" if any(plan.edges for plan in self.plans) else self.maybe(" tier advisory")
        self.written = Written(f'edca 1\nmachine m version "1.0.0" {self.text()}{tier}', self.declarations)


def _usable(scope: Scope) -> Scope:
    """The scope without lists of a unit that no number in it has, and of entities, whose fields may have labels."""
    units = {name.type.unit for name in scope.names if isinstance(name.type, (IntType, DecimalType))}

    def usable(type_: Type) -> bool:
        of = type_.of if isinstance(type_, ListType) else None
        if isinstance(of, (IntType, DecimalType)):
            return of.unit in ("", *units)
        return not isinstance(of, ReferenceType)

    return dataclasses.replace(scope, names=tuple(name for name in scope.names if usable(name.type)))


def _names_entity(type_: Type) -> bool:
    match type_:
        case ReferenceType():
            return True
        case OptionalType(of) | ListType(of=of):
            return _names_entity(of)
        case RecordType(_, parts):
            return any(_names_entity(part) for _, part in parts)
        case _:
            return False


def chance(seed: int) -> Random:
    """The random numbers of that seed: the same each time, since a failure must be repeatable."""
    return Random(seed)  # noqa: S311


def generated(seed: int, size: int = 2, mistakes: float = 0.0) -> SpecWriter:
    """The writer of that seed, done: `written` is what it wrote."""
    writer = SpecWriter(chance(seed), size, mistakes)
    writer.write()
    return writer
