"""The refund desk of `specs/refund`, for tests over PostgreSQL: who asks, and what the ledger's key is."""

from pathlib import Path

from edca.api import Caller
from edca.ledger.note import KeyKind, SigningKey

REFUND = Path(__file__).resolve().parents[2] / "specs" / "refund"
KEY = SigningKey("shop.example", KeyKind.LOG, bytes(range(32)))
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")


def candidate(amount, key):
    arguments = {"order_id": "o1", "amount": amount, "picks": [{"sku": "a1", "count": 1}]}
    return {"transition": "approve_refund", "arguments": arguments, "confidence": 0.93, "key": key}


def ask(kernel, amount, key):
    said = [kernel.attest("reason", "Broken.", by="carla", role="customer")]
    return kernel.submit(candidate(amount, key), caller=BOT, attestations=said)
