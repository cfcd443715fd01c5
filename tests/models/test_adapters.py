"""Goal: agent libraries get the same tools and the same answers as everybody, and decide nothing."""

import asyncio
import json
import subprocess
import sys

import pytest
from agents import Agent, ModelResponse, RunConfig, Runner, Usage
from agents.models.interface import Model
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText
from pydantic_ai import Agent as PydanticAgent
from pydantic_ai.messages import ModelResponse as PydanticResponse
from pydantic_ai.messages import TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import FunctionModel

from edca.adapters.langchain import langchain_tools
from edca.adapters.openai_agents import agents_tools
from edca.adapters.pydantic_ai import KernelToolset
from edca.api import Accepted, Toolset
from edca.ledger.record import parse
from edca.runtime.verdicts import verdict_from_raw

ORDER = (("order", ("o1",)),)


def given(amount="20.00"):
    arguments = {"order_id": "o1", "amount": amount, "picks": [{"sku": "a1", "count": 1}]}
    return {"arguments": arguments, "confidence": 0.93, "evidence": [], "rationale": "It broke."}


def toolset(desk, kernel, **more):
    vouched = desk.vouched(kernel)
    return Toolset(kernel, desk.bot, cases=ORDER, vouch=lambda _: vouched, **more)


def verdicts(kernel):
    contents = [parse(stored.body) for stored in kernel.ledger.records()]
    return [verdict_from_raw(record.content["verdict"]) for record in contents if record.kind == "verdict"]


# --- LangChain ---


def test_langchain_a_model_is_bound_to_what_is_legal_and_its_calls_are_decided(desk):
    kernel = desk.open()
    tools = langchain_tools(toolset(desk, kernel))
    calls = [{"name": "approve_refund", "args": given(amount), "id": amount} for amount in ("9000.00", "20.00")]
    replies = [*(AIMessage("", tool_calls=[call]) for call in calls), AIMessage("It is approved.")]
    model = GenericFakeChatModel(messages=iter(replies))
    by_name = {tool.name: tool for tool in tools}
    messages = []
    while (said := model.invoke([*messages, "I want my money back."])).tool_calls:
        messages += [by_name[call["name"]].invoke(call) for call in said.tool_calls]
    assert said.text == "It is approved."
    assert all(isinstance(message, ToolMessage) for message in messages)
    assert [message.artifact["outcome"] for message in messages] == ["refused", "accepted"]
    assert json.loads(messages[0].content)["codes"] == messages[0].artifact["codes"]
    assert isinstance(verdicts(kernel)[-1], Accepted)
    assert langchain_tools(toolset(desk, kernel)) == []  # nothing more is legal


def test_langchain_tells_models_the_schema_and_not_the_kernel(desk):
    (tool,) = langchain_tools(toolset(desk, desk.open()))
    assert set(tool.args_schema["properties"]) == {"arguments", "confidence", "evidence", "rationale"}
    assert "kernel" not in tool.model_dump_json(exclude={"callbacks"}).lower()


@pytest.mark.parametrize("wrong", [{"config": {}}, {"run_manager": 1}, {"role": "sven"}, {"self": 1}])
def test_langchain_what_is_no_candidate_is_malformed_and_breaks_nothing(desk, wrong):
    kernel = desk.open()
    (tool,) = langchain_tools(toolset(desk, kernel))
    message = tool.invoke({"type": "tool_call", "name": tool.name, "args": given() | wrong, "id": "1"})
    assert message.artifact["codes"] == ["malformed"]
    assert [verdict.code for verdict in verdicts(kernel)] == ["malformed"]


def test_langchain_works_within_an_event_loop(desk):
    (tool,) = langchain_tools(toolset(desk, desk.open()))
    call = {"type": "tool_call", "name": tool.name, "args": given(), "id": "1"}
    assert asyncio.run(tool.ainvoke(call)).artifact["outcome"] == "accepted"


# --- OpenAI Agents ---


class Scripted(Model):
    """A model that calls what it is given, in order, and notes which tools it was offered."""

    def __init__(self, *outputs):
        self.outputs = list(outputs)
        self.offered = []

    async def get_response(self, *_, tools, **__):
        self.offered.append([tool.name for tool in tools])
        return ModelResponse(output=[self.outputs.pop(0)], usage=Usage(), response_id=None)

    async def stream_response(self, *_, **__):
        raise NotImplementedError


def call(name, written, id_):
    return ResponseFunctionToolCall(type="function_call", call_id=id_, name=name, arguments=written)


def words(text):
    content = [ResponseOutputText(type="output_text", text=text, annotations=[])]
    return ResponseOutputMessage(id="m", type="message", role="assistant", status="completed", content=content)


