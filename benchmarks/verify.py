"""What checking a whole ledger costs, by its length: `make bench-verify`.

The ledger holds what a desk of many tenants writes. A first tenant's cases are decided by the kernel: refunds that are
accepted, refused and put before people, with texts, amounts and lists of many lengths. Its records are then written
once more for each other tenant, under the tenant's name and in the tenant's chains, and the cells that they add up to.

Each verifier is timed as an auditor would run it, as a process of its own: seconds of the clock, and of all processors
together, which don't depend on what else the machine does. `edca verify` alone looks at what lies beside the records,
too; it is left out for ledgers over 100,000 records, as it takes minutes there and grows as it does below.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "laws"), str(ROOT / "benchmarks")]

import submit  # noqa: E402

from edca.ledger.ed25519 import new_key  # noqa: E402
from edca.ledger.note import KeyKind, SigningKey  # noqa: E402
from edca.ledger.record import Draft, parse  # noqa: E402
from edca.ledger.sqlite import SQLiteLedger  # noqa: E402
from edca.ledger.store import Cell  # noqa: E402
from edca.runtime.config import CHAIN, Configuration  # noqa: E402
from edca.runtime.rebuild import Rebuilt  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
WHOLE_MAX = 100_000  # records: from there on what lies beside them is left out
A_TENANT = 200  # decisions about 40 orders
A_COMMIT = 1000
AMOUNTS = ("20.00", "75.50", "9.99", "90.00", "79.00", "1.00")
WORDS = "the parcel came late and one of its corners was wet so I would like my money back please größer".split()


def decide(folder: Path, name: str) -> Path:
    """Have the first tenant's cases decided, and return the ledger's path."""
    bench, chance = submit.Bench(folder, name, A_TENANT, durable=False), random.Random(7)  # noqa: S311  always the same

    def words(most: int) -> str:
        return " ".join(chance.choice(WORDS) for _ in range(chance.randrange(1, most)))

    for number in range(A_TENANT):
        order, amount = f"order {chance.randrange(A_TENANT // 5)}", chance.choice(AMOUNTS)
        ask = submit.approval(number, order, amount)
        candidate = dataclasses.replace(
            ask.candidate,
            rationale=words(30),
            confidence=chance.choice([None, 8000, 9100, 9999]),
            evidence=tuple(words(4) for _ in range(chance.randrange(3))),
        )
        said = [dataclasses.replace(one, value=words(12)) if one.name == "reason" else one for one in ask.attestations]
        bench.submit(submit.Ask(candidate, ask.caller, tuple(said[chance.randrange(4) == 0 :])))
    bench.close()
    return bench.path


def of_tenant(tenant: str, body: bytes) -> Draft:
    """Return the record as another tenant's: no digest in it is over the tenant's name."""
    record = parse(body)
    content: Any = {**record.content, "tenant": tenant}
    if content["case"] is not None:
        content["case"] = {**content["case"], "id": tenant + content["case"]["id"]}
    return Draft(record.chain if record.chain == "intake" else tenant + record.chain, record.kind, content)


def fill(path: Path, size: int) -> int:
    """Write the records of more tenants until there are so many, and return how many bytes a body has on average."""
    with SQLiteLedger.open(path, durable=False) as ledger:
        bodies = [stored.body for stored in ledger.records()]
        own = [body for body in bodies if parse(body).kind != CHAIN]
        drafts: list[Draft] = []
        for number in range(size - len(bodies)):
            drafts.append(of_tenant(f"t{number // len(own)}", own[number % len(own)]))
            if len(drafts) == A_COMMIT:
                ledger.commit(drafts)
                drafts = []
        ledger.commit(drafts)
        if size <= WHOLE_MAX:
            ledger.commit([], cells(ledger))
    return sum(map(len, own)) // len(own)


def cells(ledger: SQLiteLedger) -> list[Cell]:
    """Return what the records add up to."""
    configuration = Configuration()
    rebuilt = Rebuilt(configuration)
    for stored in ledger.records():
        record = parse(stored.body)
        if record.kind == CHAIN:
            configuration.take(record.content)
        rebuilt.take(stored, record)
    return [Cell(space, key, value) for (space, key), value in rebuilt._cells.items()]


def cost(command: list[object]) -> tuple[float, float]:
    """Time one run, which must find nothing: seconds of the clock, and of all processors."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    words = [str(part) for part in command]
    ran = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603  our own verifiers
    spent, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if ran.returncode != 0:
        raise SystemExit(f"{command}: {ran.stdout[-300:]}{ran.stderr[-300:]}")
    return spent, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Fill, verify and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=SIZES[-1], help="the largest ledger (default: 1000000)")
    parser.add_argument("--folder", type=Path, help="where to make the ledgers, which take 8 GB for a million records")
    parser.add_argument("--json", action="store_true", help="write one JSON document")
    asked = parser.parse_args()
    edca = Path(sys.executable).parent / "edca"
    python, node = ROOT / "verifiers" / "verify_ledger.py", ROOT / "verifiers" / "verify-ledger.mjs"
    found = []
    for size in sorted({*(one for one in SIZES if one < asked.records), asked.records}):
        with tempfile.TemporaryDirectory(dir=asked.folder) as place:
            ledger, folder = decide(Path(place), "desk"), Path(place, "published")
            weight = fill(ledger, size)
            key = SigningKey("bench.example", KeyKind.LOG, new_key()[0])
            Path(place, "key").write_text(key.to_secret(), "utf-8")
            publish = [edca, "publish", ledger, "--key", Path(place, "key"), "--to", folder, "--bodies"]
            trust = [folder, "--trust", key.verifier]
            runs: dict[str, list[object]] = {"edca publish --bodies": publish}
            if size <= WHOLE_MAX:
                runs["edca verify"] = [edca, "verify", ledger]
            runs["edca verify --records"] = [edca, "verify", ledger, "--records"]
            runs["edca verify --fast"] = [edca, "verify", ledger, "--fast"]
            runs["verify_ledger.py"] = [sys.executable, python, *trust]
            runs["verify_ledger.py --fast"] = [sys.executable, python, *trust, "--fast"]
            if shutil.which("node"):
                runs["verify-ledger.mjs"] = ["node", node, *trust]
                runs["verify-ledger.mjs --fast"] = ["node", node, *trust, "--fast"]
            if not asked.json:
                print(f"{size} records of {weight} bytes", flush=True)
            row: dict[str, Any] = {"records": size, "bytes a record": weight, "runs": {}}
            for name, command in runs.items():
                load = os.getloadavg()[0]
                clock, processors = cost(command)
                row["runs"][name] = {"seconds": clock, "processor_seconds": processors, "load": load}
                if not asked.json:
                    each = processors / size * 1e6
                    print(
                        f"  {name:26} {clock:8.2f} s, {processors:8.2f} s of processors, {each:7.1f} µs a record"
                        f" (load {load:.1f})",
                        flush=True,
                    )
            found.append(row)
    if asked.json:
        print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
