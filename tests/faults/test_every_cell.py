"""Goal: no cell is believed against the records. Each cell of a busy ledger is deleted, altered and forged in turn."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edca.api import Accepted, Answer, Attestation, Caller, FixedClock, Kernel, LedgerError, Outcome, open_engine
from edca.cli.main import app
from edca.kernel import canonical
from edca.kernel.canonical import Data
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.config import Configuration
from edca.runtime.permits import Authority, permit_key
from edca.runtime.rebuild import Rebuilt, compare_cells, stored_cells

NOON = "2026-03-20T12:00:00Z"
DAY = 24 * 3600 * 1_000_000
BOT = Caller("desk-bot", "assistant", subject="carla", model="small-model-2026-01-15")
SVEN = Caller("sven", "supervisor", subject="carla")
SUSAN = '\n[[principals]]\nid = "susan"\nroles = ["supervisor"]\n'
SPACES = {"case", "config", "counter", "inbox", "key", "mandate", "part", "reservation", "signal"}


@dataclass
class Desk:
    """A folder with a shop and a ledger, and kernels over them."""

    specs: Path
    folder: Path

    def open(self, clock: FixedClock | None = None) -> Kernel:
        return Kernel.open(
            self.specs / "refund.edca",
            routes=self.specs / "refund.arp",
            roster=self.folder / "roster.toml",
            ledger=self.folder / "ledger.db",
            engines={"shop": open_engine(f"sqlite:///{self.folder / 'shop.db'}")},
            clock=clock or FixedClock(NOON),
        )

    def shop(self, statement: str) -> None:
        with closing(sqlite3.connect(self.folder / "shop.db")) as shop, shop:
            shop.executescript(statement)

    def paid(self) -> int:
        with closing(sqlite3.connect(self.folder / "shop.db")) as shop:
            return int(shop.execute("SELECT count(*) FROM t_bank").fetchone()[0])

    def cells(self, space: str | None = None) -> list[tuple[str, str, bytes]]:
        with closing(sqlite3.connect(self.folder / "ledger.db")) as ledger:
            found = ledger.execute("SELECT space, key, value FROM cells ORDER BY space, key").fetchall()
        return [cell for cell in found if space in (None, cell[0])]

    def put(self, space: str, key: str, value: bytes | None) -> None:
        """Write a cell as somebody does who has the file and no kernel; null deletes it."""
        with closing(sqlite3.connect(self.folder / "ledger.db")) as ledger, ledger:
            ledger.execute("DELETE FROM cells WHERE space = ? AND key = ?", (space, key))
            if value is not None:
                ledger.execute("INSERT INTO cells VALUES(?, ?, ?)", (space, key, value))

    def copy(self, folder: Path) -> Desk:
        shutil.copytree(self.folder, folder)
        return Desk(self.specs, folder)


def _approve(order: str, amount: str, item: str, key: str = "") -> dict[str, Any]:
    picks = [{"sku": item, "count": 1}]
    arguments = {"order_id": order, "amount": amount, "picks": picks}
    return {"transition": "approve_refund", "arguments": arguments, "confidence": 0.93} | ({"key": key} if key else {})


def _pay(order: str, key: str = "") -> dict[str, Any]:
    return {"transition": "pay", "arguments": {"order_id": order}} | ({"key": key} if key else {})


def _said(kernel: Kernel) -> list[Attestation]:
    return [
        kernel.attest("agreed", True, by="carla", role="customer"),
        kernel.attest("reason", "Broken.", by="carla", role="customer"),
    ]


def _submit(kernel: Kernel, candidate: dict[str, Any], caller: Caller = BOT) -> Answer:
    return kernel.submit(candidate, caller=caller, attestations=_said(kernel))


def _empty(repository: Path, folder: Path) -> Desk:
    desk = Desk(repository / "specs" / "refund", folder)
    desk.shop((desk.specs / "shop.sql").read_text("utf-8"))
    roster = (desk.specs / "roster.toml").read_text("utf-8")
    bounded = roster.replace("ends = 2026-07-01", "uses_max = 5\nends = 2026-07-01")
    (folder / "roster.toml").write_text(bounded + SUSAN, "utf-8")
    return desk


@pytest.fixture(scope="module")
def busy(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk after many small promises, a payment, a question that waits, a payment that failed, and two modes."""
    desk = _empty(repository, tmp_path_factory.mktemp("busy"))
    _promise_often(desk)
    desk.shop("INSERT INTO t_so SELECT 'o4', cst, cls, st, tot_c, 0, dlv_us, 0 FROM t_so WHERE so_no = 'o1'")
    desk.shop("INSERT INTO t_sol VALUES ('o4', 'd1', 8000, 1)")
    with desk.open() as kernel:
        assert isinstance(_submit(kernel, _approve("o1", "20.00", "a1", "k1")).verdict, Accepted)
        assert _submit(kernel, _pay("o1", "p1"), SVEN).outcome is Outcome.CONFIRMED
        assert _submit(kernel, _approve("o2", "1100.00", "b1", "k2")).verdict.code == "over_limit"
        assert isinstance(_submit(kernel, _approve("o4", "20.00", "d1", "k4")).verdict, Accepted)
        desk.shop("ALTER TABLE t_bank RENAME TO t_gone")
        assert _submit(kernel, _pay("o4", "p4"), SVEN).outcome is not Outcome.CONFIRMED
        desk.shop("ALTER TABLE t_gone RENAME TO t_bank")
        kernel.enter_mode("degraded", by="sven", role="supervisor")
        kernel.leave_mode(by="sven", role="supervisor")
    assert {space for space, _, _ in desk.cells()} == SPACES
    assert _differences(desk) == []
    return desk


