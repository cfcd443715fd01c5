"""A small machine and a small world for tests of the runtime: orders in a SQLite file, money that moves once.

The machine is built from the kernel's own dataclasses, so that these tests rest on no parser. The router is a real
one in what matters here: its effects and their keys move in one transaction of another database than the ledger.
"""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

from edca.kernel import canonical
from edca.kernel.candidate import Caller, Candidate
from edca.kernel.expression import (
    Arithmetic,
    Before,
    Compare,
    Comparison,
    Constant,
    Contains,
    History,
    Input,
    MakeTuple,
    Negation,
    Operation,
    ReadArgument,
    ReadFact,
    ReadHistory,
    ReadInput,
    ReadMemory,
)
from edca.kernel.facts import Instance
from edca.kernel.machine import (
    SEMANTICS_VERSION,
    Act,
    Assignment,
    Call,
    Clause,
    ClauseKind,
    Edge,
    EffectDeclaration,
    Entity,
    EntityField,
    Evidence,
    Limit,
    Machine,
    MemoryField,
    OnFail,
    Parameter,
    Role,
    RoleKind,
    State,
    Tier,
    Timeout,
    Transition,
    Window,
    WindowKind,
)
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import DecimalType, IdType, ReferenceType
from edca.runtime.ports import Performed, Report

MONEY = DecimalType(2, 0, 10_000_000)
MINUTE = 60_000_000
START = 1_700_000_000_000_000  # microseconds; any instant will do

ASSISTANT = Caller("bot", "assistant", subject="carla", model="model-1")
SUPERVISOR = Caller("sven", "supervisor")


def _order_key():
    return MakeTuple((ReadArgument("order_id"),))


def _field(name):
    return ReadFact(_order_key(), "order", name)


def _require(code, condition, *, on_fail=OnFail.REFUSE, role=None):
    return _clause(code, ClauseKind.REQUIRE, condition, on_fail=on_fail, role=role)


def _clause(code, kind, condition, **parts):
    defaults = {
        "text": code,
        "on_fail": OnFail.ESCALATE,
        "role": None,
        "within_us": None,
        "count": 0,
        "distinct_from": (),
        "limit": None,
        "withheld": False,
    }
    return Clause(code=code, kind=kind, condition=condition, **(defaults | parts))


def _at_most(left, right):
    return Compare(Comparison.AT_MOST, left, right)


def _plus(left, right):
    return Arithmetic(Operation.ADD, left, right)


_ID = Parameter("order_id", IdType())
_AMOUNT = Parameter("amount", MONEY)
_EVIDENCE = (Evidence("order", ("refunded", "stamps", "total")),)


def _transition(name, sources, target, **parts):
    defaults = {
        "offered": name.partition(".")[0],
        "text": name,
        "parameters": (_ID,),
        "about": "order",
        "key": ("order_id",),
        "creates": False,
        "guard": None,
        "priority": 0,
        "after_us": None,
        "unblockable": False,
        "by": ("assistant", "supervisor"),
        "answers": "supervisor",
        "lets": (),
        "clauses": (),
        "assignments": (),
        "acts": (),
        "on_failed": None,
        "on_timeout": None,
        "evidence": _EVIDENCE,
    }
    return Transition(name=name, sources=sources, target=target, **(defaults | parts))


def _send(amount):
    return Act(
        Call("send_money", (_order_key(), amount)),
        Compare(Comparison.EQUAL, _field("refunded"), _plus(Before(_field("refunded")), amount)),
        Call("recall_money", (_order_key(), amount)),
    )


_STAMP = Act(
    Call("stamp", (_order_key(),)),
    Compare(Comparison.EQUAL, _field("stamps"), _plus(Before(_field("stamps")), Constant(100))),
    None,
)
_PROMISED = ReadMemory("promised")
_PROPOSER = ReadInput(Input.PROPOSER)
_OTHER_HANDS = _require("same_hands", Compare(Comparison.UNEQUAL, _PROPOSER, ReadHistory(History.PROPOSER, "approve")))
_OTHER_SIGNER = _require("signed", Negation(Contains(_PROPOSER, ReadHistory(History.SIGNERS, "vouched"))))
_PACE = _clause(
    "pace",
    ClauseKind.LIMIT,
    Constant(True),
    on_fail=OnFail.REFUSE,
    limit=Limit(Constant(1), Constant(3), MONEY, Window(WindowKind.ROLLING, 60 * MINUTE), (), ()),
)
_CREATED = ReadFact(ReadInput(Input.CASE), "order", "total")

