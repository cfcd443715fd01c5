"""Goal: over a real HTTP connection, an effect ends in the declared state, and nothing stays half known."""

import json
import socketserver
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler

import pytest
import refund_world as world

from edca.kernel.roster import Roster
from edca.runtime import reconcile
from edca.runtime.answers import Outcome
from edca.runtime.ports import Performed, Report
from edca.runtime.reconcile import ReconciliationError

SECOND = 1_000_000
CASE = '/order:["o1"]'


class Bank(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Pays over HTTP. What goes wrong is set from outside: `slow` effects answer late, `broken` ones not at all."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, router):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.perform = router.perform
        self.knows = router.performed
        self.honours_keys = True
        self.slow, self.broken, self.refusing = set(), set(), set()
        self.go = threading.Event()
        self.is_silent = False
        self.calls = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        bank = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        effect, key = body["effect"], self.headers["Idempotency-Key"]
        bank.calls.append((effect, key))
        if effect in bank.refusing:
            self._answer(409, {"performed": "failed"})
            return
        report = bank.perform(_Asked(effect, body["arguments"], key if bank.honours_keys else str(len(bank.calls))))
        if effect in bank.slow:
            bank.go.wait(10)
        if effect in bank.broken:
            self.close_connection = True
            return
        self._answer(200, {"performed": report.performed.value})

    def do_GET(self):
        if self.server.is_silent:
            self.close_connection = True
            return
        key = self.path.rpartition("/")[2]
        self._answer(200, {"performed": self.server.knows(_Asked("", {}, key)).value})

    def _answer(self, status, body):
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_):
        """Keep quiet."""


class _Asked:
    def __init__(self, effect, arguments, key):
        self.effect, self.arguments, self.key = effect, arguments, key


class BankRouter(world.OrderRouter):
    """Reads orders as before, and has its effects done by the bank."""

    def __init__(self, path, bank):
        super().__init__(path)
        self._bank = bank

    def perform(self, permit):
        body = json.dumps({"effect": permit.effect, "arguments": permit.arguments}).encode()
        request = urllib.request.Request(  # noqa: S310 -- our own server
            self._bank.url, body, {"Idempotency-Key": permit.key, "Content-Type": "application/json"}
        )
        return self._said(request)

    def performed(self, permit):
        return self._said(f"{self._bank.url}/done/{permit.key}").performed

    def _said(self, request):
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 -- our own server
                return Report(Performed(json.load(answer)["performed"]))
        except urllib.error.HTTPError as error:
            with error:
                return Report(Performed(json.load(error)["performed"]), f"status {error.code}")
        except OSError as error:
            return Report(Performed.UNKNOWN, type(error).__name__)


@pytest.fixture
def bank(bench):
    bank = Bank(bench.router)
    bench.router = BankRouter(bench.world, bank)
    bench.reopen(world.timed(8 * SECOND))
    bench.approved()
    yield bank
    bank.go.set()
    bank.shutdown()
    bank.server_close()


def _paid(bench):
    return world.row(bench.world, "o1")[1]


def test_an_effect_that_times_out_after_it_succeeded_is_known_to_have_succeeded(bench, bank):
    bank.slow.add("send_money")
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, answer.state, _paid(bench)) == (Outcome.CONFIRMED, "paid", 2000)
    (step,) = bench.records("outcome")[0].content["effects"]
    assert (step["in_time"], step["report"], step["ensure"]) == (False, "done", "passed")
    assert bench.submit("pay", "p", order_id="o1") == answer
    assert len(bank.calls) == 1
    bench.assert_replays()


def test_where_the_bank_can_not_say_so_either_the_case_is_stuck_until_it_can(bench, bank):
    bank.slow.add("send_money")
    bank.is_silent = True
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, answer.state, _paid(bench)) == (Outcome.TIMED_OUT, "stuck", 2000)
    blind = bench.runtime.reconcile(CASE, "sven")
    assert [finding.report.performed for finding in blind.findings] == [Performed.UNKNOWN]
    bank.is_silent = False
    found = bench.runtime.reconcile(CASE, "sven")
    assert [(f.permit.effect, f.report.performed) for f in found.findings] == [("send_money", Performed.DONE)]
    assert bench.row().case.state == "stuck"  # a person moves it, by the machine's own transitions
    assert [len(record.content["effects"]) for record in bench.records("reconciled")] == [1, 1]
    bench.assert_replays()


def test_a_connection_that_breaks_after_the_effect_is_asked_for(bench, bank):
    bank.broken.add("send_money")
    answer = bench.submit("pay", "p", order_id="o1")
    assert (answer.outcome, answer.state, _paid(bench)) == (Outcome.CONFIRMED, "paid", 2000)
    bench.assert_replays()