def _promise_often(desk: Desk) -> None:
    """Let one limit count so much that it puts some of it away, within what another lets pass in an hour."""
    for hour in (8, 9, 10):
        with desk.open(FixedClock(f"2026-03-20T{hour:02}:30:00Z")) as kernel:
            for number in range(hour * 20, hour * 20 + 17):
                desk.shop(f"INSERT INTO t_so SELECT 's{number}', cst, cls, st, tot_c, 0, dlv_us, 0 FROM t_so LIMIT 1")
                desk.shop(f"INSERT INTO t_sol VALUES ('s{number}', 'i{number}', 8000, 1)")
                assert isinstance(_submit(kernel, _approve(f"s{number}", "0.01", f"i{number}"), SVEN).verdict, Accepted)


def _rebuilt(ledger: SQLiteLedger) -> Rebuilt:
    configuration = Configuration()
    rebuilt = Rebuilt(configuration)
    for stored in ledger.records():
        record = parse(stored.body)
        if record.kind == "config":
            configuration.take(record.content)
        rebuilt.take(stored, record)
    return rebuilt


def _differences(desk: Desk) -> list[tuple[str, str]]:
    with SQLiteLedger.open(desk.folder / "ledger.db", readonly=True) as ledger:
        return [(one.space, one.key) for one in compare_cells(ledger)]


def _decoded(value: bytes) -> Any:
    return canonical.decode(value)


def _altered(data: Any) -> Iterator[Any]:
    """Yield the data with each of its parts altered in turn, and each map's field and each list's item left out."""
    match data:
        case dict():
            for name in data:
                yield {other: data[other] for other in data if other != name}
                yield from ({**data, name: part} for part in _altered(data[name]))
        case list():
            for place, item in enumerate(data):
                yield [*data[:place], *data[place + 1 :]]
                yield from ([*data[:place], part, *data[place + 1 :]] for part in _altered(item))
        case bool():
            yield not data
        case int():
            yield data + 1
            yield max(data - DAY, 0) if data != 0 else 7
        case str():
            yield data + "x"
        case bytes():
            yield bytes(32) if data != bytes(32) else b"\x01" * 32
        case None:
            yield 1
        case _:
            raise AssertionError(data)


def _changes(value: bytes) -> Iterator[bytes | None]:
    """Yield what a cell of that value is changed to: nothing, garbage, and every altered form of what it says."""
    yield None
    yield b"\xc1"
    if value:
        yield from (canonical.encode(altered) for altered in _altered(_decoded(value)))


