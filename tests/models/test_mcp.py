"""Goal: an MCP client gets what is legal for its caller now, and whatever it calls, the kernel decides."""

import asyncio
import gc
import importlib.util
import json
import logging
import subprocess
import types

import anyio
import pytest
from mcp.client.client import Client
from mcp.shared.exceptions import MCPError
from talking import of_one, stdio, text_of

from edca.api import Accepted, Kernel, Prompt, Session, Toolset
from edca.api.converse_model import Exchange
from edca.cli.main import main
from edca.kernel.verdict import Refused
from edca.ledger.errors import LedgerError
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.mcp import watching
from edca.mcp.transports import MESSAGE_SIZE_MAX
from edca.runtime.verdicts import verdict_from_raw
from edca.semantic.handles import Handles

GIVEN = {
    "arguments": {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]},
    "confidence": 0.93,
    "evidence": ["order.status"],
    "rationale": "The customer is upset.",
}
ORDER = (("order", ("o1",)),)
ERAS = ["auto", "legacy"]


def verdicts(kernel):
    """Every verdict on record, oldest first."""
    contents = [parse(stored.body) for stored in kernel.ledger.records()]
    return [verdict_from_raw(record.content["verdict"]) for record in contents if record.kind == "verdict"]


def names(listed):
    return [tool.name for tool in listed.tools]


def talk(server, work, mode="auto", **options):
    """Run `work` with a client of the server in this process."""

    async def run():
        async with Client(server, mode=mode, **options) as client:
            return await work(client)

    return asyncio.run(run())


@pytest.mark.parametrize("mode", ERAS)
def test_tools_are_what_is_legal_for_this_caller_now(desk, mode):
    kernel = desk.open()
    listed = talk(of_one(kernel, desk.bot, cases=ORDER), Client.list_tools, mode)
    assert names(listed) == ["approve_refund"]
    (tool,) = listed.tools
    assert set(tool.input_schema["properties"]) == {"arguments", "confidence", "evidence", "rationale"}
    assert tool.output_schema is not None and tool.output_schema["additionalProperties"] is False
    assert names(talk(of_one(kernel, desk.sven, cases=ORDER), Client.list_tools, mode)) == ["approve_refund", "decline"]
    # Somebody else's order, and one that isn't there.
    for order in ("o3", "o9"):
        assert names(talk(of_one(kernel, desk.bot, cases=(("order", (order,)),)), Client.list_tools, mode)) == []
    # Without a case: what the role may propose about some case or other.
    assert names(talk(of_one(kernel, desk.sven), Client.list_tools, mode)) == ["approve_refund", "decline", "pay"]


@pytest.mark.parametrize("mode", ERAS)
def test_a_call_is_decided_by_the_kernel_and_answered_in_abstract_terms(desk, mode):
    kernel = desk.open()

    async def work(client):
        return [await client.call_tool("approve_refund", GIVEN | more) for more in ({}, {"arguments": TOO_MUCH})]

    first, second = talk(of_one(kernel, desk.bot, vouch=lambda _: desk.vouched(kernel)), work, mode)
    assert first.structured_content == {"outcome": "accepted", "codes": [], "texts": []}
    assert text_of(first) == first.structured_content
    assert not first.is_error and not second.is_error
    assert second.structured_content["codes"] == ["not_possible"]  # the case has moved on
    accepted, refused = verdicts(kernel)
    assert isinstance(accepted, Accepted) and isinstance(refused, Refused)


TOO_MUCH = {"order_id": "o1", "amount": "9000.00", "picks": [{"sku": "a1", "count": 1}]}


def test_a_tool_that_was_listed_and_is_legal_no_more_is_refused_by_the_kernel(desk):
    kernel = desk.open()

    async def work(client):
        before = names(await client.list_tools())
        kernel.submit({"transition": "decline", "arguments": {"order_id": "o1"}}, caller=desk.sven)
        size = kernel.ledger.size
        late = await client.call_tool("approve_refund", GIVEN)
        return before, late.structured_content, kernel.ledger.size - size, names(await client.list_tools())

    server = of_one(kernel, desk.bot, cases=ORDER, vouch=lambda _: desk.vouched(kernel))
    before, late, records, after = talk(server, work)
    assert (before, after) == (["approve_refund"], [])
    assert (late["outcome"], late["codes"], records) == ("refused", ["not_possible"], 1)