MACHINE = Machine(
    name="refund",
    version="1.0.0",
    text="Money back.",
    tier=Tier.CONSEQUENTIAL,
    language=1,
    semantics=SEMANTICS_VERSION,
    case_about="order",
    case_key=("order_id",),
    fresh_us=5 * MINUTE,
    roles=(Role("assistant", RoleKind.MODEL), Role("customer", RoleKind.HUMAN), Role("supervisor", RoleKind.HUMAN)),
    entities=(
        Entity(
            "order",
            (Parameter("order_id", IdType()),),
            tuple(EntityField(name, MONEY, False, ()) for name in ("refunded", "stamps", "total")),
        ),
    ),
    claims=(),
    effects=(
        EffectDeclaration("open_order", (_AMOUNT,)),
        EffectDeclaration("recall_money", (Parameter("order", ReferenceType("order")), _AMOUNT)),
        EffectDeclaration("send_money", (Parameter("order", ReferenceType("order")), _AMOUNT)),
        EffectDeclaration("stamp", (Parameter("order", ReferenceType("order")),)),
    ),
    memory=(MemoryField("promised", MONEY, 0),),
    states=(
        State("approved", "We owe it.", None, False, False, None),
        State("paid", "It has left.", None, True, True, None),
        State("requested", "Nothing is promised.", "order", False, False, None),
        State("stuck", "A person must look.", None, False, False, None),
    ),
    composites=(),
    transitions=(
        _transition(
            "approve",
            ("requested",),
            "approved",
            parameters=(_ID, _AMOUNT),
            clauses=(
                _require("over_total", _at_most(_plus(ReadArgument("amount"), _field("refunded")), _field("total"))),
                _clause(
                    "agreed",
                    ClauseKind.CONFIRM,
                    Compare(Comparison.GREATER, ReadArgument("amount"), Constant(50_00)),
                    role="customer",
                    within_us=30 * MINUTE,
                    count=1,
                ),
            ),
            assignments=(Assignment("promised", ReadArgument("amount")),),
        ),
        _transition(
            "open",
            ("requested",),
            "approved",
            parameters=(_AMOUNT,),
            key=(),
            creates=True,
            clauses=(),
            acts=(
                Act(
                    Call("open_order", (ReadArgument("amount"),)),
                    Compare(Comparison.EQUAL, _CREATED, ReadArgument("amount")),
                    None,
                ),
            ),
        ),
        _transition(
            "pay",
            ("approved",),
            "paid",
            clauses=(_require("over_total", _at_most(_plus(_PROMISED, _field("refunded")), _field("total"))),),
            acts=(_send(_PROMISED),),
        ),
        _transition(
            "pay_and_stamp", ("approved",), "paid", acts=(_send(_PROMISED), _STAMP), on_failed=Edge("stuck", "Look.")
        ),
        _transition("pay_twice", ("approved",), "paid", acts=(_send(_PROMISED), _send(_PROMISED))),
        _transition("remind.later", ("requested",), "requested", guard=Constant(False), priority=2),
        _transition("remind.now", ("requested",), "requested", guard=Constant(True), priority=1),
        _transition("settle", ("approved",), "paid", clauses=(_OTHER_HANDS, _OTHER_SIGNER)),
        _transition("stamp_and_pay", ("approved",), "paid", acts=(_STAMP, _send(_PROMISED))),
        _transition("tally", ("requested",), "requested", clauses=(_PACE,)),
        _transition(
            "vouch",
            ("approved",),
            "approved",
            clauses=(_clause("vouched", ClauseKind.SIGN, Constant(True), role="supervisor", count=2),),
        ),
        _transition("wait", ("approved", "requested"), "stuck", after_us=60 * MINUTE),
    ),
    screens=(),
    modes=(),
    properties=(),
    releases=(),
)


def timed(within_us, machine=MACHINE):
    """Return the machine with a deadline for every effect: who misses it is `stuck`."""
    timeout = Timeout(within_us, "stuck", "Nobody knows.")
    return dataclasses.replace(
        machine,
        transitions=tuple(dataclasses.replace(t, on_timeout=timeout) if t.acts else t for t in machine.transitions),
    )


