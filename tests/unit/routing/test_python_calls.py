"""Goal: Python functions are routes like any other: believed in nothing, and unable to raise into the kernel."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from shop_service import AS_OF, FIELDS, FOLDER, KNOWN, permit, routed

from edca.api import Accepted, Caller, FixedClock, Kernel, Outcome, ReentrantCallError, Refused
from edca.diagnostics import Source
from edca.kernel.machine import Machine
from edca.kernel.values import Unknown
from edca.routing import (
    Drift,
    Functions,
    NotDoneError,
    PreconditionLostError,
    RouteError,
    SourceRouter,
    TryAgainError,
    clashes,
    evidence_plan,
)
from edca.runtime.ports import Performed, Request
from edca.semantic.compile import Compiled

ARP = """arp 1
routes shop_code version "1.0.0" for refund

source shop python

entity order from shop call "orders" key (order_id) {
  owner        = owner
  membership   = member codes { regular = 1, gold = 2 }
  status       = status
  total        = total
  refunded     = refunded_cents as units
  delivered_at = delivered_at
  lines        = refs at lines (order_id, sku)
  frozen       = frozen
}

entity line from shop call "lines" key (order_id, sku) {
  price      = price
  returnable = returnable
}

effect send_money(order, amount) on shop {
  call "send" send { order = order.order_id, cents = amount as units }
  asked call "was_sent"
}

effect recall_money(order, amount) on shop { call "recall" }
"""

SVEN = Caller("sven", "supervisor", subject="carla")
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")


class Desk:
    """A shop in Python, and what was asked of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.order: dict[str, Any] = {
            "order_id": "o1",
            "owner": "carla",
            "member": 1,
            "status": "delivered",
            "total": "80.00",
            "refunded_cents": 0,
            "delivered_at": "2026-03-01T09:00:00Z",
            "lines": [{"order_id": "o1", "sku": "a1"}],
            "frozen": False,
        }
        self.sent: dict[str, int] = {}

    def orders(self, keys: Sequence[tuple[str]]) -> Iterator[dict[str, Any]]:
        self.asked.append(("orders", keys))
        yield from (self.order for (number,) in keys if number == "o1")

    def lines(self, keys: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
        self.asked.append(("lines", keys))
        return [{"order_id": n, "sku": sku, "price": "80.00", "returnable": True} for n, sku in keys if n == "o1"]

    def send(self, body: dict[str, Any], key: str) -> None:
        self.asked.append(("send", body))
        if key not in self.sent:
            self.order["refunded_cents"] += body["cents"]
            self.sent[key] = body["cents"]

    def recall(self, body: dict[str, Any], key: str) -> None:
        self.asked.append(("recall", body))

    def was_sent(self, key: str) -> bool:
        return key in self.sent

    def functions(self, **others: Callable[..., Any]) -> Functions:
        return Functions(
            {
                "orders": self.orders,
                "lines": self.lines,
                "send": self.send,
                "recall": self.recall,
                "was_sent": self.was_sent,
            }
            | others
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def _router(refund: Machine, functions: Functions, notice: Callable[[Drift], None] = print) -> SourceRouter:
    return SourceRouter(routed(ARP, refund), refund, {"shop": functions}, notice)


def test_functions_tell_facts(refund: Machine, desk: Desk) -> None:
    router = _router(refund, desk.functions())
    order, absent, line = router.read(
        [
            Request("order", ("o1",), FIELDS),
            Request("order", ("o2",), FIELDS),
            Request("line", ("o1", "a1"), ("price",)),
        ],
        AS_OF,
    )
    assert order.fields == KNOWN
    assert (absent.found, absent.state, line.fields) == (False, None, {"price": 8000})
    assert desk.asked == [("orders", [("o1",), ("o2",)]), ("lines", [("o1", "a1")])], "all keys in one call"
    assert {line.round_trips for line in evidence_plan(refund, routed(ARP, refund))} == {1}


def test_a_functions_members_may_be_called_as_the_specs_names_are(refund_spec: Compiled, refund: Machine) -> None:
    assert refund_spec.spec is not None
    assert clashes(refund_spec.spec, routed(ARP.replace('"recall"', '"recall_money"'), refund)) == ()


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"total": 80.0}, {"total"}),
        ({"total": math.nan}, {"total"}),
        ({"refunded_cents": True}, {"refunded"}),
        ({"member": 3}, {"membership"}),
        ({"owner": object()}, {"owner"}),
        ({"lines": iter([])}, {"lines"}),
        ({"mood": "good"}, set(FIELDS)),
        ({"order_id": "o7"}, set(FIELDS)),
    ],
)
def test_what_a_function_returns_is_believed_in_nothing(
    refund: Machine, desk: Desk, change: dict[str, Any], unknown: set[str]
) -> None:
    drifts: list[Drift] = []
    desk.order |= change
    (order,) = _router(refund, desk.functions(), drifts.append).read([Request("order", ("o1",), FIELDS)], AS_OF)
    assert order.fields == KNOWN | dict.fromkeys(unknown, Unknown.DRIFT)
    assert drifts


