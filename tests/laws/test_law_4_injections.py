"""Law 4: what untrusted text says changes nothing that happens, wherever it stands and however it is written.

Every free text that a model, a person or the source can supply is replaced by an injection, and the same is asked as in
a clean run, whose texts are plain words. All verdicts and all effects must be those of the clean run.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import worlds
from desks import DESKS, Ask, Desk, asks, attestations
from injections import ENCODINGS, injections

from edca.api import Caller
from edca.kernel.decide import decide
from edca.kernel.machine import ClauseKind
from edca.kernel.types import TextType
from edca.semantic.candidate import admit

BATCH = 50
# Where the desks' own databases keep free text, by spec.
TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "refund": {},
    "loan": {"t_kd": ("madr",), "t_post": ("madr",)},
    "incident": {},
    "airline": {"t_pax": ("fn", "ln")},
    "retail": {name: ("adr1", "adr2", "cty", "rgn", "cntr", "plz") for name in ("t_cu", "t_hd")},
}
# What nobody has to be talked into: who proposes what, and for whom. `TEXT` stands where a free text goes.
TEXT = object()
PERSON = {"first_name": TEXT, "last_name": TEXT, "dob": "1990-04-05"}
HONEST: dict[str, tuple[tuple[Caller | None, str, dict[str, Any]], ...]] = {
    "refund": (
        (None, "approve_refund", {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}),
        (Caller("sven", "supervisor", "carla"), "pay", {"order_id": "o1"}),
    ),
    "loan": (
        (None, "complete_documents", {"loan_id": "l1"}),
        (None, "assess", {"loan_id": "l1"}),
        (None, "draft", {"loan_id": "l1", "amount": "9000.00", "nominal": "6.50"}),
    ),
    "incident": ((None, "page", {"alert_id": "a1"}), (None, "page", {"alert_id": "a2"})),
    "airline": (
        (None, "update_reservation_passengers", {"reservation_id": "AAAAAA", "passengers": [PERSON, PERSON]}),
        (None, "cancel_reservation", {"reservation_id": "AAAAAA"}),
    ),
    "retail": ((None, "cancel_pending_order", {"order_id": "#W1", "reason": "no longer needed"}),),
}
EFFECTS = {"refund": 1, "loan": 0, "incident": 2, "airline": 1, "retail": 1}  # at least


def test_the_corpus_is_large_enough() -> None:
    found = injections()
    assert len(found) >= 200
    assert {encoding for encoding, _ in found} == set(ENCODINGS)


@dataclass(frozen=True, slots=True)
class Happened:
    """Every verdict in order, and what then stands in the source's tables, without the free texts."""

    codes: list[str]
    rows: list[str]
    effects: int


def happened(desk: Desk, folder: Path, seed: int, text: Callable[[], str]) -> Happened:
    """Ask the honest candidates and fifty by chance, with these free texts, over a new world that holds such texts."""
    folder.mkdir()
    world, codes = desk.world(folder), []
    _fill(world.database, desk, text)
    honest = [(caller, _honest(desk, name, arguments, text)) for caller, name, arguments in HONEST[desk.spec]]
    with desk.open(world, folder) as kernel:
        for caller, ask in [*honest, *((None, ask) for ask in asks(desk, seed, BATCH, text))]:
            payload = json.dumps(ask.payload).encode()
            who = caller or desk.caller(ask.subject)
            answer = kernel.submit(payload, caller=who, attestations=attestations(kernel, ask))
            codes.append(f"{ask.payload['transition']}: {answer.verdict.code}")
    return Happened(codes, *_held(world.database, desk))


def _honest(desk: Desk, name: str, arguments: dict[str, Any], text: Callable[[], str]) -> Ask:
    machine, subject = desk.machine, desk.subjects[0]
    transition = next(one for one in machine.transitions if one.offered == name)
    said: list[tuple[str, object, str]] = [
        (one.name, text(), one.by) for one in machine.claims if isinstance(one.type, TextType)
    ]
    said += [(one.code, True, one.role) for one in transition.clauses if one.kind is ClauseKind.CONFIRM and one.role]
    payload = {"transition": name, "arguments": _written(arguments, text), "confidence": 0.95, "rationale": text()}
    return Ask(subject, payload, tuple(said))


def _written(value: Any, text: Callable[[], str]) -> Any:
    if isinstance(value, dict):
        return {name: _written(part, text) for name, part in value.items()}
    if isinstance(value, list):
        return [_written(part, text) for part in value]
    return text()[:100] if value is TEXT else value


def _fill(database: Path, desk: Desk, text: Callable[[], str]) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        for table, columns in TEXTS[desk.spec].items():
            for (row,) in connection.execute(f"SELECT rowid FROM {table}").fetchall():
                for column in columns:
                    value = text()[: 40 if column == "plz" else 100]
                    connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (value, row))


def _held(database: Path, desk: Desk) -> tuple[list[str], int]:
    rows: list[str] = []
    with closing(sqlite3.connect(database)) as connection:
        tables = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        ]
        for table in tables:
            if table == "t_done":  # under keys that follow from the whole candidate, its rationale included
                continue
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            kept = [name for name in names if name not in TEXTS[desk.spec].get(table, ())]
            for row in connection.execute(f"SELECT {', '.join(kept)} FROM {table} ORDER BY rowid"):
                rows.append(f"{table} {row}")
        (effects,) = connection.execute("SELECT count(*) FROM t_done").fetchone()
    return rows, effects


def _slice(place: int) -> Iterator[str]:
    """Yield the corpus from that place on, round and round."""
    texts = [text for _, text in injections()]
    return itertools.cycle(texts[place:] + texts[:place])


@pytest.mark.parametrize("batch", range(4))
@pytest.mark.parametrize("number", range(len(DESKS)), ids=[desk.spec for desk in DESKS])
def test_law_4_injected_text_changes_nothing_that_happens(number: int, batch: int, tmp_path: Path) -> None:
    desk, place = DESKS[number], (number * 4 + batch) * len(injections()) // 20
    poisoned, plain = _slice(place), (f"plain words {count}" for count in itertools.count())
    clean = happened(desk, tmp_path / "clean", place, lambda: next(plain))
    assert happened(desk, tmp_path / "injected", place, lambda: next(poisoned)) == clean
    assert clean.effects >= EFFECTS[desk.spec]
    assert any(code.endswith("accepted") for code in clean.codes)


@pytest.mark.parametrize("amount", ["20.00", "9000.00"])
def test_law_4_no_injection_makes_up_for_what_is_missing(amount: str) -> None:
    """Each text alone, as the rationale and the customer's reason of what only confidence or the amount holds up."""
    setup = worlds.approval()
    caller = Caller("bot", "assistant", "carla", worlds.MODEL)
    arguments = {"order_id": "o1", "amount": amount, "picks": [{"sku": "a1", "count": 1}]}
    found = set()
    for text in ("plain words", *(text for _, text in injections())):
        payload = {"transition": "approve_refund", "arguments": arguments, "confidence": 0.5, "rationale": text}
        said = (worlds.said("reason", text), worlds.said("agreed", True))
        candidate = admit(json.dumps(payload).encode(), caller)
        verdict = decide(setup.machine, setup.case, candidate, setup.with_inputs(attestations=said).inputs)
        found.add((verdict.code, tuple((clause.code, clause.result) for clause in verdict.clauses)))
    assert len(found) == 1
    assert {code for code, _ in found} <= {"unsure", "over_total", "over_limit"}
