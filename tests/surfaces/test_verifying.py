"""Goal: `edca verify` checks a ledger by signed checkpoints, a receipt, and a published folder, and says what not."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from edca.api import FixedClock, Kernel, open_engine
from edca.api.keeping import check_first
from edca.ledger.errors import LedgerFormatError, RolledBackError, TamperedError
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell

Edca = Callable[..., Any]  # see conftest.py

LOG, WITNESS = "refunds.example/desk", "witness.example"


@dataclass(frozen=True)
class Kept:
    """A ledger of 13 records, and what was kept of it: `first` counts 5, `second` 10 and is witnessed."""

    folder: Path
    log: str
    witness: str

    @property
    def ledger(self) -> Path:
        return self.folder / "refunds.ledger"

    @property
    def first(self) -> Path:
        return self.folder / "first"

    @property
    def second(self) -> Path:
        return self.folder / "second"

    def grow(self, count: int) -> None:
        with SQLiteLedger.open(self.ledger, durable=False) as ledger:
            for number in range(count):
                ledger.commit([Draft(f"/order:o{number % 3}", "note", {"number": number, "size": ledger.size})])


@pytest.fixture
def kept(tmp_path: Path, edca: Edca) -> Kept:
    log = edca("keygen", tmp_path / "desk.key", "--ledger", LOG, "--json").json["key"]
    witness = edca("keygen", tmp_path / "witness.key", "--witness", WITNESS, "--json").json["key"]
    made = Kept(tmp_path, log, witness)
    made.grow(5)
    edca("checkpoint", made.ledger, "--key", tmp_path / "desk.key", "-o", made.first)
    made.grow(5)
    edca("checkpoint", made.ledger, "--key", tmp_path / "desk.key", "--first", "-o", tmp_path / "ask")
    signing = ("--key", tmp_path / "witness.key", "--trust", log, "--seen", tmp_path / "seen", "--first")
    assert edca("cosign", tmp_path / "ask", *signing, "-o", made.second).code == 0
    made.grow(3)
    return made


def rewritten(kept: Kept) -> None:
    """Put another ledger of as many records in the ledger's place."""
    kept.ledger.unlink()
    with SQLiteLedger.open(kept.ledger, durable=False) as ledger:
        ledger.commit([Draft("/order:o9", "note", {})] * 13)


def test_kept_checkpoints_are_compared_and_their_signers_named(edca: Edca, kept: Kept) -> None:
    given = ("--checkpoint", kept.first, "--checkpoint", kept.second, "--trust", kept.log, "--trust", kept.witness)
    for mode in ((), ("--records",), ("--fast",)):
        ran = edca("verify", kept.ledger, *given, *mode)
        assert (ran.code, ran.err) == (0, "")
        assert f"checked: the first 5 records have the root of `{kept.first}`" in ran.out
        assert f"checked: `{kept.second}` is signed by `{LOG}`, and by the witness `{WITNESS}`" in ran.out
        assert f"checked: who wrote the first 10 records: `{LOG}` signed for them" in ran.out
        assert "not checked: who wrote the 3 records after the first 10" in ran.out
    assert "not checked: who answered or looked" in ran.out
    assert "not checked: the cells beside the records" in ran.out
    told = edca("verify", kept.ledger, *given, "--json").json
    assert told["ok"] and f"who wrote the first 10 records: `{LOG}` signed for them" in told["checked"]


def test_what_lies_beside_the_records_is_left_out_only_if_asked_and_that_is_said(edca: Edca, kept: Kept) -> None:
    with SQLiteLedger.open(kept.ledger, durable=False) as ledger:
        ledger.commit([], [Cell("case", "/order:o1", b"\x80")])
    ran = edca("verify", kept.ledger)
    assert ran.code == 1 and "failed: every cell beside the records" in ran.out
    left = ("who answered or looked", "the cells beside the records", "personal values beside the records")
    for mode in ("--records", "--fast"):
        ran = edca("verify", kept.ledger, mode)
        assert ran.code == 0
        assert all(f"not checked: {what}" in ran.out for what in left)
        assert ("checked: every body is canonical" in ran.out) == (mode == "--records")
    with closing(sqlite3.connect(kept.ledger)) as file:
        file.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        file.execute("UPDATE ledger SET body = x'80' WHERE leaf = 7")
        file.commit()
    assert edca("verify", kept.ledger, "--records").code == 1


