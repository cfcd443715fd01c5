"""The two ways to an acceptance: at once, and clause by clause; and questions to take both with."""

import dataclasses
from collections.abc import Iterator

from setups import Setup, shown

from edca.kernel.program import program


def carefully(setup: Setup) -> Setup:
    """The same, of a machine whose functions never accept."""
    made = dataclasses.replace(setup.machine)  # an equal machine with programs of its own
    for one in made.transitions:
        prepared = program(made, one.name)
        run = prepared.decision.run
        never = dataclasses.replace(
            prepared.decision, run=lambda gate, inputs, want, accepting, run=run: run(gate, inputs, want, False)
        )
        made.programs[one.name] = dataclasses.replace(prepared, decision=never)
    return dataclasses.replace(setup, machine=made)


def variations(setup: Setup) -> Iterator[Setup]:
    """The question as it is, and with one thing about it changed."""
    yield setup
    inputs = setup.inputs
    for handle in inputs.facts:
        yield setup.with_inputs(facts={other: found for other, found in inputs.facts.items() if other != handle})
    for place in range(len(inputs.attestations)):
        said = inputs.attestations
        yield setup.with_inputs(attestations=said[:place] + said[place + 1 :])
        changed = dataclasses.replace(said[place], binds=bytes(32))
        yield setup.with_inputs(attestations=(*said[:place], changed, *said[place + 1 :]))
        denied = dataclasses.replace(said[place], value=False)
        yield setup.with_inputs(attestations=(*said, denied))
        yield setup.with_inputs(attestations=(*said, dataclasses.replace(denied, binds=shown(setup))))
    yield setup.with_inputs(used={})
    yield setup.with_inputs(overloaded=True)
    yield setup.with_inputs(now=inputs.now + 1_000_000_000_000)
    yield setup.with_candidate(confidence=None)
    yield setup.with_candidate(subject=None)
