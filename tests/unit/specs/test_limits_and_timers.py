"""Goal: the example specs run live with their limits and timers, over the databases that their schemas make."""

import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from edca.api import Accepted, Caller, FixedClock, Kernel, NoClockError, Refused, Roster, SettlementError, open_engine
from edca.kernel.calendar import DAY, SECOND

SPECS = Path(__file__).resolve().parents[3] / "specs"
HOUR = 3600 * SECOND
DESK = Caller("desk-bot", "assistant", subject="bea", model="small-model-2026-01-15")
AGENT = Caller("ops-agent", "agent", model="small-model-2026-01-15")
SUPERVISOR = Caller("sven", "supervisor", subject="carla")
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")


class _Live:
    """A kernel for a spec of `specs/` over a fresh database, and the clock it goes by."""

    def __init__(self, name, source, schema, folder, **changed):
        self.name, self.source, self.folder = name, source, folder
        self.clock = FixedClock("2026-03-20T12:00:00Z")
        self.spec = folder / name
        shutil.copytree(SPECS / name, self.spec)
        for old, new in changed.items():
            path = self.spec / f"{name}.edca"
            text = path.read_text("utf-8")
            assert text.count(old) == 1
            path.write_text(text.replace(old, new), "utf-8")
        with closing(sqlite3.connect(folder / "source.db")) as connection:
            connection.executescript((SPECS / name / schema).read_text("utf-8"))
        self.engine = open_engine(f"sqlite:///{folder / 'source.db'}")
        self.kernel = self.opened()

    def opened(self, roster=None):
        return Kernel.open(
            self.spec / f"{self.name}.edca",
            routes=self.spec / f"{self.name}.arp",
            roster=self.spec / "roster.toml" if roster is None else roster,
            ledger=self.folder / "ledger.db",
            clock=self.clock,
            engines={self.source: self.engine},
        )

    def reopen(self, roster=None):
        self.kernel.close()
        self.kernel = self.opened(roster)

    def do(self, statement):
        with closing(sqlite3.connect(self.folder / "source.db")) as connection, connection:
            connection.execute(statement)

    def submit(self, transition, caller, attestations=(), confidence=None, **arguments):
        candidate = {"transition": transition, "arguments": arguments}
        if confidence is not None:
            candidate["confidence"] = confidence
        return self.kernel.submit(candidate, caller=caller, attestations=attestations)

    def assert_sound(self):
        found = self.kernel.replay()
        assert (found.equal, found.cells) == (found.total, ())


@pytest.fixture
def live(tmp_path):
    opened = []

    def live(*arguments, **changed):
        opened.append(_Live(*arguments, tmp_path, **changed))
        return opened[-1]

    yield live
    for one in opened:
        one.assert_sound()
        one.kernel.close()
        one.engine.dispose()


def test_the_loan_desks_third_draft_in_an_hour_is_one_too_many(live):
    loans = live("loan", "core", "schema.sql", **{"count to 30": "count to 2"})
    for loan in ("l8", "l9"):
        columns = "kdnr, wu_c, unt_f, bon, bon_us, rat_c, end_us"
        loans.do(f"INSERT INTO t_kv (kvnr, {columns}) SELECT '{loan}', {columns} FROM t_kv WHERE kvnr = 'l1'")
    yes = loans.kernel.attest("data_use", True, by="bea", role="borrower", source="web form")
    purpose = loans.kernel.attest("purpose", "A new roof.", by="bea", role="borrower", source="web form")

    def draft(loan):
        offer = {"amount": "5000.00", "nominal": "4.00"}
        return loans.submit("draft", DESK, [purpose], confidence=0.95, loan_id=loan, **offer).verdict

    for loan in ("l1", "l8", "l9"):
        assert isinstance(loans.submit("complete_documents", DESK, [yes], loan_id=loan).verdict, Accepted)
        assert isinstance(loans.submit("assess", DESK, loan_id=loan).verdict, Accepted)
    assert [draft(loan).code for loan in ("l1", "l8", "l9")] == ["accepted", "accepted", "drafts_an_hour"]
    (use,) = loans.kernel.limits()
    assert (use.code, use.key, use.counted, use.reserved, use.bound) == ("drafts_an_hour", ("desk-bot",), 2, 0, 2)
    loans.reopen()
    assert draft("l9").code == "drafts_an_hour"
    loans.clock.advance(HOUR)
    assert draft("l9").code == "accepted"


