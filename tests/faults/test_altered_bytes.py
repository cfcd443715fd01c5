"""Whatever byte of a ledger, a proof or a bundle is altered, and whichever records are moved: it is found and named.

A sample of `make campaign-bytes`, which alters every byte of 1,000 records.
"""

import sys
from pathlib import Path
from random import Random

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "campaigns" / "alterations"))

import byte_campaign
from busy_ledger import fill
from proofs import Bundle, bundle
from sweep import Sweep, Tally, altered_byte

SEED = "sample"


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill(tmp_path_factory.mktemp("busy"), 60)


@pytest.fixture(scope="module")
def folder(path: Path) -> Path:
    bundle(path, path.parent / "bundle")
    return path.parent / "bundle"


def test_every_byte_of_a_record_every_so_many_of_the_others(path: Path, folder: Path) -> None:
    tally = byte_campaign.records(path, folder, SEED, 97, 0)
    Sweep(path).alter_record(40, Random(SEED), tally)  # noqa: S311
    assert tally.is_clean, (tally.silent, tally.misnamed)
    assert tally.tried.keys() == {"index", "back", "header", "body"}


@pytest.mark.parametrize(
    ("part", "more", "tried"),
    [
        (byte_campaign.beside, (53,), {"heads", "cells"}),
        (byte_campaign.proofs, (1,), {"checkpoint", "receipt", "a witness's request"}),
        (byte_campaign.bundled_checkpoint, (), {"bundle: checkpoint"}),
        (byte_campaign.on_whole_files, (20,), {"whole files"}),
    ],
)
def test_every_byte_beside_the_records_and_of_what_is_handed_out(
    path: Path, folder: Path, part: object, more: tuple[int, ...], tried: set[str]
) -> None:
    assert callable(part)
    tally: Tally = part(path, folder, SEED, *more)
    assert tally.is_clean, (tally.silent, tally.misnamed)
    assert tally.tried.keys() == tried


def test_every_file_of_a_bundle(path: Path, folder: Path) -> None:
    tally, files = Tally(), Bundle(Sweep(path, has_hints=False), folder)
    for name in files.names:
        files.alter_file(name, Random(SEED), tally, every=61)  # noqa: S311
    assert tally.is_clean, (tally.silent, tally.misnamed)
    assert tally.tried.keys() == {"bundle: tile/0", "bundle: tile/entries", "bundle: tile/bodies"}


def test_every_drop_repeat_swap_splice_fork_and_cut(path: Path, folder: Path) -> None:
    tally = byte_campaign.structural(path, folder, SEED, 1)
    assert tally.is_clean, (tally.silent, tally.misnamed)
    assert len(tally.tried) == 7
    assert sum(tally.tried.values()) > 300


def test_what_the_sweep_finds_from_a_record_on_a_whole_pass_finds_too(path: Path) -> None:
    sweep, random = Sweep(path), Random(SEED)  # noqa: S311
    for index in range(0, len(sweep.rows), 7):
        leaf, back, header, body = sweep.rows[index]
        rows = list(sweep.rows)
        rows[index] = (leaf, back, header, altered_byte(body, random.randrange(len(body)), random))
        assert sweep.findings(rows, index)[0] == sweep.findings(rows, 0)[0]
