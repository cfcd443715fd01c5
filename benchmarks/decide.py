"""What one decision costs, against a function written by hand and against other engines: `make bench-decide`.

The question is specs/refund's `approve_refund`: thirteen clauses over an order, its lines, a claim, a confirmation and
three arguments. All are asked it in one run, in turns, and each figure is the best of many rounds, so that a busy
machine disturbs all alike. What each does differs: the kernel checks who proposes, parses the arguments, judges every
clause with three truth values and returns a verdict that a record can hold; the function by hand takes the same inputs
and returns which clauses pass, once as it is and once with a verdict made of that; the others are given plain values,
ready parsed, and return no more than yes.

Engines that aren't installed are left out: `pip install --group bench`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "laws"))

import worlds  # noqa: E402

from edca.kernel.decide import decide  # noqa: E402
from edca.kernel.values import Unknown  # noqa: E402
from edca.kernel.verdict import Accepted, Anchor, ClauseResult, Result  # noqa: E402

MINUTE, DAY = 60_000_000, 86_400_000_000
ROUNDS, CALLS = 40, 200
SETUP = worlds.approval()


def by_kernel() -> Accepted:
    """Decide as the runtime does."""
    verdict = decide(SETUP.machine, SETUP.case, SETUP.candidate, SETUP.inputs)
    assert isinstance(verdict, Accepted)
    return verdict


def kernel_bits() -> int:
    """Which clauses pass, as bits, the first clause lowest."""
    return sum((clause.result is Result.PASSED) << place for place, clause in enumerate(by_kernel().clauses))


# --- by hand ---


def cents(text: str) -> int:
    """Return a decimal text with two places in cents."""
    whole, _, fraction = text.partition(".")
    return int(whole + fraction.ljust(2, "0"))


def by_hand() -> int:  # noqa: PLR0915  one function, as somebody would write it
    """The same clauses on the same inputs, without a machine; a fact that isn't known fails its clause."""
    candidate, inputs = SETUP.candidate, SETUP.inputs
    given = candidate.arguments  # type: ignore[union-attr]
    order_id, amount = given["order_id"], cents(given["amount"])  # type: ignore[arg-type]
    picks = [(pick["sku"], int(pick["count"])) for pick in given["picks"]]  # type: ignore[union-attr,index,call-overload]
    facts, now = inputs.facts, inputs.now

    def fields(entity: str, key: tuple[Any, ...]) -> Any:
        found = facts.get((entity, key))
        fresh = found is not None and 0 <= now - found.as_of <= 5 * MINUTE
        return found.fields if found is not None and fresh else {}

    order = fields("order", (order_id,))
    reason, agreed, signers = None, False, set()
    for said in inputs.attestations:
        if said.at > now:
            continue
        if said.name == "reason" and said.role == "customer":
            reason = said.value
        elif said.name == "agreed" and said.role == "customer" and now - said.at <= 30 * MINUTE:
            agreed = said.value is True and said.by != candidate.proposer  # type: ignore[union-attr]
        elif said.name == "twice" and said.role == "supervisor" and now - said.at <= 2 * DAY:
            signers.add(said.by)

    def known(name: str) -> bool:
        return not isinstance(order.get(name, Unknown.MISSING), Unknown)

    bits = 0
    subject, confidence = candidate.subject, candidate.confidence  # type: ignore[union-attr]
    if known("owner") and subject is not None and order["owner"] == subject:
        bits |= 1
    if known("frozen") and not order["frozen"]:
        bits |= 2
    if amount > 0:
        bits |= 4
    if known("status") and order["status"] == "delivered":
        bits |= 8
    if known("delivered_at") and order["delivered_at"] is not None and now - order["delivered_at"] <= 30 * DAY:
        bits |= 16
    lines = order.get("lines", ())
    if isinstance(lines, tuple) and all(
        any(line[1] == sku and fields("line", line).get("returnable") is True for line in lines) for sku, _ in picks
    ):
        bits |= 32
    if known("refunded") and known("total") and amount + order["refunded"] <= order["total"]:
        bits |= 64
    if known("membership") and reason is not None:
        gold = order["membership"] == "gold"
        limit = 100_000 if gold else 50_000 if reason != "" else 10_000
        if amount <= limit:
            bits |= 128
    if confidence is not None and confidence >= 8_500:
        bits |= 256
    if agreed:
        bits |= 512
    if amount <= 200_000 or len(signers) >= 2:
        bits |= 1024
    paced = inputs.used.get(("approve_refund", "pace", (candidate.proposer,)))  # type: ignore[union-attr]
    if paced is not None and paced + 1 <= 20:
        bits |= 2048
    if known("owner"):
        promised = inputs.used.get(("approve_refund", "daily", (order["owner"],)))
        if promised is not None and promised + amount <= 500_000:
            bits |= 4096
    return bits