def _endless(_: object) -> Iterator[dict[str, Any]]:
    while True:
        yield {"order_id": "o1"}


@pytest.mark.parametrize("answer", [None, 5, "o1", [None], [[]], [{}], {"o1": {}}])
def test_no_documents_are_no_facts(refund: Machine, desk: Desk, answer: object) -> None:
    router = _router(refund, desk.functions(orders=lambda _: answer))
    (order,) = router.read([Request("order", ("o1",), ("total",))], AS_OF)
    assert order.fields.get("total", Unknown.MISSING) in (Unknown.MISSING, Unknown.DRIFT)
    assert not order.found or order.fields["total"] is Unknown.DRIFT


def test_two_documents_of_one_key_are_none(refund: Machine, desk: Desk) -> None:
    router = _router(refund, desk.functions(orders=lambda _: [desk.order, desk.order]))
    (order,) = router.read([Request("order", ("o1",), ("total",))], AS_OF)
    assert order.fields == {"total": Unknown.DRIFT}


def test_endless_documents_end(refund: Machine, desk: Desk) -> None:
    (order,) = _router(refund, desk.functions(orders=_endless)).read([Request("order", ("o1",), ("total",))], AS_OF)
    assert order.fields == {"total": Unknown.DRIFT}


def test_what_a_function_raises_stays_in_the_route(refund: Machine, desk: Desk) -> None:
    def fail(*_: object) -> None:
        raise ValueError("the column t_so.hold_f is broken for carla")

    drifts: list[Drift] = []
    router = _router(refund, desk.functions(orders=fail, send=fail, was_sent=fail), drifts.append)
    (order,) = router.read([Request("order", ("o1",), FIELDS)], AS_OF)
    assert (order.found, order.state, order.fields) == (False, Unknown.MISSING, {})
    assert [drift.found for drift in drifts] == ["ValueError"]
    report = router.perform(permit())
    assert (report.performed, "carla" in report.detail) == (Performed.UNKNOWN, False)
    assert router.performed(permit()) is Performed.UNKNOWN


@pytest.mark.parametrize(
    ("error", "performed"),
    [
        (NotDoneError("closed"), Performed.FAILED),
        (PreconditionLostError("changed"), Performed.PRECONDITION_LOST),
        (TryAgainError("busy"), Performed.TRANSIENT),
        (KeyError("x"), Performed.UNKNOWN),
    ],
)
def test_what_an_effect_raises_says_what_became_of_it(
    refund: Machine, desk: Desk, error: Exception, performed: Performed
) -> None:
    def send(*_: object) -> None:
        raise error

    assert _router(refund, desk.functions(send=send)).perform(permit()).performed is performed


