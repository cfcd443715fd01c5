"""Law 5: two internal schemas with equal abstract values and equal faults give byte-identical transcripts.

The canaries are the disguised world's own words: each table, column, code, source and row nobody reads has a name that
stands nowhere else, so that finding one in anything a model could see is a leak.
"""

from __future__ import annotations

import dataclasses
import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from desks import DESKS, Ask, Desk, asks, attestations, tries
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from masquerade import World, disguised

from edca.api import (
    Kernel,
    Session,
    View,
    as_anthropic,
    as_mcp,
    as_openai,
    as_openai_chat,
    as_text,
    for_model,
    query_for_model,
    tools_of,
)
from edca.kernel.canonical import encode
from edca.kernel.facts import Instance
from edca.kernel.types import HandleType
from edca.routing.router import SourceRouter
from edca.runtime.ports import Request
from edca.semantic.candidate import admit
from edca.semantic.inquiry import admit_inquiry
from edca.semantic.unpublished import HANDLE

SEEDS = st.integers(0, 2**32)
NOTHING_FAILS: frozenset[int] = frozenset()


def seen_by_model(kernel: Kernel, desk: Desk, tried: list[Ask]) -> Iterator[bytes]:
    """Yield everything that a model sees of these attempts: what it is shown first, and what it is told."""
    for ask in tried:
        caller = desk.caller(ask.subject)
        payload = json.dumps(ask.payload).encode()
        session = kernel.session(caller, secret=b"s" * 32)
        yield from _shown(kernel.creation_view(caller=caller))
        if "query" in ask.payload:
            looked = kernel.query(payload, caller=caller)
            yield encode(query_for_model(kernel.machine, admit_inquiry(payload, caller), looked.verdict).to_raw())
            yield encode(session.query(payload).told.to_raw())
            continue
        for entity, key in _cases(kernel, ask):
            yield from _shown(kernel.view(entity, key, caller=caller))
            yield from _shown(session.view(entity, key))
        sealed = _by_handle(kernel, session, ask)
        if sealed != ask.payload:
            said = attestations(kernel, ask)
            yield encode(session.submit(json.dumps(sealed), attestations=said).told.to_raw())
        answer = kernel.submit(payload, caller=caller, attestations=attestations(kernel, ask))
        yield encode(for_model(kernel.machine, admit(payload, caller), answer.verdict).to_raw())


def _shown(view: View) -> Iterator[bytes]:
    """Yield a view in every form in which a model may meet it."""
    tools = tools_of(view)
    yield encode(view.to_raw())
    yield as_text(view).encode()
    yield json.dumps([as_openai(tools), as_openai_chat(tools), as_anthropic(tools), as_mcp(tools)]).encode()


def _by_handle(kernel: Kernel, session: Session, ask: Ask) -> dict[str, Any]:
    """Return what was asked with handles in place of what isn't published, as whoever was shown them would say it."""
    branches = kernel.machine.index.offered.get(ask.payload["transition"], ())
    unpublished = {one.name for branch in branches for one in branch.parameters if isinstance(one.type, HandleType)}
    arguments = {
        name: session.handles.shown(HANDLE, value) if name in unpublished and isinstance(value, str) else value
        for name, value in ask.payload["arguments"].items()
    }
    return {**ask.payload, "arguments": arguments}


def _cases(kernel: Kernel, ask: Ask) -> Iterator[tuple[str, list[object]]]:
    for transition in kernel.machine.transitions:
        if transition.offered == ask.payload["transition"] and not transition.creates:
            key = [ask.payload["arguments"].get(name) for name in transition.key]
            if all(isinstance(part, str) for part in key):
                yield transition.about, key
            return