CLAUSES = SETUP.machine.index.transitions["approve_refund"].clauses


def by_hand_with_verdict() -> Accepted:
    """The same, and then the verdict that tells each clause's result, through the constructors of its parts."""
    bits, given = by_hand(), SETUP.candidate.arguments  # type: ignore[union-attr]
    clauses = tuple(
        ClauseResult(
            code=clause.code,
            kind=clause.kind,
            on_fail=clause.on_fail,
            role=clause.role,
            withheld=clause.withheld,
            result=Result.PASSED if bits >> place & 1 else Result.FAILED,
        )
        for place, clause in enumerate(CLAUSES)
    )
    return Accepted(
        transition="approve_refund",
        source="requested",
        target="approved",
        memory={"promised": given["amount"]},
        intents=(),
        anchor=Anchor("sven", "supervisor", "standing"),
        clauses=clauses,
    )


# --- the others: one object with plain values, and the same conditions ---

FACTS = SimpleNamespace(
    owner="carla", subject="carla", frozen=False, amount=2_000, status="delivered", age_days=19, returnable=True,
    refunded=0, total=8_000, limit=50_000, confidence=9_100, agreed=True, signers=0, hour=0, day=0,
)  # fmt: skip
CONDITIONS: dict[str, Callable[[Any], bool]] = {
    "not_yours": lambda f: f.owner == f.subject,
    "frozen": lambda f: not f.frozen,
    "not_positive": lambda f: f.amount > 0,
    "not_delivered": lambda f: f.status == "delivered",
    "too_late": lambda f: f.age_days <= 30,
    "not_returnable": lambda f: f.returnable,
    "over_total": lambda f: f.amount + f.refunded <= f.total,
    "over_limit": lambda f: f.amount <= f.limit,
    "unsure": lambda f: f.confidence >= 8_500,
    "agreed": lambda f: f.agreed,
    "twice": lambda f: f.amount <= 200_000 or f.signers >= 2,
    "pace": lambda f: f.hour + 1 <= 20,
    "daily": lambda f: f.day + f.amount <= 500_000,
}


def _transitions() -> Callable[[], object]:
    from transitions import Machine  # noqa: PLC0415

    class Case:
        facts = FACTS

    case = Case()
    for name, condition in CONDITIONS.items():
        setattr(Case, name, lambda self, condition=condition: condition(self.facts))
    machine = Machine(case, ["requested", "approved"], initial="requested", auto_transitions=False)
    machine.add_transition("approve", "requested", "approved", conditions=list(CONDITIONS))

    def run() -> object:
        machine.set_state("requested")
        return case.approve()  # type: ignore[attr-defined]

    return run


def _python_statemachine() -> Callable[[], object]:
    from statemachine import State, StateMachine  # noqa: PLC0415

    body: dict[str, Any] = {"requested": State(initial=True), "approved": State()}
    for name, condition in CONDITIONS.items():
        body[f"is_{name}"] = lambda self, condition=condition: condition(FACTS)
    body["approve"] = body["requested"].to(body["approved"], cond=[f"is_{name}" for name in CONDITIONS])
    body["again"] = body["approved"].to(body["requested"])
    machine = type(StateMachine)("Refund", (StateMachine,), body)()

    def run() -> object:
        machine.send("approve")
        machine.send("again")  # the way back is part of the figure: it has no other way to stand anew
        return True

    return run


def _sismic() -> Callable[[], object]:
    from sismic.interpreter import Interpreter  # noqa: PLC0415
    from sismic.io import import_from_yaml  # noqa: PLC0415

    guard = (
        "f.owner == f.subject and not f.frozen and f.amount > 0 and f.status == 'delivered' and f.age_days <= 30 and "
        "f.returnable and f.amount + f.refunded <= f.total and f.amount <= f.limit and f.confidence >= 8500 and "
        "f.agreed and (f.amount <= 200000 or f.signers >= 2) and f.hour + 1 <= 20 and f.day + f.amount <= 500000"
    )
    chart = f"""
statechart:
  name: refund
  root state:
    name: root
    initial: requested
    states:
      - name: requested
        transitions:
          - {{target: approved, event: approve, guard: "{guard}"}}
      - name: approved
        transitions:
          - {{target: requested, event: again}}
"""
    interpreter = Interpreter(import_from_yaml(text=chart), initial_context={"f": FACTS})
    interpreter.execute()

    def run() -> object:
        interpreter.queue("approve").execute()
        interpreter.queue("again").execute()
        return True

    return run


