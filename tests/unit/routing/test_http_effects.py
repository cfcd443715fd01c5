"""Goal: whatever becomes of an effect over HTTP, its case ends in a state that the spec declares, nothing half-known.

Besides the three cases with names of their own: a service that is down, says no, or lost the precondition.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from shop_service import TOKEN, Shop, ShopRequest, acts_and_hangs, breaks, says, start

from edca.api import Accepted, Answer, Caller, FixedClock, Kernel, Outcome, Schedule, for_model
from edca.diagnostics import Source
from edca.routing import Drift
from edca.semantic.candidate import admit

FOLDER = Path(__file__).resolve().parents[3] / "specs" / "refund"
ARP = (FOLDER / "refund-http.arp").read_text("utf-8").replace("timeout 5 seconds", "timeout 1 seconds")
SPEC = (FOLDER / "refund.edca").read_text("utf-8")
SVEN = Caller("sven", "supervisor", subject="carla")
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
OFFER = {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}

Opened = Callable[..., Kernel]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def drifts() -> list[Drift]:
    return []


@pytest.fixture
def opened(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drifts: list[Drift]
) -> Iterator[Callable[..., Kernel]]:
    """Opens the kernel of refunds on the service; its case o1 has been promised 20.00."""
    server, url = start(shop)
    monkeypatch.setenv("REFUND_SHOP_API", url)
    monkeypatch.setenv("REFUND_SHOP_TOKEN", TOKEN)
    with ExitStack() as stack:

        def make(routes: str = ARP, *, promised: bool = True) -> Kernel:
            kernel = stack.enter_context(
                Kernel.open(
                    Source("refund.edca", SPEC),
                    routes=Source("refund-http.arp", routes),
                    roster=FOLDER / "roster.toml",
                    ledger=tmp_path / "ledger.db",
                    clock=FixedClock("2026-03-20T12:00:00Z"),
                    schedule=Schedule(3, (1_000,)),
                    on_drift=drifts.append,
                )
            )
            if promised:
                why = kernel.attest("reason", "It broke.", by="carla", role="customer", source="form")
                yes = kernel.attest("agreed", True, by="carla", role="customer", source="form")
                candidate = {"transition": "approve_refund", "arguments": OFFER, "confidence": 0.93}
                answer = kernel.submit(candidate, caller=BOT, attestations=[why, yes])
                assert isinstance(answer.verdict, Accepted), answer.verdict
            return kernel

        yield make
    server.shutdown()
    server.server_close()


def _pay(kernel: Kernel) -> Answer:
    return kernel.submit({"transition": "pay", "arguments": {"order_id": "o1"}}, caller=SVEN)


def _state(kernel: Kernel) -> str:
    found = kernel.view("order", ["o1"], caller=SVEN).state
    assert found is not None
    return found


def test_money_is_sent_over_http(opened: Opened, shop: Shop) -> None:
    kernel = opened()
    assert _pay(kernel).outcome is Outcome.CONFIRMED
    assert (_state(kernel), shop.payouts, shop.count("POST")) == ("paid", [2000], 1)


def test_an_effect_that_times_out_after_it_succeeded_is_asked_for_and_confirmed(opened: Opened, shop: Shop) -> None:
    kernel = opened()
    shop.misbehave["POST"] = acts_and_hangs
    assert _pay(kernel).outcome is Outcome.CONFIRMED
    assert (_state(kernel), shop.payouts, shop.count("POST")) == ("paid", [2000], 1)


def test_one_that_times_out_and_cant_be_asked_for_goes_where_the_spec_says(opened: Opened, shop: Shop) -> None:
    kernel = opened(ARP.replace('    asked get "/v1/payouts/{key}"\n', ""))
    shop.misbehave["POST"] = acts_and_hangs
    assert _pay(kernel).outcome is Outcome.TIMED_OUT
    assert (_state(kernel), shop.count("POST")) == ("stuck", 1), "never sent again on a guess"


def test_one_that_would_succeed_twice_without_its_key_happens_once(opened: Opened, shop: Shop) -> None:
    kernel = opened()

    def lies(request: ShopRequest) -> None:
        """Act, and say that nothing has happened: the kernel sends it again, under the same key."""
        request.act_unheard()
        shop.misbehave.clear()
        request.answer(503, {})

    shop.misbehave["POST"] = lies
    assert _pay(kernel).outcome is Outcome.CONFIRMED
    assert (shop.count("POST"), shop.payouts) == (2, [2000])
    assert len({h["Idempotency-Key"] for p, h in zip(shop.asked, shop.headers, strict=True) if p[:4] == "POST"}) == 1


def test_a_service_that_knows_no_keys_and_does_it_twice_ends_undone_or_stuck(opened: Opened, shop: Shop) -> None:
    shop.heeds_keys = False
    kernel = opened()

    def twice(request: ShopRequest) -> None:
        shop.misbehave.clear()
        shop.orders["o1"]["back_c"] += 2000  # done, before it is done
        shop.payouts.append(2000)
        request.behave()

    shop.misbehave["POST"] = twice
    answer = _pay(kernel)
    # What was read back isn't what was to be: the effect is taken back, and a person looks.
    assert (answer.outcome, shop.payouts) == (Outcome.UNDONE, [2000, 2000, -2000])
    assert _state(kernel) == "stuck"


def test_one_whose_undo_fails_ends_where_the_spec_says(opened: Opened, shop: Shop) -> None:
    kernel = opened()

    def wrong_amount(request: ShopRequest) -> None:
        shop.orders["o1"]["back_c"] += 1
        request.behave()

    shop.misbehave["POST"] = wrong_amount
    shop.misbehave["DELETE"] = says(400, {})
    assert _pay(kernel).outcome is Outcome.TIMED_OUT
    assert (_state(kernel), shop.payouts, shop.count("DELETE")) == ("stuck", [2000], 1)


@pytest.mark.parametrize(
    ("status", "sent", "outcome"),
    [
        (503, 3, Outcome.FAILED),  # declared to pass: three attempts, and no more
        (500, 1, Outcome.FAILED),  # not declared, so it is never tried again; asked, it has not happened
        (400, 1, Outcome.FAILED),
        (409, 1, Outcome.FAILED),
    ],
)
def test_a_service_that_says_no(opened: Opened, shop: Shop, status: int, sent: int, outcome: Outcome) -> None:
    kernel = opened()
    shop.misbehave["POST"] = says(status, {})
    assert _pay(kernel).outcome is outcome
    assert (_state(kernel), shop.payouts, shop.count("POST")) == ("stuck", [], sent)


def test_a_connection_that_breaks_after_the_effect_is_asked_about(opened: Opened, shop: Shop) -> None:
    kernel = opened()

    def acts_and_breaks(request: ShopRequest) -> None:
        request.act_unheard()
        breaks(request)

    shop.misbehave["POST"] = acts_and_breaks
    assert _pay(kernel).outcome is Outcome.CONFIRMED
    assert shop.payouts == [2000]


def test_a_model_is_told_the_same_of_a_drifted_an_absent_and_an_unreachable_order(
    opened: Opened, shop: Shop, drifts: list[Drift]
) -> None:
    kernel = opened(promised=False)
    told = []
    for number, change in (("o1", {"surprise": 1}), ("o9", {}), ("o2", {})):
        if number == "o1":
            shop.orders["o1"] |= change
        if number == "o2":
            shop.misbehave["GET"] = says(500, {})
        candidate = {"transition": "approve_refund", "arguments": OFFER | {"order_id": number}, "confidence": 0.93}
        answer = kernel.submit(candidate, caller=BOT)
        told.append(for_model(kernel.machine, admit(json.dumps(candidate).encode(), BOT), answer.verdict))
    assert told[0] == told[1] == told[2]
    assert "surprise" not in str(told)
    assert [drift.place for drift in drifts] == ["/surprise"]
