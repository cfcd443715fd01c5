"""Goal: no permit, a replayed one, an expired one, a tampered one and another case's: none of them gets an effect."""

import dataclasses

import pytest
import refund_world as world

from edca.kernel.verdict import Intent
from edca.ledger.errors import LedgerFormatError
from edca.runtime.permits import Authority, HaltedError, PermitError, has_expired, is_spent, spend, spent

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
        if not drafts:
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
    defaults = {"undoes": None, "now": 100, "within_us": MINUTE, "halted": False}
    return spend(bench.ledger, authority, permit, **(defaults | parts))


def test_without_an_acceptance_there_is_no_permit(bench):
    bench.submit("approve", "a", order_id="o1", amount="900.00")
    for stored in bench.ledger.records():
        with pytest.raises(LedgerFormatError, match="accepts nothing"):
            Authority.of(stored)


def test_a_permit_is_spent_once_and_says_until_when(bench, waiting):
    permit = _spend(bench, waiting[0], waiting[0].permit(0))
    assert permit.expires == 100 + MINUTE
    assert spent(bench.ledger, permit.key).expires == permit.expires
    with pytest.raises(PermitError, match="already"):
        _spend(bench, waiting[0], waiting[0].permit(0))


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
    assert not is_spent(bench.ledger, forged.key)


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
    with pytest.raises(HaltedError):
        _spend(bench, waiting[0], waiting[0].permit(0), halted=True)
    undo = Intent("recall_money", {"order": ["o1"], "amount": "20.00"})
    assert _spend(bench, waiting[0], waiting[0].undoing(0, undo), undoes=undo, halted=True).effect == "recall_money"
