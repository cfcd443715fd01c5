"""Goal: the routes of `loan` and `incident` fit their schemas, and candidates go the way from facts to effects."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from edca.api import (
    Accepted,
    Attestation,
    Caller,
    Escalated,
    FixedClock,
    Inquiry,
    Kernel,
    Outcome,
    Refused,
    Returned,
    for_model,
    open_engine,
    query_for_model,
)
from edca.semantic.candidate import admit

SPECS = Path(__file__).resolve().parents[3] / "specs"
DESK = Caller("desk-bot", "assistant", subject="bea", model="small-model-2026-01-15")
DATA_OF = Inquiry("data_of", {"alert_id": "a1"}, "ops-agent", "agent", None, "small-model-2026-01-15")
AGENT = Caller("ops-agent", "agent", model="small-model-2026-01-15")


@contextmanager
def opened(name: str, source: str, folder: Path) -> Iterator[tuple[Kernel, Path]]:
    """A kernel for a spec of `specs/`, over a fresh database made from its schema; and the database's path."""
    database = folder / f"{source}.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript((SPECS / name / "schema.sql").read_text("utf-8"))
    engine = open_engine(f"sqlite:///{database}")
    kernel = Kernel.open(
        SPECS / name / f"{name}.edca",
        routes=SPECS / name / f"{name}.arp",
        roster=SPECS / name / "roster.toml",
        ledger=folder / "ledger.db",
        clock=FixedClock("2026-03-20T12:00:00Z"),
        engines={source: engine},
    )
    with kernel:
        yield kernel, database
    engine.dispose()


def one(database: Path, query: str) -> tuple[object, ...]:
    """Return the one row of a query."""
    with closing(sqlite3.connect(database)) as connection:
        (row,) = connection.execute(query).fetchall()
    return tuple(row)


def test_an_application_is_prepared_and_an_embargo_is_not_hinted_at(tmp_path: Path) -> None:
    with opened("loan", "core", tmp_path) as (kernel, _):
        complete = {"transition": "complete_documents", "arguments": {"loan_id": "l1"}}
        asked = kernel.submit(complete, caller=DESK)
        assert isinstance(asked.verdict, Escalated)
        assert [need.code for need in asked.verdict.needs] == ["data_use"]

        yes: Attestation = kernel.attest("data_use", True, by="bea", role="borrower", source="web form")
        done = kernel.submit(complete, caller=DESK, attestations=[yes])
        assert isinstance(done.verdict, Accepted)
        assessed = kernel.submit({"transition": "assess", "arguments": {"loan_id": "l1"}}, caller=DESK)
        assert isinstance(assessed.verdict, Accepted)
        assert assessed.verdict.target == "scored"

        listed = Caller("desk-bot", "assistant", subject="brit", model="small-model-2026-01-15")
        payload = {"transition": "complete_documents", "arguments": {"loan_id": "l3"}}
        held = kernel.submit(payload, caller=listed)
        assert isinstance(held.verdict, Refused)
        assert held.verdict.code == "embargoed"
        told = for_model(kernel.machine, admit(json.dumps(payload).encode(), listed), held.verdict)
        assert told.codes == ("not_possible",)


def test_an_agent_looks_and_pages(tmp_path: Path) -> None:
    with opened("incident", "ops", tmp_path) as (kernel, database):
        looked = kernel.submit({"transition": "look", "arguments": {"alert_id": "a1"}}, caller=AGENT)
        assert isinstance(looked.verdict, Accepted)
        paged = kernel.submit({"transition": "page", "arguments": {"alert_id": "a1"}}, caller=AGENT)
        assert isinstance(paged.verdict, Accepted)
        assert paged.outcome is Outcome.CONFIRMED
        assert one(database, "SELECT pg_n FROM t_alr WHERE aid = 'a1'") == (1,)
        assert one(database, "SELECT cmd, arg_t, arg_n FROM t_ord") == ("PAG", "a1", 1)
        replayed = kernel.replay()
        assert replayed.equal == replayed.total > 2


def test_the_agent_names_only_data_that_it_was_shown(tmp_path: Path) -> None:
    """What a dataset is called reaches no model, and what it makes up is answered like what isn't there."""
    with opened("incident", "ops", tmp_path) as (kernel, _):
        session, other = kernel.session(AGENT), kernel.session(AGENT)
        assert session.submit({"transition": "look", "arguments": {"alert_id": "a1"}}).told.outcome == "accepted"
        looked = session.query({"query": "data_of", "arguments": {"alert_id": "a1"}}).told
        (row,) = looked.values["datasets"]
        assert row["backed_up_at"] == "2026-03-20T06:00:00Z"
        handle = row["dataset_id"]
        assert handle.startswith("h_") and handle == session.handle("dataset", ["thumbnails"])
        assert "thumbnails" not in json.dumps(looked.to_raw())

        def purge(name: object) -> dict[str, object]:
            return {"transition": "purge", "arguments": {"alert_id": "a1", "dataset_id": name}}

        absent = session.submit(purge(session.handle("dataset", ["nothing"]))).told
        assert (absent.outcome, absent.codes) == ("refused", ("not_possible",))
        made_up = ["thumbnails", "receipts", other.handle("dataset", ["thumbnails"]), handle[:-1], handle.upper()]
        assert [session.submit(purge(name)).told for name in made_up] == [absent] * len(made_up)
        shown = session.submit(purge(handle)).told
        assert (shown.outcome, [need.code for need in shown.needs]) == ("escalated", ["deletion_agreed", "two_leads"])
        # A host names it as it is called; outside of a session a model is told nothing in place of it.
        outside = kernel.query({"query": "data_of", "arguments": {"alert_id": "a1"}}, caller=AGENT)
        assert isinstance(outside.verdict, Returned)
        told = query_for_model(kernel.machine, DATA_OF, outside.verdict)
        assert told.values == {"datasets": [{"dataset_id": None, "backed_up_at": "2026-03-20T06:00:00Z"}]}
        replayed = kernel.replay()
        assert replayed.equal == replayed.total
