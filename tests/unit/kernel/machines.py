"""Small machines from parts, so that the kernel is tested without the language: one order, and what each test needs."""

from __future__ import annotations

from typing import Any

from setups import NOW, Setup, case_of, instance, proposal, said, shown

from edca.kernel.expression import (
    Compare,
    Comparison,
    Constant,
    Expression,
    Input,
    ReadClaim,
    ReadFact,
    ReadInput,
    ReadMemory,
)
from edca.kernel.facts import table
from edca.kernel.inputs import Inputs
from edca.kernel.machine import (
    LANGUAGE_VERSION,
    SEMANTICS_VERSION,
    Act,
    Assignment,
    Call,
    Claim,
    Clause,
    ClauseKind,
    EffectDeclaration,
    Entity,
    EntityField,
    Evidence,
    Limit,
    Machine,
    MemoryField,
    Never,
    OnFail,
    Parameter,
    Role,
    RoleKind,
    State,
    Tier,
    Transition,
    Window,
    WindowKind,
)
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.types import BoolType, IdType, IntType, ListType, PrincipalType
from edca.kernel.values import TIME_MAX, Unknown, Value

HOUR = 3_600_000_000
TRUE, FALSE, ONE, TEN = Constant(True), Constant(False), Constant(1), Constant(10)
UNKNOWN = ReadClaim("seen")  # which nobody attests
ORDER = ("order", ("o1",))
COUNT = IntType(0, 100)
FIELDS = {
    "flag": BoolType(),
    "other": BoolType(),
    "total": COUNT,
    "owner": PrincipalType("customer"),
    "watchers": ListType(0, 3, PrincipalType("supervisor")),
}
STATES = ("open", "done", "gone", "stuck", "late")


def fact(name: str) -> Expression:
    """A field of the case's order."""
    return ReadFact(ReadInput(Input.CASE), "order", name)


def at_most(left: Expression, bound: int) -> Expression:
    """A comparison with a number."""
    return Compare(Comparison.AT_MOST, left, Constant(bound))


def clause(code: str, kind: ClauseKind = ClauseKind.REQUIRE, condition: Expression = TRUE, **changes: Any) -> Clause:
    """A clause: refusing unless people answer it."""
    asks = kind in (ClauseKind.CONFIRM, ClauseKind.SIGN)
    parts: dict[str, Any] = {
        "text": f"{code}.",
        "on_fail": OnFail.ESCALATE if asks else OnFail.REFUSE,
        "role": "supervisor" if asks else None,
        "within_us": None,
        "count": 1 if asks else 0,
        "distinct_from": (),
        "limit": None,
        "withheld": False,
    }
    return Clause(code=code, kind=kind, condition=condition, **(parts | changes))


def limit(code: str, bound: Expression = TEN, condition: Expression = TRUE, **changes: Any) -> Clause:
    """A limit that counts candidates per hour."""
    parts: dict[str, Any] = {
        "measure": ONE,
        "bound": bound,
        "type": COUNT,
        "window": Window(WindowKind.ROLLING, HOUR),
        "keys": (),
        "key_types": (),
    }
    return clause(code, ClauseKind.LIMIT, condition, limit=Limit(**(parts | changes)))


def transition(name: str, *clauses: Clause, **changes: Any) -> Transition:
    """A transition from open to done that anybody may propose."""
    parts: dict[str, Any] = {
        "offered": name.partition(".")[0],
        "text": f"{name}.",
        "parameters": (Parameter("order_id", IdType()), Parameter("amount", COUNT)),
        "about": "order",
        "key": ("order_id",),
        "creates": False,
        "sources": ("open",),
        "target": "done",
        "guard": None,
        "priority": 0,
        "after_us": None,
        "unblockable": False,
        "by": ("assistant", "clerk", "customer", "supervisor"),
        "answers": "supervisor",
        "lets": (),
        "assignments": (),
        "acts": (),
        "on_failed": None,
        "on_timeout": None,
        "evidence": (Evidence("order", tuple(sorted(FIELDS))),),
    }
    return Transition(name=name, clauses=clauses, **(parts | changes))


def act(amount: Expression = ONE) -> Act:
    """One effect that is known to have happened when the order's flag is set."""
    return Act(Call("send", (amount,)), fact("flag"), None)


def never(code: str, condition: Expression, *states: str) -> Never:
    """A property of the order's cases."""
    return Never(code, f"{code}.", "order", states, condition)


def add(name: str, value: Expression) -> Assignment:
    """One `set`."""
    return Assignment(name, value)


def machine(*transitions: Transition, **changes: Any) -> Machine:
    """A machine with those transitions."""
    parts: dict[str, Any] = {
        "name": "orders",
        "version": "1",
        "text": "Orders.",
        "tier": Tier.CONSEQUENTIAL,
        "language": LANGUAGE_VERSION,
        "semantics": SEMANTICS_VERSION,
        "case_about": "order",
        "case_key": ("order_id",),
        "fresh_us": HOUR,
        "roles": (
            Role("assistant", RoleKind.MODEL),
            Role("clerk", RoleKind.HUMAN),
            Role("customer", RoleKind.HUMAN),
            Role("supervisor", RoleKind.HUMAN),
        ),
        "entities": (
            Entity(
                "order",
                (Parameter("order_id", IdType()),),
                tuple(EntityField(name, type_, False, ()) for name, type_ in sorted(FIELDS.items())),
            ),
        ),
        "claims": (Claim("seen", BoolType(), "customer", "Seen."),),
        "effects": (EffectDeclaration("send", (Parameter("amount", COUNT),)),),
        "memory": (MemoryField("promised", COUNT, 0),),
        "states": tuple(
            State(name, f"{name}.", "order" if name == "open" else None, name == "done", name == "done", None)
            for name in sorted(STATES)
        ),
        "composites": (),
        "transitions": tuple(sorted(transitions, key=lambda item: item.name)),
        "screens": (),
        "modes": (),
        "properties": (),
        "releases": (),
    }
    return Machine(**(parts | changes))


ROSTER = Roster(
    (
        Principal("bot", ("assistant",), "model-of-2026-01-01"),
        Principal("carla", ("customer",)),
        Principal("cleo", ("clerk",)),
        *(Principal(name, ("supervisor",)) for name in ("sam", "sia", "sue", "sven")),
    ),
    (Mandate("standing", "sven", "supervisor", "orders", (), 0, TIME_MAX),),
)


def setup(made: Machine, state: str = "open", offered: str = "go", **facts: Value | Unknown) -> Setup:
    """The clerk proposes something about the order; facts are known, and harmless, unless given."""
    usual: dict[str, Value | Unknown] = {
        "flag": False,
        "other": False,
        "total": 5,
        "owner": "carla",
        "watchers": ("sue",),
    }
    return Setup(
        made,
        case_of(made, "order", ("o1",), state),
        proposal(offered, "cleo", "clerk", "carla", order_id="o1", amount=7),
        Inputs(
            now=NOW,
            clock="test",
            facts=table([instance("order", "o1", **(usual | facts))]),
            attestations=(),
            roster=ROSTER,
            key_used_by=None,
        ),
    )


def answered(made: Setup, code: str, *people: str, value: bool = True, at: int = NOW) -> Setup:
    """The same with what supervisors have answered besides."""
    answers = tuple(said(code, value, person, "supervisor", at, shown(made)) for person in people)
    return made.with_inputs(attestations=(*made.inputs.attestations, *answers))


PROMISED = ReadMemory("promised")
