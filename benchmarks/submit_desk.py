"""The refund desk that `submit.py` measures: orders in memory, candidates that are accepted, new kernels."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "laws"))

import worlds  # noqa: E402

from edca.api import Answer, Attestation, Caller, Candidate, Kernel, Principal  # noqa: E402
from edca.kernel.canonical import digest  # noqa: E402
from edca.kernel.facts import Instance, Key  # noqa: E402
from edca.kernel.machine import Machine, Window  # noqa: E402
from edca.ledger.sqlite import SQLiteLedger  # noqa: E402
from edca.runtime.ports import Performed, Permit, Report, Request  # noqa: E402

SETUP = worlds.approval()
NOON = SETUP.inputs.now
assert isinstance(SETUP.candidate, Candidate)
CANDIDATE = SETUP.candidate
A_PROPOSER = 16  # candidates of one proposer: the spec's limit is 20 an hour
MILLISECOND = 1000


class Clock:
    """Stands still until it is moved: the spec's windows then hold what they hold."""

    source = "benchmark"

    def __init__(self) -> None:
        self.instant = NOON

    def now(self) -> int:
        """Return noon, or what it was moved to."""
        return self.instant


class Shop:
    """Orders in memory, each of an owner of its own or all of `owner`; what is refunded is kept."""

    document = b"orders of the benchmark"
    digest = digest("routes", document)

    def __init__(self, owner: str | None = None) -> None:
        self.refunded: dict[str, int] = {}
        self._owner = owner
        self._order = SETUP.inputs.facts[worlds.ORDER].fields
        self._line = SETUP.inputs.facts[("line", ("o1", "a1"))].fields

    def read(self, requests: list[Request], as_of: int) -> tuple[Instance, ...]:
        """Return what the order says."""
        return tuple(self._instance(request, as_of) for request in requests)

    def _instance(self, request: Request, as_of: int) -> Instance:
        order = str(request.key[0])
        own = {
            "owner": self._owner or f"owner of {order}",
            "lines": ((order, "a1"),),
            "refunded": self.refunded.get(order, 0),
        }
        held = {**self._order, **own} if request.entity == "order" else self._line
        fields = {name: held[name] for name in request.fields}
        return Instance(request.entity, request.key, "shop", as_of, True, None, fields)

    def allot(self, entity: str) -> Key | None:
        """Return nothing: nothing is created."""
        raise AssertionError(entity)

    def perform(self, permit: Permit) -> Report:
        """Move the money."""
        amount = round(float(str(permit.arguments["amount"])) * 100)
        self.refunded[permit.arguments["order"][0]] = amount  # type: ignore[index,call-overload]
        return Report(Performed.DONE)

    def performed(self, permit: Permit) -> Performed:
        """Return nothing: nobody has to ask."""
        raise AssertionError(permit)


@dataclasses.dataclass(frozen=True, slots=True)
class Ask:
    """One submission."""

    candidate: Candidate
    caller: Caller
    attestations: tuple[Attestation, ...]


def approval(number: int, order: str | None = None, amount: str = "20.00", owner: str | None = None) -> Ask:
    """Return the submission of that number, about an order of its own or about `order`."""
    order = order or f"o{number}"
    owner = owner or f"owner of {order}"
    candidate = dataclasses.replace(
        CANDIDATE,
        arguments={"order_id": order, "amount": amount, "picks": [{"sku": "a1", "count": 1}]},
        key=f"call {number}",
        revision=None,
    )
    said: list[tuple[str, bool | str]] = [("agreed", True), ("reason", "It arrived broken.")]
    attestations = tuple(Attestation(name, value, owner, "customer", "benchmark", NOON) for name, value in said)
    return Ask(candidate, Caller(f"bot {number // A_PROPOSER}", "assistant", owner, worlds.MODEL), attestations)


def payment(number: int) -> Ask:
    """Return the payment of what that approval promised."""
    candidate = dataclasses.replace(
        CANDIDATE,
        transition="pay",
        arguments={"order_id": f"o{number}"},
        key=f"pay {number}",
        revision=None,
        confidence=None,
    )
    return Ask(candidate, Caller("sven", "supervisor", f"owner of o{number}"), ())


def limited_within(window: Window) -> Machine:
    """Return the spec's machine with another window of what an owner may be promised."""
    machine = SETUP.machine
    changed = []
    for transition in machine.transitions:
        clauses = [
            dataclasses.replace(clause, limit=dataclasses.replace(clause.limit, window=window))
            if clause.code == "daily" and clause.limit is not None
            else clause
            for clause in transition.clauses
        ]
        changed.append(dataclasses.replace(transition, clauses=tuple(clauses)))
    return dataclasses.replace(machine, transitions=tuple(changed))


class Bench:
    """One kernel over a new ledger, and what it commits."""

    def __init__(
        self,
        folder: Path,
        name: str,
        count: int,
        *,
        durable: bool = True,
        owner: str | None = None,
        window: Window | None = None,
    ) -> None:
        """Open it: `owner` has all orders, and `window` is that of the limit on what an owner is promised."""
        bots = tuple(
            Principal(f"bot {number}", ("assistant",), worlds.MODEL) for number in range(count // A_PROPOSER + 1)
        )
        roster = SETUP.inputs.roster
        others = tuple(one for one in roster.principals if one.id not in {"bot", "sven"})
        self.path, self.clock = folder / f"{name}.db", Clock()
        self.ledger = SQLiteLedger.open(self.path, durable=durable)
        self.kernel = Kernel.open(
            SETUP.machine if window is None else limited_within(window),
            routes=Shop(owner),  # type: ignore[arg-type]
            roster=dataclasses.replace(roster, principals=(*others, Principal("sven", ("supervisor",)), *bots)),
            ledger=self.ledger,
            clock=self.clock,
        )

    def submit(self, ask: Ask) -> Answer:
        """Submit and wait."""
        return self.kernel.submit(ask.candidate, caller=ask.caller, attestations=ask.attestations)

    def close(self) -> None:
        """Close the ledger."""
        self.kernel.close()
        self.ledger.close()
