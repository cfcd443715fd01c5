"""Goal: nobody learns from trying often: beyond a bound every answer is one answer, and nothing is even looked at."""

import json

import pytest

from edca.api import Accepted, Caller, Probing, Refused, for_model
from edca.kernel.candidate import NOT_LOOKED_AT, Malformed
from edca.ledger.record import parse
from edca.runtime.probing import Probes
from edca.semantic.candidate import admit

GOOD = {
    "transition": "approve_refund",
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "confidence": 0.93,
}
STRANGE = {**GOOD, "arguments": {**GOOD["arguments"], "order_id": "o9"}}
NOT_MINE = {**GOOD, "arguments": {**GOOD["arguments"], "order_id": "o3"}}
TOO_MUCH = {**GOOD, "arguments": {**GOOD["arguments"], "amount": "9000.00"}}
MISTYPED = {**GOOD, "arguments": {**GOOD["arguments"], "amount": "a lot"}}
ATTEMPTS = [b"{", json.dumps({"transition": "open_sesame"}), MISTYPED, STRANGE, NOT_MINE, TOO_MUCH]
REFUSAL = Refused(transition="pay", code="absent", stage=None, detail="", clauses=())
THREE = Probing(refused_max=3, within_us=60_000_000)


def told(kernel, candidate, caller, **more):
    answer = kernel.submit(candidate, caller=caller, **more)
    payload = candidate if isinstance(candidate, bytes) else json.dumps(candidate).encode()
    if isinstance(candidate, str):
        payload = candidate.encode()
    return answer, for_model(kernel.machine, admit(payload, caller), answer.verdict)


def exhausted(desk, **more):
    kernel = desk.open(probing=THREE, **more)
    for _ in range(3):
        kernel.submit(NOT_MINE, caller=desk.bot)
    return kernel


def test_beyond_the_bound_every_answer_is_the_same_whatever_is_sent(desk):
    kernel = exhausted(desk)
    vouched = desk.vouched(kernel)
    answers = [told(kernel, one, desk.bot, attestations=vouched) for one in [*ATTEMPTS, GOOD]]
    assert {json.dumps(each.to_raw()) for _, each in answers} == {
        '{"outcome": "refused", "codes": ["not_possible"], "texts": ["This is not possible."]}'
    }
    assert all(isinstance(answer.verdict, Refused) for answer, _ in answers)


def test_before_the_bound_the_same_attempts_are_told_apart_as_ever(desk):
    kernel = desk.open(probing=None)
    assert len({told(kernel, one, desk.bot)[1].codes for one in ATTEMPTS}) > 3


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=range(len(ATTEMPTS)))
def test_every_kind_of_refusal_counts(desk, attempt):
    kernel = desk.open(probing=THREE)
    for _ in range(3):
        assert kernel.submit(attempt, caller=desk.bot).verdict.detail != NOT_LOOKED_AT
    assert kernel.submit(attempt, caller=desk.bot).verdict.detail == NOT_LOOKED_AT


def test_it_is_on_record_and_operators_are_told(desk):
    kernel = exhausted(desk)
    answer = kernel.submit(GOOD, caller=desk.bot)
    content = parse(kernel.ledger.read(answer.record.index).body).content
    assert content["malformed"]["problem"] == NOT_LOOKED_AT
    assert content["malformed"]["proposer"] == "desk-bot" and content["malformed"]["size"] > 100
    assert content["facts"] == []
    found = kernel.replay()
    assert (found.equal, found.mismatches) == (found.total, ())


def test_no_source_is_asked(desk):
    kernel = exhausted(desk)
    asked = []
    object.__setattr__(kernel._runtime.context, "router", _Watched(kernel._runtime.context.router, asked))
    kernel.submit(GOOD, caller=desk.bot)
    assert asked == []
    kernel.submit(GOOD, caller=desk.sven)
    assert asked


class _Watched:
    def __init__(self, router, asked):
        self._router, self._asked = router, asked

    def read(self, requests, as_of):
        self._asked.append(requests)
        return self._router.read(requests, as_of)

    def __getattr__(self, name):
        return getattr(self._router, name)


def test_it_holds_for_one_principal_and_subject_alone(desk):
    kernel = exhausted(desk)
    other = Caller("desk-bot", "assistant", subject="dora", model=desk.bot.model)
    assert kernel.submit(GOOD, caller=other).verdict.detail != NOT_LOOKED_AT
    decline = {"transition": "decline", "arguments": {"order_id": "o1"}}
    assert isinstance(kernel.submit(decline, caller=desk.sven).verdict, Accepted)


def test_waiting_helps_and_asking_on_does_not_hurt(desk):
    kernel = exhausted(desk)
    desk.clock.advance(59_000_000)
    for _ in range(4):
        assert kernel.submit(GOOD, caller=desk.bot).verdict.detail == NOT_LOOKED_AT
    desk.clock.advance(1_000_000)
    answer = kernel.submit(GOOD, caller=desk.bot, attestations=desk.vouched(kernel))
    assert isinstance(answer.verdict, Accepted)


def test_acceptances_and_repeated_answers_count_nothing(desk):
    kernel = desk.open(probing=THREE)
    for _ in range(5):
        kernel.submit({**NOT_MINE, "key": "one"}, caller=desk.bot)
    assert kernel.submit(NOT_MINE, caller=desk.bot).verdict.detail != NOT_LOOKED_AT


def test_the_clock_is_never_held_up(desk):
    kernel = desk.open(probing=THREE)
    clock = Caller("timers", "clock")
    expire = {"transition": "expire", "arguments": {"order_id": "o1"}}
    for _ in range(5):
        assert kernel.submit(expire, caller=clock).verdict.detail != NOT_LOOKED_AT


def test_a_bound_that_bounds_nothing_is_none():
    for wrong in ({"refused_max": 0}, {"within_us": 0}):
        with pytest.raises(ValueError, match="at least"):
            Probing(**wrong)


class _Noon:
    source = "test"

    def __init__(self) -> None:
        self.us = 0

    def now(self) -> int:
        return self.us


def _refused(probes, machine, clock, name):
    probes.note(machine, Caller(name, "assistant", model="m-2026-01-15"), REFUSAL, clock)


def _held_up(probes, machine, clock, name):
    caller = Caller(name, "assistant", model="m-2026-01-15")
    return isinstance(probes.looked_at(machine, b"{}", caller, clock), Malformed)


def test_who_was_not_refused_within_the_window_is_forgotten_and_so_memory_is(desk):
    machine, clock = desk.open().machine, _Noon()
    probes = Probes(Probing(refused_max=1, within_us=1_000))
    for number in range(5_000):
        clock.us = number
        _refused(probes, machine, clock, f"bot {number}")
    assert len(probes) == 1_000
    assert _held_up(probes, machine, clock, "bot 4000") and not _held_up(probes, machine, clock, "bot 3999")


def test_of_more_principals_than_are_kept_those_refused_last_stay(desk, monkeypatch):
    monkeypatch.setattr("edca.runtime.probing._KEPT_MAX", 100)
    machine, clock = desk.open().machine, _Noon()
    probes = Probes(Probing(refused_max=1, within_us=1_000_000))
    for name in [*(f"bot {number}" for number in range(150)), "bot 50", "bot 150"]:
        _refused(probes, machine, clock, name)
    assert len(probes) == 100
    assert _held_up(probes, machine, clock, "bot 50") and not _held_up(probes, machine, clock, "bot 51")
