"""Goal: a conversation decides nothing and can't run, wait or spend without end, whatever its models do."""

import json
import threading

import pytest

from edca.api import Accepted, Caller, Refused
from edca.api.converse import Bounds, Ended, converse
from edca.api.converse_budget import KernelBudget, OwnBudget
from edca.api.converse_model import Exchange, ModelError, Reply, Rules, Rung
from edca.api.untrusted import Untrusted
from edca.ledger.record import parse
from edca.runtime.retries import Schedule

ORDER = ("order", ("o1",))
ONCE = Schedule(1, ())


def approve(amount, **more):
    arguments = {"order_id": "o1", "amount": amount, "picks": [{"sku": "a1", "count": 1}]}
    return {"transition": "approve_refund", "arguments": arguments, "confidence": 0.93, **more}


def reply(candidate, cost=None):
    return Reply(candidate if isinstance(candidate, bytes) else json.dumps(candidate).encode(), cost=cost)


class Script:
    """A model that replies what it is given, in order: replies, or exceptions to raise; then it has nothing to add."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.prompts = []

    def propose(self, prompt, /):
        self.prompts.append(prompt)
        found = self.replies.pop(0) if self.replies else Reply(says="That is all.")
        if isinstance(found, Exception):
            raise found
        return found


def test_a_model_sees_the_view_proposes_and_is_told_in_abstract_terms(desk):
    kernel = desk.open()
    model = Script(reply(approve("5000.00")), reply(approve("20.00")))
    found = converse(Rung(model, desk.bot), kernel, about=ORDER, attestations=desk.vouched(kernel))
    assert [type(turn.answer.verdict) for turn in found.turns] == [Refused, Accepted]
    assert (found.ended, found.says) == (Ended.SAID, Untrusted("model", "That is all."))
    first, second, third = model.prompts
    assert third.view.offers == ()  # an assistant can do nothing once it is approved, but say so
    assert first.events == () and first.view.state == "requested"
    told = second.events[0].told
    assert (told.outcome, told.codes) == ("refused", ("over_total", "over_limit", "twice"))
    assert "8000" not in second.text() and "t_so" not in second.text()


def test_a_model_that_has_only_words_ends_the_conversation(desk):
    kernel = desk.open()
    size = kernel.ledger.size
    found = converse(Rung(Script(Reply(says="Which item is it?")), desk.bot), kernel, about=ORDER)
    assert (found.ended, found.turns, kernel.ledger.size) == (Ended.SAID, (), size)
    assert found.says is not None and found.says.text == "Which item is it?"


def test_rules_are_asked_before_models_and_decide_as_little(desk):
    kernel = desk.open()
    rule = Rules(lambda prompt: approve("10.00") if not prompt.events else None)
    model = Script(reply(approve("20.00")))
    found = converse([Rung(rule, desk.bot), Rung(model, desk.bot)], kernel, about=ORDER)
    # Nobody has said yes: both wait for the customer. After each, the rule is asked first, and has nothing to add.
    assert [turn.rung for turn in found.turns] == [0, 1]
    assert [turn.told.outcome for turn in found.turns] == ["escalated", "escalated"]
    assert found.ended is Ended.SAID


def test_what_is_no_candidate_is_recorded_and_asked_again_only_so_often(desk):
    kernel = desk.open()
    chatter = Script(*[reply(b"Sure! Here is the JSON: {}") for _ in range(9)])
    found = converse(Rung(chatter, desk.bot, malformed_max=3), kernel, about=ORDER)
    assert (found.ended, len(found.turns)) == (Ended.MALFORMED, 3)
    assert {turn.told.codes for turn in found.turns} == {("malformed",)}
    kinds = [parse(stored.body).content["malformed"] for stored in kernel.ledger.records(chain="intake")]
    assert len(kinds) == 3 and all(kinds)
    # What the model wrote is not repeated to it.
    assert all(event.proposed == "" for event in found.events)


def test_a_rung_that_keeps_being_refused_or_malformed_gives_way_to_the_next(desk):
    kernel = desk.open()
    stubborn = Script(*[reply(approve("9000.00")) for _ in range(3)])
    broken = Script(*[reply(b"{") for _ in range(2)])
    good = Script(reply(approve("20.00")))
    ladder = [Rung(stubborn, desk.bot), Rung(broken, desk.bot), Rung(good, desk.bot)]
    found = converse(ladder, kernel, about=ORDER, attestations=desk.vouched(kernel))
    assert [turn.rung for turn in found.turns] == [0, 0, 0, 1, 1, 2]  # and then the lowest begins again
    assert isinstance(found.turns[-1].answer.verdict, Accepted)


def test_the_last_rung_that_keeps_being_refused_ends_it(desk):
    kernel = desk.open()
    found = converse(Rung(Script(*[reply(approve("9000.00"))] * 9), desk.bot, refused_max=2), kernel, about=ORDER)
    assert (found.ended, len(found.turns)) == (Ended.REFUSED, 2)


def test_transient_failures_are_tried_again_so_often_and_others_never(desk):
    kernel = desk.open()
    pauses = []
    busy = ModelError("the provider is busy", transient=True)
    patient = Script(busy, busy, Reply(says="Here I am."))
    found = converse(Rung(patient, desk.bot), kernel, about=ORDER, pause=pauses.append)
    assert (found.ended, pauses) == (Ended.SAID, [200_000, 1_000_000])
    assert found.failures == ("rung 0: the provider is busy",) * 2
    always = Script(busy, busy, busy, Reply(says="too late"))
    found = converse(Rung(always, desk.bot), kernel, about=ORDER, pause=pauses.append)
    assert (found.ended, len(always.prompts)) == (Ended.NO_REPLY, 3)
    gone = Script(ModelError("no such model", transient=False), Reply(says="too late"))
    assert converse(Rung(gone, desk.bot), kernel, about=ORDER).ended is Ended.NO_REPLY
    assert len(gone.prompts) == 1


def test_a_model_that_hangs_is_waited_for_only_so_long(desk):
    kernel = desk.open()
    release = threading.Event()

    class Hangs:
        def propose(self, prompt, /):
            release.wait(20)

    try:
        rung = Rung(Hangs(), desk.bot, timeout_s=0.05, schedule=ONCE)
        found = converse([rung, Rung(Script(Reply(says="Sorry.")), desk.bot)], kernel, about=ORDER)
    finally:
        release.set()
    assert found.ended is Ended.SAID
    assert found.failures == ("rung 0: no reply within 0.05 s",)


def test_a_bug_of_an_adapter_surfaces(desk):
    with pytest.raises(ZeroDivisionError):
        converse(Rung(Script(ZeroDivisionError()), desk.bot), desk.open(), about=ORDER)


def test_turns_and_prompts_are_bounded(desk):
    kernel = desk.open()
    eager = Script(*[reply(approve("20.00", key=f"k{n}")) for n in range(50)])  # all wait for the customer
    found = converse(Rung(eager, desk.bot), kernel, about=ORDER, bounds=Bounds(turns_max=4))
    assert (found.ended, len(found.turns)) == (Ended.TURNS, 4)
    passage = Untrusted("customer", "x" * 5000)
    found = converse(Rung(eager, desk.bot), kernel, about=ORDER, events=[passage], bounds=Bounds(prompt_size_max=5000))
    assert found.ended is Ended.TOO_LONG
    endless = Script(Reply(says="la" * 100_000))
    found = converse(Rung(endless, desk.bot), kernel, about=ORDER)
    assert (found.ended, len(found.failures)) == (Ended.NO_REPLY, 1)


def test_bounds_that_let_nothing_happen_are_no_bounds(desk):
    for wrong in ({"timeout_s": 0}, {"malformed_max": 0}, {"refused_max": 0}, {"cost_max": -1}):
        with pytest.raises(ValueError, match="positive"):
            Rung(Script(), desk.bot, **wrong)
    with pytest.raises(ValueError, match="at least one turn"):
        Bounds(turns_max=0)
    with pytest.raises(ValueError, match="at least one rung"):
        converse([], desk.open(), about=ORDER)


def test_an_own_budget_is_reserved_before_a_model_is_asked_and_settled_after(desk):
    kernel = desk.open()
    budget = OwnBudget(250)
    seen = []

    class Counts(Script):
        def propose(self, prompt, /):
            seen.append(budget.left)
            return super().propose(prompt)

    model = Counts(reply(approve("20.00", key="a"), 40), reply(approve("20.00", key="b")), reply(approve("20.00"), 0))
    found = converse(Rung(model, desk.bot, cost_max=100), kernel, about=ORDER, budget=budget)
    # 40 of 100 were spent; the second did not say, so all 100 are; the third finds 110, the fourth 110 - 0, and so on.
    assert seen == [150, 110, 10, 10]
    assert (found.ended, budget.left) == (Ended.SAID, 10)


def test_no_model_is_asked_that_the_budget_has_no_room_for(desk):
    model = Script(Reply(says="never"))
    found = converse(Rung(model, desk.bot, cost_max=100), desk.open(), about=ORDER, budget=OwnBudget(99))
    assert (found.ended, model.prompts) == (Ended.OUT_OF_BUDGET, [])


def test_a_declared_budget_is_reserved_and_settled_on_record(desk, usage):
    host = Caller("host", "operator")
    ask = lambda tokens: {"transition": "ask", "arguments": {"desk_id": "d1", "tokens": tokens}}  # noqa: E731
    budget = KernelBudget(usage, host, "tokens", ask)
    model = Script(*[reply(approve("20.00", key=f"k{n}"), 100) for n in range(50)])
    found = converse(Rung(model, desk.bot, cost_max=400), desk.open(), about=ORDER, budget=budget)
    # 1000 a day: the n-th reply needs 100 (n - 1) + 400 <= 1000.
    assert (found.ended, len(found.turns)) == (Ended.OUT_OF_BUDGET, 7)
    (used,) = usage.limits()
    assert (used.counted, used.reserved) == (700, 0)
    kinds = [parse(stored.body).kind for stored in usage.ledger.records()]
    assert kinds.count("settlement") == 7
    again = converse(Rung(model, desk.bot, cost_max=400), desk.kernels[0], about=ORDER, budget=budget)
    assert (again.ended, again.turns) == (Ended.OUT_OF_BUDGET, ())  # it holds across conversations


def test_what_a_model_is_given_holds_no_kernel_and_no_store(desk):
    model = Script()
    converse(Rung(model, desk.bot), desk.open(), about=ORDER, events=[Untrusted("customer", "Please.")])
    (prompt,) = model.prompts
    assert [tool.name for tool in prompt.tools] == ["approve_refund"]
    assert [type(event) for event in prompt.events] == [Untrusted]


def test_people_and_models_of_a_conversation_are_the_hosts_word(desk):
    kernel = desk.open()
    liar = Script(reply(approve("20.00") | {"proposer": "sven"}), reply(approve("20.00") | {"role": "supervisor"}))
    found = converse(Rung(liar, desk.bot), kernel, about=ORDER)
    assert {turn.told.codes for turn in found.turns} == {("malformed",)}
    exchange = found.events[0]
    assert isinstance(exchange, Exchange) and "sven" not in exchange.proposed


def test_a_providers_whole_answer_is_read_strictly_and_kept_to_what_was_shown(desk):
    kernel = desk.open()
    call = {"type": "function_call", "name": "approve_refund", "arguments": ""}
    given = {"arguments": approve("20.00")["arguments"], "confidence": 0.93}
    good = {"output": [call | {"arguments": json.dumps(given)}]}
    invented = {"output": [call | {"arguments": json.dumps(given | {"evidence": ["order.frozen"]})}]}
    model = Script(*[Reply(json.dumps(answer).encode(), shape="openai") for answer in (invented, good)])
    found = converse(Rung(model, desk.bot), kernel, about=ORDER, attestations=desk.vouched(kernel))
    assert [turn.told.codes for turn in found.turns] == [("malformed",), ()]
    assert isinstance(found.turns[1].answer.verdict, Accepted)