ROSTER = Roster(
    (
        Principal("bot", ("assistant",), "model-1"),
        Principal("carla", ("customer",)),
        *(Principal(name, ("supervisor",)) for name in ("sam", "sia", "sven")),
    ),
    (Mandate("m1", "sven", "supervisor", "refund", (), 0, START * 2),),
)


class TickingClock:
    """A clock that moves one second at each look, or stands where it is put."""

    source = "test"

    def __init__(self, start=START):
        self.instant = start

    def now(self):
        self.instant += 1_000_000
        return self.instant


class OrderRouter:
    """Orders in a SQLite file: `perform` moves money and notes the permit's key in one transaction."""

    document = b"orders of the tests"
    digest = canonical.digest("routes", document)

    def __init__(self, path):
        self._path = str(path)

    def _open(self):
        return closing(sqlite3.connect(self._path, timeout=5))

    def read(self, requests, as_of):
        answers = []
        with self._open() as connection:
            for request in requests:
                row = connection.execute(
                    "SELECT total, refunded, stamps FROM orders WHERE order_id = ?", request.key
                ).fetchone()
                held = {} if row is None else dict(zip(("total", "refunded", "stamps"), row, strict=True))
                fields = {name: held[name] for name in request.fields} if held else {}
                answers.append(Instance(request.entity, request.key, "orders", as_of, row is not None, None, fields))
        return tuple(answers)

    def allot(self, entity):
        with self._open() as connection:
            (count,) = connection.execute("SELECT count(*) FROM orders WHERE order_id LIKE 'new%'").fetchone()
        return (f"new{count}",)

    def perform(self, permit):
        with self._open() as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("SELECT 1 FROM done WHERE op_key = ?", (permit.key,)).fetchone():
                return Report(Performed.DONE)
            arguments = permit.arguments
            amount = round(float(arguments.get("amount", "1.00")) * 100)
            match permit.effect:
                case "open_order":
                    connection.execute(
                        "INSERT INTO orders SELECT 'new' || count(*), ?, 0, 0 FROM orders WHERE order_id LIKE 'new%'",
                        (amount,),
                    )
                    changed = 1
                case "stamp":
                    changed = self._add(connection, "stamps", 100, arguments)
                case "send_money":
                    changed = self._add(connection, "refunded", amount, arguments)
                case "recall_money":
                    changed = self._add(connection, "refunded", -amount, arguments)
            if changed != 1:
                connection.rollback()
                return Report(Performed.PRECONDITION_LOST, "no such order")
            connection.execute("INSERT INTO done VALUES(?)", (permit.key,))
        return Report(Performed.DONE)

    def _add(self, connection, column, amount, arguments):
        statement = f"UPDATE orders SET {column} = {column} + ? WHERE order_id = ?"
        return connection.execute(statement, (amount, arguments["order"][0])).rowcount

    def performed(self, permit):
        with self._open() as connection:
            found = connection.execute("SELECT 1 FROM done WHERE op_key = ?", (permit.key,)).fetchone()
        return Performed.FAILED if found is None else Performed.DONE


def create_world(path: Path, *orders: str) -> None:
    """Make the database with orders of 100.00 each."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            "CREATE TABLE orders(order_id TEXT PRIMARY KEY, total INTEGER, refunded INTEGER, stamps INTEGER) STRICT"
        )
        connection.execute("CREATE TABLE done(op_key TEXT PRIMARY KEY) STRICT")
        connection.executemany("INSERT INTO orders VALUES(?, 10000, 0, 0)", [(order,) for order in orders])


def row(path: Path, order: str) -> tuple[int, int, int]:
    """Return (total, refunded, stamps) of an order as the database holds it."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT total, refunded, stamps FROM orders WHERE order_id = ?", (order,)).fetchone()
    return found


def candidate(transition: str, key: str, *, revision=None, rationale="", **arguments) -> Candidate:
    """Return a candidate; who proposes it is filled in from the caller."""
    return Candidate(
        transition=transition,
        arguments=arguments,
        proposer="",
        role="",
        subject=None,
        model=None,
        revision=revision,
        key=key,
        confidence=None,
        evidence=(),
        rationale=rationale,
    )
