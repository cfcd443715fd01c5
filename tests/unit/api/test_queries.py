"""Goal: what a role may look up goes through the same gate: released values only, on record, and nothing moves."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edca.api import (
    AsyncKernel,
    Caller,
    FixedClock,
    Inquiry,
    Kernel,
    Malformed,
    Probing,
    Refused,
    Reply,
    Returned,
    Rung,
    Toolset,
    converse,
    query_for_model,
    query_for_operator,
)
from edca.api.history import History, as_database
from edca.cli.engines import Engine, replays_with
from edca.diagnostics import Source
from edca.ledger.record import parse
from edca.reference import evaluate
from edca.semantic.inquiry import admit_inquiry
from edca.semantic.tools import ToolKind, as_mcp, as_text, tools_of

_HERE = Path(__file__).resolve().parent
BOT = Caller("bot", "assistant", subject="carla", model="small-model-2024-05-01")
SVEN = Caller("sven", "supervisor", subject="carla")

QUERIES = """
query order_of(order_id: id) about order by order_id
{
  means "The customer's own order."
  by    assistant, customer
  let worth = sum(l.price for l in order.lines)
  require order.status != placed else refuse too_soon "Nothing has been sent yet."
  returns status    = order.status
  returns total     = order.total
  returns worth     = worth
  returns delivered = order.delivered_at
  returns lines     = each l in order.lines where l.returnable { sku = l.sku, price = l.price }
}
query any_order(order_id: id) about order by order_id
{
  means "Anybody's order, for who answers for them."
  by    supervisor
  unblockable
  returns owner = order.owner
}
"""
_SHOP = """
CREATE TABLE t_ord(ono TEXT PRIMARY KEY, cno TEXT, lvl TEXT, st_cd TEXT, tot_c INTEGER, ref_c INTEGER,
                   dlv_us INTEGER, frz_f INTEGER);
