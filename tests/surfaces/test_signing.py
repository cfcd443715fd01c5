"""Goal: a ledger's keeper signs it, a witness signs only what grew, and strangers check both with other code."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edca.ledger.lock import WriterLock
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger

Edca = Callable[..., Any]  # see conftest.py

VERIFIERS = Path(__file__).resolve().parents[2] / "verifiers"
LOG, WITNESS = "refunds.example/desk", "witness.example"


@dataclass(frozen=True)
class Desk:
    """A folder with a ledger, its key and a witness's key; `log` and `witness` are the public ones."""

    folder: Path
    log: str
    witness: str

    @property
    def ledger(self) -> Path:
        return self.folder / "refunds.ledger"

    def grow(self, count: int) -> None:
        with SQLiteLedger.open(self.ledger, durable=False) as ledger:
            for number in range(count):
                ledger.commit([Draft(f"/order:o{number % 5}", "verdict", {"number": number, "size": ledger.size})])


@pytest.fixture
def desk(tmp_path: Path, edca: Edca) -> Desk:
    log = edca("keygen", tmp_path / "desk.key", "--ledger", LOG, "--json").json["key"]
    witness = edca("keygen", tmp_path / "witness.key", "--witness", WITNESS, "--json").json["key"]
    made = Desk(tmp_path, log, witness)
    made.grow(300)
    return made