def test_whatever_is_done_to_any_cell_is_named(busy: Desk) -> None:
    tried = Counter[str]()
    with SQLiteLedger.open(busy.folder / "ledger.db", readonly=True) as ledger:
        rebuilt, sound = _rebuilt(ledger), stored_cells(ledger)
    assert rebuilt.differences(sound) == ()

    def named(space: str, key: str, value: bytes | None) -> None:
        changed = {place: kept for place, kept in sound.items() if place != (space, key)}
        found = rebuilt.differences(changed if value is None else changed | {(space, key): value})
        assert [(one.space, one.key) for one in found] == [(space, key)], (space, value)
        tried[space] += 1

    for (space, key), value in sound.items():
        named(space, key + "00", value)
        for changed in _changes(value):
            named(space, key, changed)
    named("permit", "00" * 32, b"\x80")
    named("made_up", "key", b"\xc0")
    assert tried.keys() == SPACES | {"permit", "made_up"}
    print("\nchanges named, by space:", dict(sorted(tried.items())))


@pytest.mark.parametrize("space", sorted(SPACES))
@pytest.mark.parametrize("command", ["verify", "replay"])
def test_the_commands_name_it_and_end_with_findings(busy: Desk, tmp_path: Path, command: str, space: str) -> None:
    desk = busy.copy(tmp_path / "d")
    path = str(desk.folder / "ledger.db")
    before = CliRunner().invoke(app, [command, path])
    assert before.exit_code == 0, before.output
    (_, key, _), *_ = desk.cells(space)
    desk.put(space, key, None)
    after = CliRunner().invoke(app, [command, path])
    assert after.exit_code == 1
    assert "the ledger's cell holds nothing" in after.output


def test_a_document_is_not_put_on_record_twice_because_its_cell_is_gone_or_lies(busy: Desk, tmp_path: Path) -> None:
    for place, value in enumerate((None, b"\x80", canonical.encode(0), canonical.encode(99), canonical.encode(2**63))):
        desk = busy.copy(tmp_path / str(place))
        (_, key, _), *_ = (cell for cell in desk.cells("config") if cell[1].startswith("roster:"))
        desk.put("config", key, value)
        with pytest.raises(LedgerError, match="where the roster stands"):
            desk.open()


# --- what would act on a cell refuses before it acts ---------------------------------------------------------------


def _forge_answer(desk: Desk, candidate: str, donor: str) -> None:
    """Put what was remembered of one idempotency key under another."""
    by_key = {}
    for _, key, value in desk.cells("key"):
        data = _decoded(value)
        with SQLiteLedger.open(desk.folder / "ledger.db", readonly=True) as ledger:
            record = _decoded(ledger.read(data["answer"]["number"]).body)
        by_key[record["candidate"]["key"]] = (key, data)
    key, data = by_key[candidate]
    desk.put("key", key, canonical.encode(data | {"answer": by_key[donor][1]["answer"]}))


def test_a_forged_answer_under_an_idempotency_key_is_not_given(busy: Desk, tmp_path: Path) -> None:
    desk = busy.copy(tmp_path / "d")
    _forge_answer(desk, "k2", "p1")
    with desk.open() as kernel, pytest.raises(LedgerError, match="idempotency key `k2`"):
        _submit(kernel, _approve("o2", "1100.00", "b1", "k2"))
    assert desk.paid() == 1


@pytest.mark.parametrize(("part", "value"), [("outcome", "failed"), ("state", "approved"), ("revision", 9)])
def test_an_altered_answer_is_not_given(busy: Desk, tmp_path: Path, part: str, value: Data) -> None:
    desk = busy.copy(tmp_path / "d")
    for _, key, encoded in desk.cells("key"):
        data = _decoded(encoded)
        desk.put("key", key, canonical.encode(data | {"answer": data["answer"] | {part: value}}))
    with desk.open() as kernel, pytest.raises(LedgerError, match="idempotency key `p1`"):
        _submit(kernel, _pay("o1", "p1"), SVEN)
    assert desk.paid() == 1


