"""Goal: a person's word moves a case only where it is in doubt, only by who answers for it, never past a property."""

import dataclasses

import pytest
import refund_world as world
from asking import go_on_with

from edca.kernel.expression import Compare, Comparison, Constant, ReadFact
from edca.kernel.machine import Never, NeverReached
from edca.kernel.roster import Principal
from edca.ledger.ed25519 import new_key, sign
from edca.ledger.record import Draft, parse
from edca.ledger.sqlite import SQLiteLedger
from edca.runtime.answers import Outcome
from edca.runtime.heard import check_answers
from edca.runtime.observe import NotObserved, ObservationError, signing_message
from edca.runtime.ports import Performed, Report
from edca.runtime.replay import replay

PRIVATE, PUBLIC = new_key()
# No transition leads there, so that nothing but an observation is tested for them.
BROKEN = Never("settled", "Nothing is asked for twice.", "order", ("requested",), Constant(True))
UNKNOWN = Never(
    "sober",
    "Nobody knows.",
    "order",
    ("requested",),
    Compare(Comparison.EQUAL, ReadFact(Constant(("o2",)), "order", "total"), Constant(0)),
)


def machine(*properties):
    return dataclasses.replace(world.MACHINE, properties=properties)


def refused(bench, code, by="sven", order="o1", **parts):
    """Observe, and see that it is refused so and leaves nothing."""
    size = bench.ledger.size
    with pytest.raises(ObservationError) as caught:
        bench.runtime.observe("order", (order,), by, **parts)
    assert caught.value.code is code, caught.value
    assert bench.ledger.size == size


def quarantined(bench, found=world.MACHINE):
    bench.reopen(found)
    bench.approved()
    bench.router.perform = lambda permit: Report(Performed.UNKNOWN)
    bench.router.performed = lambda permit: Performed.UNKNOWN
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.QUARANTINED


def mapped(bench, state):
    """Let the source say what state its orders are in."""
    read = bench.router.read
    bench.router.read = lambda requests, as_of: tuple(
        dataclasses.replace(instance, state=state, mapped=("approved", "paid", "requested"))
        for instance in read(requests, as_of)
    )


# --- when ---


def test_a_case_that_the_ledger_has_not_moved_stands_where_its_source_says(bench):
    refused(bench, NotObserved.NO_SUCH_CASE, state="approved")
    refused(bench, NotObserved.NO_SUCH_CASE, order="o9", state="approved")
    bench.submit("approve", "k", world.ASSISTANT, order_id="o1", amount="500.00")
    assert bench.row() is not None
    refused(bench, NotObserved.NO_SUCH_CASE, state="paid")


@pytest.mark.parametrize("halted", [False, True])
def test_a_case_about_which_nothing_is_in_doubt_moves_by_its_transitions_alone(bench, halted):
    """Else any account in a human role would bring any case to `paid` without money, approval or key."""
    bench.approved()
    if halted:
        bench.runtime.halt("ops", "Look first.")
    for state in ("paid", "requested", "approved", "stuck", None):
        refused(bench, NotObserved.NOT_IN_DOUBT, state=state)
    mapped(bench, "approved")
    refused(bench, NotObserved.NOT_IN_DOUBT)


def test_what_is_under_way_is_resumed_first(bench):
    bench.approved()
    bench.runtime.context.stop.set()  # as where somebody halts just now
    bench.submit("pay", "p", order_id="o1")
    refused(bench, NotObserved.EFFECTS_UNDER_WAY, state="paid")


def test_a_quarantine_ends_with_what_was_found(bench):
    quarantined(bench)
    bench.runtime.observe("order", ("o1",), "sven", "approved")
    assert (bench.row().case.state, bench.row().case.pending, bench.row().quarantined) == ("approved", None, False)
    refused(bench, NotObserved.NOT_IN_DOUBT, state="paid")
    bench.assert_replays()


def test_where_the_source_disagrees_it_is_followed(bench):
    bench.approved()
    mapped(bench, "requested")
    assert bench.submit("pay", "p", order_id="o1").verdict.code == "state_drift"
    refused(bench, NotObserved.CONTRADICTED, state="paid")
    bench.runtime.observe("order", ("o1",), "sven")
    assert bench.row().case.state == "requested"
    bench.assert_replays()


def test_what_cannot_be_told_is_not_recorded(bench):
    quarantined(bench)
    refused(bench, NotObserved.UNNAMED)
    refused(bench, NotObserved.NO_SUCH_STATE, state="lost")


# --- who ---


@pytest.mark.parametrize("by", ["carla", "bot", "nobody", "late", "robot"])
def test_only_who_answers_for_the_transition_says_what_became_of_it(bench, by):
    quarantined(bench)
    late = Principal("late", ("supervisor",), ends=world.START)
    go_on_with(bench, late, Principal("robot", ("supervisor",), "model-1"), machine=world.MACHINE)
    refused(bench, NotObserved.WRONG_ROLE, by, state="paid")


