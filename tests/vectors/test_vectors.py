"""The test vectors are those that this version of the format makes, and everybody who reads it agrees on each.

Three implementations: EDCA's own, and the two verifiers that share nothing with it (verifiers/).
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from vectors import Vector, vectors

from edca.kernel.canonical import CanonicalError, decode
from edca.ledger.checkpoint import attested
from edca.ledger.errors import LedgerFormatError
from edca.ledger.receipt import Receipt

HERE = Path(__file__).parent
VERIFIERS = HERE.parents[1] / "verifiers"
ALL = vectors()
RUNNERS = {
    "python": [sys.executable, str(VERIFIERS / "run_vectors.py")],
    "node": ["node", str(VERIFIERS / "run-vectors.mjs")],
}


def test_the_files_are_those_that_this_version_makes() -> None:
    if os.environ.get("EDCA_UPDATE_GOLDEN"):
        for path in HERE.glob("*.vector"):
            path.unlink()
        for vector in ALL:
            (HERE / f"{vector.name}.vector").write_bytes(vector.to_bytes())
    assert {path.stem: path.read_bytes() for path in HERE.glob("*.vector")} == {
        vector.name: vector.to_bytes() for vector in ALL
    }


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_independent_verifiers_agree_with_every_vector(runner: str) -> None:
    command = RUNNERS[runner]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    files = [f"{vector.name}.vector" for vector in ALL]
    ran = subprocess.run([*command, *files], cwd=HERE, capture_output=True, text=True, check=False)
    assert (ran.stderr, [line for line in ran.stdout.splitlines() if "is expected" in line]) == ("", [])
    assert ran.returncode == 0
    assert len(ran.stdout.splitlines()) == len(ALL)


@pytest.mark.parametrize("vector", [one for one in ALL if one.kind != "ledger"], ids=lambda one: one.name)
def test_edca_itself_agrees(vector: Vector) -> None:
    def read() -> None:
        match vector.kind:
            case "canonical":
                decode(bytes.fromhex(vector.payload.decode()))
            case "checkpoint":
                attested(vector.payload, vector.trust, witnesses=vector.witnesses)
            case "receipt":
                Receipt.parse(vector.payload).check(vector.trust, witnesses=vector.witnesses)

    if vector.expect == "ok":
        read()
        return
    with pytest.raises((LedgerFormatError, CanonicalError)):
        read()


def test_every_code_has_a_vector() -> None:
    assert {vector.expect for vector in ALL} == {
        "ok", "body", "canonical", "chain", "format", "gap", "header", "missing", "order", "proof", "root", "signature",
        "witness",
    }  # fmt: skip
