"""Goal: in a LangGraph graph the tools of LangChain answer as everywhere, and the graph decides nothing."""

import asyncio
import json

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from edca.adapters.langchain import langchain_tools
from edca.api import Accepted, Toolset
from edca.ledger.record import parse
from edca.runtime.verdicts import verdict_from_raw

ORDER = (("order", ("o1",)),)


def given(amount="20.00"):
    arguments = {"order_id": "o1", "amount": amount, "picks": [{"sku": "a1", "count": 1}]}
    return {"arguments": arguments, "confidence": 0.93, "evidence": [], "rationale": "It broke."}


def call(args, name="approve_refund", id="1"):
    return {"name": name, "args": args, "id": id}


def toolset(desk, kernel, cases=ORDER):
    vouched = desk.vouched(kernel)
    return Toolset(kernel, desk.bot, cases=cases, vouch=lambda _: vouched)


def verdicts(kernel):
    records = [parse(stored.body) for stored in kernel.ledger.records()]
    return [verdict_from_raw(record.content["verdict"]) for record in records if record.kind == "verdict"]


def node(tools):
    """A graph that is nothing but LangGraph's own node for tools."""
    graph = StateGraph(MessagesState)
    graph.add_node("tools", ToolNode(tools))
    graph.add_edge(START, "tools")
    return graph.compile()


def answers(state):
    return [message for message in state["messages"] if isinstance(message, ToolMessage)]


class Bound(GenericFakeChatModel):
    """A model that says what it is given, in order, and notes which tools it was offered at each step."""

    offered: list = []  # noqa: RUF012 -- a field of pydantic, copied per model

    def bind_tools(self, tools, **_):
        self.offered.append([tool.name for tool in tools])
        return self


def agent(legal, all_, *replies):
    """An agent as the guide has it: the model is bound to what is legal at its turn, the node knows whatever may be."""
    model = Bound(messages=iter(replies))

    def think(state):
        return {"messages": [model.bind_tools(langchain_tools(legal)).invoke(state["messages"])]}

    graph = StateGraph(MessagesState)
    graph.add_node("model", think)
    graph.add_node("tools", ToolNode(langchain_tools(all_)))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(), model


def test_langgraph_an_agent_is_refused_then_accepted_and_then_offered_nothing(desk):
    kernel = desk.open()
    replies = [AIMessage("", tool_calls=[call(given(amount), id=amount)]) for amount in ("9000.00", "20.00")]
    graph, model = agent(toolset(desk, kernel), toolset(desk, kernel, None), *replies, AIMessage("It is approved."))
    ended = graph.invoke({"messages": [HumanMessage("I want my money back.")]})
    assert ended["messages"][-1].text == "It is approved."
    assert model.offered == [["approve_refund"], ["approve_refund"], []]
    assert [message.artifact["outcome"] for message in answers(ended)] == ["refused", "accepted"]
    assert [json.loads(message.content) for message in answers(ended)] == [each.artifact for each in answers(ended)]
    assert isinstance(verdicts(kernel)[-1], Accepted)


def test_langgraph_a_tool_that_is_legal_no_more_is_refused_on_record(desk):
    kernel = desk.open()
    graph = node(langchain_tools(toolset(desk, kernel)))
    replies = [AIMessage("", tool_calls=[call(given(), id=id)]) for id in ("1", "2")]
    outcomes = [answers(graph.invoke({"messages": [reply]}))[0].artifact["outcome"] for reply in replies]
    assert outcomes == ["accepted", "refused"]
    assert [isinstance(verdict, Accepted) for verdict in verdicts(kernel)] == [True, False]


def test_langgraph_of_two_calls_in_one_message_one_is_accepted(desk):
    kernel = desk.open()
    graph = node(langchain_tools(toolset(desk, kernel)))
    said = AIMessage("", tool_calls=[call(given(), id=id) for id in ("1", "2")])
    told = answers(graph.invoke({"messages": [said]}))
    assert [message.tool_call_id for message in told] == ["1", "2"]
    assert sorted(message.artifact["outcome"] for message in told) == ["accepted", "refused"]
    assert sorted(isinstance(verdict, Accepted) for verdict in verdicts(kernel)) == [False, True]


def test_langgraph_within_an_event_loop(desk):
    graph = node(langchain_tools(toolset(desk, desk.open())))
    said = AIMessage("", tool_calls=[call(given())])
    assert answers(asyncio.run(graph.ainvoke({"messages": [said]})))[0].artifact["outcome"] == "accepted"


@pytest.mark.parametrize("wrong", [{"config": {}}, {"runtime": 1}, {"state": {}}, {"store": 1}, {"role": "supervisor"}])
def test_langgraph_what_the_graph_has_names_for_a_model_cant_write(desk, wrong):
    kernel = desk.open()
    graph = node(langchain_tools(toolset(desk, kernel)))
    (message,) = answers(graph.invoke({"messages": [AIMessage("", tool_calls=[call(given() | wrong)])]}))
    assert message.artifact["codes"] == ["malformed"]
    assert [verdict.code for verdict in verdicts(kernel)] == ["malformed"]
