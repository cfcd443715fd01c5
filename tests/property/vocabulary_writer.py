"""Writes what a spec says before its transitions: types, entities, memory, rules, states; plans the transitions."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from expression_writer import ExpressionWriter
from readable_names import Name, Rule, Scope, Thing, readable

from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
    HandleType,
    IdType,
    IntType,
    ListType,
    OptionalType,
    PrincipalType,
    RecordType,
    ReferenceType,
    TextType,
    TimeType,
    Type,
    decimal_text,
)

TEXTS = (
    "It is so.", "Ünïcode — “quoted” …", r"say \"no\"", "# no comment", "a { b } c, d", "x" * 70, r"back\\slash",
    "100 % of it", "if then else when",
)  # fmt: skip
# After a `.` and before a `:` every word is a name, also those of the language.
FIELDS = (
    "state", "from", "mode", "limit", "sign", "after", "count", "of", "by", "when", "priority", "first", "text", "to",
    "never", "release", "per", "utc", "in",
)  # fmt: skip
# Where what a rule reads may come from: the fewer, the more places can use it.
ORIGINS = (("memory",), ("memory", "now"), ("fact", "memory", "now"), ("fact", "memory", "now", "input", "claim"))
LENGTHS = ("1 second", "30 minutes", "2 hours", "14 days", "1 week")


@dataclass
class Plan:
    """What is decided of a transition before its clauses are written, so that others can name it."""

    name: str
    branch: str | None
    sources: tuple[str, ...]
    target: str
    edges: tuple[str, ...] = ()  # targets of `on failed` and `on timeout`
    signed: tuple[str, ...] = ()
    parameters: tuple[tuple[str, Type, str], ...] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Every state that it can lead to."""
        return (self.target, *self.edges)


def written(type_: Type) -> str:
    """How a type is written."""
    match type_:
        case BoolType():
            return "bool"
        case IntType(low, high, unit):
            return f"int({low} to {high})" + (f" in {unit}" if unit else "")
        case DecimalType(scale, low, high, unit):
            bounds = f"{decimal_text(low, scale)} to {decimal_text(high, scale)}"
            return f"decimal({scale}, {bounds})" + (f" in {unit}" if unit else "")
        case TextType(length_max):
            return f"text({length_max})"
        case PrincipalType(role):
            return f"principal {role}"
        case EnumType(name) | RecordType(name) | ReferenceType(name):
            return name
        case ListType(low, high, of):
            return f"list({low} to {high}) of {written(of)}" if low else f"list({high}) of {written(of)}"
        case OptionalType(of):
            return f"{written(of)} optional"
        case IdType() | DateType() | TimeType() | DurationType():
            return type(type_).__name__.removesuffix("Type").lower()


