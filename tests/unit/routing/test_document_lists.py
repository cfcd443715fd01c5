"""Goal: lists of all kinds come from arrays, of a document or of an answer of their own; keys of new instances too."""

from collections.abc import Callable
from typing import Any

import pytest
from shop_service import TOKEN, Shop, says

from edca.diagnostics import Source, human
from edca.kernel.facts import Instance
from edca.kernel.machine import Machine
from edca.kernel.values import Unknown
from edca.routing import Functions, SourceRouter, close, evidence_plan, load, open_sources
from edca.runtime.ports import Performed, Permit, Request

_ARP = """arp 1
routes yard version "1" for parcels
source yard http env "YARD" auth bearer env "TOKEN" timeout 1 seconds idempotency none

entity parcel from yard get "/p/{parcel_id}" key (pno) ignoring others allot get "/next" in free.pno {
  owner      = ref (cust.cno)
  weight     = w as units
  declared   = v
  size       = sz codes { small = 1, large = 2 }
  kind       = knd
  fragile    = frg
  insured    = ins codes { true = "Y", false = "N" }
  sent_at    = mk as micros
  due_at     = due as seconds
  seen_at    = seen
  due_day    = dued
  made_day   = made as days
  patience   = pat
  pause      = psz as seconds
  note       = nt
  pieces     = pcs
  courier    = crr
  city       = depot.cty
  label      = record { line = lb.one, colour = lb.two codes { red = "R", blue = "B" } }
  depot_last = last
  depot_next = nxt
  stops      = rows get "/p/{parcel_id}/stops" in items { depot = dcd, fee = fee as units }
  paid_stops = rows at paid { depot = dcd, fee = fee as units }
  others     = refs at near (pno)
  tags       = values at tags
  case state = st codes { waiting = "W", gone = "G" }
}
entity customer from yard get "/c/{customer_id}" key (cno) { state = region }
entity slot from yard get "/s/{depot}/{day}" key (dcd, day as days) { free = left }
effect drop(parcel) on yard { delete "/p/{parcel.parcel_id}" }
effect ship(parcel, fee, moves, when_sent) on yard {
  post "/p/{parcel.parcel_id}/ship?at={when_sent as micros}"
    send {
      fee = fee as units,
      by = { kind = "road", express = false },
      stops = each m in moves { dcd = m.depot, day = m.day as days, fee = m.fee },
    }
}
"""
_PARCEL: dict[str, Any] = {
    "pno": "p1",
    "cust": {"cno": "c1"},
    "w": 1250,
    "v": "20.00",
    "sz": 2,
    "knd": "air mail",
    "frg": True,
    "ins": "Y",
    "mk": 1_700_000_000_000_001,
    "due": 1_700_000_000,
    "seen": "2024-05-20T10:00:00+02:00",
    "dued": "2024-05-20",
    "made": 19863,
    "pat": 60_000_000,
    "psz": 90,
    "nt": None,
    "pcs": 3,
    "crr": "ann",
    "depot": {"cty": "Ulm"},
    "lb": {"one": "To Eve", "two": "R"},
    "last": "D2",
    "nxt": None,
    "paid": [{"dcd": "D1", "fee": 100}],
    "near": [{"pno": "p2"}],
    "tags": ["b", "a"],
    "st": "W",
}
_STOPS = {"items": [{"dcd": "D1", "fee": 100}, {"dcd": "D2", "fee": 250}]}


@pytest.fixture
def router(machine: Machine, shop: Shop, url: str, request: pytest.FixtureRequest) -> SourceRouter:
    loaded = load(Source("yard.arp", _ARP), machine)
    assert loaded.routes is not None, human(loaded.diagnostics)
    engines = open_sources(loaded.routes, {"YARD": url, "TOKEN": TOKEN})
    request.addfinalizer(lambda: close(engines["yard"]))
    shop.misbehave["GET /p/p1/stops"] = says(200, _STOPS)
    shop.misbehave["GET /p/p1"] = says(200, _PARCEL)
    return SourceRouter(loaded.routes, machine, engines)


def _read(router: SourceRouter, *fields: str, key: str = "p1") -> Instance:
    (instance,) = router.read([Request("parcel", (key,), fields)], 5)
    return instance


def test_every_encoding_is_that_of_columns(router: SourceRouter, machine: Machine) -> None:
    instance = _read(router, *(field.name for field in machine.index.entities["parcel"].fields))
    assert instance.state == "waiting"
    assert instance.fields == {
        "owner": ("c1",),
        "weight": 1250,
        "declared": 2000,
        "size": "large",
        "kind": "air_mail",
        "fragile": True,
        "insured": True,
        "sent_at": 1_700_000_000_000_001,
        "due_at": 1_700_000_000_000_000,
        "seen_at": 1_716_192_000_000_000,
        "due_day": 19863,
        "made_day": 19863,
        "patience": 60_000_000,
        "pause": 90_000_000,
        "note": None,
        "pieces": 3,
        "courier": "ann",
        "city": "Ulm",
        "label": ("To Eve", "red"),
        "depot_last": "D2",
        "depot_next": None,
        "stops": (("D1", 100), ("D2", 250)),
        "paid_stops": (("D1", 100),),
        "others": (("p2",),),
        "tags": ("b", "a"),
    }


