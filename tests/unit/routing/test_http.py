"""Goal: whatever an HTTP service answers becomes values or unknowns."""

import json
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from shop_service import ARP, AS_OF, FIELDS, KNOWN, Handler, Shop, breaks, drips, hangs, read_order, routed, says, start

from edca.kernel.machine import Machine
from edca.kernel.values import Unknown
from edca.routing import Drift, SourceRouter, clashes
from edca.runtime.ports import Request
from edca.semantic.compile import Compiled

Opened = Callable[..., SourceRouter]


def test_the_routes_load_without_a_clash(refund_spec: Compiled, refund: Machine) -> None:
    assert refund_spec.spec is not None
    assert clashes(refund_spec.spec, routed(ARP, refund)) == ()
    clash = clashes(refund_spec.spec, routed(ARP.replace("tot_c as units", "total as units"), refund))
    assert [(finding.code.id, finding.message) for finding in clash] == [
        ("R009", "`total` is also the name of an internal member")
    ]


def test_every_field_of_a_document(service_router: SourceRouter, drifts: list[Drift]) -> None:
    instance = read_order(service_router)
    assert (instance.found, instance.source, instance.as_of) == (True, "shop", AS_OF)
    assert instance.fields == KNOWN
    assert drifts == []


def test_what_isnt_there_is_absent(service_router: SourceRouter) -> None:
    instance = read_order(service_router, "o9")
    assert (instance.found, instance.state, instance.fields) == (False, None, {})


def test_many_instances_are_one_request(service_router: SourceRouter, shop: Shop) -> None:
    shop.orders |= {f"n{n}": {**shop.orders["o1"], "so_no": f"n{n}"} for n in range(40)}
    requests = [Request("order", (f"n{n}",), ("total",)) for n in range(45)]
    requests += [Request("line", (f"n{n}", "a1"), ("price",)) for n in range(40)]
    answers = service_router.read(requests, AS_OF)
    assert [answer.found for answer in answers] == [True] * 40 + [False] * 5 + [True] * 40
    assert len(shop.asked) == 2, "one for the orders, one for the lines"


def test_batches_have_a_bound(service_router: SourceRouter, shop: Shop) -> None:
    service_router.read([Request("order", (f"n{n}",), ("total",)) for n in range(120)], AS_OF)
    assert [path.count("so_no=") for path in shop.asked] == [50, 50, 20]


@pytest.mark.parametrize(
    ("change", "unknown"),
    [
        ({"tot_c": "8000"}, {"total"}),  # retyped
        ({"tot_c": 80.0}, {"total"}),
        ({"tot_c": True}, {"total"}),
        ({"tot_c": 10**30}, {"total"}),
        ({"tot_c": -1}, {"total"}),
        ({"tot_c": {"EUR": 1}}, {"total"}),
        ({"st": "X"}, {"status"}),  # unmapped
        ({"st": ["D"]}, {"status"}),
        ({"cst": {"cst_no": "carla", "cls": "1"}}, {"membership"}),
        ({"cst": {"cst_no": "", "cls": 1}}, {"owner"}),
        ({"cst": "carla"}, {"owner", "membership"}),
        ({"dlv_at": "yesterday"}, {"delivered_at"}),
        ({"dlv_at": "2026-03-01T09:00:00"}, {"delivered_at"}),
        ({"hold_f": 0}, {"frozen"}),
        ({"pos": [{"so_no": "o1"}]}, {"lines"}),
        ({"pos": [{"so_no": "o1", "art": "a1"}] * 51}, {"lines"}),
        ({"pos": "a1"}, {"lines"}),
        ({"extra": 1}, set(FIELDS)),  # surplus: the rest may mean something else now
        ({"cst": {"cst_no": "carla", "cls": 1, "vip": True}}, {"owner", "membership"}),
        ({"pos": [{"so_no": "o1", "art": "a1", "qty": 2}]}, {"lines"}),
        ({"so_no": "o2"}, set(FIELDS)),  # somebody else's document
        ({"so_no": 1}, set(FIELDS)),
    ],
)
def test_what_isnt_as_the_route_says_is_unknown(
    service_router: SourceRouter, shop: Shop, drifts: list[Drift], change: dict[str, Any], unknown: set[str]
) -> None:
    shop.orders["o1"] |= change
    instance = read_order(service_router)
    assert instance.found
    assert instance.fields == KNOWN | dict.fromkeys(unknown, Unknown.DRIFT)
    assert drifts, "the operator is told"
    assert not any("carla" in str(drift) or "8000" in str(drift) for drift in drifts), "of kinds, never of content"