class VocabularyWriter:
    """Writes one spec, as far as its states; `size` is how much of everything there is at most."""

    def __init__(self, random: Random, size: int = 2, mistakes: float = 0.0) -> None:
        """Choose by `random`; for `mistakes` see `expression_writer`."""
        self.random = random
        self.size = size
        self.expressions = ExpressionWriter(random, mistakes)
        self.declarations: list[str] = []
        self.units = {"": 0} | {unit: random.choice([0, 2]) for unit in ("eur", "percent") if random.random() < 0.7}
        self.enums: list[EnumType] = []
        self.records: list[RecordType] = []
        self.things: dict[str, Thing] = {}
        self.base: list[Name] = []  # what can be read everywhere: memory and claims
        self.rules: list[Rule] = []
        self.states: list[str] = []
        self.finals: list[str] = []
        self.composites: dict[str, tuple[str, ...]] = {}
        self.plans: list[Plan] = []
        self.effects: list[tuple[str, tuple[Type, ...]]] = []

    def some(self, most: int) -> range:
        """From none to `most` times the size."""
        return range(self.random.randint(0, most * self.size))

    def text(self) -> str:
        """A sentence in quotes."""
        return f'"{self.random.choice(TEXTS)}"'

    def maybe(self, text: str, chance: float = 0.5) -> str:
        """The text, or nothing."""
        return text if self.random.random() < chance else ""

    # --- vocabulary ---

    def number_type(self) -> Type:
        """A number of some unit; each unit has one scale, so that what has it can always be added up."""
        unit = self.random.choice(list(self.units))
        scale = self.units[unit] if unit else self.random.choice([0, 0, 2, 4])
        low = self.random.choice([0, 0, 0, -50, -1])
        high = self.random.choice([9, 100, 1000]) * int(10**scale)
        return DecimalType(scale, low, high, unit) if scale else IntType(low, high, unit)

    def scalar_type(self) -> Type:
        """A type without parts."""
        return self.random.choice(
            [
                self.number_type(), self.number_type(), BoolType(), self.random.choice(self.enums),
                IdType(), HandleType(), TextType(40), DateType(), TimeType(), DurationType(),
                PrincipalType("person"), PrincipalType("chief"),
            ]
        )  # fmt: skip

    def field_type(self) -> Type:
        """A type of an entity's field."""
        scalar = self.scalar_type()
        things: list[Type] = [ReferenceType(name) for name in self.things] or [scalar]
        match self.random.randrange(8):
            case 0:
                return OptionalType(scalar)
            case 1:
                return ListType(0, self.random.randint(1, 5), scalar)
            case 2:
                return ListType(0, 4, self.random.choice(self.records)) if self.records else scalar
            case 3:
                return self.random.choice(things)
            case 4:
                return ListType(0, 3, self.random.choice(things))
            case _:
                return scalar

    def vocabulary(self) -> None:
        """Roles, types, entities, claims, effects, memory."""
        add, random = self.declarations.append, self.random
        self.declarations += ["role agent model", "role person human", "role chief human"]
        for i in range(random.randint(1, 1 + self.size)):
            values = [f"e{i}_{letter}" for letter in "abcd"[: random.randint(2, 4)]]
            self.enums.append(EnumType(f"e{i}", tuple((value, value) for value in values)))
            wires = [value + self.maybe(f' "{value} on the wire"', 0.2) for value in values]
            add(f"enum e{i} {{ {' | '.join(wires)} }}")
        for i in self.some(1):
            parts = tuple((f"p{n}", self.scalar_type()) for n in range(random.randint(1, 4)))
            self.records.append(RecordType(f"r{i}", parts))
            add(f"record r{i} {{ {', '.join(f'{name}: {written(type_)}' for name, type_ in parts)} }}")
        for i in range(random.randint(1, 1 + self.size)):
            self._entity(f"x{i}")
        for i in self.some(1):
            type_ = random.choice([BoolType(), TextType(400), random.choice(self.enums), self.number_type()])
            label = random.choice(["", "", " personal", " secret"])
            add(f"claim c{i} : {written(type_)}{label} by {random.choice(['person', 'chief'])} {self.text()}")
            self.base.append(Name(f"c{i}", type_, "claim", not label))
        self._memory()
        for i in range(random.randint(1, 2)):
            types = (ReferenceType("x0"), *(self.scalar_type() for _ in range(random.randint(0, 2))))
            self.effects.append((f"act{i}", types))
            add(f"effect act{i}({', '.join(f'a{n}: {written(type_)}' for n, type_ in enumerate(types))})")
        add(f"case about x0 by x0_id{self.maybe(' fresh 5 minutes')}")

    def _entity(self, name: str) -> None:
        fields: list[tuple[str, Type, bool]] = [("ready", BoolType(), False)]
        taken = iter(self.random.sample(FIELDS, len(FIELDS)))
        lines = ["ready: bool"]
        for n in range(self.random.randint(2, 3 + self.size)):
            called = next(taken) if self.random.random() < 0.2 else f"f{n}"
            type_, label = self.field_type(), self.random.choice(["", "", "", " secret", " personal", " fixed"])
            fields.append((called, type_, label in (" secret", " personal")))
            lines.append(f"{called}: {written(type_)}{label}")
        key: list[tuple[str, Type]] = [(f"{name}_id", IdType())]
        self.things[name] = Thing(name, tuple(key), tuple(fields))
        lines.append(f"again: {name}")
        self.things[name] = Thing(name, tuple(key), (*fields, ("again", ReferenceType(name), False)))
        self.declarations.append(f"entity {name} key ({name}_id: id) {{ {', '.join(lines)}{self.maybe(',')} }}")

    def _memory(self) -> None:
        members: list[tuple[str, Type, str]] = []
        for n, unit in enumerate(self.units):
            scale = self.units[unit]
            own = DecimalType(scale, 0, 100_000, unit) if scale else IntType(0, 1000, unit)
            members.append((f"m{n}", own, ""))
        for n in self.some(2):
            type_ = self.random.choice([BoolType(), self.random.choice(self.enums), self.number_type(), TextType(80)])
            members.append((f"n{n}", type_, self.random.choice(["", "", " personal"])))
        for name, type_, label in members:
            self.base.append(Name(name, type_, "memory", not label))
        lines = [f"{n}: {written(type_)}{label} = {self.expressions.constant(type_)}" for n, type_, label in members]
        self.declarations.append(f"memory {{ {', '.join(lines)} }}")

    # --- scopes ---

    def scope(self, *names: Name) -> Scope:
        """What can be read in a transition of the main entity with these arguments."""
        inputs = [
            Name("now", TimeType(), "now"),
            Name("proposer", PrincipalType(""), "input"),
            Name("subject", PrincipalType(""), "input", clean=False),
        ]
        found = [*inputs, *self.base]
        for name in names:
            found += readable(self.things, name)
        found += readable(self.things, Name("x0", ReferenceType("x0"), "fact"))
        offered = tuple(dict.fromkeys(plan.name for plan in self.plans))
        codes = tuple(code for plan in self.plans for code in plan.signed)
        return Scope(tuple(found), tuple(self.rules), self.things, (offered, codes))

    def rule_declarations(self) -> None:
        """Defines and tables."""
        for i in self.some(2):
            parameters = [self.scalar_type() for _ in range(self.random.randint(0, 2))]
            names = [Name(f"q{i}_{n}", type_, "argument") for n, type_ in enumerate(parameters)]
            origins = self.random.choice(ORIGINS)
            scope = self.scope(*names).only(*origins, "argument", clean=True)
            results: list[Type] = [BoolType(), BoolType(), *(n.type for n in self.base if n.clean)]
            result = self.random.choice(results)
            body = self.expressions.value(scope, result, 2)
            listed = ", ".join(f"{name.text}: {written(name.type)}" for name in names)
            self.declarations.append(f"define d{i}{f'({listed})' if names else ''} = {body}")
            self.rules.append(Rule(f"d{i}", tuple(parameters), _widest(result), frozenset(origins)))
        for i in self.some(1):
            self._table(f"t_{i}")

    def _table(self, name: str) -> None:
        random = self.random
        enum = random.choice(self.enums)
        result: Type = random.choice([self.number_type(), BoolType(), enum])
        kinds: list[Type] = [enum, BoolType(), IntType(0, 20)]
        columns = kinds[: random.randint(1, 3)]
        rows: list[list[str]] = [[]]
        for column in columns:
            cells: list[str]
            match column:
                case EnumType(_, values):
                    cells = [value for value, _ in values]
                case BoolType():
                    cells = ["any"] if random.random() < 0.5 else ["true", "false"]
                case _:
                    cells = random.choice([["any"], ["0 to 7", "8 to 20"], ["0", "1 to 20"]])
            rows = [[*row, cell] for row in rows for cell in cells]
        random.shuffle(rows)
        lines = [f"| {', '.join(row)} => {self.expressions.constant(result)}" for row in rows]
        listed = ", ".join(f"k{n}: {written(column)}" for n, column in enumerate(columns))
        self.declarations.append(f"table {name}({listed}) gives {written(result)} {{\n  " + "\n  ".join(lines) + "\n}")
        self.rules.append(Rule(name, tuple(columns), result))

    # --- states ---

    def state_declarations(self) -> None:
        """States, some inside composites, and which transitions there will be."""
        random = self.random
        self.states = [f"s{i}" for i in range(random.randint(2, 2 + self.size))]
        self.finals = ["won", "lost"][: random.randint(1, 2)]
        own = {name: f"state {name} {'initial ' if name == 's0' else ''}{self.text()}" for name in self.states}
        inner = self.states[: random.randint(1, len(self.states))]
        if random.random() < 0.6:
            self.composites["g0"] = tuple(inner)
            inside = [own.pop(name) for name in inner]
            if len(inside) > 2 and random.random() < 0.5:
                self.composites["g1"] = tuple(inner[:2])
                inside = [f"state g1 {self.text()} {{\n{inside[0]}\n{inside[1]}\n}}", *inside[2:]]
            self.declarations.append(f"state g0 {self.text()} {{\n" + "\n".join(inside) + "\n}")
        self.declarations += own.values()
        self.declarations += [
            f"state {name} final {self.text()} {'success' if name == 'won' else 'failure'}" for name in self.finals
        ]
        for i, state in enumerate(self.states):  # a way on from everywhere
            onward = self.states[i + 1] if i + 1 < len(self.states) else random.choice(self.finals)
            self._plan(f"t{i}", (state,), onward)
        for i in self.some(1):
            sources = tuple(random.sample([*self.states, *self.composites], 1 + (random.random() < 0.3)))
            self._plan(f"u{i}", sources, random.choice([*self.states, *self.finals]))

    def _plan(self, name: str, sources: tuple[str, ...], target: str) -> None:
        parameters: list[tuple[str, Type, str]] = [("x0_id", IdType(), "")]
        for n in self.some(1):
            type_ = self.random.choice([self.scalar_type(), self.scalar_type(), *self.records])
            if self.random.random() < 0.2:
                type_ = ListType(1, 5, type_)
            parameters.append((f"{name}_{n}", type_, self.random.choice(["", "", "", " personal"])))
        branches = self.random.choice([(None,), (None,), (None,), ("small", "large")])
        for branch in branches:
            edges = tuple(self.random.choice(self.states) for _ in range(2)) if self.random.random() < 0.3 else ()
            full = name if branch is None else f"{name}_{branch}"
            signed = tuple(f"{full}_yes{n}" for n in range(self.random.choice([0, 0, 1, 2])))
            self.plans.append(Plan(name, branch, sources, target, edges, signed, tuple(parameters)))


def _widest(type_: Type) -> Type:
    """The type of what a rule yields: its body can be as large as it likes, so nothing narrow can be told of it."""
    match type_:
        case IntType(_, _, unit):
            return IntType(-(2**62), 2**62, unit)
        case DecimalType(scale, _, _, unit):
            return DecimalType(scale, -(2**62), 2**62, unit)
        case _:
            return type_
