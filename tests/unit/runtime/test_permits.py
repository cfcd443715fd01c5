"""Goal: no permit, a replayed one, an expired one, a tampered one and another case's: none of them gets an effect."""

import dataclasses

import pytest
import refund_world as world

from edca.kernel.verdict import Intent
from edca.ledger.errors import LedgerFormatError
from edca.runtime.answers import Outcome
from edca.runtime.kinds import SPENT
from edca.runtime.permits import Authority, HaltedError, PermitError, Spent, has_expired, spend, spent_under
from edca.runtime.ports import Performed, Report

MINUTE = 60_000_000


class _Killed(BaseException):
    pass


@pytest.fixture
def waiting(bench):
    """Two cases accepted and waiting for their effects; the first permit of each is not spent."""
    authorities = []
    read = bench.ledger.read
    commit = bench.ledger.commit

    def die_before_spending(drafts, cells=()):
        if any(draft.kind == SPENT for draft in drafts):
            raise _Killed
        return commit(drafts, cells)

    for order in ("o1", "o2"):
        bench.approved(order)
    bench.ledger.commit = die_before_spending
    for order in ("o1", "o2"):
        with pytest.raises(_Killed):
            bench.submit("pay_and_stamp", f"p-{order}", order_id=order)
        authorities.append(Authority.of(read(bench.ledger.size - 1)))
    bench.ledger.commit = commit
    return authorities


def _spend(bench, authority, permit, **parts):
    defaults = {"undoes": None, "within_us": MINUTE}
    return spend(bench.runtime.context, authority, permit, **(defaults | parts))


def test_without_an_acceptance_there_is_no_permit(bench):
    bench.submit("approve", "a", order_id="o1", amount="900.00")
    for stored in bench.ledger.records():
        with pytest.raises(LedgerFormatError, match="accepts nothing"):
            Authority.of(stored)


def test_a_permit_is_spent_once_and_says_until_when(bench, waiting):
    permit = _spend(bench, waiting[0], waiting[0].permit(0))
    (record,) = bench.records(SPENT)
    assert permit.expires == record.content["at"] + MINUTE == record.content["expires"]
    assert spent_under(bench.ledger, waiting[0])[0, False].expires == permit.expires
    assert spent_under(bench.ledger, waiting[1]) == {}
    with pytest.raises(PermitError, match="already"):
        _spend(bench, waiting[0], waiting[0].permit(0))


def test_each_verdict_of_a_case_has_its_own_permits(bench):
    bench.approved()
    perform = bench.router.perform
    bench.router.perform = lambda permit: Report(Performed.FAILED, "the bank is closed")
    failed = bench.submit("pay", "p1", order_id="o1")
    bench.router.perform = perform
    paid = bench.submit("pay", "p2", order_id="o1")
    assert (failed.outcome, paid.outcome) == (Outcome.FAILED, Outcome.CONFIRMED)
    for answer, record in zip((failed, paid), bench.records(SPENT), strict=True):
        authority = Authority.of(bench.ledger.read(answer.record.index))
        assert spent_under(bench.ledger, authority) == {(0, False): Spent(record.content["at"], None)}


def test_an_expired_permit_is_used_no_more(bench, waiting):
    permit = _spend(bench, waiting[0], waiting[0].permit(0))
    assert [has_expired(permit, now) for now in (permit.expires - 1, permit.expires)] == [False, True]


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": {"order": ["o1"], "amount": "9999.00"}},
        {"effect": "recall_money"},
        {"place": 1},
        {"place": 7},
        {"key": "0" * 64},
        {"revision": 9},
        {"machine": bytes(32)},
        {"record": bytes(32)},
        {"case": '/order:["o2"]'},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_tampered_permit_is_no_permit(bench, waiting, change):
    forged = dataclasses.replace(waiting[0].permit(0), **change)
    with pytest.raises(PermitError, match="entitles"):
        _spend(bench, waiting[0], forged)
    assert bench.records(SPENT) == []


def test_another_cases_permit_is_no_permit(bench, waiting):
    with pytest.raises(PermitError, match="entitles"):
        _spend(bench, waiting[0], waiting[1].permit(0))
    with pytest.raises(PermitError, match="entitles"):
        _spend(bench, waiting[1], waiting[0].permit(0))


def test_a_permit_for_another_undo_than_the_acceptance_computes_is_no_permit(bench, waiting):
    right = Intent("recall_money", {"order": ["o1"], "amount": "20.00"})
    wrong = Intent("recall_money", {"order": ["o1"], "amount": "9999.00"})
    with pytest.raises(PermitError, match="entitles"):
        _spend(bench, waiting[0], waiting[0].undoing(0, wrong), undoes=right)


def test_after_the_outcome_no_permit_of_the_record_is_spent(bench, waiting):
    bench.reopen()  # recovery carries both out
    with pytest.raises(PermitError, match="does not wait"):
        _spend(bench, waiting[0], waiting[0].permit(0))
    undo = Intent("recall_money", {"order": ["o1"], "amount": "20.00"})
    with pytest.raises(PermitError, match="does not wait"):
        _spend(bench, waiting[0], waiting[0].undoing(0, undo), undoes=undo)
    assert world.row(bench.world, "o1")[1] == 2000


def test_a_halt_stops_an_effect_and_no_undo(bench, waiting):
    bench.runtime.halt("ops", "stop")
    with pytest.raises(HaltedError):
        _spend(bench, waiting[0], waiting[0].permit(0))
    undo = Intent("recall_money", {"order": ["o1"], "amount": "20.00"})
    assert _spend(bench, waiting[0], waiting[0].undoing(0, undo), undoes=undo).effect == "recall_money"
