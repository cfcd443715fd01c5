"""Law 5, timing: what is not there and what is not the subject's take the same work: no stopwatch tells them apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from desks import DESKS, Desk

from edca.api import Inquiry, Kernel, query_for_model
from edca.diagnostics import Source
from edca.kernel.inquiry import QueryVerdict
from edca.kernel.verdict import Result


@dataclass(frozen=True, slots=True)
class Pair:
    """A candidate whose case is somebody else's (`theirs`), and what would be asked about a case that isn't there."""

    spec: str
    transition: str
    arguments: dict[str, Any]
    key: str
    subject: str
    theirs: str
    absent: str


BACK = {"item_ids": ["101"], "payment_method_id": "credit_card_1"}
PAIRS = (
    Pair(
        "refund", "approve_refund", {"amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}, "order_id", "dora",
        "o1", "o9",
    ),
    Pair("loan", "complete_documents", {}, "loan_id", "bea", "l2", "l9"),
    Pair("airline", "cancel_reservation", {}, "reservation_id", "bo_ray_2", "AAAAAA", "BBBBBB"),
    Pair("retail", "return_delivered_order_items", BACK, "order_id", "ann_lee_1", "#W6", "#W9"),
)  # fmt: skip


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect what the source is asked."""
    found: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        found.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)


def submitted(kernel: Kernel, desk: Desk, pair: Pair, key: str) -> tuple[list[str], str, int]:
    """Return what the source was asked for a submission, the operator's code, and how many records were written."""
    payload = {"transition": pair.transition, "arguments": {**pair.arguments, pair.key: key}, "confidence": 0.95}
    before = kernel.ledger.size
    with statements() as asked:
        answer = kernel.submit(json.dumps(payload).encode(), caller=desk.caller(pair.subject))
    return asked, answer.verdict.code, kernel.ledger.size - before


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.spec for pair in PAIRS])
def test_law_5_absent_and_forbidden_take_the_same_work(pair: Pair, tmp_path: Path) -> None:
    desk = next(desk for desk in DESKS if desk.spec == pair.spec)
    with desk.open(desk.world(tmp_path), tmp_path) as kernel:
        theirs, code, records = submitted(kernel, desk, pair, pair.theirs)
        absent, other, written = submitted(kernel, desk, pair, pair.absent)
        assert code not in ("accepted", "unknown_case") and other == "unknown_case"
        assert sorted(absent) == sorted(theirs)
        assert len(absent) > 2  # more than the case itself
        assert records == written
        about, caller = kernel.machine.case_about, desk.caller(pair.subject)
        with statements() as seen:
            shown = kernel.view(about, [pair.theirs], caller=caller)
        with statements() as unseen:
            assert kernel.view(about, [pair.absent], caller=caller) == shown
        assert sorted(unseen) == sorted(seen)


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.spec for pair in PAIRS])
def test_law_5_a_key_used_again_tells_nothing_of_a_case_that_isnt_theirs(pair: Pair, tmp_path: Path) -> None:
    """The owner's candidate, the same from somebody else under the same key, and two of theirs under one key."""
    desk = next(desk for desk in DESKS if desk.spec == pair.spec)
    with desk.open(desk.world(tmp_path), tmp_path) as kernel:

        def told(subject: str, case: str, confidence: float) -> tuple[bytes, list[str], int]:
            payload = {
                "transition": pair.transition,
                "arguments": {**pair.arguments, pair.key: case},
                "confidence": confidence,
                "key": "k",
            }
            before = kernel.ledger.size
            with statements() as asked:
                came = kernel.session(desk.caller(subject)).submit(json.dumps(payload).encode())
            return json.dumps(came.told.to_raw()).encode(), sorted(asked), kernel.ledger.size - before

        for subject in desk.subjects:
            if subject != pair.subject:
                told(subject, pair.theirs, 0.95)  # whose it is may have used the key before
        for confidence in (0.95, 0.95, 0.94):
            assert told(pair.subject, pair.theirs, confidence) == told(pair.subject, pair.absent, confidence)


def test_law_5_a_handle_of_nothing_takes_the_work_of_one_that_can_t_be_acted_on(tmp_path: Path) -> None:
    """Data on legal hold, named by their handle; and a handle that is made up, somebody else's, or a plain name."""
    desk = next(desk for desk in DESKS if desk.spec == "incident")
    with desk.open(desk.world(tmp_path), tmp_path) as kernel:
        session, other = (kernel.session(desk.caller(desk.subjects[0])) for _ in range(2))
        looking = session.submit({"transition": "look", "arguments": {"alert_id": "a1"}})
        assert looking.told.outcome == "accepted"
        found = []
        held = session.handle("dataset", ["receipts"])
        for name in (held, session.handle("dataset", ["nothing"]), other.handle("dataset", ["receipts"]), "receipts"):
            before = kernel.ledger.size
            with statements() as asked:
                came = session.submit(
                    {"transition": "purge", "arguments": {"alert_id": "a1", "dataset_id": name}, "confidence": 0.95}
                )
            found.append((came.told, sorted(asked), kernel.ledger.size - before))
        assert found[0][0].codes == ("not_possible",) and len(found[0][1]) > 2
        assert found == [found[0]] * 4


