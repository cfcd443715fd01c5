"""Worlds that the tests of kernel, language and laws share: compiled specs, and whole decisions to vary."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path
from typing import Any

from setups import MODEL, NOW, Setup, case_of, day, instance, instant, proposal, roster_of, said

from edca.diagnostics import Source, concise
from edca.dsl.parse import parse
from edca.kernel.candidate import Candidate
from edca.kernel.facts import Handle, table
from edca.kernel.inputs import CounterKey, Inputs
from edca.kernel.inquiry import Inquiry
from edca.kernel.machine import Machine
from edca.kernel.verdict import Accepted
from edca.semantic.compile import Compiled, compile_spec
from edca.semantic.imports import File
from edca.semantic.scenario import run, run_scenarios, scenarios_of
from edca.semantic.scenario_play import Looked
from edca.semantic.scenario_world import inputs_of, inquiry_of

__all__ = ["MODEL"]  # for those who import `worlds` alone

ROOT = Path(__file__).resolve().parents[2]
SPECS = sorted(ROOT.glob("specs/*/*.edca"))


# --- specs ---


@cache
def compiled(path: Path) -> Compiled:
    """A spec of the repository."""

    def read(name: str) -> File:
        return File(name, Source(name, (path.parent / name).read_text("utf-8")))

    found = compile_spec(read(path.name).source, read)
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
    results, diagnostics = run_scenarios(found.spec, found.checked, found.machine)
    assert not diagnostics
    assert [result.title for result in results if not result.passed] == []
    own: dict[str, Setup] = {}
    for result in results:
        for number, decision in enumerate(result.decisions, start=1):
            name = result.title if len(result.decisions) == 1 else f"{result.title} ({number})"
            asked = decision.question
            own[name] = Setup(found.machine, asked.case, asked.candidate, asked.inputs)
    return own | (_airline() if path.stem == "airline" else {})


@cache
def looks(path: Path) -> tuple[tuple[Inquiry, Inputs], ...]:
    """Everything that is looked up in a spec's scenarios, those in files beside it too."""
    found = compiled(path)
    assert found.checked is not None and found.machine is not None
    asked: list[tuple[Inquiry, Inputs]] = []
    for file in (path, *sorted(path.parent.glob("scenarios/*.edca"))):
        parsed = parse(Source(file.name, file.read_text("utf-8"))).spec
        assert parsed is not None
        results, diagnostics = run(scenarios_of(parsed), found.checked, found.machine)
        assert not diagnostics and all(result.passed for result in results)
        worlds = [made.world for result in results for made in result.made if isinstance(made, Looked)]
        asked += [(inquiry_of(found.machine, world), inputs_of(found.machine, world)) for world in worlds]
    return tuple(asked)


def all_setups() -> list[tuple[str, Setup]]:
    """Every decision of every spec, with a name."""
    return [(f"{path.stem}: {title}", setup) for path in SPECS for title, setup in setups(path).items()]


def accepted_setups() -> list[tuple[str, Setup]]:
    """Those that are accepted."""
    return [(name, setup) for name, setup in all_setups() if isinstance(setup.decide(), Accepted)]


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
            used=_NothingUsed(),
        ),
    )


class _NothingUsed(dict[CounterKey, int]):
    """Counters of which none has counted anything, whatever they count per."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key, 0)


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
