"""Goal: from four files to an answer: a kernel opens, takes candidates in every form, and says what is wrong."""

import asyncio
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from edca.api import (
    Accepted,
    AsyncKernel,
    Caller,
    Candidate,
    Escalated,
    FixedClock,
    Kernel,
    LedgerError,
    ObservationError,
    Outcome,
    PolicyError,
    Refused,
    RouteError,
    RoutesError,
)
from edca.diagnostics import Source

_HERE = Path(__file__).resolve().parent
BOT = Caller("bot", "assistant", subject="carla", model="small-model-2024-05-01")
SVEN = Caller("sven", "supervisor", subject="carla")
APPROVE = {
    "transition": "approve_refund",
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "key": "call-1",
    "confidence": 0.91,
}
PAY = {"transition": "pay", "arguments": {"order_id": "o1"}, "key": "pay-1"}

_SHOP = """
CREATE TABLE t_ord(ono TEXT PRIMARY KEY, cno TEXT, lvl TEXT, st_cd TEXT, tot_c INTEGER, ref_c INTEGER,
                   dlv_us INTEGER, frz_f INTEGER);
CREATE TABLE t_itm(ono TEXT, art TEXT, prc_c INTEGER, ret_f INTEGER, PRIMARY KEY(ono, art));
CREATE TABLE t_done(op_key TEXT PRIMARY KEY, body TEXT);
INSERT INTO t_ord VALUES('o1', 'carla', 'R', 'D', 8000, 0, 1772355600000000, 0);
INSERT INTO t_ord VALUES('o2', 'mallory', 'R', 'D', 8000, 0, 1772355600000000, 0);
INSERT INTO t_itm VALUES('o1', 'a1', 8000, 1);
"""


@pytest.fixture
def shop(tmp_path, monkeypatch):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_SHOP)
    monkeypatch.setenv("EDCA_TEST_SHOP_URL", f"sqlite:///{path}")
    return path


@pytest.fixture
def open_kernel(shop, tmp_path, repository):
    def open_kernel(**parts):
        defaults = {
            "spec": repository / "specs" / "refund" / "refund.edca",
            "routes": _HERE / "refund.arp",
            "roster": _HERE / "roster.toml",
            "ledger": tmp_path / "ledger.db",
            "clock": FixedClock("2026-03-20T12:00:00Z"),
        }
        return Kernel.open(**(defaults | parts))

    return open_kernel


def _attested(kernel):
    return (
        kernel.attest("agreed", True, by="carla", role="customer"),
        kernel.attest("reason", "It broke.", by="carla", role="customer"),
    )


def _refunded(shop):
    with closing(sqlite3.connect(shop)) as connection:
        return connection.execute("SELECT ref_c FROM t_ord WHERE ono = 'o1'").fetchone()[0]


def test_from_a_candidate_to_money_that_moved_once(open_kernel, shop):
    with open_kernel() as kernel:
        waiting = kernel.submit(APPROVE, caller=BOT, attestations=_attested(kernel)[1:])
        assert isinstance(waiting.verdict, Escalated)
        approved = kernel.submit(APPROVE, caller=BOT, attestations=_attested(kernel))
        assert isinstance(approved.verdict, Accepted), approved.verdict
        paid = kernel.submit(PAY, caller=SVEN)
        assert (paid.outcome, paid.state) == (Outcome.CONFIRMED, "paid")
        assert kernel.submit(PAY, caller=SVEN) == paid
        assert _refunded(shop) == 2000
    with open_kernel() as kernel:
        assert kernel.recovered == ()
        assert kernel.submit(PAY, caller=SVEN) == paid
        found = kernel.replay()
        assert (found.equal, found.mismatches) == (found.total, ())
    assert _refunded(shop) == 2000


