"""Goal: what is another tenant's is refused, and looks in every way like what isn't there.

Two tenants share one ledger; their sources are their own. The order `o1` is the north's, `p1` the south's; both have an
`o2`, and nobody has a `q9`.
"""

import json
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from test_identity import ASKED, GIVEN, PROPOSED
from test_reading import QUERY

from edca.api import Caller, SettlementError, Toolset
from edca.diagnostics import Source
from edca.ledger.errors import LedgerError
from edca.runtime.approving import Void
from edca.runtime.reconcile import ReconciliationError
from edca.runtime.takeover import TakeoverError

SECRET = b"s" * 32


@pytest.fixture
def both(desk, request):
    text = desk.files["refund.edca"].read_text("utf-8")
    desk.files["refund.edca"] = Source(
        "refund.edca", text.replace("transition approve", f"{QUERY}\ntransition approve")
    )
    kernels = request.getfixturevalue("tenants")
    return kernels["north"], kernels["south"]


@contextmanager
def statements():
    """Collect what sources are asked."""
    found = []

    def note(_connection, _cursor, statement, *_):
        found.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def proposed(order, **more):
    return PROPOSED | {"arguments": GIVEN["arguments"] | {"order_id": order}} | more


def same(kernel, work):
    """What comes of the other tenant's order, which must be what comes of one that nobody has."""
    found = []
    for order in ("o1", "q9"):
        size = kernel.ledger.size
        with statements() as asked:
            came = work(order)
        found.append((came, sorted(asked), kernel.ledger.size - size))
    assert found[0] == found[1]
    return found[0][0]


def test_candidates(desk, both):
    north, south = both
    assert north.submit(proposed("o1"), caller=desk.bot).verdict.code == "over_limit"
    for role in (desk.bot, desk.sven):
        assert same(south, lambda order, who=role: south.submit(proposed(order), caller=who).verdict) is not None
    told = same(south, lambda order: south.session(desk.bot).submit(proposed(order)).told.to_raw())
    assert told["codes"] == ["not_possible"]


def test_queries_and_views(desk, both):
    north, south = both
    bot = desk.bot

    def asked(kernel, order):
        found = Toolset(kernel, bot).call("order_of", ASKED | {"arguments": {"order_id": order}})
        return found.to_raw()

    assert asked(north, "o1")["outcome"] == "returned"
    assert same(south, lambda order: asked(south, order))["codes"] == ["not_possible"]
    assert same(south, lambda order: json.dumps(south.view("order", [order], caller=bot).to_raw()))
    tools = same(south, lambda order: [tool.name for tool in Toolset(south, bot, cases=[("order", (order,))]).tools()])
    assert tools == ["order_of"]  # which needs no case


def test_the_state_of_a_case_that_both_have_is_each_ones_own(desk, both):
    north, south = both
    decline = {"transition": "decline", "arguments": {"order_id": "o2"}}
    north.submit(decline, caller=desk.sven)
    assert [kernel.view("order", ["o2"], caller=desk.sven).state for kernel in both] == ["declined", "requested"]
    assert south.view("order", ["o2"], caller=desk.sven).revision == 0


def test_an_idempotency_key_that_one_has_used_is_unused_for_the_other(desk, both):
    decline = {"transition": "decline", "arguments": {"order_id": "o2"}, "key": "k"}
    both[0].submit(decline, caller=desk.sven)
    other = proposed("o2", key="k")
    codes = [kernel.submit(other, caller=desk.sven).verdict.code for kernel in both]
    assert codes[0] == "duplicate" != codes[1]


def test_limits_count_for_each_tenant(desk, both):
    north, south = both
    told = north.limits(), south.limits()
    vouched = desk.vouched(north)
    assert north.submit(proposed("o1"), caller=desk.bot, attestations=vouched).verdict.code == "accepted"
    assert (len(north.limits()), south.limits()) == (len(told[0]) + 2, told[1])


def test_handles_even_of_one_secret_and_one_caller(desk, both):
    sessions = [kernel.session(desk.bot, secret=SECRET) for kernel in both]
    shown = [session.view("order", ["o2"]).facts["order.owner"] for session in sessions]
    assert shown[0] != shown[1]  # carla is carla in both
    came = sessions[0].submit(proposed("o1"))
    assert sessions[0].record(came.record) == came.answer.record.digest
    assert sessions[1].record(came.record) is None is sessions[1].record("h_" + "a" * 52)


def test_the_inbox_and_answers(desk, both):
    north, south = both
    asked = north.submit(proposed("o1"), caller=desk.bot)
    assert asked.verdict.code == "over_limit"
    (question,) = north.inbox()
    assert south.inbox() == ()
    told = set()
    for id_ in (question.id, "0" * len(question.id)):
        said = {"code": "agreed", "by": "carla", "role": "customer", "preview": question.preview.digest}
        for answer in (south.approve, south.decline):
            size = south.ledger.size
            came = answer(id_, **said)
            told.add((came.void, came.detail, came.answer, south.ledger.size - size))
    assert told == {(Void.NO_SUCH_QUESTION, "", None, 1)}
    assert north.inbox() == (question,)


def test_records_by_their_index_and_settlements(desk, both):
    north, south = both
    vouched = desk.vouched(north)
    accepted = north.submit(proposed("o1"), caller=desk.bot, attestations=vouched)
    index = accepted.record.index
    assert north.question(index).candidate.arguments["order_id"] == "o1"
    told = []
    for record in (index, 10**6, -1):
        with pytest.raises(LedgerError) as caught:
            south.question(record)
        told.append((type(caught.value), str(caught.value).replace(str(record), "N")))
    assert len(set(told)) == 1
    with pytest.raises(SettlementError, match="accepted nothing"):
        south.settle(index, "daily", "1.00")
    with pytest.raises(SettlementError, match="accepted nothing"):
        south.settle(accepted.record, "daily", "1.00")


def test_cases_by_their_id(desk, both):
    """An id names its tenant; the host that hands one to another tenant's kernel is told that there is no such case."""
    north, south = both
    vouched = desk.vouched(north)
    north.submit(proposed("o1"), caller=desk.bot, attestations=vouched)
    told = set()
    for case in ('north/order:["o1"]', 'south/order:["o1"]', 'south/order:["q9"]', "nonsense"):
        with pytest.raises(ReconciliationError) as caught:
            south.reconcile_case(case, by="sven")
        told.add(str(caught.value).replace(case, "CASE"))
    assert len(told) == 1
    for order in ("o1", "q9"):
        with pytest.raises(TakeoverError):
            south.take_over("order", [order], by="sven")
    assert north.view("order", ["o1"], caller=desk.bot).state == "approved"


def test_whoever_has_the_same_name_elsewhere_is_somebody_else(desk, both):
    """A customer of one tenant owns nothing at another: only what that tenant's own source says is theirs."""
    north, south = both
    carla = Caller("carla", "customer", subject="carla")
    views = [json.dumps(south.view("order", [order], caller=carla).to_raw()) for order in ("o1", "q9")]
    assert views[0] == views[1] != json.dumps(north.view("order", ["o1"], caller=carla).to_raw())