def python(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the Python verifier."""
    command = [sys.executable, VERIFIERS / "verify_ledger.py", *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


def node(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the one for Node.js."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    command = ["node", VERIFIERS / "verify-ledger.mjs", *arguments]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)


BOTH = pytest.mark.parametrize("verifier", [python, node])


def published(edca: Edca, desk: Desk, *options: str) -> Path:
    folder = desk.folder / "published"
    assert edca("publish", desk.ledger, "--key", desk.folder / "desk.key", "--to", folder, *options).code == 0
    return folder


def test_a_key_is_its_owners_alone_and_the_public_one_is_printed(edca: Edca, tmp_path: Path) -> None:
    ran = edca("keygen", tmp_path / "desk.key", "--ledger", LOG)
    assert ran.code == 0 and ran.out.startswith(f"{LOG}+") and "yours alone" in ran.err
    assert (tmp_path / "desk.key").stat().st_mode & 0o777 == 0o600
    assert edca("keygen", tmp_path / "desk.key", "--ledger", LOG).code == 2
    for wrong in (("--ledger", "a b"), ("--witness", "a+b"), ("--ledger", ""), ("--ledger", "a", "--witness", "b")):
        ran = edca("keygen", tmp_path / "other.key", *wrong)
        assert (ran.code, (tmp_path / "other.key").exists()) == (2, False)


def test_a_checkpoint_is_signed_and_says_size_and_root(edca: Edca, desk: Desk) -> None:
    ran = edca("checkpoint", desk.ledger, "--key", desk.folder / "desk.key")
    assert ran.code == 0 and ran.out.startswith(f"{LOG}\n300\n")
    told = edca("checkpoint", desk.ledger, "--key", desk.folder / "desk.key", "--json").json
    assert (told["origin"], told["size"], told["checkpoint"]) == (LOG, 300, ran.out)


def test_a_witness_signs_what_grew_and_refuses_what_was_rewritten(edca: Edca, desk: Desk) -> None:
    key, seen, ask = desk.folder / "desk.key", desk.folder / "seen", desk.folder / "ask"

    def cosign(*options: str) -> Any:
        return edca("cosign", ask, "--key", desk.folder / "witness.key", "--trust", desk.log, "--seen", seen, *options)

    assert edca("checkpoint", desk.ledger, "--key", key, "--first", "-o", ask).code == 0
    ran = cosign()
    assert ran.code == 2 and "nobody knows what this witness has signed" in ran.err and not seen.exists()
    assert cosign("--first").code == 0
    ran = cosign("--first")
    assert ran.code == 2 and "is there already" in ran.err
    desk.grow(20)
    assert edca("checkpoint", desk.ledger, "--key", key, "--since", seen, "-o", ask).code == 0
    ran = cosign()
    assert ran.code == 0 and f"— {WITNESS} " in ran.out and seen.read_text("utf-8") == ran.out
    # The same size with another past: the keeper's own tool already refuses, and a forger's request does not pass.
    kept = desk.ledger.with_name("kept")
    desk.ledger.rename(kept)
    desk.grow(330)
    ran = edca("checkpoint", desk.ledger, "--key", key, "--since", seen)
    assert ran.code == 2 and "the first 320 records are not those" in ran.err
    assert edca("checkpoint", desk.ledger, "--key", key, "--first", "-o", ask).code == 0
    forged = ask.read_bytes().replace(b"old 0\n", b"old 320\n")
    ask.write_bytes(forged)
    before = seen.read_bytes()
    ran = cosign()
    assert ran.code == 2 and "not shown to begin with the 320" in ran.err and seen.read_bytes() == before


@BOTH
def test_a_receipt_convinces_a_stranger_and_a_changed_one_does_not(edca: Edca, desk: Desk, verifier: Any) -> None:
    checkpoint, receipt = desk.folder / "checkpoint", desk.folder / "receipt"
    edca("checkpoint", desk.ledger, "--key", desk.folder / "desk.key", "-o", checkpoint)
    desk.grow(3)
    for index in (0, 7, 299):
        assert edca("receipt", desk.ledger, index, "--checkpoint", checkpoint, "-o", receipt).code == 0
        ran = verifier("--receipt", receipt, "--trust", desk.log)
        assert (ran.returncode, ran.stderr) == (0, ""), ran.stdout
    raw = receipt.read_bytes()
    receipt.write_bytes(raw.replace(b"\n300\n", b"\n301\n"))
    ran = verifier("--receipt", receipt, "--trust", desk.log)
    assert ran.returncode == 1 and "signature" in ran.stdout
    assert verifier("--receipt", receipt).returncode == 1
    ran = edca("receipt", desk.ledger, 301, "--checkpoint", checkpoint)
    assert ran.code == 2 and "sign a newer one" in ran.err


@BOTH
def test_a_published_ledger_is_checked_without_edca(edca: Edca, desk: Desk, verifier: Any) -> None:
    folder = published(edca, desk, "--bodies")
    ran = verifier(folder, "--trust", desk.log)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "every body has the digest its header carries, is canonical" in ran.stdout
    assert "nothing was found in 300 records" in ran.stdout
    fast = verifier(folder, "--trust", desk.log, "--fast")
    assert fast.returncode == 0 and "not checked: what stands inside the bodies" in fast.stdout


@BOTH
def test_headers_alone_are_checked_and_the_missing_bodies_named(edca: Edca, desk: Desk, verifier: Any) -> None:
    ran = verifier(published(edca, desk), "--trust", desk.log)
    assert ran.returncode == 0 and "not checked: 300 bodies: they are not there" in ran.stdout


@BOTH
def test_a_checkpoint_kept_elsewhere_shows_what_was_cut_off(edca: Edca, desk: Desk, verifier: Any) -> None:
    folder, kept = published(edca, desk, "--bodies"), desk.folder / "kept"
    desk.grow(10)
    edca("checkpoint", desk.ledger, "--key", desk.folder / "desk.key", "-o", kept)
    ran = verifier(folder, "--trust", desk.log, "--checkpoint", kept)
    assert ran.returncode == 1 and "it counts 310 records, and 300 are there" in ran.stdout


@BOTH
def test_every_altered_file_of_a_published_ledger_is_noticed(edca: Edca, desk: Desk, verifier: Any) -> None:
    folder = published(edca, desk, "--bodies")
    found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    # Hashes are reckoned anew from the headers, and those in the files not read: the report says so.
    files = [path for path in found if {"checkpoint", "entries", "bodies"} & set(path.parts)]
    assert len(files) == 5 and "not checked: the hashes in tile/0" in verifier(folder, "--trust", desk.log).stdout
    for path in files:
        raw = path.read_bytes()
        for place in (0, len(raw) // 2, len(raw) - 1):
            path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
            assert verifier(folder, "--trust", desk.log).returncode == 1, (path, place)
        path.write_bytes(raw)
    assert verifier(folder, "--trust", desk.log).returncode == 0


@BOTH
def test_a_bundle_says_itself_how_it_is_checked(edca: Edca, desk: Desk, verifier: Any) -> None:
    folder = desk.folder / "bundle"
    ran = edca("bundle", desk.ledger, "--key", desk.folder / "desk.key", "--to", folder, "--json")
    assert (ran.code, ran.json["size"], ran.json["key"]) == (0, 300, desk.log)
    page = (folder / "README.md").read_text("utf-8")
    assert desk.log in page and ran.json["root"] in page and "300 records" in page
    assert (folder / "ledger.pub").read_text("utf-8") == f"{desk.log}\n"
    assert verifier(folder, "--trust", desk.log).returncode == 0


def test_publishing_again_writes_what_is_new_and_refuses_another_ledger(edca: Edca, desk: Desk) -> None:
    folder = published(edca, desk)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    desk.grow(300)
    published(edca, desk)
    kept = {path for path, at in before.items() if path.stat().st_mtime_ns == at}
    assert kept == set(before) - {folder / "checkpoint"}
    assert python(folder, "--trust", desk.log).returncode == 0
    desk.ledger.unlink()
    desk.grow(700)
    ran = edca("publish", desk.ledger, "--key", desk.folder / "desk.key", "--to", folder)
    assert ran.code == 2 and "are not those that" in ran.err
    desk.ledger.unlink()
    desk.grow(5)
    ran = edca("publish", desk.ledger, "--key", desk.folder / "desk.key", "--to", folder)
    assert ran.code == 2 and "holds 600 records, and this ledger has 5" in ran.err


@BOTH
def test_without_a_checkpoint_nothing_is_believed(edca: Edca, desk: Desk, verifier: Any) -> None:
    folder = published(edca, desk, "--bodies")
    (folder / "checkpoint").unlink()
    for kept in (folder, desk.folder / "empty"):
        kept.mkdir(exist_ok=True)
        ran = verifier(kept, "--trust", desk.log, "--witnesses", "3")
        assert ran.returncode == 1 and "there is no such file" in ran.stdout
        assert "not checked: any record" in ran.stdout
    assert verifier("--receipt", folder / "tile", "--trust", desk.log, "--witnesses", "two").returncode == 2


@BOTH
def test_what_grew_since_is_no_fault_of_what_was_published(edca: Edca, desk: Desk, verifier: Any) -> None:
    published(edca, desk, "--bodies")
    desk.grow(50)
    ran = verifier(published(edca, desk), "--trust", desk.log)
    assert ran.returncode == 0 and "nothing was found in 350 records" in ran.stdout
    assert "not checked: 94 bodies: they are not there" in ran.stdout


@BOTH
def test_a_file_with_too_much_in_it_is_refused(edca: Edca, desk: Desk, verifier: Any) -> None:
    folder = published(edca, desk)
    full = folder / "tile" / "entries" / "000"
    sound = full.read_bytes()
    for raw in (sound + sound[:122], sound[:-1], sound + bytes(10_000_000), b"", bytes(512)):
        full.write_bytes(raw)
        assert verifier(folder, "--trust", desk.log).returncode == 1


def test_an_altered_file_is_not_published_over(edca: Edca, desk: Desk) -> None:
    folder = published(edca, desk, "--bodies")
    body = folder / "tile" / "bodies" / "000"
    body.write_bytes(body.read_bytes()[:-1] + b"x")
    ran = edca("publish", desk.ledger, "--key", desk.folder / "desk.key", "--to", folder, "--bodies")
    assert ran.code == 2 and "somebody altered it" in ran.err


def test_one_request_at_a_time_reaches_a_witness(edca: Edca, desk: Desk) -> None:
    seen, ask = desk.folder / "seen", desk.folder / "ask"
    edca("checkpoint", desk.ledger, "--key", desk.folder / "desk.key", "--first", "-o", ask)
    lock = WriterLock.acquire(seen)
    arguments = ("cosign", ask, "--key", desk.folder / "witness.key", "--trust", desk.log, "--seen", seen, "--first")
    ran = edca(*arguments)
    assert ran.code == 2 and not seen.exists()
    lock.release()
    assert edca(*arguments).code == 0


def test_the_sqlite_file_is_checked_by_the_python_verifier(desk: Desk) -> None:
    ran = python(desk.ledger)
    assert ran.returncode == 0 and "not checked: deletion of the newest records" in ran.stdout
    assert python(desk.folder / "nowhere").returncode == 2


def test_the_independent_verifiers_share_nothing_with_edca_and_stay_short() -> None:
    for name in ("verify_ledger.py", "verify-ledger.mjs"):
        lines = (VERIFIERS / name).read_text("utf-8").splitlines()
        assert len(lines) <= 600
        imports = [line for line in lines if line.startswith(("import ", "from "))]
        assert imports and not any("edca" in line for line in imports)


def test_a_key_of_the_wrong_kind_is_refused_with_what_to_do(edca: Edca, desk: Desk) -> None:
    ran = edca("checkpoint", desk.ledger, "--key", desk.folder / "witness.key")
    assert ran.code == 2 and "holds the key of a witness" in ran.err and "`--ledger`" in ran.err
    ran = edca("checkpoint", desk.ledger, "--key", desk.ledger)
    assert ran.code == 2
    person = desk.folder / "sven.key"
    edca("keygen", person)
    ran = edca("checkpoint", desk.ledger, "--key", person)
    assert ran.code == 2 and "edca keygen" in ran.err
    ran = edca("cosign", "-", "--key", desk.folder / "witness.key", "--trust", "nothing", "--seen", desk.folder / "s")
    assert ran.code == 2


def test_a_key_that_is_changed_on_record_is_followed_by_everybody(edca: Edca, desk: Desk, tmp_path: Path) -> None:
    kept, later, signed = tmp_path / "kept", tmp_path / "later", tmp_path / "signed"
    old = desk.folder / "desk.key"
    trust = ("--trust", desk.log)
    assert edca("checkpoint", desk.ledger, "--key", old, "-o", kept).code == 0
    key = edca("keygen", later, "--ledger", LOG, "-o", tmp_path / "later.pub", "--json").json["key"]
    ran = edca("rotate-key", desk.ledger, "--key", old, "--to", key, "--now", "2026-03-20T12:00:00Z")
    assert ran.code == 0 and f"announces {key}" in ran.out
    assert edca("checkpoint", desk.ledger, "--key", old).code == 2
    assert edca("rotate-key", desk.ledger, "--key", old, "--to", key).code == 2
    assert edca("checkpoint", desk.ledger, "--key", later, "-o", signed).code == 0
    told = edca("verify", desk.ledger, "--checkpoint", kept, "--checkpoint", signed, *trust)
    assert told.code == 0, told.out
    assert f"checked: `{signed}` is signed by `{LOG}`" in told.out
    folder = tmp_path / "bundle"
    assert edca("bundle", desk.ledger, "--key", later, "--to", folder).code == 0
    for ran_by in (python, node):
        assert ran_by(folder, *trust, "--checkpoint", kept, "--checkpoint", signed).returncode == 0
    assert python(desk.ledger, *trust, "--checkpoint", kept, "--checkpoint", signed).returncode == 0
    assert edca("verify", folder, *trust).code == 0
    stranger = tmp_path / "stranger"
    edca("keygen", stranger, "--ledger", LOG)
    edca("checkpoint", desk.ledger, "--key", stranger, "-o", tmp_path / "false")
    false = edca("verify", desk.ledger, "--checkpoint", tmp_path / "false", *trust)
    assert false.code == 1 and "no trusted key of" in false.out