@pytest.mark.parametrize(
    "form",
    [
        lambda c: c,
        json.dumps,
        lambda c: json.dumps(c).encode(),
        lambda c: c | {"arguments": c["arguments"] | {"amount": Decimal("20.00")}},
        lambda c: Candidate(c["transition"], c["arguments"], "", "", None, None, None, c["key"], 9100, (), ""),
    ],
    ids=["mapping", "text", "bytes", "decimal", "candidate"],
)
def test_a_candidate_comes_in_every_form(open_kernel, form):
    with open_kernel() as kernel:
        answer = kernel.submit(form(APPROVE), caller=BOT, attestations=_attested(kernel))
        assert isinstance(answer.verdict, Accepted), answer.verdict


@pytest.mark.parametrize("form", ["", "{", "\ud800", b"\xff", {"transition": "pay", "confidence": float("nan")}, {}])
def test_what_is_no_candidate_is_refused_as_malformed(open_kernel, form):
    with open_kernel() as kernel:
        answer = kernel.submit(form, caller=BOT)
        assert isinstance(answer.verdict, Refused)
        assert answer.verdict.code == "malformed"


def test_somebody_elses_order_looks_like_none(open_kernel):
    with open_kernel() as kernel:
        views = [kernel.view("order", [key], caller=BOT).to_raw() for key in ("o2", "o9")]
        assert views[0] == views[1]
        assert kernel.view("order", [7], caller=BOT).to_raw() == views[0]
        mine = kernel.view("order", ["o1"], caller=BOT)
        assert (mine.state, [offer.name for offer in mine.offers]) == ("requested", ["approve_refund"])
        assert kernel.creation_view(caller=BOT).offers == ()
        assert kernel.ledger.head('/order:["o1"]') is None


def test_submitting_works_from_an_event_loop(open_kernel):
    with open_kernel() as kernel:
        answer = asyncio.run(AsyncKernel(kernel).submit(PAY, caller=SVEN))
        assert answer.verdict.code == "no_such_transition"


def test_attesting_and_observing_refuse_what_can_not_be(open_kernel):
    with open_kernel() as kernel:
        with pytest.raises(ValueError, match="`reason`: expected at most 400"):
            kernel.attest("reason", "x" * 401, by="carla", role="customer")
        with pytest.raises(ValueError, match="true or false"):
            kernel.attest("agreed", "yes", by="carla", role="customer")
        with pytest.raises(ObservationError, match="no such case"):
            kernel.observe("order", ["o9"], by="sven")
        with pytest.raises(ValueError, match="no entity"):
            kernel.view("parcel", ["o1"], caller=BOT)


def test_a_spec_that_does_not_compile_is_shown(open_kernel, tmp_path):
    with pytest.raises(PolicyError, match=r"wrong\.edca:") as raised:
        open_kernel(spec=Source("wrong.edca", "edca 1\n\nmachine wrong version"))
    assert raised.value.diagnostics
    assert not (tmp_path / "ledger.db").exists()


def test_routes_that_do_not_fit_are_shown(open_kernel):
    text = (_HERE / "refund.arp").read_text("utf-8")
    with pytest.raises(RoutesError, match="R001"):
        open_kernel(routes=Source("short.arp", text.replace("  owner        = cno\n", "")))
    with pytest.raises(RoutesError, match="R006"):
        open_kernel(routes=Source("other.arp", text.replace("frz_f", "frz_x")))
    open_kernel(routes=Source("other.arp", text.replace("frz_f", "frz_x")), check_sources=False).close()


def test_a_source_without_its_url_is_named(open_kernel, monkeypatch):
    monkeypatch.delenv("EDCA_TEST_SHOP_URL")
    with pytest.raises(RouteError, match="EDCA_TEST_SHOP_URL"):
        open_kernel()


def test_one_ledger_has_one_kernel_and_a_failed_opening_holds_nothing(open_kernel):
    with open_kernel(), pytest.raises(LedgerError):
        open_kernel()
    with pytest.raises(ValueError, match="tenant"):
        open_kernel(tenant="a/b")
    open_kernel(tenant="a").close()
