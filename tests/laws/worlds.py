"""Worlds that the tests of kernel, language and laws share: compiled specs, and whole decisions to vary."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

from edca.diagnostics import Source, concise
from edca.kernel.calendar import parse_date, parse_time
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.canonical import encode
from edca.kernel.decide import decide, wanted
from edca.kernel.facts import Handle, Instance, Key, table
from edca.kernel.inputs import Attestation, Case, Inputs
from edca.kernel.machine import Machine
from edca.kernel.roster import Mandate, Principal, Roster
from edca.kernel.values import TIME_MAX, Unknown, Value
from edca.kernel.verdict import Accepted, Verdict
from edca.semantic import scenario
from edca.semantic.compile import Compiled, compile_spec

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("specs/*/*.edca"))
MODEL = "model-of-2026-01-01"


def instant(text: str) -> int:
    """The instant of an RFC 3339 text."""
    found = parse_time(text)
    assert found is not None
    return found


def day(text: str) -> int:
    """The day of an ISO date."""
    found = parse_date(text)
    assert found is not None
    return found


NOW = instant("2026-03-20T12:00:00Z")


@dataclass(frozen=True)
class Setup:
    """One decision: everything that `decide` is given, with short ways to vary it."""

    machine: Machine
    case: Case | None
    candidate: Candidate | Malformed
    inputs: Inputs

    def decide(self) -> Verdict:
        """The verdict."""
        return decide(self.machine, self.case, self.candidate, self.inputs)

    def bytes(self) -> bytes:
        """The verdict's canonical bytes."""
        return encode(self.decide().to_raw())

    def wanted(self) -> tuple[tuple[Handle, tuple[str, ...]], ...]:
        """What still has to be read."""
        return wanted(self.machine, self.case, self.candidate, self.inputs)

    def with_case(self, **changes: Any) -> Setup:
        """The same with another case."""
        assert self.case is not None
        return dataclasses.replace(self, case=dataclasses.replace(self.case, **changes))

    def with_candidate(self, **changes: Any) -> Setup:
        """The same with another candidate."""
        assert isinstance(self.candidate, Candidate)
        return dataclasses.replace(self, candidate=dataclasses.replace(self.candidate, **changes))

    def with_arguments(self, **changes: Any) -> Setup:
        """The same with other arguments."""
        assert isinstance(self.candidate, Candidate)
        return self.with_candidate(arguments={**self.candidate.arguments, **changes})

    def with_inputs(self, **changes: Any) -> Setup:
        """The same with other inputs."""
        return dataclasses.replace(self, inputs=dataclasses.replace(self.inputs, **changes))

    def with_fact(self, handle: Handle, field: str, value: Value | Unknown) -> Setup:
        """The same with one field read as `value`."""
        old = self.inputs.facts[handle]
        return self.with_instance(dataclasses.replace(old, fields={**old.fields, field: value}))

    def with_instance(self, instance: Instance) -> Setup:
        """The same with one instance added or replaced."""
        return self.with_inputs(facts={**self.inputs.facts, (instance.entity, instance.key): instance})

    def without(self, handle: Handle) -> Setup:
        """The same with an instance that the source does not know."""
        lost = dataclasses.replace(self.inputs.facts[handle], found=False, state=None, fields={})
        return self.with_instance(lost)


# --- specs ---


@cache
def compiled(path: Path) -> Compiled:
    """A spec of the repository."""
    found = compile_spec(Source(path.name, path.read_text("utf-8")))
    assert found.machine is not None, concise(found.diagnostics)
    return found


def spec(name: str) -> Machine:
    """The machine of `specs/NAME/NAME.edca`."""
    machine = compiled(ROOT / "specs" / name / f"{name}.edca").machine
    assert machine is not None
    return machine


def machine_of(text: str) -> Machine:
    """The machine of a correct text."""
    found = compile_spec(Source("text.edca", text))
    assert found.machine is not None, concise(found.diagnostics)
    return found.machine


@cache
def setups(path: Path) -> dict[str, Setup]:
    """Every decision that a spec's own scenarios make, and those given below for it."""
    found = compiled(path)
    assert found.spec is not None and found.checked is not None and found.machine is not None
    caught: list[Setup] = []

    def catch(*given: Any) -> Verdict:
        caught.append(Setup(*given))
        return caught[-1].decide()

    with mock.patch.object(scenario, "decide", catch):
        results, diagnostics = scenario.run_scenarios(found.spec, found.checked, found.machine)
    assert not diagnostics
    assert [result.title for result in results if not result.passed] == []
    own = {result.title: setup for result, setup in zip(results, caught, strict=True)}
    return own | (_airline() if path.stem == "airline" else {})


def all_setups() -> list[tuple[str, Setup]]:
    """Every decision of every spec, with a name."""
    return [(f"{path.stem}: {title}", setup) for path in SPECS for title, setup in setups(path).items()]


def accepted_setups() -> list[tuple[str, Setup]]:
    """Those that are accepted."""
    return [(name, setup) for name, setup in all_setups() if isinstance(setup.decide(), Accepted)]


# --- parts ---


def instance(entity: str, *key: Value, as_of: int = NOW, **fields: Value | Unknown) -> Instance:
    """One instance that a source knows."""
    return Instance(entity, key, "test", as_of, True, None, fields)


