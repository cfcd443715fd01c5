"""Goal: over HTTP a caller is who their token says, sees what is theirs, and learns nothing of anybody else."""

import asyncio
import json

import anyio
import httpx2
import pytest
from mcp.shared.exceptions import MCPError
from talking import OTHER, TOKEN, connected, http, text_of
from test_mcp import GIVEN, ORDER, names, verdicts

from edca.api import Caller
from edca.ledger.record import parse
from edca.mcp import Identities, IdentitiesError, Identity, InsecureError, load_identities
from edca.mcp.identities import token_digest
from edca.mcp.transports import MESSAGE_SIZE_MAX, check_address

ERAS = ["auto", "legacy"]


def dora(desk):
    return Caller("desk-bot", "assistant", subject="dora", model=desk.bot.model)


@pytest.mark.parametrize("mode", ERAS)
def test_a_token_says_who_calls_and_what_is_theirs(desk, mode):
    kernel = desk.open()
    tokens = {TOKEN: Identity(desk.bot, cases=ORDER), OTHER: Identity(dora(desk), cases=ORDER)}

    async def work(address):
        async with connected(address, TOKEN, mode=mode) as carlas, connected(address, OTHER, mode=mode) as doras:
            listed = names(await carlas.list_tools()), names(await doras.list_tools())
            calls = [await client.call_tool("approve_refund", GIVEN) for client in (doras, carlas)]
            uri = "edca://view/order/o1"
            views = [text_of(await client.read_resource(uri))["state"] for client in (doras, carlas)]
            return listed, [call.structured_content["outcome"] for call in calls], views

    with http(kernel, tokens, vouch=lambda _: desk.vouched(kernel)) as address:
        listed, outcomes, views = asyncio.run(work(address))
    assert listed == (["approve_refund"], [])
    assert outcomes == ["refused", "accepted"] and views == [None, "approved"]
    assert next(verdict.code for verdict in verdicts(kernel)) == "not_yours"


@pytest.mark.parametrize("header", [None, "Bearer wrong-token-wrong-token-1", "Basic x", "Bearer", f"Bearer {TOKEN}x"])
def test_without_a_token_nothing_is_told(desk, header):
    with http(desk.open(), {TOKEN: Identity(desk.bot)}) as address:
        for path in ("", "/x"):
            headers = {"Content-Type": "application/json"} | ({} if header is None else {"Authorization": header})
            answer = httpx2.post(f"{address}{path}", content=b"{}", headers=headers)
            assert (answer.status_code, answer.content, answer.headers["WWW-Authenticate"]) == (401, b"", "Bearer")


def post(address, body, token=TOKEN, **headers):
    """Send bytes as a client would."""
    given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"} | headers
    return httpx2.post(address, content=body, headers={"Authorization": f"Bearer {token}"} | given)


def test_a_message_is_bounded_before_anybody_reads_it(desk):
    kernel = desk.open()
    size = kernel.ledger.size
    with http(kernel, {TOKEN: Identity(desk.bot)}) as address:
        assert post(address, b" " * (MESSAGE_SIZE_MAX + 1)).status_code == 413
        assert post(address, b"{").status_code == 400
        assert post(address, b"{}", Host="evil.example").status_code == 421
    assert kernel.ledger.size == size


def test_one_callers_session_is_no_use_to_another(desk):
    with http(desk.open(), {TOKEN: Identity(desk.bot), OTHER: Identity(dora(desk))}) as address:
        begin = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": begin}).encode()
        session = {"mcp-session-id": post(address, body).headers["mcp-session-id"]}
        listing = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/list"}).encode()
        stolen = post(address, listing, OTHER, **session)
        strange = post(address, listing, OTHER, **{"mcp-session-id": "0" * 32})
        own = post(address, listing, **session)
    assert (stolen.status_code, stolen.content) == (strange.status_code, strange.content)
    assert (stolen.status_code, own.status_code) == (404, 200)


@pytest.mark.parametrize("mode", ERAS)
def test_across_tenants_what_is_there_looks_like_what_is_not(desk, tenants, mode):
    tokens = {TOKEN: Identity(desk.bot, "north"), OTHER: Identity(desk.bot, "south")}

    async def work(address):
        told = {}
        for token, own in ((TOKEN, "o1"), (OTHER, "p1")):
            async with connected(address, token, mode=mode) as client:
                for order in ("o1", "p1", "q9"):
                    view = (await client.read_resource(f"edca://view/order/{order}")).contents[0].text
                    given = GIVEN | {"arguments": GIVEN["arguments"] | {"order_id": order}}
                    call = (await client.call_tool("approve_refund", given)).structured_content
                    told.setdefault("own" if order == own else "not", set()).add((view, json.dumps(call)))
        return told

    with http(tenants, tokens) as address:
        told = asyncio.run(work(address))
    assert len(told["not"]) == 1  # the other tenant's order, and one that nobody has, from both sides
    assert '"escalated"' in str(told["own"]) and '"requested"' in str(told["own"])
    recorded = {content["tenant"] for content in _contents(tenants["north"]) if "candidate" in content}
    assert recorded == {"north", "south"}


def _contents(kernel):
    return [parse(stored.body).content for stored in kernel.ledger.records()]


