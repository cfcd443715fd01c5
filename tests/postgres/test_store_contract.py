"""Goal: whatever the runtime may rely on, every store does: the same suite on SQLite and on PostgreSQL."""

import pytest

from edca.ledger.errors import LedgerError
from edca.ledger.leaf import NO_HASH
from edca.ledger.record import RECORD_SIZE_MAX, Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.ledger.store import Cell
from edca.ledger.tree import CompactRange


@pytest.fixture(params=["sqlite", "postgres"])
def ledger(request, tmp_path):
    if request.param == "postgres":
        yield request.getfixturevalue("opened")()
        return
    with SQLiteLedger.open(tmp_path / "ledger.db", durable=False) as store:
        yield store


def note(chain="a", number=0):
    return Draft(chain, "note", {"n": number})


def sequenced(ledger):
    if not isinstance(ledger, SQLiteLedger):
        assert ledger.wait_sequenced(10)
    return ledger


def numbers(ledger, chain):
    return [parse(stored.body).content["n"] for stored in ledger.records(chain=chain)]


def test_entries_of_a_chain_have_no_gap_and_each_names_the_one_before(ledger):
    first = ledger.commit([note("a", 1), note("b", 2), note("a", 3)])
    second = ledger.commit([note("a", 4)])
    assert [(one.chain, one.entry) for one in (*first, *second)] == [("a", 0), ("b", 0), ("a", 1), ("a", 2)]
    records = [parse(stored.body) for stored in ledger.records(chain="a")]
    assert [record.prev for record in records] == [NO_HASH, first[0].digest, first[2].digest]
    assert ledger.head("a") == (2, second[0].digest)
    assert ledger.head("c") is None


def test_the_ledger_is_one_chain_of_leaves_under_one_root(ledger):
    for number in range(7):
        ledger.commit([note("a", number), note("b", number)])
    leaves = [stored.leaf for stored in sequenced(ledger).records()]
    hashes = [leaf.leaf_hash() for leaf in leaves]
    assert [leaf.index for leaf in leaves] == list(range(14))
    assert [leaf.previous for leaf in leaves] == [NO_HASH, *hashes[:-1]]
    assert (ledger.size, ledger.root()) == (14, CompactRange().extend(hashes).root())
    assert ledger.leaf_hashes(3, 9) == hashes[3:9]
    assert [ledger.read(ledger.number_at(index)).leaf for index in range(14)] == leaves


def test_a_record_is_found_by_the_number_that_its_commit_returned(ledger):
    stored = ledger.commit([note("a", number) for number in range(5)])
    assert [parse(ledger.read(one.number).body).content["n"] for one in stored] == list(range(5))
    assert [one.digest for one in stored] == [ledger.read(one.number).digest for one in stored]
    later = [parse(one.body).content["n"] for one in ledger.records(stored[2].number + 1, "a")]
    assert later == [3, 4]
    for absent in (-1, stored[-1].number + 10_000, 2**70):
        with pytest.raises(LedgerError):
            ledger.read(absent)


def test_cells_are_put_replaced_removed_and_told_in_order_of_their_bytes(ledger):
    keys = [f"k{number:03}" for number in range(150)] + ["é", "\U0001f600", "\uffee", ""]
    ledger.commit([], [Cell("s", key, key.encode()) for key in keys] + [Cell("t", "k", b"")])
    ledger.commit([note()], [Cell("s", "k001", b"new"), Cell("s", "k002", None), Cell("s", "none", None)])
    expected = {key: key.encode() for key in keys} | {"k001": b"new"}
    del expected["k002"]
    assert list(ledger.cells("s")) == sorted(expected.items(), key=lambda item: item[0].encode())
    assert (ledger.cell("s", "k001"), ledger.cell("s", "k002"), ledger.cell("t", "k")) == (b"new", None, b"")
    assert ledger.spaces() == ("s", "t")


def test_cells_may_follow_from_the_numbers_of_their_records(ledger):
    (stored,) = ledger.commit([note()], lambda placed: [Cell("s", "k", str(placed[0].number).encode())])
    assert ledger.cell("s", "k") == str(stored.number).encode()


def test_a_group_reads_its_own_commits_and_is_written_whole(ledger):
    ledger.commit([note("a", 0)], [Cell("s", "old", b"0"), Cell("s", "gone", b"0")])
    with ledger.group():
        ledger.commit([note("a", 1), note("b", 2)], [Cell("s", "new", b"1"), Cell("s", "gone", None)])
        ledger.commit([note("a", 3)], [Cell("s", "old", b"2")])
        inside = (numbers(ledger, "a"), numbers(ledger, "b"), list(ledger.cells("s")), ledger.cell("s", "gone"))
        newest = ledger.newest("a")
    assert inside == ([0, 1, 3], [2], [("new", b"1"), ("old", b"2")], None)
    assert (numbers(ledger, "a"), numbers(ledger, "b"), list(ledger.cells("s")), ledger.cell("s", "gone")) == inside
    assert newest is not None
    assert ledger.newest("a").digest == newest.digest