@pytest.mark.parametrize(
    ("member", "field", "reason"),
    [("tot_c", "total", Unknown.DRIFT), ("st", "status", Unknown.DRIFT), ("pos", "lines", Unknown.DRIFT)],
)
def test_a_member_that_is_gone_has_drifted(
    service_router: SourceRouter, shop: Shop, member: str, field: str, reason: Unknown
) -> None:
    del shop.orders["o1"][member]
    assert read_order(service_router).fields == KNOWN | {field: reason}


def test_a_renamed_member_is_no_absence(service_router: SourceRouter, shop: Shop) -> None:
    order = shop.orders["o1"]
    order["delivered"] = order.pop("dlv_at")
    assert set(read_order(service_router).fields.values()) == {Unknown.DRIFT}
    del order["delivered"]
    assert read_order(service_router).fields["delivered_at"] is None, "left out where nothing else has come: absent"


def test_where_others_are_ignored_nothing_may_be_left_out(opened: Opened, shop: Shop) -> None:
    router = opened(ARP.replace("ignoring (etag)", "ignoring others"))
    order = shop.orders["o1"]
    order["delivered"] = order.pop("dlv_at")
    assert read_order(router).fields == KNOWN | {"delivered_at": Unknown.DRIFT}
    order["dlv_at"] = None
    assert read_order(router).fields == KNOWN | {"delivered_at": None}


def test_null_is_missing_where_a_value_is_due(service_router: SourceRouter, shop: Shop) -> None:
    shop.orders["o1"] |= {"tot_c": None}
    assert read_order(service_router).fields == KNOWN | {"total": Unknown.MISSING}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"so_no": "o1", "so_no": "o1"}',
        b'{"so_no": NaN}',
        b'{"tot_c": 1e99999999999999999999}',
        b"[" * 15_000,
        b'{"tot_c": 1' + b"0" * 5_000 + b"}",
        b'{"tot_c": 1.' + b"0" * 5_000 + b"}",
        b'"\xff"',
        b"<html></html>",
        b"x" * 300_000,
        b"null",
        b"[]",
    ],
    ids=[
        "empty",
        "cut",
        "twice",
        "NaN",
        "exponent",
        "deep",
        "long int",
        "long decimal",
        "utf-8",
        "html",
        "huge",
        "null",
        "array",
    ],
)
def test_no_document_is_drift(service_router: SourceRouter, shop: Shop, drifts: list[Drift], body: bytes) -> None:
    shop.misbehave["GET"] = says(200, body)
    assert set(read_order(service_router).fields.values()) == {Unknown.DRIFT}
    assert drifts


def test_a_document_beyond_the_bound_is_none(service_router: SourceRouter, shop: Shop, drifts: list[Drift]) -> None:
    whole = json.dumps(shop.orders["o1"]).encode()
    shop.misbehave["GET"] = says(200, whole + b" " * 100_000)
    assert read_order(service_router).fields == KNOWN
    shop.misbehave["GET"] = says(200, whole + b" " * 200_000)
    assert set(read_order(service_router).fields.values()) == {Unknown.DRIFT}
    assert [drift.found for drift in drifts] == ["it is longer than 200000 bytes"]


@pytest.mark.parametrize("number", [b"1E+999999999", b"1e5", b"80.005"])
def test_hostile_numbers_are_no_values(service_router: SourceRouter, shop: Shop, number: bytes) -> None:
    shop.misbehave["GET"] = says(200, b'{"so_no": "o1", "art": "a1", "prc": ' + number + b', "ret_f": true}')
    tracemalloc.start()
    (line,) = service_router.read([Request("line", ("o1", "a1"), ("price", "returnable"))], AS_OF)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000, "a short number may be a text of a gigabyte"
    assert line.fields["price"] in (Unknown.DRIFT, 10_000_000), number
    assert line.fields["returnable"] is True


@pytest.mark.parametrize(("number", "units"), [(b"80", 8000), (b"80.5", 8050), (b"80.50", 8050), (b'"80.50"', 8050)])
def test_numbers_are_exact(service_router: SourceRouter, shop: Shop, number: bytes, units: int) -> None:
    shop.misbehave["GET"] = says(200, b'{"so_no": "o1", "art": "a1", "prc": ' + number + b', "ret_f": true}')
    (line,) = service_router.read([Request("line", ("o1", "a1"), ("price",))], AS_OF)
    assert line.fields["price"] == units


