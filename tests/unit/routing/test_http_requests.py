"""Goal: what became of an effect over HTTP is never guessed, and nobody but the service meant is ever asked."""

import ssl
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from shop_service import ARP, Handler, Shop, breaks, drips, hangs, permit, read_order, routed, says, start

from edca.kernel.machine import Machine
from edca.kernel.values import Unknown
from edca.routing import RouteError, SourceRouter, close, open_service, open_sources
from edca.routing.model_documents import HTTPSource
from edca.runtime.ports import Performed, Report

Opened = Callable[..., SourceRouter]


def test_an_effect_happens_once_under_its_key(service_router: SourceRouter, shop: Shop) -> None:
    sent = permit()
    assert service_router.performed(sent) is Performed.FAILED
    assert service_router.perform(sent) == Report(Performed.DONE, "status 201")
    assert service_router.perform(sent).performed is Performed.DONE
    assert service_router.performed(sent) is Performed.DONE
    assert shop.payouts == [200]
    requests = [headers for path, headers in zip(shop.asked, shop.headers, strict=True) if path.startswith("POST")]
    assert [headers["Idempotency-Key"] for headers in requests] == ["k1", "k1"]
    assert service_router.perform(permit("recall_money", key="k2")).performed is Performed.DONE
    assert shop.payouts == [200, -200]


@pytest.mark.parametrize(
    ("status", "performed"),
    [
        (200, Performed.DONE),
        (204, Performed.DONE),
        (202, Performed.UNKNOWN),  # accepted isn't done
        (302, Performed.UNKNOWN),
        (400, Performed.FAILED),
        (404, Performed.FAILED),
        (408, Performed.UNKNOWN),
        (409, Performed.PRECONDITION_LOST),  # as the route says
        (412, Performed.UNKNOWN),  # what the route says replaces what is usual
        (500, Performed.UNKNOWN),
        (502, Performed.UNKNOWN),
        (503, Performed.TRANSIENT),  # as the source says
    ],
)
def test_what_a_status_means(service_router: SourceRouter, shop: Shop, status: int, performed: Performed) -> None:
    shop.misbehave["POST"] = says(status, {})
    assert service_router.perform(permit()).performed is performed
    assert shop.count("POST") == 1, "the router sends once; trying again is the kernel's to decide"


@pytest.mark.parametrize("handler", [breaks, drips, hangs], ids=["breaks", "drips", "hangs"])
def test_an_effect_without_an_answer_is_unknown(service_router: SourceRouter, shop: Shop, handler: Handler) -> None:
    shop.misbehave["POST"] = handler
    report = service_router.perform(permit())
    assert report.performed is Performed.UNKNOWN
    assert shop.count("POST") == 1


def test_without_a_connection_nothing_was_sent(opened: Opened) -> None:
    server, address = start(Shop())
    server.shutdown()
    server.server_close()
    router = opened(ARP, address)
    assert router.perform(permit()).performed is Performed.TRANSIENT
    assert router.performed(permit()) is Performed.UNKNOWN
    assert read_order(router).state is Unknown.MISSING


def test_a_huge_answer_to_an_effect_isntread_order(service_router: SourceRouter, shop: Shop) -> None:
    shop.misbehave["POST"] = says(201, b"x" * 5_000_000)
    assert service_router.perform(permit()).performed is Performed.DONE


def test_asking_believes_no_no_of_a_service_without_keys(opened: Opened, shop: Shop) -> None:
    router = opened(ARP.replace('idempotency "Idempotency-Key"', "idempotency none"))
    assert router.performed(permit()) is Performed.UNKNOWN
    router.perform(permit())
    assert "Idempotency-Key" not in shop.headers[-1]


def test_a_value_that_would_lead_elsewhere_is_never_sent(service_router: SourceRouter, shop: Shop) -> None:
    assert service_router.perform(permit(order="../o2")).performed is Performed.FAILED
    assert shop.asked == []


# --- who asks, and whom --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "needs its URL in the environment variable REFUND_SHOP_API"),
        ({"REFUND_SHOP_API": "https://shop.example"}, "needs its credential in the environment variable REFUND_SHOP_T"),
        ({"REFUND_SHOP_API": "https://shop.example", "REFUND_SHOP_TOKEN": "s3cret\r\nX: y"}, "needs its credential"),
        ({"REFUND_SHOP_API": "http://shop.example", "REFUND_SHOP_TOKEN": "s3cret"}, "isn't encrypted"),
        ({"REFUND_SHOP_API": "https://me:s3cret@shop.example", "REFUND_SHOP_TOKEN": "x"}, "is no base URL"),
        ({"REFUND_SHOP_API": "ftp://s3cret", "REFUND_SHOP_TOKEN": "x"}, "is no base URL"),
    ],
)
def test_a_service_that_cant_be_opened(refund: Machine, environment: dict[str, str], message: str) -> None:
    with pytest.raises(RouteError) as caught:
        open_sources(routed(ARP, refund), environment)
    assert message in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_credentials_stay_in_the_service(refund: Machine, url: str) -> None:
    routes = routed(ARP, refund)
    (connection,) = open_sources(routes, {"REFUND_SHOP_API": url, "REFUND_SHOP_TOKEN": "s3cret"}).values()
    assert repr(connection) == "<Service shop>"
    close(connection)
    assert b"s3cret" not in routes.document


def test_a_certificate_that_nobody_vouches_for_is_refused(opened: Opened, shop: Shop, tmp_path: Path) -> None:
    server, _ = start(shop)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path))
    secure = ThreadingHTTPServer(("127.0.0.1", 0), server.RequestHandlerClass)
    secure.socket = context.wrap_socket(secure.socket, server_side=True)
    threading.Thread(target=secure.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    router = opened(ARP, f"https://127.0.0.1:{secure.server_port}")
    assert read_order(router).state is Unknown.MISSING
    assert router.perform(permit()).performed is Performed.TRANSIENT
    assert shop.asked == []
    for each in (server, secure):
        each.shutdown()
        each.server_close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path


def test_without_the_library_the_extra_is_named(refund: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "edca.routing.http", None)
    (source,) = routed(ARP, refund).sources
    assert isinstance(source, HTTPSource)
    with pytest.raises(RouteError, match=r"run `pip install 'edca\[http\]'`"):
        open_service(source, "https://shop.example", {})