def test_a_mandate_whose_count_was_lowered_carries_nothing_more(busy: Desk, tmp_path: Path) -> None:
    desk = busy.copy(tmp_path / "d")
    ((_, key, value),) = desk.cells("mandate")
    used, newest = _decoded(value)
    assert used == 2
    desk.put("mandate", key, canonical.encode([0, newest]))
    desk.shop("INSERT INTO t_so SELECT 'o5', cst, cls, st, tot_c, 0, dlv_us, 0 FROM t_so WHERE so_no = 'o1'")
    desk.shop("INSERT INTO t_sol VALUES ('o5', 'e1', 8000, 1)")
    with desk.open() as kernel, pytest.raises(LedgerError, match="mandate `spring`"):
        _submit(kernel, _approve("o5", "20.00", "e1"))


@pytest.mark.parametrize(("days", "instant"), [(400, "2026-03-29T12:00:00Z"), (-40, NOON)])
def test_a_question_is_over_when_its_record_says(busy: Desk, tmp_path: Path, days: int, instant: str) -> None:
    desk = busy.copy(tmp_path / "d")
    ((_, key, value),) = desk.cells("inbox")
    data = _decoded(value)
    desk.put("inbox", key, canonical.encode(data | {"due": data["due"] + days * DAY}))
    with desk.open(FixedClock(instant)) as kernel, pytest.raises(LedgerError, match="open question"):
        kernel.inbox()


# --- permits: what was spent is on record, and nowhere else --------------------------------------------------------


class _Killed(BaseException):
    pass


def _pending(repository: Path, folder: Path) -> tuple[Desk, Authority]:
    """Leave a payment accepted, with no permit of it spent, as a crash between the two does."""
    desk = _empty(repository, folder)
    with desk.open() as kernel:
        _submit(kernel, _approve("o1", "20.00", "a1"))
        store = kernel._runtime.context.store
        commit = store.commit

        def die_before_spending(drafts: Sequence[Draft], cells: Any = ()) -> Any:
            if any(draft.kind == "spent" for draft in drafts):
                raise _Killed
            return commit(drafts, cells)

        store.commit = die_before_spending  # type: ignore[method-assign]
        with pytest.raises(_Killed):
            _submit(kernel, _pay("o1", "p"), SVEN)
    with SQLiteLedger.open(desk.folder / "ledger.db") as ledger:
        return desk, Authority.of(ledger.read(ledger.size - 1))


@pytest.mark.parametrize("undoing", [False, True])
def test_a_made_up_cell_neither_suppresses_nor_undoes_an_accepted_effect(
    repository: Path, tmp_path: Path, undoing: bool
) -> None:
    desk, authority = _pending(repository, tmp_path)
    effect = "recall_money" if undoing else "send_money"
    note: dict[str, Data] = {"record": authority.record, "place": 0, "effect": effect, "at": 0, "expires": 1}
    key = permit_key(authority.record, 0, undoing)
    desk.put("permit", key, canonical.encode(note))  # as an earlier version kept it
    assert _differences(desk) == [("permit", key)]
    with desk.open() as kernel:
        (recovered,) = kernel.recovered
        assert recovered.outcome is Outcome.CONFIRMED
    assert desk.paid() == 1


@pytest.mark.parametrize(("space", "key"), [("x'ff'", "'k'"), ("'counter'", "x'ff'")])
def test_a_cell_that_cannot_be_read_hides_no_other(busy: Desk, tmp_path: Path, space: str, key: str) -> None:
    desk = busy.copy(tmp_path / "d")
    path = str(desk.folder / "ledger.db")
    (_, counter, _), *_ = desk.cells("counter")
    desk.put("counter", counter, None)
    with closing(sqlite3.connect(path)) as ledger, ledger:
        ledger.execute(f"INSERT INTO cells VALUES(CAST({space} AS TEXT), CAST({key} AS TEXT), x'c0')")
    found = CliRunner().invoke(app, ["verify", path])
    assert found.exit_code == 1, found.output
    assert "the table of cells: the ledger's cell holds what can't be read" in found.output
    assert CliRunner().invoke(app, ["replay", path]).exit_code != 0
