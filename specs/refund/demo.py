"""The refund desk from end to end: five candidates, their records, and a tampered byte.

Runs on a fresh checkout with nothing but the core install: `make demo`. Everything happens in a temporary folder.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from edca.api import (
    Accepted,
    Attestation,
    Caller,
    Escalated,
    FixedClock,
    Kernel,
    Refused,
    for_model,
    for_operator,
    open_engine,
)
from edca.kernel.calendar import parse_time
from edca.ledger.verify import verify
from edca.semantic.candidate import admit

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Path(__file__).parent
NOW = parse_time("2026-03-20T12:00:00Z") or 0
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")


def ask(transition: str, order: str, amount: str, item: str) -> dict[str, object]:
    """Return a candidate as a model would write it."""
    arguments = {"order_id": order, "amount": amount, "picks": [{"sku": item, "count": 1}]}
    return {"transition": transition, "arguments": arguments, "confidence": 0.93, "rationale": "The customer is upset."}


def main() -> int:
    """Run the demonstration; exit 0 when everything came out as said."""
    with tempfile.TemporaryDirectory() as folder:
        shop, ledger = Path(folder, "shop.db"), Path(folder, "ledger.db")
        connection = sqlite3.connect(shop)
        connection.executescript((HERE / "shop.sql").read_text("utf-8"))
        connection.close()
        engine = open_engine(f"sqlite:///{shop}")
        kernel = Kernel.open(
            HERE / "refund.edca",
            routes=HERE / "refund.arp",
            roster=HERE / "roster.toml",
            ledger=ledger,
            clock=FixedClock(NOW),
            engines={"shop": engine},
        )
        with kernel:
            decide_five(kernel)
            replayed = kernel.replay()
        engine.dispose()
        check = verify(ledger)
        print(f"\nverified {check.size} records, root {check.root.hex()[:16]}…, findings: {len(check.findings)}")
        print(f"replayed {replayed.total} records, {replayed.equal} equal byte for byte")
        located = tamper(ledger, record=check.size - 1)
        return 0 if not check.findings and replayed.equal == replayed.total and located else 1


def decide_five(kernel: Kernel) -> None:
    """Submit an accepted, a refused and an escalated candidate, one about a stranger's order, and a payment."""
    why = kernel.attest("reason", "It arrived broken.", by="carla", role="customer", source="web form")
    yes = kernel.attest("agreed", True, by="carla", role="customer", source="web form")
    show(kernel, "A refund that the customer agreed to", ask("approve_refund", "o1", "20.00", "a1"), BOT, [why, yes])
    show(kernel, "More than was paid for it, and nobody agreed", ask("approve_refund", "o2", "1300.00", "b1"), BOT, [])
    show(kernel, "A refund that nobody has agreed to yet", ask("approve_refund", "o2", "300.00", "b1"), BOT, [])
    show(kernel, "Somebody else's order", ask("approve_refund", "o3", "5.00", "c1"), BOT, [why, yes])
    pay = {"transition": "pay", "arguments": {"order_id": "o1"}}
    show(kernel, "The supervisor pays", pay, Caller("sven", "supervisor", subject="carla"), [])


def show(
    kernel: Kernel, title: str, candidate: Mapping[str, object], caller: Caller, attestations: list[Attestation]
) -> None:
    """Submit one candidate and print what the operator and the model are told."""
    payload = json.dumps(candidate).encode()
    answer = kernel.submit(payload, caller=caller, attestations=attestations)
    print(f"\n== {title}")
    match answer.verdict:
        case Accepted(target=target):
            print(f"   accepted: the case goes to {target}; record {answer.record.index}")
        case Refused(code=code):
            print(f"   refused: {code}; record {answer.record.index}")
        case Escalated(needs=needs):
            print(f"   escalated: needs {', '.join(need.code for need in needs)}; record {answer.record.index}")
    for line in for_operator(kernel.machine, answer.verdict):
        print(f"     {line}")
    told = for_model(kernel.machine, admit(payload, caller), answer.verdict)
    print(f"   the model is told: {told.outcome} {' '.join(told.codes)}")


def tamper(ledger: Path, record: int) -> bool:
    """Flip one bit of a record behind the ledger's back, and tell whether `verify` names that record."""
    connection = sqlite3.connect(ledger)
    connection.execute("DROP TRIGGER ledger_keeps_records_unchanged")
    (body,) = connection.execute("SELECT body FROM ledger WHERE leaf = ?", (record,)).fetchone()
    middle = len(body) // 2
    altered = body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
    connection.execute("UPDATE ledger SET body = ? WHERE leaf = ?", (altered, record))
    connection.commit()
    connection.close()
    findings = verify(ledger).findings
    print(f"\none bit of record {record} flipped; verify finds:")
    for finding in findings:
        print(f"   record {finding.index}: {finding.what.value}: {finding.detail}")
    return any(finding.index == record for finding in findings)


if __name__ == "__main__":
    sys.exit(main())
