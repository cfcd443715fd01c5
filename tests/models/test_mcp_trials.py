"""Goal: whole recorded runs through the MCP server, with the SDK's client, come to the library's very verdicts.

Skips where the recorded runs are not at hand. Each run is a tenant with a world of its own, as in `edca trial`.
"""

import json
from contextlib import ExitStack, closing

import anyio
import anyio.from_thread
import pytest
from mcp.client.client import Client

import edca.cli.trial.trial as trials
from edca.api import Kernel
from edca.cli.loading import load_policy, load_routes
from edca.cli.trial.run import Follow, _Runner
from edca.cli.trial.settings import read_settings
from edca.ledger.record import parse
from edca.ledger.sqlite import SQLiteLedger
from edca.mcp import Identity, serve


class ThroughMCP:
    """A runtime as a trial uses it, whose candidates and queries are tool calls of an MCP client."""

    def __init__(self, runtime, ledger, caller, portal):
        self._runtime = runtime
        self._portal = portal
        self._kernel = Kernel(runtime, ledger, (), ExitStack())
        self._tenant = runtime.context.tenant
        self._vouched = ()
        self._answer = None
        self.told = []
        kept = {"submit": self._kernel.submit, "query": self._kernel.query}
        for name, method in kept.items():
            setattr(self._kernel, name, self._keeping(method))
        identity = Identity(caller, self._tenant)
        served = serve({self._tenant: self._kernel}, lambda _: ("agent", identity), vouch=lambda _: self._vouched)
        # `legacy` in memory sends every message as the bytes of JSON-RPC.
        self._client = self._portal.wrap_async_context_manager(Client(served.server, mode="legacy"))
        self.client = self._client.__enter__()

    def _keeping(self, method):
        def keep(asked, **given):
            self._answer = method(asked, **given)
            return self._answer

        return keep

    def submit(self, payload, caller, attestations=()):
        candidate = json.loads(payload)
        self._vouched = attestations
        return self._call(candidate["transition"], candidate["arguments"], {"edca/key": candidate["key"]})

    def query(self, inquiry, caller):
        return self._call(inquiry.query, dict(inquiry.arguments), None)

    def _call(self, name, arguments, meta):
        given = {"arguments": arguments}
        result = self._portal.call(lambda: self.client.call_tool(name, given, meta=meta))
        self.told.append(result.structured_content)
        return self._answer

    def close(self):
        self._client.__exit__(None, None, None)

    def __getattr__(self, name):
        return getattr(self._runtime, name)


def plan(repository, domain, trace, follow):
    data = repository.parent / "shared" / "data" / "taubench" / domain
    if not data.is_dir():
        pytest.skip("the recorded runs are not beside this checkout (../shared/data)")
    spec = repository / "specs" / domain / f"{domain}.edca"
    policy = load_policy(spec)
    routes = load_routes(spec.with_suffix(".arp"), policy)
    return trials.Plan(policy.machine, routes, read_settings(spec), data / trace, None, follow, True)


def verdicts(ledger):
    """What was decided on what, without what only says when the ledger's configuration came."""
    contents = [parse(stored.body) for stored in ledger.records()]
    return [
        (
            record.kind,
            record.chain,
            record.content.get("candidate") or record.content.get("inquiry"),
            record.content["verdict"],
        )
        for record in contents
        if record.kind in ("verdict", "query")
    ]


@pytest.mark.parametrize(
    ("domain", "trace", "follow"),
    [
        ("airline", "tasks.jsonl", Follow.KERNEL),
        ("airline", "trajectories.jsonl", Follow.RECORDING),
        ("retail", "tasks.jsonl", Follow.KERNEL),
        ("retail", "trajectories.jsonl", Follow.RECORDING),
    ],
)
def test_whole_recorded_runs_through_the_server_have_the_librarys_verdicts(
    repository, tmp_path, monkeypatch, domain, trace, follow
):
    found = plan(repository, domain, trace, follow)
    with SQLiteLedger.open(tmp_path / "library.ledger", durable=False) as ledger:
        library, decided = trials.conduct(found, ledger), verdicts(ledger)
    with anyio.from_thread.start_blocking_portal() as portal:
        told = []

        def run_one(bench, run):
            with closing(bench.world.fresh(bench.template)) as connection:
                runner = _Runner(bench, run, connection)
                runner.runtime = ThroughMCP(runner.runtime, bench.ledger, runner.caller, portal)
                try:
                    return runner.result()
                finally:
                    told.extend(runner.runtime.told)
                    runner.runtime.close()

        monkeypatch.setattr(trials, "run_one", run_one)
        with SQLiteLedger.open(tmp_path / "server.ledger", durable=False) as ledger:
            served, answered = trials.conduct(found, ledger), verdicts(ledger)
    assert served.runs == library.runs
    assert answered == decided
    if follow is Follow.RECORDING:  # reads included
        assert {kind for kind, *_ in decided} == {"verdict", "query"}
    assert served.is_clean and len(told) == len(decided) > 40
    assert {one["outcome"] for one in told} <= {"accepted", "refused", "escalated", "returned"}