def test_a_tool_that_was_never_listed_is_decided_like_any_other_call(desk):
    kernel = desk.open()

    async def work(client):
        # A model may not pay, and nobody may do what is not in the spec; it can't say that it is somebody else either.
        paid = await client.call_tool("pay", {"arguments": {"order_id": "o1"}})
        strange = await client.call_tool("open_sesame", {})
        liar = await client.call_tool("approve_refund", GIVEN | {"role": "supervisor", "principal": "sven"})
        inner = await client.call_tool("approve_refund", GIVEN | {"arguments": GIVEN["arguments"] | {"role": "sven"}})
        return [result.structured_content["codes"] for result in (paid, strange, liar, inner)]

    told = talk(of_one(kernel, desk.bot), work)
    assert told == [["not_possible"], ["no_such_transition"], ["malformed"], ["bad_argument"]]
    proposers = {
        (content["candidate"] or content["malformed"])["proposer"]
        for content in (parse(stored.body).content for stored in kernel.ledger.records())
        if "candidate" in content
    }
    assert proposers == {"desk-bot"}


@pytest.mark.parametrize(
    "given",
    [
        {"arguments": []},
        {"arguments": {"order_id": "x" * 300_000}},
        {"arguments": {"order_id": "o1", "amount": 1e300}},
        {"arguments": json.loads("[" * 40 + "]" * 40)},
        {"confidence": 2, **{"arguments": {}}},
        {"evidence": ["order.frozen"], "arguments": GIVEN["arguments"]},
        {"Arguments": {}},
    ],
    ids=["list", "large", "exponent", "deep", "confidence", "invented", "surplus"],
)
def test_what_is_no_candidate_is_malformed_and_on_record(desk, given):
    kernel = desk.open()
    result = talk(of_one(kernel, desk.bot), lambda client: client.call_tool("approve_refund", given))
    assert result.structured_content["codes"] == ["malformed"]
    (verdict,) = verdicts(kernel)
    assert verdict.code == "malformed"


def test_the_idempotency_key_is_the_client_programs(desk):
    kernel = desk.open()

    async def work(client):
        meta = {"edca/key": "call-17"}
        await client.call_tool("approve_refund", GIVEN, meta=meta)
        size = kernel.ledger.size
        await client.call_tool("approve_refund", GIVEN, meta=meta)
        with pytest.raises(MCPError, match="at most 128"):
            await client.call_tool("approve_refund", GIVEN, meta={"edca/key": "x" * 129})
        return kernel.ledger.size - size

    vouched = desk.vouched(kernel)
    assert talk(of_one(kernel, desk.bot, vouch=lambda _: vouched), work) == 0
    assert [type(verdict) for verdict in verdicts(kernel)] == [Accepted]


@pytest.mark.parametrize("mode", ERAS)
def test_resources_are_the_view_and_what_states_mean(desk, mode):
    kernel = desk.open()

    async def work(client):
        listed = [resource.uri for resource in (await client.list_resources()).resources]
        templates = [found.uri_template for found in (await client.list_resource_templates()).resource_templates]
        return listed, templates, [text_of(await client.read_resource(uri)) for uri in listed]

    listed, templates, (states, new, view) = talk(of_one(kernel, desk.bot, cases=ORDER), work, mode)
    assert [str(uri) for uri in listed] == ["edca://states", "edca://view", "edca://view/order/o1"]
    assert templates == ["edca://view/order/{order_id}"]
    assert states["states"]["paid"] == "The money has left. It cannot be called back."
    assert view["facts"].pop("order.owner").startswith("h_")  # who somebody is has a handle
    assert view == json.loads(json.dumps(kernel.view("order", ["o1"], caller=desk.bot).to_raw()))
    assert view["facts"]["order.total"] == "80.00" and new["transitions"] == []


def test_a_view_of_what_is_not_theirs_is_a_view_of_nothing(desk):
    kernel = desk.open()

    async def work(client):
        found = [await client.read_resource(f"edca://view/order/{key}") for key in ("o3", "o9", "%22%0A", "x" * 500)]
        return {content.contents[0].text for content in found}

    assert len(talk(of_one(kernel, desk.bot), work)) == 1


