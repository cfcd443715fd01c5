"""What checking a whole ledger costs, by its length: `make bench-verify`.

The ledger holds what a desk of many tenants writes. A first tenant's cases are decided by the kernel: refunds that are
accepted, refused and put before people, with texts, amounts and lists of many lengths. Its records are then written
once more for each other tenant, under the tenant's name and in the tenant's chains, with the cells that they add up to.

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
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "laws"), str(ROOT / "benchmarks")]

import submit  # noqa: E402

from edca.kernel.canonical import encode  # noqa: E402
from edca.ledger.ed25519 import new_key  # noqa: E402
from edca.ledger.leaf import Leaf, chain_tag  # noqa: E402
from edca.ledger.note import KeyKind, SigningKey  # noqa: E402
from edca.ledger.record import Draft, body_digest, parse, seal  # noqa: E402
from edca.ledger.sqlite import SQLiteLedger  # noqa: E402
from edca.ledger.store import Cell  # noqa: E402
from edca.ledger.tree import leaf_hash  # noqa: E402
from edca.runtime.config import CHAIN, Configuration  # noqa: E402
from edca.runtime.kinds import VERDICT  # noqa: E402
from edca.runtime.rebuild import Rebuilt  # noqa: E402

SIZES = (10_000, 100_000, 1_000_000)
WHOLE_MAX = 100_000  # records: from there on what lies beside them is left out
A_TENANT = 200  # decisions about 40 orders
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


@dataclasses.dataclass(frozen=True, slots=True)
class Pattern:
    """A record of the first tenant, to be written as another tenant's: no digest in it is over the tenant's name."""

    chain: str
    entry: int
    pieces: list[bytes]
    """Its body, cut where the tenant, the case's id, the chain and the digest of the chain's body before it stand."""
    order: str
    """Which of these stands in each gap."""

    @staticmethod
    def of(body: bytes) -> Pattern:
        """Cut a body."""
        record, marks = parse(body), {name: name * 40 for name in "TIC"}
        content: Any = {**record.content, "tenant": marks["T"]}
        content["case"] = {**content["case"], "id": marks["I"]}
        sealed = seal(Draft(marks["C"], record.kind, content), record.entry, b"P" * 32)
        spelt = [encode(mark) for mark in (*marks.values(), b"P" * 32)]
        found = re.split(b"|".join(map(re.escape, spelt)), sealed)
        gaps = re.findall(rb"T{40}|I{40}|C{40}|P{32}", sealed)
        return Pattern(record.chain, record.entry, found, "".join(chr(gap[0]) for gap in gaps))

    def body(self, tenant: str, prev: bytes) -> bytes:
        """Return the body for another tenant."""
        chain = encode(tenant + self.chain)
        new = {"T": encode(tenant), "I": chain, "C": chain, "P": encode(prev)}
        return b"".join(part for piece, gap in zip(self.pieces, [*self.order, ""], strict=True)
                        for part in (piece, new.get(gap, b"")))  # fmt: skip


def fill(path: Path, size: int) -> int:
    """Write the records of more tenants until there are so many, and return how many bytes a body has on average.

    The rows are written as the store would write them, which every verifier then checks.
    """
    with SQLiteLedger.open(path, durable=False) as ledger:
        stored = list(ledger.records())
    own = [Pattern.of(one.body) for one in stored if parse(one.body).kind == VERDICT]
    tip, newest = stored[-1].leaf.leaf_hash(), dict[str, tuple[int, int, bytes]]()

    def rows() -> Iterator[tuple[int, int | None, bytes, bytes]]:
        nonlocal tip
        for index in range(len(stored), size):
            copy, place = divmod(index - len(stored), len(own))
            pattern, tenant = own[place], f"t{copy}"
            chain = tenant + pattern.chain
            back, _, prev = newest.get(chain, (None, -1, bytes(32)))
            body = pattern.body(tenant, prev)
            digest = body_digest(body)
            header = Leaf(index, tip, chain_tag(chain), pattern.entry, digest).to_bytes()
            tip = leaf_hash(header)
            newest[chain] = index, pattern.entry, digest
            yield index, back, header, body

    with closing(sqlite3.connect(path)) as file, file:
        file.executemany("INSERT INTO ledger(leaf, back, header, body) VALUES(?, ?, ?, ?)", rows())
        heads = ((chain, entry, index, head) for chain, (index, entry, head) in sorted(newest.items()))
        file.executemany("INSERT INTO chains(chain, entry, leaf, head) VALUES(?, ?, ?, ?)", heads)
    if size <= WHOLE_MAX:
        with SQLiteLedger.open(path, durable=False) as ledger:
            ledger.commit([], cells(ledger))
    return sum(len(one.body) for one in stored) // len(stored)


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
