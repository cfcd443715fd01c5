"""Goal: `edca routes check` finds what routes lack, against live sources as well; `plan` says what will be read."""

import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Edca = Callable[..., Any]  # see conftest.py


@pytest.fixture
def refund(repository: Path, tmp_path: Path) -> Path:
    """A folder with the refunds' spec, both kinds of routes, the service's description, and the shop's database."""
    for name in ("refund.edca", "refund.arp", "refund-http.arp", "shop-api.json", "shop.sql"):
        (tmp_path / name).write_bytes((repository / "specs" / "refund" / name).read_bytes())
    shop = sqlite3.connect(tmp_path / "shop.db")
    shop.executescript((tmp_path / "shop.sql").read_text("utf-8"))
    shop.close()
    return tmp_path


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_routes_without_a_mistake(edca: Edca, refund: Path) -> None:
    ran = edca("routes", "check", refund / "refund.arp")
    assert (ran.code, ran.out) == (0, "shop 1.0.0 for refund: no mistakes\n")
    ran = edca("routes", "check", refund / "refund-http.arp", "--spec", refund / "refund.edca")
    assert (ran.code, ran.out) == (0, "shop_api 1.0.0 for refund: no mistakes\n")
    live = ("--live", "--source", f"shop=sqlite:///{refund / 'shop.db'}")
    ran = edca("routes", "check", refund / "refund.arp", *live)
    assert (ran.code, ran.out) == (0, "shop 1.0.0 for refund: no mistakes, and the sources have what they name\n")


@pytest.mark.parametrize(
    ("file", "old", "new", "code"),
    [
        ("refund.arp", "  frozen       = hold_f\n", "", "R001"),
        ("refund.arp", "tot_c as units", "tot_c as days", "R003"),
        ("refund.arp", "frozen       = hold_f", "frozen       = frozen", "R009"),
        ("refund-http.arp", 'get "/v1/orders/{order_id}" key', 'get "/v1/order/{order_id}" key', "R016"),
        ("refund-http.arp", "st codes", "stat codes", "R017"),
        ("shop-api.json", '"etag"', '"version"', "R017"),
    ],
)
def test_mistakes_are_findings(edca: Edca, refund: Path, file: str, old: str, new: str, code: str) -> None:
    _replace(refund / file, old, new)
    routes = "refund-http.arp" if file == "shop-api.json" else file
    ran = edca("routes", "check", refund / routes, "--spec", refund / "refund.edca", "--json")
    assert ran.code == 1
    assert (ran.json["ok"], {found["code"] for found in ran.json["diagnostics"]}) == (False, {code})


def test_the_live_schema_is_compared(edca: Edca, refund: Path) -> None:
    shop = sqlite3.connect(refund / "shop.db")
    shop.execute("ALTER TABLE t_so RENAME COLUMN hold_f TO hold_flag")
    shop.close()
    source = ("--source", f"shop=sqlite:///{refund / 'shop.db'}")
    assert edca("routes", "check", refund / "refund.arp", *source).code == 0, "nobody has asked the source"
    ran = edca("routes", "check", refund / "refund.arp", "--live", *source, "--error-format", "concise")
    assert (ran.code, "error[R006] unknown-column: `t_so` has no column `hold_f`" in ran.out) == (1, True)


def test_what_cant_be_checked_is_said(edca: Edca, refund: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFUND_SHOP_URL", raising=False)
    ran = edca("routes", "check", refund / "refund.arp", "--live")
    assert (ran.code, "REFUND_SHOP_URL is not set" in ran.err) == (2, True)
    ran = edca("routes", "check", refund / "refund-http.arp")
    assert (ran.code, "name it with `--spec FILE`" in ran.err) == (2, True)
    (refund / "shop-api.json").unlink()
    ran = edca("routes", "check", refund / "refund-http.arp", "--spec", refund / "refund.edca")
    assert (ran.code, "shop-api.json" in ran.err) == (2, True)
    (refund / "shop-api.json").write_text("openapi: 3.1.0")
    ran = edca("routes", "check", refund / "refund-http.arp", "--spec", refund / "refund.edca")
    assert (ran.code, "the description of `shop` can't be read: it is no JSON" in ran.err) == (2, True)


QUERY = """
query prices_of(order_id: id) about order by order_id
{
  means "What the pieces of an order cost."
  by    assistant
  returns prices = each l in order.lines { price = l.price }
}
"""


def test_the_plan_says_what_is_read_and_in_how_many_round_trips(edca: Edca, refund: Path) -> None:
    plan = edca("routes", "plan", refund / "refund.arp", "--json").json["plan"]
    pay = next(line for line in plan if line["transition"] == "pay")
    assert pay == {
        "transition": "pay",
        "query": "",
        "entity": "order",
        "fields": ["frozen", "owner", "refunded", "total"],
        "source": "shop",
        "places": ["t_so"],
        "round_trips": 1,
        "together": 200,
    }
    approve = [(line["entity"], line["round_trips"]) for line in plan if line["transition"] == "approve_refund"]
    assert approve == [("line", 1), ("order", 2)], "the order with its lines, and all lines at once"
    spec = refund / "refund.edca"
    spec.write_text(spec.read_text("utf-8") + QUERY, encoding="utf-8")
    asked = edca("routes", "plan", refund / "refund.arp", "--json").json["plan"]
    assert [line for line in asked if not line["query"]] == plan
    assert [(line["transition"], line["query"], line["entity"], line["fields"]) for line in asked[len(plan) :]] == [
        ("", "prices_of", "line", ["price"]),
        ("", "prices_of", "order", ["frozen", "lines", "owner"]),
    ]
    rows = [line.split()[:2] for line in edca("routes", "plan", refund / "refund.arp").out.splitlines()]
    assert ["prices_of", "order:"] in rows
    ran = edca("routes", "plan", refund / "refund-http.arp", "--spec", refund / "refund.edca")
    assert (ran.code, "1 for 50" in ran.out, "/v1/orders/{}" in ran.out) == (0, True, True)


def test_both_have_help_with_an_example(edca: Edca) -> None:
    assert "check" in edca("routes", "--help").out
    for part in ("check", "plan"):
        assert f"edca routes {part} specs/refund" in edca("routes", part, "--help").out


def test_http_without_its_library_names_the_extra(edca: Edca, refund: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edca.routing.http", None)
    monkeypatch.setenv("REFUND_SHOP_API", "https://shop.example")
    monkeypatch.setenv("REFUND_SHOP_TOKEN", "t")
    ran = edca("routes", "check", refund / "refund-http.arp", "--spec", refund / "refund.edca", "--live")
    assert (ran.code, "pip install 'edca[http]'" in ran.err) == (2, True)