def test_an_address_that_is_none_tells_nothing(desk):
    kernel = desk.open()

    async def work(client):
        told = set()
        for uri in (
            "edca://view/line",
            "edca://view/order/o1/o2",
            "edca://ledger",
            "file:///etc/passwd",
            "edca://view/x/y",
        ):
            with pytest.raises(MCPError) as caught:
                await client.read_resource(uri)
            told.add((caught.value.error.code, caught.value.error.message))
        return told

    assert len(talk(of_one(kernel, desk.bot), work)) == 1


@pytest.mark.parametrize("mode", ERAS)
def test_a_fault_tells_a_client_nothing(desk, mode, monkeypatch, caplog):
    kernel = desk.open()
    told = set()

    async def work(client):
        for error in (LedgerError("t_so is locked by shop.db"), RuntimeError("password=hunter2"), KeyError("o3")):

            def broken(*_, error=error, **__):
                raise error

            monkeypatch.setattr(kernel, "submit", broken)
            with pytest.raises(MCPError) as caught:
                await client.call_tool("approve_refund", GIVEN)
            told.add((caught.value.error.code, caught.value.error.message, caught.value.error.data))

    with caplog.at_level(logging.ERROR):
        talk(of_one(kernel, desk.bot), work, mode)
    assert len(told) == 1 and "hunter2" not in str(told)
    assert "hunter2" in caplog.text  # the operator is told


@pytest.mark.parametrize("mode", ERAS)
def test_who_lists_is_told_when_what_they_may_do_changes(desk, mode):
    kernel = desk.open()
    heard = anyio.Event()

    async def on_message(message):
        if type(message).__name__ == "ToolListChangedNotification":
            heard.set()

    async def work(client):
        assert names(await client.list_tools()) == ["approve_refund"]
        if mode == "legacy":
            await client.call_tool("approve_refund", GIVEN)
            with anyio.fail_after(10):
                await heard.wait()
            return
        async with client.listen(tools_list_changed=True) as changes:
            await client.call_tool("approve_refund", GIVEN)
            with anyio.fail_after(10):
                assert type(await anext(changes)).__name__ == "ToolsListChanged"

    server = of_one(kernel, desk.bot, cases=ORDER, vouch=lambda _: desk.vouched(kernel), watch_every_s=600)
    talk(server, work, mode, message_handler=on_message)


class Mute:
    """A connection of an older client that takes no notification, or fails with one."""

    protocol_version = "2025-06-18"

    def __init__(self, told, error=None, *, reads=True):
        self.told, self.error, self.reads = told, error, reads

    async def send_tool_list_changed(self):
        if self.error is not None:
            raise self.error
        if not self.reads:
            await anyio.sleep_forever()
        self.told.append(self)


def test_a_connection_that_is_not_read_or_fails_holds_up_nobody(desk, monkeypatch):
    monkeypatch.setattr(watching, "_TOLD_WITHIN_S", 0.05)
    toolset, told = Toolset(desk.open(), desk.bot), []
    sessions = [Mute(told, reads=False), Mute(told, RuntimeError("gone")), Mute(told)]

    async def work():
        async def in_thread(do):
            return do()

        watched = watching.Watching(600, in_thread)
        for number, session in enumerate(sessions):
            request = types.SimpleNamespace(headers={"mcp-session-id": str(number)})
            watched.seen("carla", toolset, (), types.SimpleNamespace(session=session, request=request))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watched.run)
            with anyio.fail_after(5):
                while not told:  # the list isn't the empty one that they have seen
                    await anyio.sleep(0.01)
            tasks.cancel_scope.cancel()

    asyncio.run(work())
    assert told == sessions[2:]


def test_over_pipes_the_operator_says_who_is_calling(desk):
    async def work():
        async with Client(stdio(desk, "--case", "o1"), mode="auto") as client:
            listed = names(await client.list_tools())
            await client.call_tool("approve_refund", GIVEN)
            refused = await client.call_tool("approve_refund", GIVEN | {"arguments": TOO_MUCH})
            return listed, refused.structured_content, text_of(await client.read_resource("edca://view/order/o1"))

    listed, told, view = asyncio.run(work())
    assert listed == ["approve_refund"]
    assert told["codes"] == ["over_total", "over_limit", "agreed", "twice", "daily"]
    assert view["state"] == "requested"
    kernel = desk.open()
    found = kernel.replay()
    assert (found.equal, found.mismatches) == (found.total, ())
    assert [verdict.code for verdict in verdicts(kernel)] == ["over_limit", "over_total"]


