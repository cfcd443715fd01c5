"""Goal: what routes want of a service and its description doesn't have is found before anything is asked of it."""

import copy
import json
from typing import Any

import pytest
from shop_service import ARP, FOLDER, Shop, routed, says

from edca.diagnostics import Source
from edca.kernel.machine import Machine
from edca.routing import Functions, RouteError, check_descriptions, check_live, close, load, open_sources

DESCRIPTION: dict[str, Any] = json.loads((FOLDER / "shop-api.json").read_text("utf-8"))
ORDER = DESCRIPTION["components"]["schemas"]["Order"]["properties"]


def _found(text: str, machine: Machine, description: object = DESCRIPTION) -> list[tuple[str, str, str]]:
    content = json.dumps(description).encode()
    found = check_descriptions(routed(text, machine), lambda _: content)
    return [(finding.code.id, finding.primary.span.text, finding.message) for finding in found]


def _changed(*path: str, to: object) -> dict[str, Any]:
    """Return the description with something else at the path, or (null) without it."""
    description = copy.deepcopy(DESCRIPTION)
    here = description
    for step in path[:-1]:
        here = here[step]
    if to is None:
        del here[path[-1]]
    else:
        here[path[-1]] = to
    return description


def test_the_description_has_all_that_the_routes_want(refund: Machine) -> None:
    assert _found(ARP, refund) == []


@pytest.mark.parametrize(
    ("old", "new", "code", "at", "message"),
    [
        ('get "/v1/orders/{order_id}" key', 'get "/v1/order/{order_id}" key', "R016", '"/v1/order/{order_id}"', "GET"),
        ('asked get "/v1/payouts/{key}"', 'asked get "/v1/payout/{key}"', "R016", '"/v1/payout/{key}"', "GET"),
        ("post ", "put ", "R016", '"/v1/orders/{order.order_id}/payouts"', "PUT"),
        ("found", "orders", "R017", '"/v1/orders?so_no="', "no member `orders`"),
        ("st codes", "stat codes", "R017", "stat", "no member `stat`"),
        ("cst.cls", "cst.grade", "R017", "grade", "no member `grade`"),
        ("back_c as units", "back_c", "", "", ""),
        ("tot_c as units", "so_no as units", "R017", "so_no", "described as `string`, and is read as"),
        ("delivered_at = dlv_at", "delivered_at = dlv_at as micros", "R017", "dlv_at", "described as `string`"),
        ("ignoring (etag)", "", "R017", "/v1/orders", "answers `etag` too"),
        ('returned = "R"', 'returned = "X"', "R017", "st", "may also be `R`, which has no code"),
        ("gold = 2", 'gold = "2"', "R017", "cls", "may also be `2`"),
        ("amt_c = amount as units", "amt_c = amount", "R017", "", "sent as string, and described as integer"),
        ("amt_c = amount as units", "sum = amount as units", "R017", "", "no member `sum`"),
        ("send { amt_c = amount as units }", "send { }", "R017", "", "needs `amt_c`"),
        ("refs at pos (so_no, art)", "refs at pos (so_no, sku)", "R017", "sku", "no member `sku`"),
    ],
)
def test_what_the_description_lacks(refund: Machine, old: str, new: str, code: str, at: str, message: str) -> None:
    assert old in ARP
    found = _found(ARP.replace(old, new), refund)
    assert not code or any(c == code and at in a and message in m for c, a, m in found), found
    assert code or not found


@pytest.mark.parametrize(
    ("path", "to", "message"),
    [
        (("components", "schemas", "Order", "properties", "new"), {"type": "string"}, "answers `new` too"),
        (("components", "schemas", "Order", "properties", "st", "enum"), ["N", "S", "D", "R", "L"], "may also be `L`"),
        (("components", "schemas", "Order", "properties", "tot_c", "type"), "number", "described as `number`"),
        (("components", "schemas", "Line", "properties", "prc"), None, "no member `prc`"),
        (("components", "schemas", "Payout", "required"), ["amt_c", "reason"], "needs `reason`"),
        (("paths", "/v1/lines"), None, "no operation `GET /v1/lines`"),
    ],
)
def test_what_a_new_description_changes(refund: Machine, path: tuple[str, ...], to: object, message: str) -> None:
    assert any(message in each for _, _, each in _found(ARP, refund, _changed(*path, to=to)))


def test_composed_schemas_and_openapi_3_0_are_read(refund: Machine) -> None:
    order = DESCRIPTION["components"]["schemas"]["Order"]
    parts = [
        {"type": "object", "properties": {"so_no": {"type": "string"}}},
        {"$ref": "#/components/schemas/Rest"},
    ]
    rest = {"properties": {k: v for k, v in order["properties"].items() if k not in ("so_no", "dlv_at")}}
    rest["properties"]["dlv_at"] = {"type": "string", "nullable": True}
    description = _changed("components", "schemas", "Order", to={"allOf": parts})
    description["components"]["schemas"]["Rest"] = rest
    assert _found(ARP, refund, description | {"openapi": "3.0.3"}) == []


def test_a_description_that_refers_to_itself_ends(refund: Machine) -> None:
    loop = {"$ref": "#/components/schemas/Order"}
    assert _found(ARP, refund, _changed("components", "schemas", "Order", to=loop))
    assert _found(ARP, refund, _changed("components", "schemas", "Order", to={"allOf": [loop]}))


@pytest.mark.parametrize("content", [b"", b"[]", b'{"openapi": "2.0"}', b'{"swagger": "2.0"}', b"openapi: 3.1.0"])
def test_what_is_no_description_is_said(refund: Machine, content: bytes) -> None:
    with pytest.raises(RouteError, match="the description of `shop`"):
        check_descriptions(routed(ARP, refund), lambda _: content)


def test_a_description_is_asked_of_the_service(refund: Machine, shop: Shop, url: str) -> None:
    routes = routed(ARP.replace("shop-api.json", "/openapi.json").replace("st codes", "stat codes"), refund)
    engines = open_sources(routes, {"REFUND_SHOP_API": url, "REFUND_SHOP_TOKEN": "t0ken-of-the-shop"})
    shop.misbehave["GET /openapi.json"] = says(200, DESCRIPTION)
    assert any("no member `stat`" in finding.message for finding in check_live(routes, engines))
    shop.misbehave.clear()
    with pytest.raises(RouteError, match="status 404"):
        check_live(routes, engines)
    close(engines["shop"])


def test_functions_that_arent_there_are_found(refund: Machine) -> None:
    text = """arp 1
routes code version "1" for refund
source shop python
entity order from shop call "json:loads" key (n) {
  owner = a
  membership = b
  status = c
  total = d
  refunded = e
  delivered_at = f
  lines = refs at g (h, i)
  frozen = j
}
entity line from shop call "no_such_module:x" key (n, a) { price = b, returnable = c }
effect send_money(order, amount) on shop { call "host_given" }
effect recall_money(order, amount) on shop { call "json:no_such" }
"""
    routes = load(Source("code.arp", text), refund).routes
    assert routes is not None
    found = [(finding.code.id, finding.primary.span.text) for finding in check_live(routes, {"shop": Functions({})})]
    assert found == [("R018", '"no_such_module:x"'), ("R018", '"json:no_such"')]