@pytest.mark.parametrize(
    ("handler", "is_drift"),
    [
        (says(200, {}, kind="text/html"), True),
        (says(200, b"\x1f\x8b", Content_Encoding="gzip"), True),
        (says(302, {}, Location="/v1/orders/o2"), True),
        (says(302, {}, Location="https://elsewhere.example/"), True),
        (says(500, {}), False),
        (says(503, {}), False),
        (says(401, {}), False),
        (says(204, b""), False),
        (breaks, False),
        (drips, False),
        (hangs, False),
    ],
    ids=["type", "gzip", "redirect", "away", "500", "503", "401", "204", "breaks", "drips", "hangs"],
)
def test_an_answer_that_is_none(
    service_router: SourceRouter, shop: Shop, drifts: list[Drift], handler: Handler, is_drift: bool
) -> None:
    shop.misbehave["GET"] = handler
    began = time.monotonic()
    instance = read_order(service_router)
    assert time.monotonic() - began < 2.5, "within the deadline, however slowly bytes arrive"
    if is_drift:
        assert set(instance.fields.values()) == {Unknown.DRIFT}
        assert drifts
    else:
        assert (instance.found, instance.state) == (False, Unknown.MISSING)
    shop.misbehave.clear()
    assert read_order(service_router).fields == KNOWN, "and it recovers"


def test_a_declared_fault_is_read_again_once(service_router: SourceRouter, shop: Shop) -> None:
    def once(request: Any) -> None:
        shop.misbehave.clear()
        request.answer(503, {})

    shop.misbehave["GET"] = once
    assert read_order(service_router).fields == KNOWN
    shop.asked.clear()
    shop.misbehave["GET"] = says(500, {})
    read_order(service_router)
    assert len(shop.asked) == 1, "nobody has said that 500 passes"


def test_redirects_stay_within_the_service(opened: Opened, shop: Shop) -> None:
    router = opened(ARP.replace("transient 503", "transient 503\n redirects 2"))
    shop.misbehave["GET /v1/orders/o1"] = says(307, {}, Location="/v1/orders/moved")
    shop.misbehave["GET /v1/orders/moved"] = says(200, shop.orders["o1"])
    assert read_order(router).fields == KNOWN
    other, elsewhere = start(Shop())
    for target in (f"{elsewhere}/v1/orders/o1", "https://elsewhere.example/", "//elsewhere.example/x", ""):
        shop.misbehave["GET /v1/orders/o1"] = says(307, {}, Location=target)
        assert set(read_order(router).fields.values()) == {Unknown.DRIFT}
    other.shutdown()
    other.server_close()


def test_cookies_are_neither_kept_nor_sent(service_router: SourceRouter, shop: Shop) -> None:
    shop.misbehave["GET"] = says(200, shop.orders["o1"], Set_Cookie="who=carla; Path=/")
    read_order(service_router)
    assert read_order(service_router).fields == KNOWN
    assert [name for headers in shop.headers for name in headers if name.lower() == "cookie"] == []


def test_a_cached_answer_is_as_old_as_it_says(service_router: SourceRouter, shop: Shop) -> None:
    shop.misbehave["GET"] = says(200, shop.orders["o1"], Age="301")
    assert read_order(service_router).as_of == AS_OF - 301_000_000
    shop.misbehave["GET"] = says(200, shop.orders["o1"], Age="soon")
    assert read_order(service_router).as_of <= AS_OF - 10**15, "what can't be read is older than anything may be"


@pytest.mark.parametrize("key", ["..", ".", "a/b", "a\\b", "../lines"])
def test_a_key_never_changes_where_a_request_leads(service_router: SourceRouter, shop: Shop, key: str) -> None:
    assert not read_order(service_router, key).found
    assert shop.asked == []


def test_keys_are_encoded_whole(service_router: SourceRouter, shop: Shop) -> None:
    for key in ("o1?x=1", "o1#", "o1&so_no=o2", "%2e%2e", "ö 1"):
        shop.orders[key] = {**shop.orders["o1"], "so_no": key}
        assert read_order(service_router, key).found, key
    answers = service_router.read([Request("order", (key,), ("total",)) for key in ("o1&so_no=o2", "o3")], AS_OF)
    assert [answer.found for answer in answers] == [True, True]


@pytest.mark.parametrize(
    "change",
    [
        lambda found: [*found, found[0]],
        lambda found: [found[0], found[0]],
        lambda found: found * 30,
        lambda found: [found[0] | {"so_no": "o9"}],
        lambda found: [found[0] | {"so_no": None}],
        lambda _: {"so_no": "o1"},
        lambda found: [found[0], "o2"],
    ],
    ids=["thrice", "twice", "too many", "unasked", "no key", "no array", "no object"],
)
def test_a_batch_that_isnt_one(service_router: SourceRouter, shop: Shop, change: Any, drifts: list[Drift]) -> None:
    shop.misbehave["GET"] = says(200, {"found": change([shop.orders["o1"], shop.orders["o2"]])})
    answers = service_router.read([Request("order", (key,), ("total",)) for key in ("o1", "o2")], AS_OF)
    assert Unknown.DRIFT in [answer.fields.get("total") for answer in answers]
    assert 8000 not in [answer.fields.get("total") for answer in answers[:1]]
    assert drifts