CREATE TABLE t_itm(ono TEXT, art TEXT, prc_c INTEGER, ret_f INTEGER, PRIMARY KEY(ono, art));
CREATE TABLE t_done(op_key TEXT PRIMARY KEY, body TEXT);
INSERT INTO t_ord VALUES('o1', 'carla', 'R', 'D', 8000, 0, 1772355600000000, 0);
INSERT INTO t_ord VALUES('o2', 'mallory', 'R', 'D', 8000, 0, 1772355600000000, 0);
INSERT INTO t_ord VALUES('o3', 'carla', 'R', 'D', 8000, 0, NULL, 1);
INSERT INTO t_ord VALUES('o4', 'carla', 'R', 'P', 8000, 0, NULL, 0);
INSERT INTO t_ord VALUES('o5', 'carla', 'R', '??', 8000, 0, NULL, 0);
INSERT INTO t_ord VALUES('o6', 'carla', 'R', 'D', NULL, 0, NULL, 0);
INSERT INTO t_itm VALUES('o1', 'a1', 7000, 1);
INSERT INTO t_itm VALUES('o1', 'b2', 1000, 0);
"""
NOT_POSSIBLE = {"outcome": "refused", "codes": ["not_possible"], "texts": ["This is not possible."]}


@pytest.fixture
def kernel(tmp_path, monkeypatch, repository):
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(_SHOP)
    monkeypatch.setenv("EDCA_TEST_SHOP_URL", f"sqlite:///{path}")
    spec = Source("refund.edca", (repository / "specs" / "refund" / "refund.edca").read_text("utf-8") + QUERIES)
    with Kernel.open(
        spec,
        routes=_HERE / "refund.arp",
        roster=_HERE / "roster.toml",
        ledger=tmp_path / "ledger.db",
        clock=FixedClock("2026-03-20T12:00:00Z"),
        probing=Probing(refused_max=20),
    ) as opened:
        yield opened


def told(kernel, inquiry, caller=BOT):
    answer = kernel.query(inquiry, caller=caller)
    asked = inquiry if isinstance(inquiry, bytes) else None
    read = admit_inquiry(asked, caller) if asked is not None else as_inquiry(inquiry, caller)
    return query_for_model(kernel.machine, read, answer.verdict).to_raw()


def as_inquiry(data, caller):
    return Inquiry(data["query"], data.get("arguments", {}), caller.proposer, caller.role, caller.subject, caller.model)


def order(key, query="order_of"):
    return {"query": query, "arguments": {"order_id": key}}


def test_what_is_ones_own_is_returned_and_nothing_else(kernel) -> None:
    answer = kernel.query(order("o1"), caller=BOT)
    assert isinstance(answer.verdict, Returned)
    assert dict(answer.verdict.values) == {
        "status": "delivered",
        "total": "80.00",
        "worth": "80.00",
        "delivered": 1772355600000000,
        "lines": [{"sku": "a1", "price": "70.00"}],
    }
    assert told(kernel, order("o1")) == {
        "outcome": "returned",
        "values": {
            "status": "delivered",
            "total": "80.00",
            "worth": "80.00",
            "delivered": "2026-03-01T09:00:00Z",
            "lines": [{"sku": "a1", "price": "70.00"}],
        },
    }
    lines = query_for_operator(kernel.machine, answer.verdict)
    assert lines[0] == "returned order_of: The customer's own order."
    assert lines[-1] == "  3 of 3 clauses passed"


def test_what_is_not_theirs_absent_drifted_frozen_and_half_known_is_one_answer(kernel) -> None:
    """A model can't tell them apart, whatever the operator knows; the other clauses' codes say nothing either."""
    codes = {}
    for key in ("o2", "o3", "o5", "o6", "o9"):
        answer = kernel.query(order(key), caller=BOT)
        assert isinstance(answer.verdict, Refused)
        codes[key] = answer.verdict.code
        assert told(kernel, order(key)) == NOT_POSSIBLE, key
    assert codes == {"o2": "not_yours", "o3": "frozen", "o5": "too_soon", "o6": "fact_missing", "o9": "not_yours"}


def test_a_clause_that_gives_nothing_away_says_why(kernel) -> None:
    assert told(kernel, order("o4")) == {
        "outcome": "refused",
        "codes": ["too_soon"],
        "texts": ["Nothing has been sent yet."],
    }


def test_absence_and_anothers_make_the_same_requests(kernel, monkeypatch) -> None:
    """What only the answer needs is not read before the clauses have passed, so neither time nor load tells."""
    router, asked = kernel._runtime.context.router, []
    read = router.read

    def counting(requests, as_of):
        asked.append([(request.entity, request.fields) for request in requests])
        return read(requests, as_of)

    monkeypatch.setattr(type(router), "read", lambda self, requests, as_of: counting(requests, as_of))
    seen = {}
    for key in ("o2", "o9", "o1"):
        asked.clear()
        kernel.query(order(key), caller=BOT)
        seen[key] = list(asked)
    assert seen["o2"] == seen["o9"]
    assert len(seen["o1"]) == len(seen["o2"]) + 1


def test_nothing_is_offered_to_whom_it_isnt_meant_for(kernel) -> None:
    assert told(kernel, order("o1", "any_order")) == NOT_POSSIBLE
    answer = kernel.query(order("o2", "any_order"), caller=SVEN)
    assert isinstance(answer.verdict, Returned) and answer.verdict.values == {"owner": "mallory"}
    assert [query.name for query in kernel.view("order", ["o1"], caller=BOT).queries] == ["order_of"]
    assert [query.name for query in kernel.view("order", ["o9"], caller=BOT).queries] == ["order_of"]
    assert [query.name for query in kernel.creation_view(caller=SVEN).queries] == ["any_order"]


@pytest.mark.parametrize(
    ("inquiry", "code"),
    [
        (b"{", "malformed"),
        (b'{"query": "order_of", "query": "order_of"}', "malformed"),
        (b'{"query": "order_of", "proposer": "sven"}', "malformed"),
        (b'{"query": 1}', "malformed"),
        (b'{"query": "order_of", "arguments": []}', "malformed"),
        (b'{"query": "order_of", "arguments": {"order_id": "\\ud800"}}', "malformed"),
        (b'{"query": "orders"}', "no_such_query"),
        (b'{"query": "order_of"}', "bad_argument"),
        (b'{"query": "order_of", "arguments": {"order_id": 1}}', "bad_argument"),
        (b'{"query": "order_of", "arguments": {"order_id": "o1", "subject": "mallory"}}', "bad_argument"),
        (b'{"query": "pay", "arguments": {"order_id": "o1"}}', "no_such_query"),
    ],
)
def test_what_is_no_query_is_refused_and_recorded(kernel, inquiry, code) -> None:
    answer = kernel.query(inquiry, caller=BOT)
    assert isinstance(answer.verdict, Refused) and answer.verdict.code == code
    assert told(kernel, inquiry)["codes"] == [code]
    assert parse(kernel.ledger.read(answer.record.number).body).content["verdict"]["code"] == code


def test_who_asks_is_the_hosts_word(kernel) -> None:
    claimed = Inquiry("order_of", {"order_id": "o2"}, "mallory", "customer", "mallory", None)
    answer = kernel.query(claimed, caller=BOT)
    assert isinstance(answer.verdict, Refused) and answer.verdict.code == "not_yours"
    nobody = kernel.query(order("o1"), caller=Caller("stranger", "assistant", "carla", BOT.model))
    assert nobody.verdict.code == "unknown_proposer"
    other = kernel.query(order("o1"), caller=Caller("bot", "assistant", "carla", "another-model"))
    assert other.verdict.code == "model_mismatch"
    unsaid = kernel.query(order("o1"), caller=Caller("bot", "assistant", None, BOT.model))
    assert unsaid.verdict.code == "not_yours"


def test_law_4_a_query_moves_nothing_and_touches_nothing(kernel) -> None:
    """Whatever is asked, however often: no case, no counter, no effect, and no source is written to."""
    before = {space: list(kernel.ledger.cells(space)) for space in kernel.ledger.spaces()}
    shop = kernel.view("order", ["o1"], caller=BOT)
    for key in ("o1", "o2", "o9"):
        kernel.query(order(key), caller=BOT)
    assert {space: list(kernel.ledger.cells(space)) for space in kernel.ledger.spaces()} == before
    assert kernel.view("order", ["o1"], caller=BOT) == shop
    kinds = [parse(stored.body).kind for stored in kernel.ledger.records()]
    assert set(kinds) == {"config", "query"}


def test_a_halted_machine_answers_nothing(kernel) -> None:
    kernel.halt(by="sven", reason="something is wrong")
    answer = kernel.query(order("o1"), caller=BOT)
    assert answer.verdict.code == "halted"
    assert kernel.view("order", ["o1"], caller=BOT).queries == ()


def test_every_answer_is_on_record_and_replays(kernel) -> None:
    first = kernel.query(order("o1"), caller=BOT)
    kernel.query(order("o2"), caller=BOT)
    kernel.query(b"{", caller=BOT)
    kernel.halt(by="sven", reason="something is wrong")
    kernel.query(order("o1"), caller=BOT)
    record = parse(kernel.ledger.read(first.record.number).body)
    assert (record.kind, record.chain, record.entry) == ("query", "/#query:refund", 0)
    content = record.content
    assert content["inquiry"]["subject"] == "carla"
    assert content["verdict"]["values"]["lines"] == [{"sku": "a1", "price": "70.00"}]
    assert [clause["code"] for clause in content["verdict"]["clauses"]] == ["not_yours", "frozen", "too_soon"]
    replayed = kernel.replay()
    assert (replayed.mismatches, replayed.not_replayed, replayed.cells) == ((), (), ())
    assert replayed.equal == replayed.total


def test_who_probes_too_often_is_not_looked_at(kernel) -> None:
    for _ in range(20):
        assert told(kernel, order("o2")) == NOT_POSSIBLE
    answer = kernel.query(order("o1"), caller=BOT)
    assert isinstance(answer.verdict, Refused) and answer.verdict.code == "malformed"
    assert told(kernel, order("o1")) == NOT_POSSIBLE
    record = parse(kernel.ledger.read(answer.record.number).body)
    assert record.content["facts"] == [] and record.content["inquiry"] is None


def test_asked_in_a_task_it_is_the_same(kernel) -> None:
    async def ask():
        answers = AsyncKernel(kernel)
        return await asyncio.gather(*(answers.query(order(key), caller=BOT) for key in ("o1", "o2", "o1")))

    first, second, third = asyncio.run(ask())
    assert first.verdict == third.verdict and isinstance(second.verdict, Refused)
    assert len({answer.record.number for answer in (first, second, third)}) == 3


def test_tools_tell_queries_from_transitions(kernel) -> None:
    view = kernel.view("order", ["o1"], caller=BOT)
    tools = tools_of(view)
    (asked,) = [tool for tool in tools if tool.kind is ToolKind.QUERY]
    assert (asked.name, list(asked.parameters["properties"])) == ("order_of", ["arguments"])
    hints = {tool["name"]: tool["annotations"]["readOnlyHint"] for tool in as_mcp(tools)}
    assert hints == {tool.name: tool.kind is ToolKind.QUERY for tool in tools}
    assert "- order_of: The customer's own order." in as_text(view)


def test_malformed_bytes_are_kept_by_digest_alone(kernel) -> None:
    answer = kernel.query(b'{"secret": "do not keep this"}', caller=BOT)
    stored = kernel.ledger.read(answer.record.number)
    assert b"do not keep this" not in stored.body
    assert isinstance(admit_inquiry(b"[]", BOT), Malformed)


def test_what_is_personal_stands_in_no_record_and_replays_all_the_same(kernel, tmp_path, repository) -> None:
    """Values that are personal are sealed in the scope of whose they are, whoever asks."""
    text = (repository / "specs" / "refund" / "refund.edca").read_text("utf-8") + QUERIES
    labelled = text.replace("total        : money fixed", "total        : money fixed personal")
    assert labelled != text
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript("UPDATE t_ord SET tot_c = 9123")
    labelled += 'release order.total to assistant, customer "It is their own."\n'
    parts = {"routes": _HERE / "refund.arp", "roster": _HERE / "roster.toml", "ledger": tmp_path / "sealed.db"}
    spec, noon = Source("refund.edca", labelled), FixedClock("2026-03-20T12:00:00Z")
    with Kernel.open(spec, clock=noon, **parts) as other:
        answers = [other.query(order(key), caller=BOT) for key in ("o1", "o2")]
        answers.append(other.query(b"{", caller=BOT))
        answers.append(other.query({"query": "order_of", "arguments": {"order_id": "o1", "x": "my pin"}}, caller=BOT))
        assert answers[0].verdict.values["total"] == "91.23"
        bodies = [other.ledger.read(answer.record.number).body for answer in answers]
        assert not any(b"91.23" in body or b"my pin" in body for body in bodies)
        assert b"delivered" in bodies[0]
        replayed = other.replay()
        assert (replayed.mismatches, replayed.not_replayed, replayed.cells) == ((), (), ())


def test_a_toolset_asks_what_is_a_query(kernel) -> None:
    """What hands tools to a model asks queries by the same door: own things are told, other people's are not there."""
    tools = Toolset(kernel, BOT)
    assert "order_of" in {tool.name for tool in tools.tools()}
    own = tools.call("order_of", {"arguments": {"order_id": "o1"}})
    assert own.to_raw()["values"]["total"] == "80.00"
    written = tools.call("order_of", '{"arguments": {"order_id": "o1"}}')
    assert written.to_raw() == own.to_raw()
    assert tools.call("order_of", {"arguments": {"order_id": "o2"}}).to_raw() == NOT_POSSIBLE
    assert tools.call("order_of", {"arguments": {"order_id": "o9"}}).to_raw() == NOT_POSSIBLE
    assert tools.call("order_of", "{").to_raw()["codes"] == ["malformed"]


