"""Goal: a machine and its artefact are one and the same, and a changed artefact is another machine or none."""

import dataclasses
from typing import Any

import pytest
import worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import VOCABULARY, expressions

from edca.diagnostics import Source
from edca.kernel import canonical
from edca.kernel.canonical import CanonicalError
from edca.kernel.machine import ARTEFACT_SIZE_MAX, DEPTH_MAX, Machine
from edca.semantic.compile import compile_spec

# What stands for a part in a changed artefact.
REPLACEMENTS: list[canonical.Data] = [None, True, 0, -1, 7, "", "model", b"x", [], [1], {}]
REPLACEMENTS += [{"": "Role"}, {"": "Machine"}, {"": 5}]
MACHINES = [machine for path in worlds.SPECS if (machine := worlds.compiled(path).machine) is not None]


def _clause(condition: str) -> str:
    return f"""{VOCABULARY}
transition go(thing_id: id) from open to closed {{
  means "Go." by person answers person
  require {condition} else refuse r "R."
}}"""


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
def test_a_machine_reads_back_from_its_artefact(machine: Machine) -> None:
    again = Machine.from_bytes(machine.to_bytes())
    assert again == machine
    assert again.digest == machine.digest == canonical.digest("machine", machine.to_bytes())
    assert again.to_bytes() == machine.to_bytes()
    assert again.index == machine.index


@given(expressions(depth=3))
@settings(max_examples=40)
def test_every_expression_reads_back_from_the_artefact(condition: str) -> None:
    machine = compile_spec(Source("generated", _clause(condition))).machine
    if machine is None:
        return
    assert Machine.from_bytes(machine.to_bytes()) == machine


@given(st.data())
@settings(max_examples=60)
def test_a_changed_byte_makes_another_machine_or_none(data: st.DataObject) -> None:
    machine = data.draw(st.sampled_from(MACHINES))
    artefact = bytearray(machine.to_bytes())
    place = data.draw(st.integers(0, len(artefact) - 1))
    artefact[place] ^= data.draw(st.integers(1, 255))
    try:
        changed = Machine.from_bytes(bytes(artefact))
    except CanonicalError:
        return
    assert changed.digest != machine.digest
    assert changed.to_bytes() == bytes(artefact)


@given(st.binary(max_size=60))
def test_other_bytes_are_no_machine(artefact: bytes) -> None:
    with pytest.raises(CanonicalError):
        Machine.from_bytes(artefact)


@given(st.data())
@settings(max_examples=60)
def test_a_changed_part_makes_another_machine_or_none(data: st.DataObject) -> None:
    """Changes that are canonical MessagePack: a part removed, replaced, or of another kind."""
    machine = data.draw(st.sampled_from(MACHINES))
    whole = canonical.decode(machine.to_bytes(), size_max=ARTEFACT_SIZE_MAX, depth_max=DEPTH_MAX)
    changed = _change(data, whole)
    artefact = canonical.encode(changed, depth_max=DEPTH_MAX)
    if artefact == machine.to_bytes():
        return
    try:
        other = Machine.from_bytes(artefact)
    except CanonicalError:
        return
    assert other.digest != machine.digest
    assert other.to_bytes() == artefact


def _change(data: st.DataObject, node: canonical.Data, depth: int = 0) -> canonical.Data:
    """The data with one part somewhere inside changed."""
    stop = data.draw(st.integers(0, 5)) == 0
    if isinstance(node, dict) and node and not stop:
        name = data.draw(st.sampled_from(sorted(node)))
        if data.draw(st.integers(0, 7)) == 0:
            return {key: value for key, value in node.items() if key != name}
        return node | {name: _change(data, node[name], depth + 1)}
    if isinstance(node, list) and node and not stop:
        place = data.draw(st.integers(0, len(node) - 1))
        return [*node[:place], _change(data, node[place], depth + 1), *node[place + 1 :]]
    return data.draw(st.sampled_from(REPLACEMENTS))


@pytest.mark.parametrize("field", ["language", "semantics"])
def test_a_machine_of_another_version_is_refused(field: str) -> None:
    changes: dict[str, Any] = {field: 99}
    other = dataclasses.replace(MACHINES[0], **changes)
    with pytest.raises(CanonicalError, match="this kernel runs"):
        Machine.from_bytes(other.to_bytes())


@pytest.mark.parametrize(
    "changes",
    [{"text": 7}, {"name": None}, {"case_key": "order_id"}, {"tier": "heavy"}, {"fresh_us": "1"}, {"screens": (7,)}],
    ids=str,
)
def test_a_part_of_another_kind_is_refused(changes: dict[str, Any]) -> None:
    other = dataclasses.replace(MACHINES[0], **changes)
    with pytest.raises(CanonicalError):
        Machine.from_bytes(other.to_bytes())