def test_a_loan_application_that_nobody_goes_on_with_expires(live):
    loans = live("loan", "core", "schema.sql")
    yes = loans.kernel.attest("data_use", True, by="bea", role="borrower", source="web form")
    loans.submit("complete_documents", DESK, [yes], loan_id="l1")
    loans.clock.advance(59 * DAY)
    assert loans.kernel.tick() == ()
    loans.clock.advance(DAY)
    (fired,) = loans.kernel.tick()
    assert (fired.case, fired.transition, fired.answer.state) == ('/loan:["l1"]', "expire", "expired")
    loans.reopen()
    assert loans.kernel.tick() == ()
    late = loans.submit("assess", DESK, loan_id="l1").verdict
    assert isinstance(late, Refused) and late.code == "no_such_transition"


def test_an_alert_that_nobody_takes_comes_to_people(live):
    alerts = live("incident", "ops", "schema.sql")
    alerts.submit("look", AGENT, alert_id="a1")
    alerts.clock.advance(DAY)
    fired = [one for one in alerts.kernel.tick() if isinstance(one.answer.verdict, Accepted)]
    assert [(one.transition, one.answer.state) for one in fired] == [("hand_to_people", "overdue")]


def _approve(shop, order="o2", amount="300.00", item="b1", agreed=True):
    said = [shop.kernel.attest("reason", "Broken.", by="carla", role="customer", source="web form")]
    if agreed:
        said.append(shop.kernel.attest("agreed", True, by="carla", role="customer", source="web form"))
    picks = [{"sku": item, "count": 1}]
    return shop.submit("approve_refund", BOT, said, confidence=0.95, order_id=order, amount=amount, picks=picks)


def test_a_refund_desk_keeps_to_its_customers_day(live):
    shop = live("refund", "shop", "shop.sql", **{"to 5000.00 per utc day": "to 310.00 per utc day"})
    waiting = _approve(shop, agreed=False)
    assert waiting.verdict.code == "agreed"  # escalated, and its amount reserved
    refused = _approve(shop, "o1", "20.00", "a1")
    assert refused.verdict.code == "daily"
    assert [use.reserved for use in shop.kernel.limits() if use.code == "daily"] == [300_00]
    assert _approve(shop).verdict.code == "accepted"
    assert _approve(shop, "o1", "10.00", "a1").verdict.code == "accepted"
    assert _approve(shop, "o1", "0.01", "a1").verdict.code != "accepted"


def test_a_refund_that_nobody_goes_on_with_expires_in_the_background(live):
    shop = live("refund", "shop", "shop.sql")
    approved = _approve(shop)
    shop.clock.advance(14 * DAY)
    timers = shop.kernel.start_timers(every_s=0.01)
    with pytest.raises(RuntimeError, match="running"):
        shop.kernel.start_timers()
    while shop.kernel.ledger.size <= approved.record.index + 1:
        assert timers.failure is None
    shop.kernel.stop_timers()
    assert not timers.is_running
    late = shop.submit("pay", SUPERVISOR, order_id="o2")
    assert (late.verdict.code, late.state) == ("no_such_transition", "declined")


def test_closing_the_kernel_stops_its_timers(live):
    shop = live("refund", "shop", "shop.sql")
    timers = shop.kernel.start_timers(every_s=60)
    shop.reopen()
    assert not timers.is_running


def test_without_a_clock_on_the_roster_tick_says_what_is_missing(live):
    shop = live("refund", "shop", "shop.sql")
    shop.reopen(Roster((), ()))
    with pytest.raises(NoClockError, match="role `clock`"):
        shop.kernel.tick()


@pytest.mark.parametrize("amount", ["299.99", Decimal("299.990"), 299])
def test_an_actual_amount_is_settled_in_the_limits_own_units(live, amount):
    shop = live("refund", "shop", "shop.sql")
    approved = _approve(shop)
    shop.kernel.settle(approved.record.index, "daily", amount)
    assert [use.counted for use in shop.kernel.limits() if use.code == "daily"] == [int(Decimal(str(amount)) * 100)]


@pytest.mark.parametrize("amount", ["299.999", "much", True, 1.5, "NaN", "-1.00"])
def test_what_is_no_amount_is_not_settled(live, amount):
    shop = live("refund", "shop", "shop.sql")
    approved = _approve(shop)
    with pytest.raises(SettlementError):
        shop.kernel.settle(approved.record.index, "daily", amount)