def test_nothing_of_a_group_that_raises_is_written(ledger):
    ledger.commit([note("a", 0)], [Cell("s", "k", b"0")])
    with pytest.raises(ZeroDivisionError), ledger.group():
        ledger.commit([note("a", 1)], [Cell("s", "k", b"1")])
        raise ZeroDivisionError
    assert (numbers(ledger, "a"), ledger.cell("s", "k")) == ([0], b"0")
    ledger.commit([note("a", 2)])
    assert numbers(ledger, "a") == [0, 2]


def test_a_step_that_raises_takes_back_its_own_and_nothing_else(ledger):
    with ledger.group():
        ledger.commit([note("a", 1)], [Cell("s", "k", b"1")])
        with pytest.raises(ZeroDivisionError), ledger.step():
            ledger.commit([note("a", 2), note("b", 2)], [Cell("s", "k", b"2"), Cell("s", "other", b"2")])
            raise ZeroDivisionError
        assert (ledger.cell("s", "k"), ledger.cell("s", "other"), ledger.head("b")) == (b"1", None, None)
        ledger.commit([note("a", 3)])
    assert numbers(ledger, "a") == [1, 3]
    assert (ledger.cell("s", "k"), ledger.cell("s", "other"), ledger.newest("b")) == (b"1", None, None)


@pytest.mark.parametrize(
    "draft",
    [
        Draft("a", "note", {"entry": 1}),
        Draft("a", "", {}),
        Draft("", "note", {}),
        Draft("a" * 257, "note", {}),
        Draft("a", "note", {"n": bytes(RECORD_SIZE_MAX)}),
    ],
    ids=["envelope", "no kind", "no chain", "long chain", "too large"],
)
def test_what_cant_be_stored_is_refused_whole(ledger, draft):
    with pytest.raises(LedgerError):
        ledger.commit([note("a", 1), draft])
    with pytest.raises(LedgerError):
        ledger.commit([note("a", 1)], [Cell("s", "k" * 300, b"")])
    assert ledger.head("a") is None
    ledger.commit([note("a", 2)])
    assert numbers(ledger, "a") == [2]


def test_reads_of_a_block_see_one_moment(ledger):
    ledger.commit([note("a", 1)], [Cell("s", "k", b"1")])
    with ledger.reading():
        assert (ledger.cell("s", "k"), numbers(ledger, "a")) == (b"1", [1])
    with pytest.raises(LedgerError, match="already"), ledger.group(), ledger.group():
        pass


def test_a_group_without_a_commit_leaves_no_trace(ledger):
    with ledger.group():
        assert ledger.head("a") is None
    assert sequenced(ledger).size == 0


def test_what_is_held_is_held_until_it_is_let_go(ledger):
    assert ledger.hold("x")
    assert ledger.holds("x")
    with ledger.group():
        assert ledger.hold("x")  # by the same process, again
        ledger.commit([note()])
        ledger.let_go("x")
    assert ledger.hold("x")
    assert ledger.abandoned("") == ()


def test_what_is_fetched_ahead_reads_as_if_it_had_not_been(ledger):
    keys = [f"k{number}" for number in range(70)] + ["é", "", "no such key", "nul \x01"]
    ledger.commit([note("a", 1), note("b", 2)], [Cell("s", key, key.encode()) for key in keys[:60]])
    ledger.commit([], [Cell("t", "k0", b"t")])
    places = [(space, key) for space in ("s", "t", "u") for key in keys]
    chains = ["a", "b", "c", "é"]
    expected = ([ledger.cell(*place) for place in places], [ledger.head(chain) for chain in chains])
    ledger.fetch(places, chains)  # outside of a transaction nothing is kept
    ledger.commit([], [Cell("s", "k1", b"new")])
    assert ledger.cell("s", "k1") == b"new"
    ledger.commit([], [Cell("s", "k1", b"k1")])
    with ledger.group():
        ledger.fetch(places, chains)
        assert ([ledger.cell(*place) for place in places], [ledger.head(chain) for chain in chains]) == expected
        ledger.commit([note("a", 3)], [Cell("s", "k0", None), Cell("s", "no such key", b"there")])
        ledger.fetch(places, chains)  # what the group writes comes before what the file holds
        assert (ledger.cell("s", "k0"), ledger.cell("s", "no such key"), ledger.head("a")[0]) == (None, b"there", 1)
    assert (ledger.cell("s", "k0"), ledger.cell("s", "no such key"), ledger.head("a")[0]) == (None, b"there", 1)
    assert numbers(ledger, "a") == [1, 3]


def test_what_is_fetched_ahead_in_a_reading_holds_for_that_and_no_longer(ledger):
    ledger.commit([note("a", 1)], [Cell("s", "k", b"1")])
    with ledger.reading():
        ledger.fetch([("s", "k"), ("s", "none")], ["a", "b"])
        assert (ledger.cell("s", "k"), ledger.cell("s", "none"), ledger.head("a")[0]) == (b"1", None, 0)
    ledger.commit([note("a", 2), note("b", 1)], [Cell("s", "k", b"2"), Cell("s", "none", b"3")])
    assert (ledger.cell("s", "k"), ledger.cell("s", "none"), ledger.head("a")[0]) == (b"2", b"3", 1)
