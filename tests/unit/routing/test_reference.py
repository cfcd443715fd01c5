"""Goal: the example of the reference is a working file, and the reference names every word of the language."""

import re
import sqlite3
from pathlib import Path

import pytest

from edca.diagnostics import Source, human
from edca.kernel.machine import Machine
from edca.routing import Routes, SourceRouter, clashes, load, open_engine
from edca.routing.parse import grammar
from edca.runtime.ports import Performed, Permit, Request
from edca.semantic.compile import Compiled, compile_spec

_SCHEMA = """
CREATE TABLE T_DONE (op TEXT PRIMARY KEY, what TEXT);
CREATE TABLE T_CL (cl_no TEXT PRIMARY KEY, grade TEXT);
CREATE TABLE T_ORD (ord_no TEXT PRIMARY KEY, seq INTEGER, cl_no TEXT, st INTEGER, tot_c INTEGER, back_c INTEGER,
                    xpr INTEGER, flow TEXT, frozen INTEGER);
CREATE TABLE T_SHIP (ord_no TEXT, arr_us INTEGER);
CREATE TABLE T_NOTE (nid INTEGER PRIMARY KEY, ord_no TEXT, txt TEXT);
CREATE TABLE T_PAY (pid INTEGER PRIMARY KEY, ord_no TEXT, meth TEXT, amt_c INTEGER, void INTEGER);
INSERT INTO T_CL VALUES ('c1', 'G');
INSERT INTO T_ORD VALUES ('o1', 1, 'c1', 30, 8000, 0, 1, 'Q', 0);
"""


@pytest.fixture(scope="module")
def page() -> str:
    return (Path(__file__).parents[3] / "docs" / "reference" / "routes.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compiled(page: str) -> Compiled:
    (text,) = re.findall(r"```edca\n(.*?)```", page, re.DOTALL)
    compiled = compile_spec(Source("refund.edca", text))
    assert compiled.machine is not None, human(compiled.diagnostics)
    return compiled


@pytest.fixture(scope="module")
def machine(compiled: Compiled) -> Machine:
    assert compiled.machine is not None
    return compiled.machine


@pytest.fixture(scope="module")
def routes(page: str, machine: Machine) -> Routes:
    text = "\n".join(re.findall(r"```arp\n(.*?)```", page, re.DOTALL))
    loaded = load(Source("shop.arp", text), machine)
    assert loaded.routes is not None, human(loaded.diagnostics)
    return loaded.routes


def test_the_example_reads_and_performs(machine: Machine, routes: Routes) -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(_SCHEMA)
    router = SourceRouter(routes, machine, {"books": open_engine("sqlite://", creator=lambda: database)})
    arguments = {"order": ["o1"], "parts": [{"method": "m1", "amount": "1.50"}, {"method": "m2", "amount": "2.00"}]}
    permit = Permit(b"r" * 32, "case", 1, b"m" * 32, 0, "send_money", arguments, "k1")
    assert router.perform(permit).performed is Performed.DONE
    fields = ("status", "refunded", "delivered_at", "express", "last_note", "payments")
    order, client = router.read([Request("order", ("o1",), fields), Request("client", ("c1",), ("orders",))], 0)
    assert order.state == "paid"
    assert order.fields == {
        "status": "delivered",
        "refunded": 350,
        "delivered_at": None,
        "express": True,
        "last_note": "refund-1",
        "payments": (("m1", 150), ("m2", 200)),
    }
    assert client.fields == {"orders": (("o1",),)}
    database.close()


def test_the_example_hides_its_names(compiled: Compiled, routes: Routes) -> None:
    assert compiled.spec is not None
    assert clashes(compiled.spec, routes) == ()


@pytest.fixture(scope="module")
def services() -> str:
    return (Path(__file__).parents[3] / "docs" / "reference" / "routes-to-services.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["arp", "arp functions"])
def test_the_examples_of_services_and_functions_load_and_hide_their_names(
    services: str, compiled: Compiled, machine: Machine, kind: str
) -> None:
    text = "\n".join(re.findall(rf"```{kind}\n(.*?)```", services, re.DOTALL))
    loaded = load(Source("shop.arp", text), machine)
    assert loaded.routes is not None, human(loaded.diagnostics)
    assert compiled.spec is not None
    assert clashes(compiled.spec, loaded.routes) == ()


def test_every_word_is_in_the_reference(page: str, services: str) -> None:
    words = {
        str(terminal.pattern.value)
        for terminal in grammar().terminals
        if terminal.pattern.type == "str" and str(terminal.pattern.value).isalpha()
    }
    assert sorted(word for word in words if not re.search(rf"\b{word}\b", page + services)) == []
