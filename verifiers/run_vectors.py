#!/usr/bin/env python3
"""Runs the test vectors of the ledger's format with `verify_ledger.py`, and prints for each what it comes to.

    run_vectors.py FILE...        exits with 1 if one comes to anything else than it says

What a vector holds: docs/reference/ledger.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

from verify_ledger import Flaw, Ledger, check_receipt, decode, parse_checkpoint, parse_key, size_of


def vector(path: Path) -> str:
    """Return the code of the first flaw of a test vector, or `ok`: docs/reference/ledger.md says what they hold."""
    head, _, payload = path.read_bytes().partition(b"\n\n")
    names = [line.partition(": ") for line in head.decode().split("\n")]
    fields = {name: value for name, _, value in names}
    trusted = [parse_key(value) for name, _, value in names if name == "trust"]
    witnesses = int(fields.get("witnesses", "0"))
    try:
        if fields["kind"] == "canonical":
            decode(bytes.fromhex(payload.decode()))
        elif fields["kind"] == "checkpoint":
            parse_checkpoint(payload, trusted, witnesses)
        elif fields["kind"] == "receipt":
            check_receipt(payload, trusted, witnesses)
        else:
            rows, _, note = payload.partition(b"\n\n")
            pairs = [line.split("/") for line in rows.decode().split()]
            records = [(at, bytes.fromhex(header), bytes.fromhex(body)) for at, (header, body) in enumerate(pairs)]
            run = Ledger(decoding=True, trusted=trusted)
            run.run(iter(records), {size_of(note)})
            for flaw in run.findings:
                raise flaw
            if note:
                run.compare(parse_checkpoint(note, run.keys, witnesses))
    except Flaw as flaw:
        return flaw.code
    return "ok"


def main() -> int:
    """Run the program."""
    wrong = 0
    for name in sys.argv[1:]:
        path = Path(name)
        expected = path.read_bytes().split(b"\nexpect: ")[1].split(b"\n")[0].decode()
        came = vector(path)
        wrong += came != expected
        print(f"{name}: {came}" + ("" if came == expected else f", where {expected} is expected"))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