def test_a_conversation_looks_up_before_it_proposes(kernel) -> None:
    """The plain loop asks what is a query, and what it is told stands in the next prompt."""
    replies = iter([b'{"transition": "order_of", "arguments": {"order_id": "o1"}}', None])
    prompts = []

    class Reader:
        def propose(self, prompt):
            prompts.append(prompt)
            candidate = next(replies)
            return Reply(candidate) if candidate is not None else Reply(says="done")

    ended = converse(Rung(Reader(), BOT), kernel, about=("order", ["o1"]))
    assert [type(turn.answer.verdict) for turn in ended.turns] == [Returned]
    assert json.loads(prompts[1].text().splitlines()[-1])["told"]["values"]["total"] == "80.00"
    assert "You may look one of these up" in prompts[0].text()


def test_both_engines_answer_anew_what_was_asked(kernel, tmp_path, repository, monkeypatch) -> None:
    spec = tmp_path / "refund.edca"
    spec.write_text((repository / "specs" / "refund" / "refund.edca").read_text("utf-8") + QUERIES, "utf-8")
    for key in ("o1", "o2", "o4", "o9"):
        kernel.query(order(key), caller=BOT)
    found = replays_with(Engine.BOTH, kernel.ledger, [spec], lambda done, total: None)
    assert {name: (one.equal, one.mismatches) for name, one in found.items()} == {
        "compiled": (kernel.ledger.size, ()),
        "reference": (kernel.ledger.size, ()),
    }
    monkeypatch.setattr(evaluate, "_compare", lambda comparison, left, right: True)
    wrong = replays_with(Engine.REFERENCE, kernel.ledger, [spec], lambda done, total: None)["reference"]
    assert [one.path for one in wrong.mismatches] != []


