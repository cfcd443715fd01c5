"""What checking a whole ledger costs, by its length: `make bench-verify`.

The ledger holds what a desk writes: records of a verdict's size and form, in many cases' chains. Each verifier is timed
as an auditor would run it, as a process of its own. `--fast` leaves bodies undecoded and compares their digests only.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "laws"))

import worlds  # noqa: E402

from edca.ledger.ed25519 import new_key  # noqa: E402
from edca.ledger.note import KeyKind, SigningKey  # noqa: E402
from edca.ledger.record import Draft  # noqa: E402
from edca.ledger.sqlite import SQLiteLedger  # noqa: E402
from edca.runtime.question import Question  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
CASES = 10_000
A_COMMIT = 500


def fill(path: Path, size: int) -> int:
    """Make a ledger of so many verdicts, and return how many bytes a body has on average."""
    setup = worlds.approval()
    verdict = setup.decide()
    content = Question(setup.machine, setup.case, None, setup.candidate, setup.inputs).to_data()
    content |= {
        "tenant": "",
        "routes": bytes(32),
        "verdict": verdict.to_raw(),
        "pending": False,
        "reserved_until": None,
    }
    with SQLiteLedger.open(path, durable=False) as ledger:
        while ledger.size < size:
            first = ledger.size
            numbers = range(first, min(first + A_COMMIT, size))
            at = setup.inputs.now
            ledger.commit(
                [Draft(f'/order:["{n * 7919 % CASES}"]', "verdict", content | {"at": at + n}) for n in numbers]
            )
        return path.stat().st_size // size


def seconds(command: list[object]) -> float:
    """Time one run, which must find nothing."""
    start = time.perf_counter()
    words = [str(part) for part in command]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  our own verifiers
    spent = time.perf_counter() - start
    if ran.returncode != 0:
        raise SystemExit(f"{command}: {ran.stdout[-300:]}{ran.stderr[-300:]}")
    return spent


def main() -> None:
    """Fill, verify and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=SIZES[-1], help="the largest ledger (default: 1000000)")
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    asked = parser.parse_args()
    edca = Path(sys.executable).parent / "edca"
    python, node = ROOT / "verifiers" / "verify_ledger.py", ROOT / "verifiers" / "verify-ledger.mjs"
    found = []
    for size in sorted({*(one for one in SIZES if one < asked.records), asked.records}):
        with tempfile.TemporaryDirectory() as place:
            ledger, folder = Path(place, "desk.ledger"), Path(place, "published")
            weight = fill(ledger, size)
            key = SigningKey("bench.example", KeyKind.LOG, new_key()[0])
            Path(place, "key").write_text(key.to_secret(), "utf-8")
            publishing = seconds([edca, "publish", ledger, "--key", Path(place, "key"), "--to", folder, "--bodies"])
            row = {"records": size, "bytes a record": weight, "edca publish --bodies": publishing}
            row["edca verify"] = seconds([edca, "verify", ledger])
            row["edca verify --fast"] = seconds([edca, "verify", ledger, "--fast"])
            row["verify_ledger.py"] = seconds([sys.executable, python, folder, "--trust", key.verifier])
            row["verify_ledger.py --fast"] = seconds(
                [sys.executable, python, folder, "--trust", key.verifier, "--fast"]
            )
            if shutil.which("node"):
                row["verify-ledger.mjs"] = seconds(["node", node, folder, "--trust", key.verifier])
                row["verify-ledger.mjs --fast"] = seconds(["node", node, folder, "--trust", key.verifier, "--fast"])
            found.append(row)
        if not asked.json:
            print(f"{size} records of {weight} bytes")
            for name, value in list(row.items())[2:]:
                print(f"  {name:26} {value:8.2f} s {value / size * 1e6:8.1f} µs a record", flush=True)
    if asked.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