@pytest.mark.parametrize(
    "claim",
    [
        {"tenant": "south"},
        {"_meta": {"tenant": "south", "role": "supervisor", "subject": "dora"}},
        {"subject": "dora"},
        {"proposer": "sven", "role": "supervisor"},
        {"model": "other-model"},
    ],
    ids=["tenant", "meta", "subject", "proposer", "model"],
)
def test_nothing_that_a_client_sends_says_who_they_are(desk, tenants, claim):
    async def work(address):
        async with connected(address, TOKEN) as client:
            meta = claim.get("_meta") or {name: value for name, value in claim.items()}
            inside = await client.call_tool("approve_refund", GIVEN | {n: v for n, v in claim.items() if n != "_meta"})
            beside = await client.call_tool("approve_refund", GIVEN, meta=meta)
            return inside.structured_content, beside.structured_content

    with http(tenants, {TOKEN: Identity(desk.bot, "north")}) as address:
        inside, beside = asyncio.run(work(address))
    assert inside["codes"] == (["over_limit", "agreed"] if "_meta" in claim else ["malformed"])
    assert beside["codes"] == ["over_limit", "agreed"]
    recorded = [content for content in _contents(tenants["north"]) if "candidate" in content]
    said = [content["candidate"] or content["malformed"] for content in recorded]
    caller = ("desk-bot", "assistant", "carla", desk.bot.model)
    assert {(one["proposer"], one["role"], one["subject"], one["model"]) for one in said} == {caller}
    assert {content["tenant"] for content in recorded} == {"north"}


def test_a_tenant_without_a_kernel_is_nobody(desk):
    async def work(address):
        with pytest.raises(BaseExceptionGroup) as caught:
            async with connected(address, TOKEN) as client:
                await client.list_tools()
        assert caught.group_contains(MCPError, match="nobody has said who you are")

    with http(desk.open(), {TOKEN: Identity(desk.bot, "elsewhere")}) as address:
        asyncio.run(work(address))


@pytest.mark.parametrize("mode", ERAS)
def test_only_who_may_do_something_else_now_is_told(desk, mode):
    kernel = desk.open()
    told = {TOKEN: [], OTHER: []}
    tokens = {TOKEN: Identity(desk.bot, cases=ORDER), OTHER: Identity(dora(desk), cases=(("order", ("o3",)),))}

    def note(token):
        async def on_message(message):
            if type(message).__name__ == "ToolListChangedNotification":
                told[token].append(message)

        return on_message

    async def listen(client, token, ready, until):
        async with client.listen(tools_list_changed=True) as changes:
            ready.set()
            with anyio.move_on_after(until):
                async for change in changes:
                    told[token].append(change)

    async def work(address):
        async with (
            connected(address, TOKEN, mode=mode, message_handler=note(TOKEN)) as carlas,
            connected(address, OTHER, mode=mode, message_handler=note(OTHER)) as doras,
            anyio.create_task_group() as tasks,
        ):
            for client, token in ((carlas, TOKEN), (doras, OTHER)):
                assert client.server_capabilities.tools.list_changed is True, "so that a client listens"
                await client.list_tools()
                if mode == "auto":
                    ready = anyio.Event()
                    tasks.start_soon(listen, client, token, ready, 4)
                    await ready.wait()
            # Somebody else, not through this server: a person in the same program, or the clock.
            decline = {"transition": "decline", "arguments": {"order_id": "o1"}}
            await anyio.to_thread.run_sync(lambda: kernel.submit(decline, caller=desk.sven))
            with anyio.move_on_after(10):
                while not told[TOKEN]:
                    await anyio.sleep(0.05)
            await anyio.sleep(0.5)

    with http(kernel, tokens, watch_every_s=0.1) as address:
        asyncio.run(work(address))
    assert told[TOKEN] and not told[OTHER]


# --- who has which token ---


def test_a_file_of_identities_holds_digests_and_no_token(desk, tmp_path):
    path = tmp_path / "identities.toml"
    path.write_text(
        f'[[identities]]\ntoken_sha256 = "{token_digest(TOKEN)}"\nprincipal = "desk-bot"\nrole = "assistant"\n'
        f'model = "{desk.bot.model}"\nsubject = "carla"\ncases = [["order", "o1"]]\n'
    )
    known = load_identities(path)
    found = known.find(TOKEN)
    assert found is not None and found[1] == Identity(desk.bot, cases=ORDER)
    assert known.find(OTHER) is None and len(known) == 1 and known.tenants == {""}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[identities", "not TOML"),
        ("x = 1", "identities"),
        ('[[identities]]\nprincipal = "a"\nrole = "b"', "token_sha256"),
        ('[[identities]]\ntoken_sha256 = "abc"\nprincipal = "a"\nrole = "b"', "64 lower-case"),
        ('[[identities]]\ntoken = "abc"\n', "identities.0"),
        (f'[[identities]]\ntoken_sha256 = "{"a" * 64}"\nprincipal = "a"\nrole = "b"\ncases = [["order"]]', "a case is"),
        (f'[[identities]]\ntoken_sha256 = "{"a" * 64}"\nprincipal = "a"\nrole = "b"\n' * 2, "stands twice"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, text, problem):
    path = tmp_path / "identities.toml"
    path.write_text(text)
    with pytest.raises(IdentitiesError, match=problem):
        load_identities(path)


def test_a_token_that_is_easily_guessed_is_none(desk):
    with pytest.raises(IdentitiesError, match="at least"):
        Identities.of_tokens({"secret": Identity(desk.bot)})


def test_tokens_do_not_travel_in_the_clear_to_other_computers():
    for host in ("127.0.0.1", "localhost", "::1", "127.9.9.9"):
        check_address(host, has_certificate=False)
    for host in ("::0", "192.0.2.1", "desk.example.com", "::"):
        check_address(host, has_certificate=True)
        with pytest.raises(InsecureError, match="in the clear"):
            check_address(host, has_certificate=False)
