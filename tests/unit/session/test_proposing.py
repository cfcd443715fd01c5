"""Goal: a candidate of a session cites what that case was seen to hold, and is about what was seen of it."""

import asyncio
import dataclasses
import hashlib
import json

from office import BOT, MODEL, RAW, SECRET, altered, close

from edca.api import (
    Accepted,
    AsyncKernel,
    Bands,
    Inquiry,
    Refused,
    ToolKind,
    candidates,
    query_for_model,
    tools_of,
)
from edca.ledger.record import parse

# --- what a candidate cites, and says of itself ---


def test_what_is_cited_must_have_been_shown_of_that_case(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        seen = session.view("ticket", ["t-4711"])
        closing = close(seen.facts["ticket.ticket_id"], seen.facts["ticket.account"])
        fresh = kernel.session(BOT, secret=session.secret)  # which has shown nothing yet
        assert fresh.submit({**closing, "evidence": ["ticket.urgent"]}).told.codes == ("malformed",)
        beside = session.submit({**closing, "evidence": ["ticket.urgent", "ticket.secret"]})
        assert beside.told.texts == ("This is not a candidate: `evidence[1]` cites something that was not shown.",)
        assert session.submit({**closing, "evidence": ["ticket.urgent"]}).told.outcome == "accepted"


def test_a_candidate_is_about_the_revision_that_was_shown_of_its_own_case(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        seen = session.view("ticket", ["t-4711"])
        arguments = {"ticket_id": seen.facts["ticket.ticket_id"], "ask": "hanna"}
        queues = [session.handle("queue", [queue]) for queue in ("q-south", "q-west")]
        moved = [
            session.submit({"transition": "move", "arguments": {**arguments, "to_queue": queue}}) for queue in queues
        ]
        assert isinstance(moved[0].answer.verdict, Accepted)
        assert isinstance(moved[1].answer.verdict, Refused)
        assert moved[1].answer.verdict.code == "stale_revision"  # it had been shown what stood before


def test_the_record_says_what_was_shown(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        seen = session.view("ticket", ["t-4711"])
        text = json.dumps(seen.to_raw(), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        proposed = close(seen.facts["ticket.ticket_id"], "made up")
        session.submit(proposed)
        own = kernel.session(dataclasses.replace(BOT, prompt=b"p" * 32), secret=session.secret)
        own.view("ticket", ["t-4711"])
        own.submit(proposed)
        kernel.session(BOT, secret=session.secret).submit(proposed)  # which has shown nothing
        stored = [parse(record.body) for record in kernel.ledger.records(0)]
        prompts = [r.content.get("provenance", {}).get("prompt") for r in stored if r.kind == "verdict"]
        assert prompts == [hashlib.sha256(text.encode()).digest(), b"p" * 32, None]
        assert kernel.replay().mismatches == ()


def test_what_providers_send_goes_the_same_way(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        seen = session.view("ticket", ["t-4711"])
        given = {
            "arguments": close(seen.facts["ticket.ticket_id"], seen.facts["ticket.account"])["arguments"],
            "confidence": 0.9,
            "evidence": ["ticket.account"],
            "rationale": "",
        }
        block = {"type": "tool_use", "id": "c", "name": "close", "input": given}
        twice = session.submit(candidates.from_anthropic({"content": [block, block]}, BOT))
        assert twice.told.codes == ("malformed",)
        assert isinstance(session.submit(candidates.from_anthropic(block, BOT)).answer.verdict, Accepted)


def test_what_is_looked_up_is_told_and_asked_by_handles(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        ticket = session.handle("ticket", ["t-4711"])
        looked = session.query({"query": "ticket_of", "arguments": {"ticket_id": ticket}})
        found = looked.told.values
        assert found["urgent"] is True
        assert found["queue"] == session.handle("queue", ["q-north"])
        assert found["queue"] == session.view("ticket", ticket).facts["ticket.queue"]
        assert [raw for raw in RAW if raw in json.dumps(looked.told.to_raw())] == []
        assert looked.answer.verdict.values["queue"] == "q-north"  # the record keeps the identifier itself
        assert session.record(looked.record) == looked.answer.record.digest
        full = session.query({"query": "fill_of", "arguments": {"in_queue": found["queue"]}})
        assert full.told.values == {"full": False}
        assert isinstance(session.submit(close(ticket, found["account"])).answer.verdict, Accepted)


def test_law_5_what_is_asked_of_is_one_answer_too(world):
    with world.open() as kernel:
        session = kernel.session(BOT, secret=SECRET)
        asked = {
            "not yours": session.handle("ticket", ["t-4712"]),
            "not there": session.handle("ticket", ["t-0000"]),
            "another session's": kernel.session(BOT).handle("ticket", ["t-4711"]),
            "altered": altered(session.handle("ticket", ["t-4711"])),
            "the identifier itself": "t-4711",
        }
        told = {
            what: json.dumps(session.query({"query": "ticket_of", "arguments": {"ticket_id": handle}}).told.to_raw())
            for what, handle in asked.items()
        }
        assert len(set(told.values())) == 1, told
        assert json.loads(told["altered"])["codes"] == ["not_possible"]


def test_a_call_of_a_querys_tool_is_an_inquiry_in_every_shape(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        seen = session.view("ticket", ["t-4711"])
        assert [tool.name for tool in tools_of(seen) if tool.kind is ToolKind.QUERY] == ["fill_of", "ticket_of"]
        given = {"arguments": {"in_queue": seen.facts["ticket.queue"]}}
        calls = (
            candidates.from_anthropic({"type": "tool_use", "id": "c", "name": "fill_of", "input": given}, BOT),
            candidates.from_openai({"type": "function_call", "name": "fill_of", "arguments": json.dumps(given)}, BOT),
            candidates.from_mcp({"name": "fill_of", "arguments": given}, BOT),
        )
        assert [session.query(call).told.values for call in calls] == [{"full": False}] * 3
        sure = candidates.from_mcp({"name": "fill_of", "arguments": {**given, "confidence": 0.9}}, BOT)
        assert session.query(sure).told.codes == ("malformed",)


def test_without_a_session_a_query_tells_no_handle_type(world):
    with world.open() as kernel:
        answer = kernel.query({"query": "ticket_of", "arguments": {"ticket_id": "t-4711"}}, caller=BOT)
        inquiry = Inquiry("ticket_of", {"ticket_id": "t-4711"}, "bot", "bot", "carla", MODEL)
        told = query_for_model(kernel.machine, inquiry, answer.verdict)
        assert told.values == {"queue": None, "account": None, "owner": "carla", "urgent": True}


def test_bands_count_where_the_session_reads(world):
    with world.open() as kernel:
        session = kernel.session(BOT)
        session.submit({**close("x", "y"), "confidence": 0.99}, bands=Bands.of({"0.9": "0.5"}))
        stored = [parse(record.body) for record in kernel.ledger.records(0)]
        assert [r.content["candidate"]["confidence"] for r in stored if r.kind == "verdict"] == [5_000]


def test_an_async_session_is_the_same(world):
    async def main(kernel):
        asynchronous = AsyncKernel(kernel)
        session = asynchronous.session(BOT, secret=SECRET)
        seen = await session.view("ticket", ["t-4711"])
        assert (await session.creation_view()).offers == ()
        came = await session.submit(close(seen.facts["ticket.ticket_id"], seen.facts["ticket.account"]))
        assert came.told.outcome == "accepted"
        await asynchronous.close()
        return seen

    with world.open() as kernel:
        before = kernel.session(BOT, secret=SECRET).view("ticket", ["t-4711"])
        assert asyncio.run(main(kernel)) == before