class Faults:
    """Lets every statement whose number is chosen fail, with a message full of internal words."""

    def __init__(self, chosen: frozenset[int]) -> None:
        self._chosen, self._seen = chosen, 0

    def __call__(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Count a statement, and fail if it is its turn."""
        self._seen += 1
        if self._seen in self._chosen:
            raise sa.exc.OperationalError(statement, {}, Exception(f"disk I/O error in {statement}"))


def transcript(desk: Desk, world: World, folder: Path, tried: list[Ask], failing: frozenset[int]) -> list[bytes]:
    """Return what a model sees when it tries all that over this world, with those statements failing."""
    folder.mkdir()
    with desk.open(world, folder) as kernel:
        faults = Faults(failing)
        sa.event.listen(sa.Engine, "before_cursor_execute", faults)
        try:
            return list(seen_by_model(kernel, desk, tried))
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", faults)


BY_DESK = pytest.mark.parametrize("desk", DESKS, ids=[desk.spec for desk in DESKS])


@BY_DESK
@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=SEEDS, names=SEEDS, failing=st.frozensets(st.integers(1, 80), max_size=4))
def test_law_5_two_schemas_one_transcript(
    desk: Desk, seed: int, names: int, failing: frozenset[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("worlds")
    plain = desk.world(folder)
    other, disguise = disguised(plain, folder, names)
    tried = tries(desk, seed, 12)
    told = transcript(desk, plain, folder / "one", tried, failing)
    assert told == transcript(desk, other, folder / "two", tried, failing)
    assert disguise.found_in(b"".join(told)) == []


@BY_DESK
def test_no_internal_word_reaches_a_model_a_log_or_an_error(
    desk: Desk, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every 37th statement fails, and the failure names the statement."""
    caplog.set_level(logging.DEBUG)
    world, disguise = disguised(desk.world(tmp_path), tmp_path, seed=5)
    tried = tries(desk, seed=5, count=150)
    told = transcript(desk, world, tmp_path / "run", tried, frozenset(range(37, 10_000, 37)))
    said = capfd.readouterr()
    logged = "\n".join(record.getMessage() + str(record.exc_info or "") for record in caplog.records)
    assert disguise.found_in(b"".join(told)) == []
    assert disguise.found_in((said.out + said.err + logged).encode()) == []


def test_what_isn_t_published_is_asked_for_and_told_by_handle_alone(tmp_path: Path) -> None:
    """Otherwise transcripts of a spec with handles would show little."""
    desk = next(desk for desk in DESKS if desk.spec == "incident")
    known: dict[str, Any] = {"transition": "purge", "arguments": {"alert_id": "a1", "dataset_id": "thumbnails"}}
    looking: dict[str, Any] = {"query": "data_of", "arguments": {"alert_id": "a1"}}
    seeing: dict[str, Any] = {"transition": "look", "arguments": {"alert_id": "a1"}}
    tried = [Ask("erin", payload, ()) for payload in (seeing, looking, known)]
    tried += tries(desk, 7, 60)
    asked = sum(one.payload.get("transition") == "purge" for one in tried)
    looked = sum(one.payload.get("query") == "data_of" for one in tried)
    assert asked > 3 and looked > 10
    told = transcript(desk, desk.world(tmp_path), tmp_path / "run", tried, NOTHING_FAILS)
    assert [one for one in told if b"h_" in one and b"backed_up_at" in one]
    assert [one for one in told if b"deletion_agreed" in one and b"two_leads" in one]
    assert not [one for one in told if b"thumbnails" in one or b"receipts" in one]


@pytest.mark.parametrize("spec", ["airline", "retail"])
def test_what_is_looked_up_by_chance_is_returned_and_refused(spec: str, tmp_path: Path) -> None:
    """Otherwise transcripts with inquiries would show little: values come back, and in a session sealed handles."""
    desk = next(desk for desk in DESKS if desk.spec == spec)
    looks = [one for one in tries(desk, 11, 120) if "query" in one.payload]
    told = transcript(desk, desk.world(tmp_path), tmp_path / "run", looks, NOTHING_FAILS)
    outcomes = Counter(
        kind for one in told for kind in ("returned", "not_possible", "bad_argument") if kind.encode() in one
    )
    assert outcomes["returned"] > 10
    assert outcomes["not_possible"] > 10
    assert outcomes["bad_argument"] > 0


def _leak_by_order(instance: Instance) -> Instance:
    """Let the order of a list depend on what the source is called."""
    turned = instance.source != "shop"
    fields = {
        name: value[::-1] if turned and isinstance(value, tuple) else value for name, value in instance.fields.items()
    }
    return dataclasses.replace(instance, fields=fields)


def _leak_by_behaviour(instance: Instance) -> Instance:
    """Let what is found depend on what the source is called."""
    return dataclasses.replace(instance, found=instance.found and instance.source == "shop")


def _candidates(desk: Desk) -> list[Ask]:
    return asks(desk, seed=3, count=40)


def _inquiries(desk: Desk) -> list[Ask]:
    return [one for one in tries(desk, seed=3, count=80) if "query" in one.payload]


@pytest.mark.parametrize("leak", [_leak_by_order, _leak_by_behaviour])
@pytest.mark.parametrize("trying", [_candidates, _inquiries])
def test_a_leak_planted_in_the_router_is_found(
    leak: Callable[[Instance], Instance],
    trying: Callable[[Desk], list[Ask]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise the tests above would show nothing."""
    desk = next(desk for desk in DESKS if desk.spec == "retail")
    plain = desk.world(tmp_path)
    other, _ = disguised(plain, tmp_path, seed=3)
    tried = trying(desk)
    read = SourceRouter.read

    def leaking(router: SourceRouter, requests: Sequence[Request], as_of: int) -> tuple[Instance, ...]:
        return tuple(leak(instance) for instance in read(router, requests, as_of))

    monkeypatch.setattr(SourceRouter, "read", leaking)
    one = transcript(desk, plain, tmp_path / "one", tried, NOTHING_FAILS)
    assert one != transcript(desk, other, tmp_path / "two", tried, NOTHING_FAILS)