def case_of(machine: Machine, entity: str, key: Key, state: str, **memory: Value) -> Case:
    """A case that has been where it is for a while."""
    return Case(
        id="case",
        entity=entity,
        key=key,
        state=state,
        memory={slot.name: slot.initial for slot in machine.memory} | memory,
        revision=3,
        entry=7,
        machine=machine.digest,
        pending=None,
        touched=NOW - 1_000_000,
    )


def proposal(transition: str, proposer: str, role: str, subject: str | None, **arguments: Any) -> Candidate:
    """A candidate without a key, by a model if the proposer is `bot`."""
    return Candidate(
        transition=transition,
        arguments=arguments,
        proposer=proposer,
        role=role,
        subject=subject,
        model=MODEL if proposer == "bot" else None,
        revision=None,
        key="",
        confidence=9_100,
        evidence=(),
        rationale="",
    )


def roster_of(machine: Machine, model_role: str) -> Roster:
    """`bot` is a model, `carla` a customer, `sven` a supervisor with a mandate for the whole machine."""
    return Roster(
        (
            Principal("bot", (model_role,), MODEL),
            Principal("carla", ("customer",)),
            Principal("sven", ("supervisor",)),
        ),
        (Mandate("standing", "sven", "supervisor", machine.name, (), 0, TIME_MAX),),
    )


def said(name: str, value: Value, by: str = "carla", role: str = "customer", at: int = NOW) -> Attestation:
    """What a person vouched for."""
    return Attestation(name, value, by, role, "test", at)


# --- the refund machine ---

ORDER: Handle = ("order", ("o1",))
LINE: Handle = ("line", ("o1", "a1"))


def approval() -> Setup:
    """The assistant proposes a small refund, every clause passes, and the customer has said yes."""
    machine = spec("refund")
    order = instance(
        "order",
        "o1",
        owner="carla",
        membership="regular",
        status="delivered",
        total=8_000,
        refunded=0,
        delivered_at=instant("2026-03-01T09:00:00Z"),
        lines=(("o1", "a1"),),
        frozen=False,
    )
    line = instance("line", "o1", "a1", price=8_000, returnable=True)
    return Setup(
        machine,
        case_of(machine, "order", ("o1",), "requested"),
        proposal(
            "approve_refund",
            "bot",
            "assistant",
            "carla",
            order_id="o1",
            amount="20.00",
            picks=[{"sku": "a1", "count": 1}],
        ),
        Inputs(
            now=NOW,
            clock="test",
            facts=table([order, line]),
            attestations=(said("agreed", True), said("reason", "It arrived broken.")),
            roster=roster_of(machine, "assistant"),
            key_used_by=None,
        ),
    )


def payment() -> Setup:
    """The supervisor pays the 20.00 that were promised."""
    setup = approval()
    return dataclasses.replace(
        setup,
        case=case_of(setup.machine, "order", ("o1",), "approved", promised=2_000),
        candidate=proposal("pay", "sven", "supervisor", "carla", order_id="o1"),
    )


# --- the airline ---


def _airline() -> dict[str, Setup]:
    """Decisions of the airline's desk that are accepted."""
    machine = spec("airline")
    flying = day("2026-04-02")
    segment = ("HAT001", flying, "JFK", "SEA", 12_000, "economy")
    people = (("Ana", "Ek", day("1990-01-02")), ("Bo", "Ek", day("1991-01-02")))
    reservation = instance(
        "reservation",
        "r1",
        holder=("carla",),
        origin="JFK",
        destination="SEA",
        flight_type="one_way",
        cabin="economy",
        segments=(segment,),
        passengers=people,
        postings=(("card", 24_000),),
        booked_at=NOW - 3_600_000_000,
        total_baggages=1,
        nonfree_baggages=0,
        insurance="yes",
        revisions=0,
        called_off="no",
    )
    profile = instance(
        "profile",
        "carla",
        member="gold",
        methods=(("carla", "card"),),
        reservations=(("r1",),),
        next_certificate="c1",
    )
    method = instance("pay_method", "carla", "card", kind="credit_card", balance=None)
    flight = instance("flight", "HAT001", flying, origin="JFK", destination="SEA", status="available")
    inputs = Inputs(
        now=NOW,
        clock="test",
        facts=table([reservation, profile, method, flight]),
        attestations=(said("agreed", True), said("reason", "health"), said("complaint", "cancelled_flight")),
        roster=roster_of(machine, "agent"),
        key_used_by=None,
    )
    person = {"first_name": "Ana", "last_name": "Ek", "dob": "1990-01-02"}
    booked = case_of(machine, "reservation", ("r1",), "booked")
    served = case_of(machine, "profile", ("carla",), "served")

    def ask(transition: str, **arguments: Any) -> Candidate:
        return proposal(transition, "bot", "agent", "carla", **arguments)

    correct = ask("update_reservation_passengers", reservation_id="r1", passengers=[person, person])
    bags = ask(
        "update_reservation_baggages", reservation_id="r1", total_baggages=7, nonfree_baggages=1, payment_id="card"
    )
    cancel = ask("cancel_reservation", reservation_id="r1")
    gesture = ask("send_certificate", user_id="carla", amount="200.00")
    struck = dataclasses.replace(flight, fields={**flight.fields, "status": "cancelled_flight"})
    return {
        "who travels is corrected": Setup(machine, booked, correct, inputs),
        "bags are added": Setup(machine, booked, bags, inputs),
        "a trip just booked is cancelled": Setup(machine, booked, cancel, inputs),
        "a certificate for a cancelled flight": Setup(machine, served, gesture, inputs).with_instance(struck),
    }
