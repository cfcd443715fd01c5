"""Goal: whatever a model writes, and whatever fails, a library's tools lose nothing, double nothing, tell nothing."""

import asyncio
import json
import threading

import pytest
from agents.tool_context import ToolContext
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelResponse as PydanticResponse
from pydantic_ai.messages import TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel

from edca.adapters.langchain import langchain_tools
from edca.adapters.openai_agents import agents_tools
from edca.adapters.pydantic_ai import KernelToolset
from edca.api import Accepted, ToolFailedError, Toolset
from edca.ledger.record import parse
from edca.runtime.verdicts import verdict_from_raw

ORDER = (("order", ("o1",)),)
NAME = "approve_refund"
GIVEN = {
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "confidence": 0.93,
    "evidence": [],
    "rationale": "It broke.",
}


def verdicts(kernel):
    records = [parse(stored.body) for stored in kernel.ledger.records()]
    return [verdict_from_raw(record.content["verdict"]) for record in records if record.kind == "verdict"]


def toolset(desk, kernel, vouch=None):
    vouched = desk.vouched(kernel)
    return Toolset(kernel, desk.bot, cases=ORDER, vouch=vouch or (lambda _: vouched))


# Each returns a function of what the model wrote, which awaits what the model is told: made while all is well.


def langchain(kit):
    (tool,) = langchain_tools(kit)

    async def call(given):
        message = await tool.ainvoke({"type": "tool_call", "name": NAME, "args": given, "id": "1"})
        return message.artifact

    return call


def openai_agents(kit):
    (tool,) = [each for each in agents_tools(kit) if each.name == NAME]

    async def call(given):
        written = given if isinstance(given, str) else json.dumps(given)
        context = ToolContext(context=None, tool_name=NAME, tool_call_id="1", tool_arguments=written)
        return json.loads(await tool.on_invoke_tool(context, written))

    return call


def pydantic_ai(kit):
    offered = KernelToolset(kit)

    async def call(given):
        return await offered.call_tool(NAME, given, None, None)

    return call


ALL = [langchain, openai_agents, pydantic_ai]


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize("library", ALL)
@pytest.mark.parametrize(
    "wrong",
    [nested(300), {"arguments": "x" * 3_000_000}, {"arguments": {"order_id": "\ud800"}}, {"\u202e": 1}, {"role": "x"}],
    ids=["nested", "huge", "surrogate", "unicode name", "role"],
)
def test_what_is_no_candidate_is_malformed_on_record(desk, library, wrong):
    kernel = desk.open()
    told = asyncio.run(library(toolset(desk, kernel))(wrong))
    assert told["codes"] == ["malformed"]
    assert [verdict.code for verdict in verdicts(kernel)] == ["malformed"]


@pytest.mark.parametrize("library", [langchain, pydantic_ai])
@pytest.mark.parametrize("wrong", [b"x", {1}, object(), float("nan")], ids=type)
def test_what_json_cant_hold_is_malformed_on_record(desk, library, wrong):
    kernel = desk.open()
    assert asyncio.run(library(toolset(desk, kernel))({"arguments": wrong}))["codes"] == ["malformed"]
    assert [verdict.code for verdict in verdicts(kernel)] == ["malformed"]


@pytest.mark.parametrize(
    "written",
    ['{"arguments": {}, "arguments": {}}', "Sure! {}", "null", "[]", '{"a": ' * 5000, '{"confidence": NaN}'],
    ids=["twice", "words", "null", "list", "deep", "nan"],
)
def test_pydantic_ai_reads_the_models_own_text_strictly_and_goes_on(desk, written):
    kernel = desk.open()
    replies = [ToolCallPart(NAME, written), TextPart("Oh.")]
    model = FunctionModel(lambda *_: PydanticResponse(parts=[replies.pop(0)]))
    ran = asyncio.run(PydanticAgent(model, toolsets=[KernelToolset(toolset(desk, kernel))]).run("Refund me."))
    told = [part.content for m in ran.all_messages() for part in m.parts if isinstance(part, ToolReturnPart)]
    assert ran.output == "Oh."
    assert [each["codes"] for each in told] == [["malformed"]]
    assert [verdict.code for verdict in verdicts(kernel)] == ["malformed"]


@pytest.mark.parametrize("library", ALL)
def test_a_call_after_the_kernel_closed_tells_nothing_internal_and_the_host_all(desk, library):
    kernel = desk.open()
    call = library(toolset(desk, kernel))
    kernel.close()
    with pytest.raises(ToolFailedError) as caught:
        asyncio.run(call(GIVEN))
    shown = f"{caught.value} {caught.value!r}"
    assert str(desk.folder) not in shown and "ledger" not in shown and "database" not in shown
    assert str(desk.folder) in str(caught.value.__cause__)
    assert verdicts(desk.open()) == []


def in_node(tools, **options):
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode(tools, **options))
    graph.add_edge(START, "tools")
    said = AIMessage("", tool_calls=[{"name": NAME, "args": GIVEN, "id": "1"}])
    return [m for m in graph.compile().invoke({"messages": [said]})["messages"] if isinstance(m, ToolMessage)]


def test_a_langgraph_node_that_shows_the_model_errors_shows_nothing_internal(desk):
    kernel = desk.open()
    tools = langchain_tools(toolset(desk, kernel))
    kernel.close()
    (message,) = in_node(tools, handle_tool_errors=True)
    assert message.status == "error" and "can't answer now" in message.content
    assert str(desk.folder) not in message.content and "edger" not in message.content


@pytest.mark.parametrize("library", ALL)
def test_what_vouch_raises_reaches_the_library_as_it_is_and_nothing_is_decided(desk, library):
    class AskFirst(Exception):
        pass

    def vouch(_):
        raise AskFirst

    kernel = desk.open()
    with pytest.raises(AskFirst):
        asyncio.run(library(toolset(desk, kernel, vouch))(GIVEN))
    assert verdicts(kernel) == []


@pytest.mark.parametrize("library", ALL)
def test_of_eight_calls_at_once_one_is_accepted_and_each_is_on_record(desk, library):
    kernel = desk.open()
    call = library(toolset(desk, kernel))

    async def all_at_once():
        return await asyncio.gather(*(call(GIVEN) for _ in range(8)))

    told = asyncio.run(all_at_once())
    assert sorted(each["outcome"] for each in told) == ["accepted"] + ["refused"] * 7
    assert sorted(isinstance(verdict, Accepted) for verdict in verdicts(kernel)) == [False] * 7 + [True]


@pytest.mark.parametrize("library", ALL)
def test_a_call_cancelled_on_its_way_is_decided_once_and_its_repetition_is_refused(desk, library):
    kernel = desk.open()
    vouched, under_way, go_on = desk.vouched(kernel), threading.Event(), threading.Event()

    def vouch(_):
        under_way.set()
        assert go_on.wait(30)
        return vouched

    call = library(toolset(desk, kernel, vouch))

    async def cancelled_then_again():
        task = asyncio.create_task(call(GIVEN))
        await asyncio.to_thread(under_way.wait, 30)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert verdicts(kernel) == []
        go_on.set()
        while not verdicts(kernel):
            await asyncio.sleep(0.01)
        return await call(GIVEN)

    told = asyncio.run(asyncio.wait_for(cancelled_then_again(), 60))
    assert told["outcome"] == "refused"
    assert [isinstance(verdict, Accepted) for verdict in verdicts(kernel)] == [True, False]
