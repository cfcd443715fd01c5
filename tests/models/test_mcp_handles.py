"""Goal: an MCP client looks up what isn't published, gets handles for it, and can act by these alone."""

import asyncio
import json
import sqlite3
from contextlib import closing

import pytest
from mcp.client.client import Client
from talking import of_one

from edca.api import Caller, FixedClock, Kernel, open_engine

AGENT = Caller("ops-agent", "agent", model="small-model-2026-01-15")
ALERT = (("alert", ("a1",)),)


@pytest.fixture
def incident(tmp_path, repository):
    """A kernel over the operations agent's own spec, with an alert that somebody has looked at."""
    folder = repository / "specs" / "incident"
    with closing(sqlite3.connect(tmp_path / "ops.db")) as connection:
        connection.executescript((folder / "schema.sql").read_text("utf-8"))
    engine = open_engine(f"sqlite:///{tmp_path / 'ops.db'}")
    files = {"routes": folder / "incident.arp", "roster": folder / "roster.toml", "ledger": tmp_path / "ledger.db"}
    clock = FixedClock("2026-03-20T12:00:00Z")
    with Kernel.open(folder / "incident.edca", **files, clock=clock, engines={"ops": engine}) as kernel:
        kernel.submit({"transition": "look", "arguments": {"alert_id": "a1"}}, caller=AGENT)
        yield kernel
    engine.dispose()


def test_what_was_looked_up_is_named_by_its_handle_and_nothing_else_is(incident):
    async def work():
        async with Client(of_one(incident, AGENT, cases=ALERT)) as client:
            listed = {tool.name: tool for tool in (await client.list_tools()).tools}
            looked = await client.call_tool("data_of", {"arguments": {"alert_id": "a1"}})
            (row,) = looked.structured_content["values"]["datasets"]
            names = (row["dataset_id"], "thumbnails", "receipts", row["dataset_id"][:-2] + "aa")
            calls = [{"arguments": {"alert_id": "a1", "dataset_id": name}} for name in names]
            return listed, looked, [(await client.call_tool("purge", call)).structured_content for call in calls]

    listed, looked, (shown, *made_up) = asyncio.run(work())
    assert listed["data_of"].annotations.read_only_hint and not listed["purge"].annotations.read_only_hint
    named = listed["purge"].input_schema["properties"]["arguments"]["properties"]["dataset_id"]
    assert named["pattern"].startswith("^h_")
    assert looked.structured_content["outcome"] == "returned"
    assert [need["code"] for need in shown["needs"]] == ["deletion_agreed", "two_leads"]
    assert [told["codes"] for told in made_up] == [["not_possible"]] * 3
    seen = json.dumps([looked.structured_content, shown, made_up])
    assert "thumbnails" not in seen and "receipts" not in seen