@pytest.mark.parametrize("returned", [True, False, 0, "done", object()])
def test_only_nothing_means_done(refund: Machine, desk: Desk, returned: object) -> None:
    router = _router(refund, desk.functions(send=lambda *_: returned))
    assert router.perform(permit()).performed is Performed.UNKNOWN


def test_effects_get_what_the_route_sends(refund: Machine, desk: Desk) -> None:
    router = _router(refund, desk.functions())
    assert router.performed(permit()) is Performed.FAILED
    assert router.perform(permit()).performed is Performed.DONE
    assert router.perform(permit()).performed is Performed.DONE
    assert router.performed(permit()) is Performed.DONE
    assert router.perform(permit("recall_money", key="k2")).performed is Performed.DONE
    assert desk.asked[-1] == ("recall", {"order": ["o1"], "amount": "2.00"}), "without `send`, the arguments"
    assert desk.order["refunded_cents"] == 200


def test_functions_are_imported_or_given(refund: Machine) -> None:
    with pytest.raises(RouteError, match="the host gives no function `lines`"):
        SourceRouter(routed(ARP, refund), refund, {})
    imported = ARP.replace('"orders"', '"json:loads"').replace('"lines"', '"os.path:join"')
    imported = imported.replace('"send"', '"json:dumps"').replace('"was_sent"', '"json:JSONEncoder.encode"')
    SourceRouter(routed(imported.replace('"recall"', '"json:dump"'), refund), refund, {})
    for name in ("no_such_module_here:x", "json:no_such", "json:__doc__", ":x", "json:"):
        with pytest.raises(RouteError, match="no function"):
            SourceRouter(routed(imported.replace("json:loads", name), refund), refund, {})


# --- calling the kernel back ---------------------------------------------------------------------------------------


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[Functions], Kernel]]:
    with ExitStack() as stack:

        def make(functions: Functions) -> Kernel:
            return stack.enter_context(
                Kernel.open(
                    FOLDER / "refund.edca",
                    routes=Source("code.arp", ARP),
                    roster=FOLDER / "roster.toml",
                    ledger=tmp_path / "ledger.db",
                    clock=FixedClock("2026-03-20T12:00:00Z"),
                    engines={"shop": functions},
                    read_within_s=5.0,
                )
            )

        yield make


CANDIDATE = {
    "transition": "approve_refund",
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "confidence": 0.93,
}


def test_a_kernel_decides_and_pays_by_functions(opened: Callable[[Functions], Kernel], desk: Desk) -> None:
    kernel = opened(desk.functions())
    yes = kernel.attest("agreed", True, by="carla", role="customer", source="form")
    why = kernel.attest("reason", "It broke.", by="carla", role="customer", source="form")
    assert isinstance(kernel.submit(CANDIDATE, caller=BOT, attestations=[yes, why]).verdict, Accepted)
    pay = kernel.submit({"transition": "pay", "arguments": {"order_id": "o1"}}, caller=SVEN)
    assert pay.outcome is Outcome.CONFIRMED
    assert desk.order["refunded_cents"] == 2000


@pytest.mark.parametrize("how", ["submit", "view", "observe"])
def test_a_read_that_calls_its_kernel_back_is_refused_at_once(
    opened: Callable[[Functions], Kernel], desk: Desk, how: str
) -> None:
    told: list[str] = []

    def meddle(keys: Sequence[tuple[str]]) -> Iterator[dict[str, Any]]:
        try:
            match how:
                case "submit":
                    kernel.submit(CANDIDATE, caller=BOT)
                case "view":
                    kernel.view("order", ["o1"], caller=BOT)
                case _:
                    kernel.observe("order", ["o1"], by="sven")
        except ReentrantCallError as error:
            told.append(str(error))
            raise
        yield from desk.orders(keys)

    kernel = opened(desk.functions(orders=meddle))
    answer = kernel.submit(CANDIDATE, caller=BOT)
    assert told and all("its own kernel while it is read" in message for message in told)
    assert isinstance(answer.verdict, Refused)
    assert answer.verdict.code == "unknown_case"
