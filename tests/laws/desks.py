"""The five specs with a small world each, and candidates by chance for them: what the tests of law 5 let models try."""

from __future__ import annotations

import dataclasses
import importlib.util
import random
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from masquerade import World

from edca.api import Attestation, Caller, FixedClock, Kernel, load_roster, open_engine
from edca.api.specs import compiled_machine
from edca.diagnostics import Source
from edca.kernel.calendar import parse_time
from edca.kernel.machine import ClauseKind, Machine
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import (
    BoolType,
    DateType,
    DecimalType,
    DurationType,
    EnumType,
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

SPECS = Path(__file__).resolve().parents[2] / "specs"
UNITS = Path(__file__).resolve().parents[1] / "unit"


@dataclass(frozen=True, slots=True)
class Desk:
    """One spec with somebody at work: `seed` fills a new database; `ids` are words that mean something, by parameter.

    `subjects` are on whose behalf the model proposes, by the host's word.
    """

    spec: str
    source: str
    seed: Callable[[sqlite3.Connection], None]
    roster: Roster
    model: tuple[str, str, str]
    subjects: tuple[str, ...]
    ids: dict[str, tuple[str, ...]]
    now: int

    @property
    def policy(self) -> Path:
        """Where the spec is."""
        return SPECS / self.spec / f"{self.spec}.edca"

    @property
    def machine(self) -> Machine:
        """The machine that the spec compiles to."""
        return _machine(self.policy)

    def world(self, folder: Path) -> World:
        """Return the world as the repository writes it."""
        database = folder / "plain.db"
        connection = sqlite3.connect(database)
        self.seed(connection)
        connection.commit()
        connection.close()
        return World((SPECS / self.spec / f"{self.spec}.arp").read_text("utf-8"), database, self.source)

    def caller(self, subject: str) -> Caller:
        """Return the model, who proposes for that subject."""
        name, role, model = self.model
        return Caller(name, role, subject, model)

    def open(self, world: World, folder: Path, spec: Source | None = None, **options: Any) -> Kernel:
        """Open the kernel over that world; `spec` stands in the place of the desk's own."""
        routes = folder / "routes.arp"
        routes.write_text(world.routes, "utf-8")
        engine = open_engine(f"sqlite:///{world.database}")
        return Kernel.open(
            self.policy if spec is None else spec,
            routes=routes,
            roster=self.roster,
            ledger=folder / "ledger.db",
            clock=FixedClock(self.now),
            engines={world.source: engine},
            **options,
        )


@cache
def _machine(policy: Path) -> Machine:
    return compiled_machine(policy)[0]


# --- the five ---


def _script(spec: str, name: str) -> Callable[[sqlite3.Connection], None]:
    def fill(connection: sqlite3.Connection) -> None:
        connection.executescript((SPECS / spec / name).read_text("utf-8"))

    return fill


def _module(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _recorded(spec: str) -> Callable[[sqlite3.Connection], None]:
    """Fill with the small world that the unit tests of the recorded desks use."""

    def fill(connection: sqlite3.Connection) -> None:
        world = _module(SPECS / spec / "world.py", f"law_5_{spec}_world")
        small = _module(UNITS / spec / "conftest.py", f"law_5_{spec}_data").small_world()
        world.load(small, connection)

    return fill


def _desk_roster(machine: str) -> Roster:
    start, end = parse_time("2024-01-01T00:00:00Z"), parse_time("2025-01-01T00:00:00Z")
    assert start is not None and end is not None
    mandate = Mandate("desk-2024", "desk_supervisor", "supervisor", machine, (), start, end)
    agent = Principal("desk_agent", ("agent",), "some-model-2024-05-13")
    return Roster((agent, Principal("desk_supervisor", ("supervisor",))), (mandate,))


def _at(text: str) -> int:
    moment = parse_time(text)
    assert moment is not None
    return moment


DESK_AGENT = ("desk_agent", "agent", "some-model-2024-05-13")
DESKS = (
    Desk(
        "refund", "shop", _script("refund", "shop.sql"), load_roster(SPECS / "refund" / "roster.toml"),
        ("desk-bot", "assistant", "small-model-2026-01-15"), ("carla", "dora"),
        {"order_id": ("o1", "o2", "o3"), "sku": ("a1", "b1", "c1")}, _at("2026-03-20T12:00:00Z"),
    ),
    Desk(
        "loan", "core", _script("loan", "schema.sql"), load_roster(SPECS / "loan" / "roster.toml"),
        ("desk-bot", "assistant", "small-model-2026-01-15"), ("bea", "bo", "brit"),
        {"loan_id": ("l1", "l2", "l3")}, _at("2026-03-20T12:00:00Z"),
    ),
    Desk(
        "incident", "ops", _script("incident", "schema.sql"), load_roster(SPECS / "incident" / "roster.toml"),
        ("ops-agent", "agent", "small-model-2026-01-15"), ("erin",),
        {"alert_id": ("a1", "a2"), "zone_id": ("north", "south", "west"), "dataset_id": ("thumbnails", "receipts")},
        _at("2026-03-20T12:00:00Z"),
    ),
    Desk(
        "airline", "desk", _recorded("airline"), _desk_roster("airline"), DESK_AGENT, ("ann_lee_1", "bo_ray_2"),
        {"reservation_id": ("AAAAAA",), "user_id": ("ann_lee_1",), "flight_number": ("HAT001", "HAT002"),
         "payment_id": ("credit_card_1", "gift_card_1", "certificate_1"), "origin": ("PHL",), "destination": ("LGA",)},
        _at("2024-05-15T20:00:00Z"),
    ),
    Desk(
        "retail", "shop", _recorded("retail"), _desk_roster("retail"), DESK_AGENT, ("ann_lee_1", "bo_ray_2"),
        {"order_id": ("#W1", "#W2", "#W3", "#W4", "#W5"), "user_id": ("ann_lee_1", "bo_ray_2"),
         "item_ids": ("101", "102", "201"), "new_item_ids": ("101", "102", "103", "202"),
         "payment_method_id": ("credit_card_1", "gift_card_1", "paypal_1", "paypal_2")},
        _at("2024-05-15T20:00:00Z"),
    ),
)  # fmt: skip


# --- candidates by chance ---


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a model tries: for whom, the bytes it writes, and what people have said.

    `payload` is a candidate, or with `query` an inquiry.
    """

    subject: str
    payload: dict[str, Any]
    said: tuple[tuple[str, object, str], ...]


def _benign() -> str:
    return "It broke."


def asks(desk: Desk, seed: int, count: int, text: Callable[[], str] = _benign) -> list[Ask]:
    """Return that many candidates: mostly well formed and about things that exist, so that many clauses are reached.

    `text` gives each free text in them.
    """
    writer = _Writer(desk, random.Random(seed), text)  # noqa: S311
    return [writer.ask() for _ in range(count)]


# What queries may be asked about, besides what candidates are about.
LOOKED_UP_BY: dict[str, tuple[str, ...]] = {
    "email": ("ann@example.com", "bo@example.com"), "first_name": ("Ann", "Bo"), "last_name": ("Lee", "Ray"),
    "zip": ("78712",), "product_id": ("10", "20"), "user_id": ("ann_lee_1", "bo_ray_2"),
}  # fmt: skip


def tries(desk: Desk, seed: int, count: int) -> list[Ask]:
    """Return what `asks` does, and after every other candidate an inquiry, where the machine has queries."""
    found = asks(desk, seed, count)
    if not desk.machine.queries:
        return found
    knowing = dataclasses.replace(desk, ids=desk.ids | LOOKED_UP_BY)
    writer = _Writer(knowing, random.Random(f"{seed} looks up"), _benign)  # noqa: S311
    return [one for n, ask in enumerate(found) for one in ((ask, writer.look()) if n % 2 else (ask,))]


@dataclass(frozen=True, slots=True)
class _Writer:
    desk: Desk
    chance: random.Random
    text: Callable[[], str]

    def ask(self) -> Ask:
        machine, chance, role = self.desk.machine, self.chance, self.desk.model[1]
        offered = [one for one in machine.transitions if role in one.by]
        transition = chance.choice(offered if chance.random() < 0.9 else list(machine.transitions))
        arguments = {one.name: self.raw(one.type, one.name) for one in transition.parameters}
        if chance.random() < 0.05:
            arguments[chance.choice(["amount", "where", "x"])] = chance.choice([None, 7, "' OR 1=1 --", [], "NaN"])
        confidence = chance.randrange(50, 101) / 100
        payload = {"transition": transition.offered, "arguments": arguments, "confidence": confidence}
        payload["rationale"] = self.text()
        if chance.random() < 0.1:
            payload["key"] = f"call {chance.randrange(5)}"
        if chance.random() < 0.05:
            payload["revision"] = chance.randrange(4)
        said = [(one.name, self.raw(one.type, one.name), one.by) for one in machine.claims if chance.random() < 0.8]
        for clause in transition.clauses:
            if clause.kind is ClauseKind.CONFIRM and clause.role is not None:
                said.append((clause.code, chance.random() < 0.9, clause.role))
        return Ask(chance.choice(self.desk.subjects), payload, tuple(said))

    def look(self) -> Ask:
        """Return an inquiry of some query."""
        chance = self.chance
        query = chance.choice(self.desk.machine.queries)
        arguments = {one.name: self.raw(one.type, one.name) for one in query.parameters}
        if chance.random() < 0.05:
            arguments[chance.choice(["subject", "where", "x"])] = chance.choice([None, 7, "' OR 1=1 --", []])
        name = query.name if chance.random() < 0.97 else "everything"
        return Ask(chance.choice(self.desk.subjects), {"query": name, "arguments": arguments}, ())

    def raw(self, type_: Type, name: str) -> Any:
        """Return a value of that type for what is called `name`, and now and then something else."""
        chance = self.chance
        if chance.random() < 0.02:
            return chance.choice([None, "", -1, "?", [], {}, True, "9" * 300])
        match type_:
            case BoolType():
                return chance.random() < 0.5
            case IntType(low, high, _):
                return chance.choice([low, min(low + 1, high), high, chance.randint(low, high)])
            case DecimalType(scale, low, high, _):
                some = chance.choice([low, high, min(high, max(low, 2000)), chance.randint(low, high)])
                return decimal_text(some, scale)
            case TextType(length_max):
                return self.text()[:length_max]
            case IdType() | PrincipalType():
                words = self.desk.ids.get(name) or tuple(word for some in self.desk.ids.values() for word in some)
                return chance.choice(words) if chance.random() < 0.95 else "nobody"
            case ReferenceType():
                return ["nobody"]
            case DateType():
                return chance.choice(["2024-05-20", "2024-05-01", "2024-05-21", "2030-01-01"])
            case TimeType():
                return "2026-03-20T12:00:00Z"
            case DurationType():
                return "P1D"
            case EnumType(_, values):
                return chance.choice(values)[chance.randrange(2)]
            case RecordType(_, parts):
                return {part: self.raw(of, part) for part, of in parts}
            case ListType(low, high, of):
                length = chance.choice([low, min(high, max(1, low)), max(low, min(2, high))])
                return [self.raw(of, name) for _ in range(length)]
            case OptionalType(of):
                return None if chance.random() < 0.3 else self.raw(of, name)


def attestations(kernel: Kernel, ask: Ask) -> Sequence[Attestation]:
    """Return what people have said, as the host attests it; what is not of the claim's type is left out."""
    found = []
    for name, value, role in ask.said:
        try:
            found.append(kernel.attest(name, value, by=ask.subject, role=role, source="host"))
        except ValueError:
            continue
    return found