def test_law_5_nobody_uses_up_the_keys_of_somebody_else(tmp_path: Path) -> None:
    desk = next(desk for desk in DESKS if desk.spec == "refund")
    with desk.open(desk.world(tmp_path), tmp_path) as kernel:
        arguments = {"order_id": "o1", "amount": "20.00", "picks": [{"sku": "a1", "count": 1}]}
        payload = {"transition": "approve_refund", "arguments": arguments, "confidence": 0.95, "key": "k"}
        refused = kernel.submit(json.dumps(payload).encode(), caller=desk.caller("dora"))
        assert refused.verdict.code == "not_yours"
        mine = kernel.submit(json.dumps(payload | {"confidence": 0.96}).encode(), caller=desk.caller("carla"))
        assert mine.verdict.code not in ("duplicate", "not_yours")


@dataclass(frozen=True, slots=True)
class LookedUp:
    """A query about what is somebody else's (`theirs`), and what would be asked about what isn't there."""

    spec: str
    query: str
    key: tuple[str, ...]
    theirs: tuple[str, ...]
    absent: tuple[str, ...]


LOOKED_UP = (
    LookedUp("airline", "get_reservation_details", ("reservation_id",), ("AAAAAA",), ("BBBBBB",)),
    LookedUp("airline", "get_user_details", ("user_id",), ("ann_lee_1",), ("nobody",)),
    LookedUp("retail", "get_order_details", ("order_id",), ("#W1",), ("#W9",)),
    LookedUp("retail", "get_user_details", ("user_id",), ("ann_lee_1",), ("nobody",)),
    LookedUp("retail", "find_user_id_by_email", ("email",), ("ann@example.com",), ("nobody@example.com",)),
    LookedUp(
        "retail", "find_user_id_by_name_zip", ("first_name", "last_name", "zip"), ("Ann", "Lee", "78712"),
        ("No", "Body", "1"),
    ),
)  # fmt: skip


def asked(
    kernel: Kernel, desk: Desk, subject: str, query: str, arguments: dict[str, Any]
) -> tuple[list[str], dict[str, Any], QueryVerdict, int]:
    """Return what the source was asked, what a model is told, the verdict, and how many records were written."""
    caller, before = desk.caller(subject), kernel.ledger.size
    with statements() as found:
        answer = kernel.query({"query": query, "arguments": arguments}, caller=caller)
    inquiry = Inquiry(query, arguments, caller.proposer, caller.role, caller.subject, caller.model)
    told = query_for_model(kernel.machine, inquiry, answer.verdict)
    return found, told.to_raw(), answer.verdict, kernel.ledger.size - before


@pytest.mark.parametrize("pair", LOOKED_UP, ids=[f"{pair.spec}-{pair.query}" for pair in LOOKED_UP])
def test_law_5_looking_up_what_is_absent_and_what_is_not_yours_takes_the_same_work(
    pair: LookedUp, tmp_path: Path
) -> None:
    desk = next(desk for desk in DESKS if desk.spec == pair.spec)
    with desk.open(desk.world(tmp_path), tmp_path) as kernel:
        (theirs, told, verdict, records), (absent, other, _, written) = (
            asked(kernel, desk, "bo_ray_2", pair.query, dict(zip(pair.key, key, strict=True)))
            for key in (pair.theirs, pair.absent)
        )
        assert any(clause.result is Result.FAILED for clause in verdict.clauses)  # it is there, and somebody else's
        assert sorted(absent) == sorted(theirs)
        assert (other, written) == (told, records)


FARTHER = """
query takes_back(order_id: id) about order by order_id
{
  means "Whether anything of the order can be returned."
  by    assistant
  require some l in order.lines satisfies l.returnable else refuse nothing "Nothing of it can be returned."
  require order.owner == subject else refuse not_you "It is somebody else's."
  returns status = order.status
}
query prices(order_id: id) about order by order_id
{
  means "What the things in the order cost."
  by    assistant
  require order.owner == subject else refuse not_you "It is somebody else's."
  returns prices = each l in order.lines { price = l.price }
}
"""


@pytest.mark.parametrize(("query", "farther"), [("takes_back", True), ("prices", False)])
def test_law_5_clauses_that_lead_to_other_instances_take_the_same_work(
    query: str, farther: bool, tmp_path: Path
) -> None:
    """What clauses read beyond the instance is read for an absent one too; what only values need is for neither."""
    desk = next(desk for desk in DESKS if desk.spec == "refund")
    spec = Source("refund.edca", desk.policy.read_text("utf-8") + FARTHER)
    with desk.open(desk.world(tmp_path), tmp_path, spec=spec) as kernel:
        (theirs, told, verdict, _), (absent, other, _, _) = (
            asked(kernel, desk, "dora", query, {"order_id": key}) for key in ("o1", "o9")
        )
        own, _, returned, _ = asked(kernel, desk, "carla", query, {"order_id": "o1"})
        assert (verdict.code, returned.code) == ("not_yours", "returned")
        assert sorted(absent) == sorted(theirs)
        assert other == told
        assert (len(theirs) == len(own)) is farther