def test_who_answers_for_something_else_is_not_asked(bench):
    """A customer on the roster answers for nothing about a payment, whatever else they answer for."""
    others = (item for item in world.MACHINE.transitions if item.name != "approve")
    (approve,) = (item for item in world.MACHINE.transitions if item.name == "approve")
    approve = dataclasses.replace(approve, answers="customer", by=("customer",))
    found = dataclasses.replace(
        world.MACHINE, transitions=tuple(sorted((*others, approve), key=lambda item: item.name))
    )
    bench.reopen(found)
    bench.submit("approve", "a", world.Caller("carla", "customer"), order_id="o1", amount="20.00")
    bench.router.perform = lambda permit: Report(Performed.UNKNOWN)
    bench.router.performed = lambda permit: Performed.UNKNOWN
    assert bench.submit("pay", "p", order_id="o1").outcome is Outcome.QUARANTINED
    refused(bench, NotObserved.WRONG_ROLE, "carla", state="paid")
    bench.runtime.observe("order", ("o1",), "sven", "approved")
    mapped(bench, "requested")
    bench.runtime.observe("order", ("o1",), "carla")  # where no transition is under way, any that answers will do
    assert bench.records("observed")[-1].content["role"] == "customer"
    bench.assert_replays()


def test_no_signature_serves_twice(bench):
    quarantined(bench)
    go_on_with(bench, Principal("sam", ("supervisor",), key=PUBLIC), machine=world.MACHINE)
    right = sign(PRIVATE, signing_message(bench.runtime.context, "order", ("o1",), "approved"))
    bench.runtime.observe("order", ("o1",), "sam", "approved", right)
    assert bench.submit("pay", "again", order_id="o1").outcome is Outcome.QUARANTINED
    refused(bench, NotObserved.BAD_SIGNATURE, "sam", state="approved", signature=right)


def test_who_has_a_key_signs_what_they_found(bench):
    quarantined(bench)
    keyed = Principal("sam", ("supervisor",), None, "sam.ray", PUBLIC)
    go_on_with(bench, keyed, Principal("sam2", ("supervisor",), None, "sam.ray"), machine=world.MACHINE)
    for by in ("sam", "sam2"):
        refused(bench, NotObserved.UNSIGNED, by, state="paid")
    signed = signing_message(bench.runtime.context, "order", ("o1",), "paid")
    for wrong in (sign(new_key()[0], signed), sign(PRIVATE, signed + b"x")):
        refused(bench, NotObserved.BAD_SIGNATURE, "sam", state="paid", signature=wrong)
    right = sign(PRIVATE, signed)
    refused(bench, NotObserved.BAD_SIGNATURE, "sam", state="stuck", signature=right)
    refused(bench, NotObserved.BAD_SIGNATURE, "sven", state="paid", signature=right)  # who has no key
    reference = bench.runtime.observe("order", ("o1",), "sam", "paid", right)
    bench.assert_replays()
    checked = check_answers(bench.ledger.records())
    assert (checked.signed, checked.broken, checked.asserted) == ((reference.index,), (), ())


def test_what_the_host_vouches_for_is_told_apart(bench):
    quarantined(bench)
    reference = bench.runtime.observe("order", ("o1",), "sven", "paid")
    assert check_answers(bench.ledger.records()).asserted == (reference.index,)


# --- properties ---


def test_nobodys_word_alone_breaks_a_property(bench):
    quarantined(bench, machine(BROKEN))
    refused(bench, NotObserved.PROPERTY_VIOLATED, state="requested")
    bench.runtime.observe("order", ("o1",), "sven", "stuck")
    assert bench.records("observed")[-1].content["properties"] == {}
    bench.assert_replays()


def test_what_the_source_says_is_on_record_with_what_it_breaks(bench):
    quarantined(bench, machine(BROKEN, UNKNOWN))
    mapped(bench, "requested")
    bench.runtime.observe("order", ("o1",), "sven")
    found = bench.records("observed")[-1].content["properties"]
    assert found["settled"] is None
    assert found["sober"] is not None
    bench.assert_replays()


def test_a_property_that_cannot_be_told_is_named(bench):
    quarantined(bench, machine(UNKNOWN))
    bench.runtime.observe("order", ("o1",), "sven", "requested")
    ((code, reason),) = bench.records("observed")[-1].content["properties"].items()
    assert (code, reason) == ("sober", "fact_missing")
    bench.assert_replays()


def test_a_state_that_no_edge_leads_to_must_have_been_reached_rightly(bench):
    """What the graph proves of paths says nothing about a state that somebody names."""
    required = NeverReached("through_review", "Only reviewed cases are asked for anew.", ("requested",), ("review",))
    quarantined(bench, machine(required))
    refused(bench, NotObserved.PROPERTY_VIOLATED, state="requested")
    bench.runtime.observe("order", ("o1",), "sven", "paid")
    bench.assert_replays()


# --- replay ---


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"by": "carla"}, "role"),
        ({"role": "customer"}, "role"),
        ({"authenticated": "signed"}, "authenticated"),
        ({"properties": {"sober": None}}, "properties"),
    ],
)
def test_a_replay_finds_an_observation_that_nobody_could_make(bench, tmp_path, changes, path):
    quarantined(bench)
    bench.runtime.observe("order", ("o1",), "sven", "paid")
    with SQLiteLedger.open(tmp_path / "forged.db", durable=False) as forged:
        for stored in bench.ledger.records():
            record = parse(stored.body)
            content = record.content | (changes if record.kind == "observed" else {})
            forged.commit([Draft(record.chain, record.kind, content)])
        (mismatch,) = replay(forged).mismatches
    assert mismatch.path.startswith(path)


def test_a_replay_finds_an_observation_of_what_was_in_no_doubt(bench, monkeypatch):
    bench.approved()
    with monkeypatch.context() as forged:
        forged.setattr("edca.runtime.observe.has_drifted", lambda case, instance: True)
        bench.runtime.observe("order", ("o1",), "sven", "paid")
    (mismatch,) = replay(bench.ledger).mismatches
    assert mismatch.path == "in doubt"
