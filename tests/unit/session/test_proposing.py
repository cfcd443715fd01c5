"""Goal: a candidate of a session cites what that case was seen to hold, and is about what was seen of it."""

import asyncio

from office import BOT, SECRET, close

from edca.api import (
    Accepted,
    AsyncKernel,
    Bands,
    Refused,
    candidates,
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