def test_a_history_written_anew_is_told_at_every_kept_checkpoint(edca: Edca, kept: Kept) -> None:
    rewritten(kept)
    assert edca("verify", kept.ledger).code == 0  # the file alone can't know
    given = ("--checkpoint", kept.first, "--checkpoint", kept.second, "--trust", kept.log)
    ran = edca("verify", kept.ledger, *given)
    assert ran.code == 1
    assert f"the first 5 records have another root than `{kept.first}`" in ran.out
    assert f"the first 10 records have another root than `{kept.second}`" in ran.out
    assert "not checked: who wrote the records" in ran.out and "checked: who wrote the first" not in ran.out
    assert "2 findings" in ran.out


def test_too_few_witnesses_or_another_key_is_a_finding(edca: Edca, kept: Kept) -> None:
    given = ("--checkpoint", kept.first, "--trust", kept.log, "--trust", kept.witness)
    ran = edca("verify", kept.ledger, *given, "--witnesses", 1)
    assert ran.code == 1 and "0 of the trusted witnesses have signed this checkpoint, and 1 must" in ran.out
    assert f"failed: the signatures of `{kept.first}` hold" in ran.out
    ran = edca("verify", kept.ledger, "--checkpoint", kept.first, "--trust", kept.witness)
    assert ran.code == 1 and f"no trusted key of `{LOG}` has signed this checkpoint" in ran.out


def test_a_receipt_is_checked(edca: Edca, kept: Kept) -> None:
    receipt = kept.folder / "order.receipt"
    edca("receipt", kept.ledger, 4, "--checkpoint", kept.second, "-o", receipt)
    both = ("--trust", kept.log, "--trust", kept.witness, "--witnesses", 1)
    ran = edca("verify", receipt, *both)
    assert (ran.code, ran.err) == (0, "")
    assert f"record 4 of `{LOG}`: note, entry 1 of /order:o1" in ran.out
    assert "not checked: any other record: a receipt shows its own" in ran.out
    told = edca("verify", receipt, *both, "--json").json
    assert told["ok"] and (told["receipt"]["index"], told["receipt"]["size"]) == (4, 10)
    assert told["receipt"]["signers"] == [kept.log, kept.witness]
    raw = receipt.read_bytes()
    # One byte of what follows the first line, wherever: the receipt shows nothing any more.
    for place in range(raw.index(b"\n") + 1, len(raw), 37):
        receipt.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
        ran = edca("verify", receipt, *both)
        assert ran.code == 1 and ran.out.startswith("receipt: ") and "checked: record" not in ran.out, place
    told = edca("verify", receipt, *both, "--json").json
    assert (told["ok"], told["receipt"], told["findings"][0]["what"]) == (False, None, "receipt")


@pytest.mark.parametrize("bodies", [(), ("--bodies",)])
def test_a_published_folder_is_checked(edca: Edca, kept: Kept, bodies: tuple[str, ...]) -> None:
    folder = kept.folder / "public"
    edca("publish", kept.ledger, "--key", kept.folder / "desk.key", "--to", folder, *bodies)
    ran = edca("verify", folder, "--trust", kept.log, "--checkpoint", kept.second)
    assert (ran.code, ran.err) == (0, "")
    assert f"checked: who wrote the first 13 records: `{LOG}` signed for them" in ran.out
    assert ("13 bodies are not there" in ran.out) == (not bodies)
    (folder / "tile/0/000.p/13").write_bytes(bytes(13 * 32))
    ran = edca("verify", folder, "--trust", kept.log)
    assert ran.code == 1 and "tile: the hashes in `tile/0/000.p/13` are not what the headers yield" in ran.out
    shutil.rmtree(folder)
    rewritten(kept)
    edca("publish", kept.ledger, "--key", kept.folder / "desk.key", "--to", folder, *bodies)
    ran = edca("verify", folder, "--trust", kept.log, "--checkpoint", kept.first)
    assert ran.code == 1 and "the first 5 records have another root than" in ran.out


