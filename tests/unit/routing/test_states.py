"""Goal: abstract states and a source's codes go both ways, by one map: what an effect writes is what is read next.

The ledger's state wins: a source that says otherwise is `state_drift`, refused and on record.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from shop_service import Shop, start

from edca.api import Accepted, Caller, FixedClock, Functions, Kernel, Outcome, Refused, open_engine
from edca.api.roster import load_roster
from edca.diagnostics import Source, human
from edca.routing import load
from edca.routing.connections import Connection, open_service
from edca.routing.model_documents import HTTPSource
from edca.semantic.compile import compile_spec

SPEC = """edca 1
machine door version "1.0.0"
role porter human
role keeper human
entity gate key (gate_id: id) { width: int(1 to 9) }
effect swing(gate: gate)
case about gate by gate_id
state shut initial "Nobody gets in."
state ajar         "Somebody gets in."
state broken final "Somebody must mend it." failure
transition swing_open(gate_id: id) from shut to ajar {
  means   "Open it."
  by      porter
  answers porter
  require gate.width > 1 else refuse narrow "It is too narrow."
  confirm sure by keeper within 1 hour "Somebody must be sure."
  do      swing(gate)
            ensure gate.width > 0
            irreversible
  on failed go shut "It can be tried again."
  on timeout 30 seconds go broken "Nobody knows."
}
transition swing_shut(gate_id: id) from ajar to shut {
  means   "Shut it."
  by      porter
  answers porter
  require gate.width > 1 else refuse narrow "It is too narrow."
}
"""
HEAD = 'arp 1\nroutes gates version "1" for door\n'
CODES = 'case state = st codes { shut = "S", ajar = "A" }'
SQL = f"""{HEAD}
source yard sql env "YARD" applied x_done (k, v)
entity gate from yard.x_gt key (gno) {{ width = wd
  {CODES}
}}
effect swing(gate) on yard {{
  update x_gt set st = state ajar of gate where gno = gate.gate_id and st = state shut of gate expect 1
}}
"""
PYTHON = f"""{HEAD}
source yard python
entity gate from yard call "gates" key (gno) {{ width = wd
  {CODES}
}}
effect swing(gate) on yard {{ call "swing" send {{ gno = gate.gate_id, st = state ajar of gate }} }}
"""
HTTP = f"""{HEAD}
source yard http env "YARD" auth bearer env "TOKEN" idempotency "Idempotency-Key"
entity gate from yard get "/gates/{{gate_id}}" key (gno) {{ width = wd
  {CODES}
}}
effect swing(gate) on yard {{ put "/gates/{{gate.gate_id}}" send {{ st = state ajar of gate }} }}
"""
PORTER = Caller("pat", "porter")
OPEN = {"transition": "swing_open", "arguments": {"gate_id": "g1"}}
SHUT = {"transition": "swing_shut", "arguments": {"gate_id": "g1"}}


class World:
    """A gate of which each kind of source knows, and its code there."""

    def __init__(self, kernel: Kernel, gate: Any) -> None:
        self.kernel = kernel
        self._gate = gate

    def code(self, new: object = None) -> object:
        """Return the code that the source holds; set it first, where one is given."""
        return self._gate(new)


@pytest.fixture(params=["sql", "python", "http"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        text, connection, gate = {"sql": _sql, "python": _python, "http": _http}[request.param](stack)
        roster = tmp_path / "roster.toml"
        roster.write_text(
            '[[principals]]\nid = "pat"\nroles = ["porter"]\n[[principals]]\nid = "kim"\nroles = ["keeper"]\n'
        )
        kernel = Kernel.open(
            Source("door.edca", SPEC),
            routes=Source("gates.arp", text),
            roster=load_roster(roster),
            ledger=tmp_path / "ledger.db",
            clock=FixedClock("2026-03-20T12:00:00Z"),
            engines={"yard": connection},
        )
        yield World(stack.enter_context(kernel), gate)


def _sql(stack: ExitStack) -> tuple[str, Connection, Any]:
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.executescript(
        "CREATE TABLE x_gt (gno TEXT PRIMARY KEY, wd INTEGER, st TEXT); INSERT INTO x_gt VALUES ('g1', 3, 'S');"
        "CREATE TABLE x_done (k TEXT PRIMARY KEY, v TEXT)"
    )
    stack.callback(database.close)

    def gate(new: object) -> object:
        if new is not None:
            database.execute("UPDATE x_gt SET st = ?", (new,))
        return database.execute("SELECT st FROM x_gt").fetchone()[0]

    return SQL, open_engine("sqlite://", creator=lambda: database), gate


def _python(_: ExitStack) -> tuple[str, Connection, Any]:
    held = {"gno": "g1", "wd": 3, "st": "S"}

    def gate(new: Any) -> object:
        held["st"] = held["st"] if new is None else new
        return held["st"]

    functions = {
        "gates": lambda keys: [held for (key,) in keys if key == "g1"],
        "swing": lambda body, _: held.update(body),
    }
    return PYTHON, Functions(functions), gate


def _http(stack: ExitStack) -> tuple[str, Connection, Any]:
    held = {"gno": "g1", "wd": 3, "st": "S"}
    shop = Shop()
    shop.misbehave["GET"] = lambda request: request.answer(200, held)

    def put(request: Any) -> None:
        held.update(request.body())
        request.answer(200, {})

    shop.misbehave["PUT"] = put
    server, url = start(shop)
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    machine = compile_spec(Source("door.edca", SPEC)).machine
    assert machine is not None
    loaded = load(Source("gates.arp", HTTP), machine)
    assert loaded.routes is not None, human(loaded.diagnostics)
    (source,) = loaded.routes.sources
    assert isinstance(source, HTTPSource)
    service = open_service(source, url, {"TOKEN": "t0ken-of-the-shop"})
    stack.callback(service.close)

    def gate(new: Any) -> object:
        held["st"] = held["st"] if new is None else new
        return held["st"]

    return HTTP, service, gate


def test_what_an_effect_writes_is_what_is_read_next(world: World) -> None:
    sure = world.kernel.attest("sure", True, by="kim", role="keeper", source="desk")
    answer = world.kernel.submit(OPEN, caller=PORTER, attestations=[sure])
    assert answer.outcome is Outcome.CONFIRMED, answer.verdict
    assert world.code() == "A"
    again = world.kernel.submit(SHUT, caller=PORTER)
    assert isinstance(again.verdict, Accepted), "the ledger and the source agree"


def test_a_source_that_disagrees_with_the_ledger_is_state_drift(world: World) -> None:
    sure = world.kernel.attest("sure", True, by="kim", role="keeper", source="desk")
    world.kernel.submit(OPEN, caller=PORTER, attestations=[sure])
    world.code("S")
    answer = world.kernel.submit(SHUT, caller=PORTER)
    assert isinstance(answer.verdict, Refused)
    assert answer.verdict.code == "state_drift"
    world.code("A")
    assert isinstance(world.kernel.submit(SHUT, caller=PORTER).verdict, Accepted)


def test_a_code_that_nobody_mapped_opens_no_case(world: World) -> None:
    world.code("X")
    answer = world.kernel.submit(OPEN, caller=PORTER)
    assert isinstance(answer.verdict, Refused)
    assert answer.verdict.code in ("unknown_case", "state_drift")


@pytest.mark.parametrize(
    ("new", "code"),
    [("state open of gate", "R007"), ("state ajar of door", "N001"), ("state broken of gate", "R007")],
)
def test_a_state_without_a_code_cant_be_written(new: str, code: str) -> None:
    machine = compile_spec(Source("door.edca", SPEC)).machine
    assert machine is not None
    for text in (SQL, PYTHON, HTTP):
        found = load(Source("gates.arp", text.replace("state ajar of gate", new)), machine).diagnostics
        assert {finding.code.id for finding in found} == {code}