def test_what_was_looked_up_can_be_counted(kernel) -> None:
    """Beside verdicts stands a table of queries; their clauses stand with the others."""
    for key, caller in (("o1", BOT), ("o2", BOT), ("o4", BOT)):
        kernel.query(order(key), caller=caller)
    kernel.query(b"no query", caller=BOT)
    kernel.query(order("o6", "any_order"), caller=SVEN)
    history = History(kernel.ledger.records())
    tables = as_database(history)
    rows = tables.execute(
        "select query, outcome, code, stage, proposer, role, subject, model, mode from queries"
    ).fetchall()
    who = ("bot", "assistant", "carla", "small-model-2024-05-01", "normal")
    assert rows == [
        ("order_of", "returned", "returned", None, *who),
        ("order_of", "refused", "not_yours", None, *who),
        ("order_of", "refused", "too_soon", None, *who),
        ("", "refused", "malformed", "malformed", *who),
        ("any_order", "returned", "returned", None, "sven", "supervisor", "carla", None, "normal"),
    ]
    assert history.unread == 0
    failed = "select query, clauses.code, result from clauses join queries using (record) where result != 'passed'"
    assert tables.execute(failed).fetchall() == [
        ("order_of", "not_yours", "failed"),
        ("order_of", "too_soon", "failed"),
    ]
    read = (
        "select readings.name, value from readings join queries using (record) "
        "where query = 'order_of' and readings.code = 'too_soon'"
    )
    assert tables.execute(read).fetchall() == [("order.status", "placed")]
    assert tables.execute("select name, version, count(*) from queries group by 1, 2").fetchall() == [
        (kernel.machine.name, kernel.machine.version, 5)
    ]
    tables.close()