def test_a_list_of_its_own_is_asked_for_only_where_it_is_wanted(router: SourceRouter, shop: Shop) -> None:
    _read(router, "pieces")
    assert shop.asked == ["GET /p/p1"]
    shop.asked.clear()
    _read(router, "pieces", "stops", key="p9")
    assert shop.asked == ["GET /p/p9", "GET /p/p9/stops"], "as much is asked about what isn't there"


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        (says(404, {}), Unknown.MISSING),
        (says(500, {}), Unknown.MISSING),
        (says(200, {}), Unknown.DRIFT),
        (says(200, {"items": {}}), Unknown.DRIFT),
        (says(200, {"items": [{"dcd": "D1"}]}), Unknown.DRIFT),
        (says(200, {"items": [{"dcd": "D1", "fee": 1}] * 4}), Unknown.DRIFT),
        (says(200, {"items": []}), ()),
    ],
)
def test_a_list_that_cant_be_had_costs_nothing_else(
    router: SourceRouter, shop: Shop, answer: Callable[..., None], value: object
) -> None:
    shop.misbehave["GET /p/p1/stops"] = answer
    assert _read(router, "pieces", "stops").fields == {"pieces": 3, "stops": value}


@pytest.mark.parametrize("tags", [["x" * 11], ["a"] * 5, [1], [None], None, "ab", [["a"]]])
def test_elements_are_bounded_and_typed(router: SourceRouter, shop: Shop, tags: object) -> None:
    shop.misbehave["GET /p/p1"] = says(200, {**_PARCEL, "tags": tags})
    assert isinstance(_read(router, "tags").fields["tags"], Unknown)


def test_keys_of_several_parts_stand_in_the_address_as_they_are_encoded(router: SourceRouter, shop: Shop) -> None:
    shop.misbehave["GET /s/D1/19863"] = says(200, {"dcd": "D1", "day": 19863, "left": 4})
    (slot,) = router.read([Request("slot", ("D1", 19863), ("free",))], 5)
    assert slot.fields == {"free": 4}


def test_a_service_allots_keys(router: SourceRouter, shop: Shop) -> None:
    shop.misbehave["GET /next"] = says(200, {"free": {"pno": "p7"}})
    assert router.allot("parcel") == ("p7",)
    for answer in (says(200, {"free": {"pno": 7}}), says(200, {}), says(404, {}), says(500, {})):
        shop.misbehave["GET /next"] = answer
        assert router.allot("parcel") is None
    assert router.allot("customer") is None


def test_what_is_sent(router: SourceRouter, shop: Shop) -> None:
    sent: list[Any] = []

    def take(request: Any) -> None:
        sent.append((request.path, request.body()))
        request.answer(200, {})

    shop.misbehave["POST"] = take
    arguments: dict[str, Any] = {
        "parcel": ["p1"],
        "fee": "2.50",
        "moves": [{"depot": "D1", "day": "2024-05-20", "fee": "1.00"}],
        "when_sent": "2024-05-20T10:00:00Z",
    }
    permit = Permit(b"r" * 32, "case", 1, b"m" * 32, 0, "ship", arguments, "k1")
    assert router.perform(permit).performed is Performed.DONE
    assert sent == [
        (
            "/p/p1/ship?at=1716199200000000",
            {
                "fee": 250,
                "by": {"kind": "road", "express": False},
                "stops": [{"dcd": "D1", "day": 19863, "fee": "1.00"}],
            },
        )
    ]


def test_the_plan_counts_an_answer_of_its_own(machine: Machine) -> None:
    routes = load(Source("yard.arp", _ARP), machine).routes
    assert routes is not None
    parcel = next(line for line in evidence_plan(machine, routes) if line.entity == "parcel")
    assert (parcel.fields, parcel.round_trips, parcel.together) == (("city", "stops"), 2, 1)


def test_a_function_allots_keys(machine: Machine) -> None:
    text = _ARP.replace('http env "YARD" auth bearer env "TOKEN" timeout 1 seconds idempotency none', "python")
    text = text.replace('get "/next" in free.pno', 'call "free"').replace(
        'rows get "/p/{parcel_id}/stops" in items', "rows at stops"
    )
    for path in ("/p/{parcel_id}", "/c/{customer_id}", "/s/{depot}/{day}"):
        text = text.replace(f'from yard get "{path}"', 'from yard call "read"')
    text = text[: text.index("effect drop")] + 'effect drop(parcel) on yard { call "act" }\n'
    text += 'effect ship(parcel, fee, moves, when_sent) on yard { call "act" }\n'
    loaded = load(Source("yard.arp", text), machine)
    assert loaded.routes is not None, human(loaded.diagnostics)
    free: list[object] = ["p7", 7, None]
    functions = Functions({"read": lambda keys: [], "act": lambda *_: None, "free": lambda: free.pop(0)})
    router = SourceRouter(loaded.routes, machine, {"yard": functions})
    assert [router.allot("parcel") for _ in range(4)] == [("p7",), None, None, None]
