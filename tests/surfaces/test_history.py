"""Goal: whoever has a ledger can count what is in it, by clause, role, model, version and day, and change nothing."""

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edca.api.history import TABLES
from edca.ledger.record import Draft
from edca.ledger.sqlite import SQLiteLedger

Edca = Callable[..., Any]  # see conftest.py
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "history.md"


def asked(edca: Edca, ledger: Path, sql: str, *options: object) -> list[list[Any]]:
    found: list[list[Any]] = edca("query", ledger, sql, "--json", *options).json["rows"]
    return found


def test_verdicts_are_counted_by_what_was_decided(edca: Edca, ledger: Path) -> None:
    rows = asked(edca, ledger, "select outcome, code, role, model, name, day from verdicts order by record")
    assert [row[:2] for row in rows[:2]] == [["escalated", "agreed"], ["accepted", "accepted"]]
    assert {row[0] for row in rows} == {"escalated", "accepted", "refused"}
    assert rows[0][2:] == ["assistant", "m-1", "seats", "2026-03-20"]
    malformed = asked(edca, ledger, "select stage, proposer, transition from verdicts where code = 'malformed'")
    assert malformed == [["malformed", "bot", ""]]


def test_every_record_and_every_clause_has_a_row(edca: Edca, ledger: Path) -> None:
    with SQLiteLedger.open(ledger, create=False, readonly=True) as opened:
        size, bodies = opened.size, [len(record.body) for record in opened.records()]
    assert asked(edca, ledger, "select count(*), sum(size) from records") == [[size, sum(bodies)]]
    counted = "select v.record from verdicts v left join clauses c using (record) group by 1 having count(c.code) = 0"
    without = {row[0] for row in asked(edca, ledger, counted)}
    staged = {row[0] for row in asked(edca, ledger, "select record from verdicts where stage is not null")}
    assert without == staged
    failed = asked(edca, ledger, "select distinct code from clauses where result in ('failed', 'unknown')")
    assert ["agreed"] in failed
    assert asked(edca, ledger, "select count(*) from readings")[0][0] > 0


def test_effects_name_their_verdict(edca: Edca, ledger: Path) -> None:
    sql = "select v.transition, e.effect, e.outcome, e.attempts from effects e join verdicts v on v.record = e.verdict"
    assert asked(edca, ledger, sql) == [["sell_seat", "take_seat", "confirmed", 1]]


@pytest.mark.parametrize(
    ("sql", "about"),
    [
        ("delete from verdicts", "not authorized"),
        ("insert into records values (1)", "not authorized"),
        ("attach 'x.db' as x", "not authorized"),
        ("pragma query_only = off", "not authorized"),
        ("select load_extension('x')", "not authorized"),
        ("vacuum into 'x.db'", "can't be answered"),
        ("create table t (x)", "not authorized"),
        ("select 1; select 2", "not one question"),
        ("select", "can't be answered"),
        ("select colour from verdicts", "no such column"),
        ("", "no rows"),
    ],
)
def test_a_question_can_only_read(edca: Edca, ledger: Path, sql: str, about: str, tmp_path: Path) -> None:
    before = ledger.read_bytes()
    ran = edca("query", ledger, sql)
    assert about in ran.err + ran.out and ran.code in (0, 2)
    assert ledger.read_bytes() == before and not (tmp_path / "x.db").exists()


def test_a_question_without_end_is_stopped(edca: Edca, ledger: Path) -> None:
    sql = "with recursive t(x) as (select 1 union all select x + 1 from t) select count(*) from t"
    ran = edca("query", ledger, sql, "--seconds", 1)
    assert ran.code == 2 and "no answer after 1 seconds" in ran.err


def test_a_question_that_asks_for_too_much_is_stopped(edca: Edca, ledger: Path) -> None:
    ran = edca("query", ledger, "select hex(zeroblob(100000000))")
    assert ran.code == 2 and "too big" in ran.err
    many = "with recursive t(x) as (select 1 union all select x + 1 from t limit 900) select hex(zeroblob(9000)) from t"
    ran = edca("query", ledger, many)
    assert ran.code == 2 and "ask for less" in ran.err
    assert asked(edca, ledger, "select x'00ff'") == [["00ff"]]