def _cedarpy() -> Callable[[], object]:
    import cedarpy  # noqa: PLC0415

    policy = """
permit(principal, action == Action::"approve", resource) when {
  resource.owner == context.subject && !resource.frozen && context.amount > 0 && resource.status == "delivered" &&
  resource.age_days <= 30 && resource.returnable && context.amount + resource.refunded <= resource.total &&
  context.amount <= resource.limit && context.confidence >= 8500 && context.agreed &&
  (context.amount <= 200000 || context.signers >= 2) && context.hour + 1 <= 20 &&
  context.day + context.amount <= 500000 };
"""
    inside = ("owner", "frozen", "status", "age_days", "returnable", "refunded", "total", "limit")
    values = vars(FACTS)
    entities = json.dumps(
        [{"uid": {"type": "Order", "id": "o1"}, "attrs": {k: values[k] for k in inside}, "parents": []}]
    )
    request = {
        "principal": 'User::"bot"',
        "action": 'Action::"approve"',
        "resource": 'Order::"o1"',
        "context": {k: v for k, v in values.items() if k not in inside},
    }

    def run() -> object:
        result = cedarpy.is_authorized(request, policy, entities)
        assert result.allowed, result.diagnostics.errors
        return result

    return run


def _casbin() -> Callable[[], object]:
    import casbin  # noqa: PLC0415
    from casbin.model import Model  # noqa: PLC0415

    model = Model()
    model.load_model_from_text(
        """
[request_definition]
r = sub, obj, act
[policy_definition]
p = act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && r.obj.owner == r.obj.subject && r.obj.frozen == False && r.obj.amount > 0 && \
r.obj.status == "delivered" && r.obj.age_days <= 30 && r.obj.returnable && \
r.obj.amount + r.obj.refunded <= r.obj.total && r.obj.amount <= r.obj.limit && r.obj.confidence >= 8500 && \
r.obj.agreed && (r.obj.amount <= 200000 || r.obj.signers >= 2) && r.obj.hour + 1 <= 20 && \
r.obj.day + r.obj.amount <= 500000
"""
    )
    enforcer = casbin.Enforcer(model)
    enforcer.add_policy("approve")

    def run() -> object:
        assert enforcer.enforce("bot", FACTS, "approve")
        return True

    return run


PEERS: dict[str, Callable[[], Callable[[], object]]] = {
    "transitions": _transitions,
    "python-statemachine": _python_statemachine,
    "sismic": _sismic,
    "cedarpy": _cedarpy,
    "casbin": _casbin,
}


def measure(asked: dict[str, Callable[[], object]], rounds: int, calls: int) -> dict[str, float]:
    """Return the best time of one call of each, in microseconds; they take turns."""
    best = dict.fromkeys(asked, float("inf"))
    for _ in range(rounds):
        for name, run in asked.items():
            start = time.perf_counter()
            for _ in range(calls):
                run()
            best[name] = min(best[name], (time.perf_counter() - start) / calls)
    return {name: seconds * 1e6 for name, seconds in best.items()}


def main() -> int:
    """Measure, and print each figure, and how many times the kernel's and the function's by hand it is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--calls", type=int, default=CALLS, help="calls of each in a round")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    assert by_hand() == kernel_bits() == (1 << 13) - 1, "the two don't judge alike"
    runs: dict[str, Callable[[], object]] = {
        "edca decide": by_kernel,
        "by hand": by_hand,
        "by hand, verdict": by_hand_with_verdict,
    }
    missing: list[str] = []
    for name, build in PEERS.items():
        try:
            runs[name] = build()
        except ImportError:
            missing.append(name)
    found = measure(runs, asked.rounds, asked.calls)
    kernel, hand = found["edca decide"], found["by hand"]
    if asked.json:
        print(json.dumps({name: {"us": round(us, 2), "ratio": round(us / kernel, 2)} for name, us in found.items()}))
        return 0
    for name, us in found.items():
        print(f"{name:22} {us:9.2f} µs   {us / kernel:7.2f} times decide   {us / hand:7.2f} times by hand")
    if missing:
        print(f"not installed, left out: {', '.join(missing)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
