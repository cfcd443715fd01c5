"""Goal: of a published ledger, every file is checked; whatever was altered, left out or put there is told."""

import shutil
from pathlib import Path

import pytest

from edca.kernel.canonical import Data, decode, encode
from edca.ledger.checkpoint import Checkpoint
from edca.ledger.checks import NOT_DECODED, Flaw
from edca.ledger.ed25519 import new_key
from edca.ledger.errors import LedgerFormatError
from edca.ledger.folder import TreeFiles, verify_folder
from edca.ledger.kept import Comparison, Kept
from edca.ledger.leaf import NO_HASH, Leaf, chain_tag
from edca.ledger.note import KeyKind, SigningKey
from edca.ledger.publishing import publish
from edca.ledger.record import Draft, body_digest, seal
from edca.ledger.scan import Scan
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.subtrees import StoredSubtrees
from edca.ledger.tiles import WIDTH, entries, tiles
from edca.ledger.tree import CompactRange, leaf_hash
from edca.ledger.verification import Verification

KEY = SigningKey("desk.example", KeyKind.LOG, new_key()[0])
TRUSTED = (KEY.verifier,)


def grown(path: Path, folder: Path, count: int, *, bodies: bool = True) -> None:
    """Add records to a ledger and publish it."""
    with SQLiteLedger.open(path, durable=False) as ledger:
        ledger.commit([Draft(f"c{number % 3}", "note", {"n": number}) for number in range(count)])
        publish(ledger, Checkpoint(KEY.name, ledger.size, ledger.root()).signed(KEY), folder, bodies=bodies)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was published of 290 and then of 300 records, bodies and all."""
    place = tmp_path_factory.mktemp("published")
    grown(place / "ledger.db", place / "folder", 290)
    grown(place / "ledger.db", place / "folder", 10)
    return place / "folder"


def checked(folder: Path) -> Verification:
    found, fast = verify_folder(folder, TRUSTED), verify_folder(folder, TRUSTED, fast=True)
    assert found.is_sound == fast.is_sound
    return found


def told(found: Verification) -> list[str]:
    return [f"{one.what.value}: {one.detail}" for one in found.findings]


def test_what_was_published_verifies_and_says_what_it_leaves_open(sound: Path) -> None:
    found = checked(sound)
    assert (found.findings, found.size, found.failed) == ((), 300, ())
    assert "every file of the tree is there, and holds the hashes that the headers yield" in found.checked
    assert "who wrote the first 300 records: `desk.example` signed for them" in found.checked
    assert "every body is canonical, and has the digest its header carries" in found.checked
    assert [line.split(":")[0] for line in found.not_checked] == [
        "deletion of records newer than the folder's own checkpoint",
        "what the records say",
        "the cells beside the records, such as where a case stands",
    ]


def test_a_byte_altered_anywhere_in_any_file_is_told(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / "altered"
    shutil.copytree(sound, folder)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path.relative_to(folder).as_posix() for path in files}
    # Two of them are of the 290 records of the first time, and have grown into others since.
    assert {"tile/0/001.p/34", "tile/bodies/001.p/34", "tile/0/000", "tile/1/000.p/1", "checkpoint"} <= names
    for path in files:
        raw = path.read_bytes()
        for place in {0, 1, len(raw) // 3, len(raw) // 2, len(raw) - 1}:
            path.write_bytes(raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :])
            try:
                assert not checked(folder).is_sound, (path, place)
            except LedgerFormatError:
                assert path.name == "checkpoint"
        path.write_bytes(raw)
    assert checked(folder).is_sound


def test_a_file_that_is_gone_is_named(sound: Path, tmp_path: Path) -> None:
    for number, name in enumerate(("tile/0/000", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/44")):
        folder = tmp_path / str(number)
        shutil.copytree(sound, folder)
        (folder / name).unlink()
        found = checked(folder)
        assert f"missing: the file `{name}` is not there" in told(found)
        if name == "tile/entries/001.p/44":
            assert "anything past the first 256 records: it can't be read" in found.not_checked
            assert found.checked == ()


def test_an_altered_hash_is_told_with_its_file(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / "altered"
    shutil.copytree(sound, folder)
    path = folder / "tile/1/000.p/1"
    path.write_bytes(bytes(32))
    found = checked(folder)
    assert told(found) == ["tile: the hashes in `tile/1/000.p/1` are not what the headers yield"]
    assert found.failed == ("every file of the tree is there, and holds the hashes that the headers yield",)


def test_headers_alone_are_checked_and_nothing_is_said_of_bodies(tmp_path: Path) -> None:
    grown(tmp_path / "ledger.db", tmp_path / "folder", 5, bodies=False)
    found = checked(tmp_path / "folder")
    assert found.is_sound and "what was recorded: 5 bodies are not there" in found.not_checked
    assert not any("body" in line for line in found.checked)


def test_files_that_no_record_is_in_are_named(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    shutil.copytree(sound, folder)
    (folder / "tile/0/001.p/45").write_bytes(bytes(45 * 32))
    (folder / "tile/0/001.p/034").write_bytes(b"")
    found = checked(folder)
    named = "`tile/0/001.p/034`, `tile/0/001.p/45`"
    assert found.is_sound
    assert f"files in `tile` that hold nothing the checkpoint counts: {named}" in found.not_checked


def test_a_folder_that_ends_before_a_kept_checkpoint_is_told(sound: Path, tmp_path: Path) -> None:
    grown(tmp_path / "ledger.db", tmp_path / "folder", 299)
    with SQLiteLedger.open(tmp_path / "ledger.db", durable=False) as ledger:
        raw = Checkpoint(KEY.name, 299, ledger.root()).signed(KEY).to_bytes()
    other = Kept.signed(raw, "`kept`", TRUSTED)
    (only,) = verify_folder(sound, TRUSTED, checkpoints=[other]).findings
    assert only.detail == "the first 299 records have another root than `kept`"
    later = Kept.signed(Checkpoint(KEY.name, 301, bytes(32)).signed(KEY).to_bytes(), "`later`", TRUSTED)
    (only,) = verify_folder(sound, TRUSTED, checkpoints=[later]).findings
    assert only.detail == "`later` was over 301 records, and 300 are there: the newest were deleted"


def test_a_folder_that_no_trusted_key_signed_for_is_no_proof(sound: Path) -> None:
    found = verify_folder(sound, ())
    assert told(found) == [
        "signature: the folder's checkpoint: no trusted key of `desk.example` has signed this checkpoint"
    ]
    assert "the signatures of the folder's checkpoint hold" in found.failed
    assert any(line.startswith("who wrote the records") for line in found.not_checked)
    assert not any("root" in line for line in found.checked)


@pytest.mark.parametrize("name", ["empty", "file"])
def test_what_is_no_published_ledger_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").mkdir()
    (tmp_path / "file/checkpoint").write_text("nothing")
    with pytest.raises(LedgerFormatError):
        verify_folder(tmp_path / name, TRUSTED)


def forged(folder: Path, leaves: list[Leaf], bodies: list[bytes] | None = None, kind: int | None = None) -> None:
    """Publish records that a keeper made up, with right hashes, links and signature; `kind` is the last one's."""
    headers: list[bytes] = []
    tip = NO_HASH
    for place, leaf in enumerate(leaves):
        body_hash = leaf.body_digest if bodies is None else body_digest(bodies[place])
        header = Leaf(leaf.index, tip, leaf.chain, leaf.entry, body_hash).to_bytes()
        if kind is not None and place == len(leaves) - 1:
            header = header[:6] + kind.to_bytes(2, "big") + header[8:]
        headers.append(header)
        tip = leaf_hash(header)
    hashes = [leaf_hash(header) for header in headers]
    files = {"0": b"".join(hashes), "entries": entries(headers, 2)}
    if bodies is not None:
        files["bodies"] = entries(bodies, 4)
    for name, content in files.items():
        path = folder / f"tile/{name}/000.p/{len(headers)}"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    root = CompactRange().extend(hashes).root()
    (folder / "checkpoint").write_bytes(Checkpoint(KEY.name, len(headers), root).signed(KEY).to_bytes())