@pytest.mark.parametrize("odd", [2**63, [1], {"a": 1}, b"x", True], ids=str)
def test_what_no_column_holds_is_counted_as_unread(edca: Edca, ledger: Path, odd: Any, tmp_path: Path) -> None:
    with SQLiteLedger.open(ledger) as opened:
        content: Any = {"at": 0, "code": odd, "by": "a", "role": "b", "yes": True, "authenticated": "c", "void": None}
        opened.commit([Draft("/seat:x", "approval", content)])
    ran = edca("query", ledger, "select count(*) from approvals", "--json")
    assert ran.json["rows"] == [[0]] and "1 records hold what this version" in ran.err
    assert edca("export", ledger, "--to", tmp_path / "tables", "--json").json["unread"] == 1


def test_more_rows_than_asked_for_are_said_to_be_there(edca: Edca, ledger: Path) -> None:
    ran = edca("query", ledger, "select * from clauses", "--rows", 2)
    assert ran.code == 0 and "only the first 2 rows" in ran.err
    assert edca("query", ledger, "select * from clauses", "--rows", 2, "--json").json["more"] is True


def test_a_record_of_another_version_stands_in_records_alone(edca: Edca, ledger: Path) -> None:
    with SQLiteLedger.open(ledger) as opened:
        size = opened.size
        opened.commit([Draft("/seat:x", "verdict", {"at": "noon"}), Draft("/seat:x", "approval", {"yes": True})])
    ran = edca("query", ledger, f"select record, time from records where record >= {size}", "--json")
    assert ran.json["rows"] == [[size, None], [size + 1, None]] and "2 records hold what this version" in ran.err


def test_tables_are_written_as_json_lines(edca: Edca, ledger: Path, tmp_path: Path) -> None:
    counts = edca("export", ledger, "--to", tmp_path / "tables", "--json").json["rows"]
    assert set(counts) == {table.name for table in TABLES}
    for table in TABLES:
        lines = (tmp_path / "tables" / f"{table.name}.jsonl").read_text("utf-8").splitlines()
        assert len(lines) == counts[table.name]
        assert all(tuple(json.loads(line)) == table.names for line in lines)
    again = tmp_path / "again"
    edca("export", ledger, "--to", again)
    for path in again.iterdir():
        assert path.read_bytes() == (tmp_path / "tables" / path.name).read_bytes()
    ran = edca("export", ledger, "--to", again)
    assert ran.code == 2 and "not empty" in ran.err


def test_tables_are_written_as_parquet(edca: Edca, ledger: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    counts = edca("export", ledger, "--to", tmp_path / "tables", "--format", "parquet", "--json").json["rows"]
    for table in TABLES:
        found = parquet.read_table(tmp_path / "tables" / f"{table.name}.parquet")
        assert (tuple(found.column_names), found.num_rows) == (table.names, counts[table.name])
    codes = parquet.read_table(tmp_path / "tables" / "verdicts.parquet").to_pydict()["code"]
    assert codes == [row[0] for row in asked(edca, ledger, "select code from verdicts")]


def test_without_pyarrow_it_says_what_to_install(
    edca: Edca, ledger: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", lambda name: absent(name) if name == "pyarrow" else real(name))
    ran = edca("export", ledger, "--to", tmp_path / "tables", "--format", "parquet")
    assert ran.code == 2 and "pip install 'edca[parquet]'" in ran.err and not (tmp_path / "tables").exists()


real = importlib.import_module


def test_the_page_lists_every_table_and_column() -> None:
    sections = re.split(r"^## `(\w+)`$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    listed = {name: re.findall(r"^\| `(\w+)` \| (\w+) \| (.+) \|$", text, re.MULTILINE) for name, text in
              zip(sections[::2], sections[1::2], strict=True)}  # fmt: skip
    assert listed == {
        table.name: [(column.name, column.type, column.meaning) for column in table.columns] for table in TABLES
    }