def test_what_can_not_be_answered_is_an_error_that_says_what_to_do(edca: Edca, kept: Kept) -> None:
    receipt, folder = kept.folder / "order.receipt", kept.folder / "public"
    edca("receipt", kept.ledger, 4, "--checkpoint", kept.second, "-o", receipt)
    edca("publish", kept.ledger, "--key", kept.folder / "desk.key", "--to", folder)
    trust = ("--trust", kept.log)
    (kept.folder / "empty").mkdir()
    wrong = {
        "no key is trusted": [(receipt,), (folder,), (kept.ledger, "--checkpoint", kept.first)],
        "is not for a receipt": [
            (receipt, *trust, *option) for option in (("--fast",), ("--records",), ("--checkpoint", kept.first))
        ],
        "is not for a published ledger": [(folder, *trust, "--expect-size", 3), (folder, *trust, "--records")],
        "is not for a ledger without `--checkpoint FILE`": [(kept.ledger, *trust), (kept.ledger, "--witnesses", 1)],
        "is no checkpoint": [(kept.ledger, *trust, "--checkpoint", receipt)],
        "is a folder without a `checkpoint`": [(kept.folder / "empty", *trust)],
        "there is no ledger": [(kept.folder / "nowhere", *trust)],
        "is not a SQLite database": [(kept.first,)],
    }
    for message, calls in wrong.items():
        for call in calls:
            ran = edca("verify", *call)
            assert (ran.code, ran.out) == (2, ""), call
            assert message in ran.err, call


def test_one_receipt_that_somebody_kept_shows_that_the_newest_records_are_gone(edca: Edca, kept: Kept) -> None:
    receipt, trust = kept.folder / "r4", ("--trust", kept.log)
    assert edca("receipt", kept.ledger, 4, "--checkpoint", kept.second, "-o", receipt).code == 0
    whole = edca("verify", kept.ledger, "--receipt", receipt, *trust)
    assert whole.code == 0
    assert f"checked: the first 10 records have the root of `{receipt}`" in whole.out
    kept.ledger.unlink()
    kept.grow(5)
    rolled_back = edca("verify", kept.ledger, "--receipt", receipt, *trust)
    assert rolled_back.code == 1
    assert (
        f"ledger: checkpoint: `{receipt}` was over 10 records, and 5 are there: the newest were deleted"
        in rolled_back.out
    )
    receipt.write_bytes(receipt.read_bytes().replace(b"index 4", b"index 3"))
    altered = edca("verify", kept.ledger, "--receipt", receipt, *trust)
    assert altered.code == 2 and "is no receipt: the receipt's index is not that of its record" in altered.err
    assert edca("verify", kept.ledger, "--receipt", receipt).code == 2


def test_a_kept_receipt_whose_proof_does_not_hold_is_not_believed(edca: Edca, kept: Kept) -> None:
    receipt = kept.folder / "r4"
    edca("receipt", kept.ledger, 4, "--checkpoint", kept.second, "-o", receipt)
    lines = receipt.read_text().split("\n")
    lines[3], lines[4] = lines[4], lines[3]
    receipt.write_text("\n".join(lines))
    ran = edca("verify", kept.ledger, "--receipt", receipt, "--trust", kept.log)
    assert ran.code == 1
    assert f"ledger: signature: `{receipt}`: the record is not shown to be number 4 of the checkpoint's 10" in ran.out


