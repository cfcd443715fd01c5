"""Goal: what an agent reads goes through the same gate as what it proposes, whichever way it asks."""

import asyncio
import json

import pytest
from mcp.client.client import Client
from talking import of_one
from test_adapters import call, run_agent, words
from test_converse import Script, approve, reply

from edca.adapters.langchain import langchain_tools
from edca.adapters.openai_agents import agents_tools
from edca.api import Accepted, Returned, Rung, Toolset, converse
from edca.diagnostics import Source
from edca.ledger.record import parse

ORDER = (("order", ("o1",)),)
QUERY = """
query order_of(order_id: id) about order by order_id
{
  means "The customer's own order."
  by    assistant
  require order.status != placed else refuse too_soon "Nothing has been sent yet."
  returns status = order.status
  returns total  = order.total
}
"""


@pytest.fixture
def kernel(desk):
    spec = (
        desk.files["refund.edca"]
        .read_text("utf-8")
        .replace("transition approve_refund", f"{QUERY}\ntransition approve_refund", 1)
    )
    desk.files["refund.edca"] = Source("refund.edca", spec)
    return desk.open()


def kinds(kernel):
    return [parse(stored.body).kind for stored in kernel.ledger.records()]


RETURNED = {"outcome": "returned", "values": {"status": "delivered", "total": "80.00"}}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_query_is_a_tool_that_changes_nothing_and_is_on_record(desk, kernel, mode):
    async def work():
        async with Client(of_one(kernel, desk.bot, cases=ORDER), mode=mode) as client:
            listed = (await client.list_tools()).tools
            asked = [await client.call_tool("order_of", {"arguments": {"order_id": key}}) for key in ("o1", "o3", "o9")]
            wrong = await client.call_tool("order_of", {"arguments": {"order_id": "o1"}, "confidence": 1})
            return listed, [one.structured_content for one in (*asked, wrong)]

    listed, told = asyncio.run(work())
    assert [(tool.name, tool.annotations.read_only_hint) for tool in listed] == [
        ("approve_refund", False),
        ("order_of", True),
    ]
    assert told[0] == RETURNED
    assert told[1] == told[2] and told[1]["codes"] == ["not_possible"]  # not theirs, and not there
    assert told[3]["codes"] == ["malformed"]
    assert kinds(kernel).count("query") == 4 and "verdict" not in kinds(kernel)


def test_a_conversation_reads_before_it_proposes(desk, kernel):
    ask = {"transition": "order_of", "arguments": {"order_id": "o1"}}
    model = Script(reply(ask), reply(approve("20.00")))
    found = converse(Rung(model, desk.bot), kernel, about=ORDER[0], attestations=desk.vouched(kernel))
    assert [type(turn.answer.verdict) for turn in found.turns] == [Returned, Accepted]
    assert model.prompts[1].events[0].told.to_raw() == RETURNED
    assert json.loads(model.prompts[1].events[0].proposed) == ask


def test_queries_that_keep_being_refused_end_it_as_candidates_do(desk, kernel):
    ask = {"transition": "order_of", "arguments": {"order_id": "o9"}}
    found = converse(Rung(Script(*[reply(ask)] * 9), desk.bot), kernel, about=ORDER[0])
    assert (found.ended.value, len(found.turns)) == ("refused", 3)


def test_agent_libraries_ask_like_everybody(desk, kernel):
    toolset = Toolset(kernel, desk.bot, cases=ORDER)
    by_name = {tool.name: tool for tool in langchain_tools(toolset)}
    assert json.loads(by_name["order_of"].invoke({"arguments": {"order_id": "o1"}})) == RETURNED
    written = json.dumps({"arguments": {"order_id": "o1"}})
    _, _, told = run_agent(agents_tools(toolset), call("order_of", written, "1"), words("It is 80."))
    assert told == [RETURNED]
    assert kinds(kernel).count("query") == 2
