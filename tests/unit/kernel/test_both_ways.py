"""Goal: on the questions that the specs' scenarios ask, both ways to read arguments and to accept come out alike."""

import dataclasses

import pytest
import worlds
from two_ways import carefully, variations

from edca.kernel.candidate import Candidate
from edca.kernel.decide import decide
from edca.kernel.decision import Computed
from edca.kernel.frames import computed
from edca.kernel.gate import Stopped, bind_arguments, pass_gate
from edca.kernel.reader import reader
from edca.kernel.values import ValueProblem
from edca.kernel.verdict import Accepted

CASES = worlds.all_setups()


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_both_ways_agree_on_every_spec(name: str, setup: worlds.Setup) -> None:
    slow = carefully(setup)
    for one in variations(setup):
        other = dataclasses.replace(one, machine=slow.machine)
        assert one.bytes() == other.bytes()
        assert decide(one.machine, one.case, one.candidate, one.inputs) == other.decide()
        assert one.wanted() == other.wanted()


def runs(setup: worlds.Setup) -> object:
    """What the function returns where it is asked to accept."""
    gate = pass_gate(setup.machine, setup.case, setup.candidate, setup.inputs)
    assert not isinstance(gate, Stopped)
    return gate.program.decision.run(gate, setup.inputs, lambda handle: None, True)


def test_the_refund_and_its_payment_are_accepted_at_once() -> None:
    for setup in (worlds.approval(), worlds.payment()):
        assert isinstance(runs(setup), Accepted)
        gate = pass_gate(setup.machine, setup.case, setup.candidate, setup.inputs)
        assert not isinstance(gate, Stopped)
        assert isinstance(computed(gate, setup.inputs, set()), Computed)  # unless it isn't asked to


@pytest.mark.parametrize(("name", "setup"), CASES)
def test_arguments_are_read_alike(name: str, setup: worlds.Setup) -> None:
    machine, candidate = setup.machine, setup.candidate
    assert isinstance(candidate, Candidate)
    for transition in machine.index.offered.get(candidate.transition, ()):
        found = reader(transition.parameters, machine.index.entities)(candidate.arguments)
        try:
            assert found in (None, bind_arguments(machine, transition, candidate))
        except ValueProblem:
            assert found is None
