"""Goal: a ledger decides itself again, alterations are named, and its configuration is whole."""

import dataclasses

import pytest
import refund_world as world

from edca.kernel.canonical import decode, digest, encode
from edca.ledger.record import Draft, parse
from edca.ledger.store import Cell
from edca.runtime.config import Configuration
from edca.runtime.replay import replay


class _Altered:
    """The records of a ledger, with bodies changed and perhaps one left out, as if the hashes fitted."""

    def __init__(self, stored, change=lambda body: body, without=None):
        self._stored = [
            dataclasses.replace(item, body=change(item.body)) for item in stored if item.leaf.index != without
        ]
        self.size = len(self._stored)

    def records(self):
        return iter(self._stored)

    def spaces(self):
        return ()


def _moved_to_another_case(body):
    data = decode(body)
    if data["kind"] == "verdict":
        data["chain"] = data["case"]["id"] = '/order:["o7"]'
    return encode(data)


def test_a_replay_names_what_was_altered(bench):
    bench.approved()
    bench.submit("pay", "p", order_id="o1")
    stored = list(bench.ledger.records())
    approval = stored[-4].leaf.index

    def paths(*arguments, **options):
        return [mismatch.path for mismatch in replay(_Altered(stored, *arguments, **options)).mismatches]

    assert paths() == []
    assert paths(lambda body: body.replace(b"20.00", b"21.00"))[0].startswith("candidate_digest")
    assert paths(lambda body: body.replace(b"passed", b"failed")) == [
        "verdict.clauses[0].result",
        "verdict.clauses[0].result",
        "effects[0].ensure",
    ]
    assert paths(without=approval) == ["case"]
    assert "case.id" in paths(_moved_to_another_case)


def test_a_replay_tells_what_it_could_not_replay(bench):
    bench.approved()
    bench.ledger.commit([Draft("elsewhere", "note", {})])
    stored = list(bench.ledger.records())
    found = replay(_Altered(stored, without=0))
    assert [item.index for item in found.not_replayed] == [item.leaf.index for item in stored[-2:]]
    assert "note" in found.not_replayed[-1].reason
    assert found.total == found.equal + len(found.mismatches) + len(found.not_replayed)


def test_configuration_must_be_what_its_digest_says(bench):
    bench.router.digest = bytes(32)
    with pytest.raises(ValueError, match="routes document"):
        bench.reopen()


def test_large_configuration_is_cut_into_records(bench):
    class LargeRouter(world.OrderRouter):
        document = b"x" * (3 << 19)
        digest = digest("routes", document)

    bench.router = LargeRouter(bench.world)
    bench.reopen()
    assert [r.content["part"] for r in bench.records("config") if r.content["parts"] > 1] == [0, 1, 2]
    bench.reopen()
    configuration = Configuration.of(bench.ledger.records(chain="config"))
    assert configuration.document("routes", LargeRouter.digest) == LargeRouter.document
    bench.assert_replays()


def _spent_ledger(bench):
    bench.approved()
    bench.submit("pay", "p", order_id="o1")
    stored = list(bench.ledger.records())
    return stored, next(n for n, item in enumerate(stored) if parse(item.body).kind == "spent")


def test_an_effect_without_a_spent_permit_on_record_is_named(bench):
    stored, spent = _spent_ledger(bench)
    found = replay(_Altered(stored, without=spent))
    assert "says that its permit was spent" in found.not_replayed[0].reason


def test_a_permit_is_spent_once_and_only_while_its_verdict_waits(bench):
    stored, spent = _spent_ledger(bench)

    def reasons(records):
        return [item.reason for item in replay(_Altered(records)).not_replayed]

    assert reasons(stored) == []
    twice = reasons([*stored[: spent + 1], stored[spent], *stored[spent + 1 :]])
    early = reasons([*stored[: spent - 1], stored[spent], stored[spent - 1], *stored[spent + 1 :]])
    late = reasons([*stored, stored[spent]])
    assert "a permit was spent twice" in twice[0]
    assert "that no verdict waits for" in early[0]
    assert "that no verdict waits for" in late[0]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("key", "0" * 64),
        ("effect", "recall_money"),
        ("expires", 7),
        ("place", 1),
        ("case", None),
        ("record", bytes(32)),
    ],
)
def test_what_is_said_of_a_spent_permit_must_follow_from_its_verdict(bench, part, value):
    stored, _ = _spent_ledger(bench)

    def changed(body):
        data = decode(body)
        return encode(data | {part: value}) if data["kind"] == "spent" else body

    found = replay(_Altered(stored, changed))
    told = [mismatch.path for mismatch in found.mismatches] + [item.reason for item in found.not_replayed]
    expected = {"place": "entitles to no such effect", "record": "no verdict waits for"}.get(part, part)
    assert any(expected in text for text in told)


def test_a_candidate_accepted_under_its_key_is_not_decided_once_more(bench):
    bench.submit("remind", "r", order_id="o1")
    bench.ledger.commit((), [Cell("key", key, None) for key, _ in bench.ledger.cells("key")])
    bench.submit("remind", "r", order_id="o1")
    found = replay(bench.ledger)
    assert [mismatch.path for mismatch in found.mismatches] == ["the idempotency key"]