def run_agent(tools, *outputs):
    model = Scripted(*outputs)
    agent = Agent(name="desk", model=model, tools=tools)
    found = asyncio.run(Runner.run(agent, "I want my money back.", run_config=RunConfig(tracing_disabled=True)))
    told = [item["output"] for item in found.to_input_list() if item.get("type") == "function_call_output"]
    return model, found, [json.loads(text) for text in told]


def test_openai_agents_tools_are_enabled_while_they_are_legal(desk):
    kernel = desk.open()
    tools = agents_tools(toolset(desk, kernel))
    calls = [call("approve_refund", json.dumps(given(amount)), amount) for amount in ("9000.00", "20.00")]
    model, found, told = run_agent(tools, *calls, words("It is approved."))
    assert model.offered == [["approve_refund"], ["approve_refund"], []]
    assert [each["outcome"] for each in told] == ["refused", "accepted"]
    assert found.final_output == "It is approved."
    assert all(tool.strict_json_schema for tool in tools)


@pytest.mark.parametrize(
    "written", ['{"arguments": {}, "arguments": {}}', "Sure! {}", '{"confidence": NaN}', "", "[]", '{"role": "x"}']
)
def test_openai_agents_read_the_models_own_text_strictly(desk, written):
    kernel = desk.open()
    _, _, told = run_agent(agents_tools(toolset(desk, kernel)), call("approve_refund", written, "1"), words("Oh."))
    assert told[0]["codes"] == ["malformed"]
    assert [verdict.code for verdict in verdicts(kernel)] == ["malformed"]


# --- Pydantic AI ---


def run_pydantic(tools, *parts):
    replies, offered = list(parts), []

    def reply(messages, info):
        offered.append([tool.name for tool in info.function_tools])
        return PydanticResponse(parts=[replies.pop(0)])

    agent = PydanticAgent(FunctionModel(reply), toolsets=[tools])
    found = asyncio.run(agent.run("I want my money back."))
    returned = [part.content for m in found.all_messages() for part in m.parts if isinstance(part, ToolReturnPart)]
    return offered, found.output, returned


def test_pydantic_ai_asks_for_each_step_what_is_legal(desk):
    kernel = desk.open()
    calls = [ToolCallPart("approve_refund", given(amount)) for amount in ("9000.00", "20.00")]
    offered, said, told = run_pydantic(KernelToolset(toolset(desk, kernel)), *calls, TextPart("It is approved."))
    assert offered == [["approve_refund"], ["approve_refund"], []]
    assert [each["outcome"] for each in told] == ["refused", "accepted"]
    assert said == "It is approved."


def test_pydantic_ai_what_is_no_candidate_is_malformed(desk):
    kernel = desk.open()
    wrong = ToolCallPart("approve_refund", {"role": "supervisor"})
    _, _, told = run_pydantic(KernelToolset(toolset(desk, kernel)), wrong, TextPart("Oh."))
    assert told[0]["codes"] == ["malformed"]


# --- all ---

_WITHOUT = """
import sys
sys.modules[{package!r}] = None
try:
    import edca.adapters.{module}
except ImportError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("langchain", "langchain_core", "langchain"),
        ("openai_agents", "agents", "openai-agents"),
        ("pydantic_ai", "pydantic_ai", "pydantic-ai"),
    ],
)
def test_without_its_library_an_adapter_names_its_extra(module, package, extra):
    command = [sys.executable, "-c", _WITHOUT.format(module=module, package=package)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"pip install 'edca[{extra}]'" in said


def test_whichever_library_calls_the_records_are_the_same(desk):
    bodies = []
    for number, run in enumerate(
        [
            lambda tools: langchain_tools(tools)[0].invoke(given()),
            lambda tools: run_agent(agents_tools(tools), call("approve_refund", json.dumps(given()), "1"), words("x")),
            lambda tools: run_pydantic(KernelToolset(tools), ToolCallPart("approve_refund", given()), TextPart("x")),
            lambda tools: run_pydantic(
                KernelToolset(tools), ToolCallPart("approve_refund", json.dumps(given())), TextPart("x")
            ),
            lambda tools: tools.call("approve_refund", given()),
        ]
    ):
        kernel = desk.open(ledger=desk.folder / f"{number}.ledger")
        run(toolset(desk, kernel))
        (record,) = [parse(s.body).content for s in kernel.ledger.records() if parse(s.body).kind == "verdict"]
        bodies.append((record["candidate"], record["verdict"], record["rationale"]))
    assert bodies[1:] == bodies[:-1]