def test_a_message_larger_than_may_be_ends_the_connection_and_is_no_candidate(desk):
    parameters = stdio(desk)
    started = subprocess.Popen(
        [parameters.command, *parameters.args],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=parameters.env,
    )
    told, said = started.communicate(b"[" + b" " * (MESSAGE_SIZE_MAX + 10) + b"]\n" + b"{}\n", timeout=60)
    assert started.returncode == 0 and told == b""
    assert b"larger than" in said
    assert verdicts(desk.open()) == []


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "serves one caller"),
        (["--as", "desk-bot"], "`--role` is missing"),
        (["--http", "127.0.0.1:8765"], "serves one caller"),
        (["--as", "a", "--role", "b", "--http", "127.0.0.1:1", "--identities", "x"], "serves one caller"),
        (["--http", "8765", "--identities", "x"], "is no address"),
        (["--http", "0.0.0.0:8765", "--identities", "IDS"], "in the clear"),
        (["--http", "127.0.0.1:8765", "--identities", "missing.toml"], "no such file"),
        (["--http", "127.0.0.1:8765", "--identities", "IDS", "--tenant", "north"], "tenant ``"),
        (["--as", "desk-bot", "--role", "assistant", "--case", "[1, 2]"], "is no key"),
        (["--as", "desk-bot", "--role", "assistant", "--timers", "--roster", "NOCLOCK"], "in which the clock proposes"),
    ],
)
def test_what_it_is_started_with_is_checked_first(desk, capsys, options, problem):
    identities, people = desk.folder / "identities.toml", desk.folder / "people.toml"
    identities.write_text(f'[[identities]]\ntoken_sha256 = "{"a" * 64}"\nprincipal = "desk-bot"\nrole = "assistant"\n')
    people.write_text(desk.files["roster.toml"].read_text("utf-8").replace('roles = ["clock"]', 'roles = ["customer"]'))
    given = [{"IDS": str(identities), "NOCLOCK": str(people)}.get(option, option) for option in options]
    files = ["--routes", str(desk.files["refund.arp"]), "--ledger", str(desk.folder / "refunds.ledger")]
    files += [] if "--roster" in given else ["--roster", str(desk.files["roster.toml"])]
    with pytest.raises(SystemExit) as ended:
        main(["mcp", str(desk.files["refund.edca"]), *files, "--source", f"shop=sqlite:///{desk.shop}", *given])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert problem in said


def test_without_the_protocols_library_the_command_names_its_extra(desk, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "mcp" else find(name, *rest))
    with pytest.raises(SystemExit):
        main(["mcp", "x", "--routes", "x", "--roster", "x", "--ledger", "x", "--as", "a", "--role", "b"])
    assert "pip install 'edca[mcp]'" in capsys.readouterr().err


def test_what_a_model_is_handed_leads_nowhere(desk):
    """From views, tools, prompts and answers no kernel, store, route, engine or secret can be reached."""
    kernel = desk.open()
    toolset = Toolset(kernel, desk.bot, cases=ORDER)
    answer = toolset.call("approve_refund", GIVEN)
    view = toolset.view(ORDER[0])
    handed = [view, toolset.tools(), Prompt(view, (Exchange("", answer.told),)), answer.told, answer.to_raw()]
    found = reachable(handed)
    assert not [one for one in found if type(one).__module__.split(".")[0] in ("sqlalchemy", "sqlite3", "socket")]
    kept = (Kernel, Toolset, Session, Handles, SQLiteLedger, type(kernel._runtime), type(kernel._runtime.context))
    assert not [one for one in found if isinstance(one, kept)]
    assert any(isinstance(one, Kernel) for one in reachable([toolset]))  # the test can fail


def reachable(roots):
    """Everything that can be reached from some objects, without going through modules and types."""
    seen, left = {}, list(roots)
    while left:
        one = left.pop()
        if id(one) in seen or isinstance(one, (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType)):
            continue
        seen[id(one)] = one
        left += gc.get_referents(one)
    return list(seen.values())
