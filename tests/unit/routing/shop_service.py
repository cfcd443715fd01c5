"""A shop's HTTP service on a port of its own, which can be told to misbehave in every way that a test needs."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from edca.diagnostics import Source, human
from edca.kernel.facts import Instance
from edca.kernel.machine import Machine
from edca.routing import Routes, SourceRouter, load
from edca.runtime.ports import Permit, Request

AS_OF = 1_774_000_000_000_000
FOLDER = Path(__file__).resolve().parents[3] / "specs" / "refund"
ARP = (FOLDER / "refund-http.arp").read_text("utf-8").replace("timeout 5 seconds", "timeout 1 seconds")
FIELDS = ("delivered_at", "frozen", "lines", "membership", "owner", "refunded", "status", "total")
KNOWN = {
    "delivered_at": 1_772_355_600_000_000,
    "frozen": False,
    "lines": (("o1", "a1"),),
    "membership": "regular",
    "owner": "carla",
    "refunded": 0,
    "status": "delivered",
    "total": 8000,
}
TOKEN = "t0ken-of-the-shop"  # noqa: S105  # a test's own


def orders() -> dict[str, dict[str, Any]]:
    """Return the orders that the service begins with."""
    return {
        number: {
            "so_no": number,
            "cst": {"cst_no": customer, "cls": 1},
            "st": "D",
            "tot_c": total,
            "back_c": 0,
            "dlv_at": "2026-03-01T09:00:00Z",
            "pos": [{"so_no": number, "art": "a1"}],
            "hold_f": False,
            "etag": "e",
        }
        for number, customer, total in (("o1", "carla", 8000), ("o2", "carla", 120000), ("o3", "dora", 4000))
    }


Handler = Callable[["ShopRequest"], None]


@dataclass(slots=True)
class Shop:
    """The service's state, what it was asked, and how it misbehaves: `misbehave` by method and path, one for all calls.

    `heeds_keys` false: it doesn't know idempotency keys, and does twice what is sent twice.
    """

    orders: dict[str, dict[str, Any]] = field(default_factory=orders)
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    payouts: list[int] = field(default_factory=list)
    misbehave: dict[str, Handler] = field(default_factory=dict)
    heeds_keys: bool = True
    lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, method: str) -> int:
        """Return how many requests of that method came."""
        return sum(each.startswith(method) for each in self.asked)


class ShopRequest(BaseHTTPRequestHandler):
    """One request to the shop."""

    protocol_version = "HTTP/1.1"
    shop: Shop

    def log_message(self, *_: object) -> None:
        pass

    def answer(self, status: int, content: object = None, *, kind: str = "application/json", **headers: str) -> None:
        """Send an answer; bytes are sent as they are."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def body(self) -> dict[str, Any]:
        """Return the request's JSON."""
        read: dict[str, Any] = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        return read

    def serve(self) -> None:
        shop = self.shop
        with shop.lock:
            shop.asked.append(f"{self.command} {self.path}")
            shop.headers.append(dict(self.headers))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.answer(401)
            return
        whole = f"{self.command} {urlsplit(self.path).path}"
        misbehaving = next((do for told, do in shop.misbehave.items() if whole.startswith(told)), None)
        (misbehaving or ShopRequest.behave)(self)

    do_GET = do_POST = do_PUT = do_DELETE = serve  # the server's names

    def behave(self) -> None:
        """Answer as a shop does."""
        url = urlsplit(self.path)
        steps = [unquote(step) for step in url.path.split("/")[2:]]
        if self.command == "GET":
            self._read(steps, parse_qs(url.query))
        else:
            self._act(steps)

    def act_unheard(self) -> None:
        """Behave, and let nobody hear the answer."""
        held, self.wfile = self.wfile, BytesIO()
        self.behave()
        self.wfile = held

    def _read(self, steps: list[str], query: dict[str, list[str]]) -> None:
        shop = self.shop
        match steps:
            case ["orders"]:
                self.answer(200, {"found": [shop.orders[n] for n in query.get("so_no", []) if n in shop.orders]})
            case ["orders", number] if number in shop.orders:
                self.answer(200, shop.orders[number])
            case ["lines"]:
                pairs = [pair.split(":") for pair in query.get("k", [])]
                self.answer(200, [_line(n, art) for n, art in pairs if n in shop.orders])
            case ["orders", number, "lines", art] if number in shop.orders:
                self.answer(200, _line(number, art))
            case ["payouts", key] if key in shop.done:
                self.answer(200, {})
            case _:
                self.answer(404, {})

    def _act(self, steps: list[str]) -> None:
        shop, amount, key = self.shop, self.body()["amt_c"], self.headers.get("Idempotency-Key")
        with shop.lock:
            if not (shop.heeds_keys and key in shop.done):
                sign = 1 if self.command == "POST" else -1
                shop.orders[steps[1]]["back_c"] += sign * amount
                shop.payouts.append(sign * amount)
                shop.done[key or ""] = sign * amount
        self.answer(201, {})


def _line(number: str, art: str) -> dict[str, Any]:
    return {"so_no": number, "art": art, "prc": "80.00", "ret_f": True}


# --- ways to misbehave ---------------------------------------------------------------------------------------------


def acts_and_hangs(request: ShopRequest) -> None:
    """Do what is asked, and never say so in time."""
    request.act_unheard()
    time.sleep(1.6)


def drips(request: ShopRequest) -> None:
    """Send an answer byte by byte, headers first, each in time for a deadline between bytes."""
    for byte in b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Slow: " + b"x" * 200:
        try:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
        except OSError:
            return
        time.sleep(0.1)


def hangs(request: ShopRequest) -> None:
    """Say nothing in time, and do nothing."""
    time.sleep(1.5)
    request.close_connection = True


def breaks(request: ShopRequest) -> None:
    """Close the connection instead of an answer."""
    request.close_connection = True
    request.connection.close()


def says(status: int, content: object = None, **options: Any) -> Handler:
    """Answer that, whatever is asked."""
    return lambda request: request.answer(status, content, **options)


def start(shop: Shop) -> tuple[ThreadingHTTPServer, str]:
    """Serve the shop until `shutdown`; return the server and its base URL."""
    handler = type("ServedRequest", (ShopRequest,), {"shop": shop})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


# --- what tests of it share ---


def read_order(router: SourceRouter, key: str = "o1", fields: tuple[str, ...] = FIELDS) -> Instance:
    """Return what the router reads of an order."""
    (instance,) = router.read([Request("order", (key,), fields)], AS_OF)
    return instance


def permit(effect: str = "send_money", amount: str = "2.00", key: str = "k1", order: str = "o1") -> Permit:
    """Return a permit for one of the effects."""
    return Permit(b"r" * 32, "case", 1, b"m" * 32, 0, effect, {"order": [order], "amount": amount}, key)


def routed(text: str, machine: Machine) -> Routes:
    """Return routes for the refunds' machine."""
    loaded = load(Source("shop.arp", text), machine)
    assert loaded.routes is not None, human(loaded.diagnostics)
    return loaded.routes