@pytest.mark.parametrize("lie", [{}, {"entry": 7}, {"prev": bytes(32)}, {"chain": "other"}])
def test_a_body_that_lies_about_its_place_is_named_though_every_hash_is_right(
    tmp_path: Path, lie: dict[str, Data]
) -> None:
    first = seal(Draft("c", "note", {}), 0, NO_HASH)
    second = decode(seal(Draft("c", "note", {}), 1, body_digest(first)))
    assert isinstance(second, dict)
    leaves = [Leaf(place, NO_HASH, chain_tag("c"), place, bytes(32)) for place in range(2)]
    forged(tmp_path, leaves, [first, encode({**second, **lie})])
    found = verify_folder(tmp_path, TRUSTED)
    assert {one.index for one in found.findings} == ({1} if lie else set())
    # The fast pass doesn't look there, and says so.
    fast = verify_folder(tmp_path, TRUSTED, fast=True)
    assert fast.is_sound and NOT_DECODED in fast.not_checked


@pytest.mark.parametrize("kind", [1, 2, 3, 65_535])
def test_a_header_of_no_kind_of_chain_is_named_though_every_hash_is_right(tmp_path: Path, kind: int) -> None:
    leaves = [Leaf(0, NO_HASH, chain_tag("c"), 0, bytes(32)), Leaf(1, NO_HASH, chain_tag("d"), 0, bytes(32))]
    forged(tmp_path, leaves, kind=kind)  # a case's tag in a chain of the node is none either
    (only,) = checked(tmp_path).findings
    assert (only.index, only.what) == (1, Flaw.HEADER)


def test_a_gap_in_a_chain_is_told_from_headers_alone(tmp_path: Path) -> None:
    chain = chain_tag("c")
    forged(tmp_path / "sound", [Leaf(place, NO_HASH, chain, place, bytes(32)) for place in range(4)])
    assert checked(tmp_path / "sound").is_sound
    for number, given in enumerate(((0, 2, 3), (1, 2, 3), (0, 0, 1))):
        leaves = [Leaf(place, NO_HASH, chain, entry, bytes(32)) for place, entry in enumerate(given)]
        forged(tmp_path / str(number), leaves)
        (only,) = checked(tmp_path / str(number)).findings
        assert only.what is Flaw.CHAIN, given
        assert "of its chain, where entry" in only.detail


def test_three_levels_of_hashes_are_compared(tmp_path: Path) -> None:
    leaves = [leaf_hash(number.to_bytes(8, "big")) for number in range(65_800)]
    subtrees = StoredSubtrees(lambda first, last: leaves[first:last])
    for tile in tiles(len(leaves)):
        (tmp_path / tile.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / tile.path).write_bytes(b"".join(subtrees.hashes(tile.level, tile.place, tile.width)))

    def compared() -> list[str]:
        scan = Scan(Comparison(()))
        files = TreeFiles(tmp_path, scan)
        for place in range(-(-len(leaves) // WIDTH)):
            files.compare_hashes(place, leaves[place * WIDTH : (place + 1) * WIDTH])
        files.end()
        assert files.left() == ()
        return [one.detail for one in scan.findings]

    assert compared() == []
    for name in ("tile/0/256", "tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"):
        raw = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        assert compared() == [f"the hashes in `{name}` are not what the headers yield"]
        (tmp_path / name).write_bytes(raw)