def test_a_backup_comes_back_only_where_it_holds_all_that_was_kept(edca: Edca, kept: Kept) -> None:
    copy, signed, trust = kept.folder / "copy", kept.folder / "copy.checkpoint", ("--trust", kept.log)
    made = edca("backup", kept.ledger, "-o", copy, "--key", kept.folder / "desk.key")
    assert made.code == 0
    assert "13 records in" in made.out and f"the signed checkpoint of this copy is {signed}" in made.out
    assert edca("backup", kept.ledger, "-o", copy).code == 2
    told = edca("restore", copy, kept.folder / "again", "--checkpoint", signed, "--checkpoint", kept.first, *trust)
    assert told.code == 0
    assert f"checked: the first 13 records have the root of `{signed}`" in told.out
    kept.grow(2)
    edca("checkpoint", kept.ledger, "--key", kept.folder / "desk.key", "-o", kept.folder / "newer")
    late = edca("restore", copy, kept.folder / "late", "--checkpoint", kept.folder / "newer", *trust)
    assert late.code == 2
    assert "edca: error[L007]: " in late.err and "was over 15 records, and 13 are there" in late.err
    assert not (kept.folder / "late").exists()
    unknown = edca("restore", copy, kept.folder / "late", "--json").json
    assert any("deletion of the newest records" in what for what in unknown["not_checked"])
    assert edca("restore", copy, kept.folder / "more", "--checkpoint", signed).code == 2


def test_a_kernel_refuses_a_ledger_that_lacks_what_a_witness_remembers(
    edca: Edca, kept: Kept, repository: Path
) -> None:
    spec, receipt = repository / "specs" / "refund", kept.folder / "r4"
    edca("receipt", kept.ledger, 4, "--checkpoint", kept.second, "-o", receipt)

    def opened(**more: Any) -> int:
        shop = kept.folder / f"{len(list(kept.folder.iterdir()))}.db"
        with closing(sqlite3.connect(shop)) as database:
            database.executescript((spec / "shop.sql").read_text("utf-8"))
        files = {"routes": spec / "refund.arp", "roster": spec / "roster.toml", "ledger": kept.ledger}
        engines = {"shop": open_engine(f"sqlite:///{shop}")}
        with Kernel.open(
            spec / "refund.edca", engines=engines, clock=FixedClock("2026-03-20T12:00:00Z"), **files, **more
        ):
            with SQLiteLedger.open(kept.ledger, readonly=True) as ledger:
                return ledger.size

    everything = [kept.first, kept.second, receipt, kept.folder / "seen"]
    assert opened(kept=everything, trust=[kept.log, kept.witness], verify_first=True) > 13
    shutil.copyfile(kept.ledger, kept.folder / "whole")
    kept.ledger.unlink()
    kept.grow(5)
    before = kept.ledger.read_bytes()
    for newer in (kept.second, receipt, kept.folder / "seen"):
        with pytest.raises(RolledBackError, match=r"5 records, and .* counts 10: the newest 5 are missing"):
            opened(kept=[newer], trust=[kept.log])
    assert kept.ledger.read_bytes() == before
    with pytest.raises(ValueError, match="names no key"):
        opened(kept=[receipt])
    with pytest.raises(LedgerFormatError, match="no trusted key of"):
        opened(kept=[receipt], trust=[kept.witness])
    assert opened(kept=[kept.first], trust=[kept.log]) > 5


def test_a_kernel_that_verifies_first_refuses_what_opening_alone_does_not_see(kept: Kept, repository: Path) -> None:
    with closing(sqlite3.connect(kept.ledger)) as file, file:
        file.execute("DROP TRIGGER ledger_keeps_records_unchanged")
        file.execute("UPDATE ledger SET body = x'c1' WHERE leaf = 4")
    with SQLiteLedger.open(kept.ledger) as ledger:
        with pytest.raises(TamperedError, match="record 4: the body is not the one its header was made for"):
            check_first(ledger, (), whole=True)
        check_first(ledger, (), whole=False)