class _Killed(BaseException):
    pass


@pytest.mark.parametrize(("honours_keys", "sent_count"), [(True, 1), (False, 2)])
def test_a_call_made_again_sends_twice_only_where_nobody_minds_the_key(bench, bank, honours_keys, sent_count):
    """The bank has done it, a crash hides that, and its books show it late: so the call is made again."""
    bank.honours_keys = honours_keys
    perform, knows = bench.router.perform, bank.knows

    def die_after(permit):
        perform(permit)
        raise _Killed

    bench.router.perform = die_after
    with pytest.raises(_Killed):
        bench.submit("pay", "p", order_id="o1")
    bench.router.perform = perform
    bank.knows = lambda asked: Performed.FAILED
    (answer,) = bench.reopen(world.timed(8 * SECOND))
    bank.knows = knows
    sends = [key for effect, key in bank.calls if effect == "send_money"]
    assert (len(sends), len(set(sends))) == (2, 1)
    recalled = sum(effect == "recall_money" for effect, _ in bank.calls)
    assert _paid(bench) + 2000 * recalled == 2000 * sent_count
    # Sent twice is not what was decided, and reading it back shows that.
    assert answer.outcome is (Outcome.CONFIRMED if honours_keys else Outcome.UNDONE)
    bench.assert_replays()


def test_an_effect_whose_undo_fails_ends_in_the_declared_state(bench, bank):
    bank.refusing |= {"stamp", "recall_money"}
    answer = bench.submit("pay_and_stamp", "p", order_id="o1")
    assert (answer.outcome, answer.state, _paid(bench)) == (Outcome.TIMED_OUT, "stuck", 2000)
    assert bench.row().case.pending is None
    found = bench.runtime.reconcile(CASE, "sven")
    told = [(f.permit.effect, f.undoing, f.report.performed) for f in found.findings]
    assert told == [
        ("send_money", False, Performed.DONE),
        ("recall_money", True, Performed.FAILED),
        ("stamp", False, Performed.FAILED),
    ]
    bench.assert_replays()


def test_a_quarantined_case_is_reconciled_and_then_observed(bench, bank):
    bench.reopen()  # the machine without deadlines
    bank.slow.clear()
    bench.approved("o2")
    bank.broken.add("send_money")
    bank.is_silent = True
    answer = bench.submit("pay", "p", order_id="o2")
    assert answer.outcome is Outcome.QUARANTINED
    bank.is_silent = False
    found = bench.runtime.reconcile('/order:["o2"]', "sven")
    assert [finding.report.performed for finding in found.findings] == [Performed.DONE]
    assert bench.row("o2").quarantined
    bench.runtime.observe("order", ("o2",), by="sven", state="paid")
    assert (bench.row("o2").case.state, bench.row("o2").case.pending) == ("paid", None)
    bench.assert_replays()


@pytest.mark.parametrize(
    ("case", "by", "message"),
    [(CASE, "bot", "no person"), ('/order:["o9"]', "sven", "no case"), (CASE, "sven", "timed out or is quarantined")],
)
def test_there_must_be_something_to_reconcile(bench, bank, case, by, message):
    size = bench.ledger.size
    with pytest.raises(ReconciliationError, match=message):
        bench.runtime.reconcile(case, by)
    assert bench.ledger.size == size


def test_who_is_off_the_roster_by_the_time_the_routes_have_answered_puts_nothing_on_record(bench, bank, monkeypatch):
    bank.slow.add("send_money")
    bank.is_silent = True
    bench.submit("pay", "p", order_id="o1")
    findings = reconcile._findings
    left = tuple(one for one in world.ROSTER.principals if one.id != "sven")
    mandates = tuple(one for one in world.ROSTER.mandates if one.principal != "sven")

    def leave_meanwhile(context, acceptance):
        bench.runtime.adopt_roster(Roster(left, mandates), "sam", "Sven has left.")
        return findings(context, acceptance)

    monkeypatch.setattr(reconcile, "_findings", leave_meanwhile)
    with pytest.raises(ReconciliationError, match="no person"):
        bench.runtime.reconcile(CASE, "sven")
    assert bench.records("reconciled") == []
    bench.assert_replays()


def test_what_was_accepted_under_other_routes_is_not_asked_about(bench, bank):
    bank.slow.add("send_money")
    bank.is_silent = True
    bench.submit("pay", "p", order_id="o1")
    bench.router.document = b"other routes"
    bench.router.digest = world.canonical.digest("routes", bench.router.document)
    bench.reopen(world.timed(8 * SECOND))
    with pytest.raises(ReconciliationError, match="other routes"):
        bench.runtime.reconcile(CASE, "sven")
