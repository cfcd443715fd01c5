"""What a record says of itself for whoever reads it years later: which kernel decided, and which labels it carries."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from edca.kernel import canonical
from edca.runtime.differences import Pair

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from edca.kernel.machine import Machine
    from edca.runtime.config import Configuration

VERSION: Final = "0.1.0"
"""The version of EDCA that this is. Not that of an installation's metadata, which may be another's or absent."""
_LABELLED: Final[dict[bytes, _Labelled]] = {}  # by the machine's digest: asked for at every record
_LABELLED_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel: the version of EDCA that it is of, and the digest of its source; null: installed without it."""

    version: str
    digest: bytes | None

    def to_data(self) -> dict[str, canonical.Data]:
        """Return it as it stands in records."""
        return {"version": self.version, "digest": self.digest}

    @staticmethod
    def of(content: Mapping[str, Any]) -> Kernel | None:
        """Return the kernel that a record of that content names, null where it was written before records did.

        Raises `KeyError` or `TypeError` for anything else.
        """
        found = content.get("kernel")
        return None if found is None else Kernel(found["version"], found["digest"])


@cache
def this_kernel() -> Kernel:
    """Return the kernel that decides in this process.

    Its digest covers the text of each module of `edca.kernel`, which is all that a verdict is computed by, and nothing
    of the platform: lines end with a newline alone.
    """
    modules: dict[str, canonical.Data] = {
        found.name: hashlib.sha256(found.read_bytes().replace(b"\r\n", b"\n")).digest()
        for found in resources.files("edca.kernel").iterdir()
        if found.name.endswith(".py")
    }
    return Kernel(VERSION, canonical.digest("kernel", canonical.encode(modules)) if modules else None)


@cache
def kernel_stamp() -> canonical.Encoded:
    """Return this kernel as it stands in records, encoded once."""
    return canonical.Encoded(canonical.encode(this_kernel().to_data()))


@dataclass(frozen=True, slots=True)
class _Labelled:
    """What a machine labels: fields by entity, arguments by the name that candidates call a transition by."""

    fields: Mapping[tuple[str, str], tuple[str, ...]]
    arguments: Mapping[tuple[str, str], tuple[str, ...]]
    memory: Mapping[str, tuple[str, ...]]
    claims: Mapping[str, tuple[str, ...]]

    @staticmethod
    def of(machine: Machine) -> _Labelled:
        if machine.digest not in _LABELLED:
            if len(_LABELLED) >= _LABELLED_MAX:
                _LABELLED.clear()
            arguments: dict[tuple[str, str], tuple[str, ...]] = {}
            for transition in machine.transitions:
                for parameter in transition.parameters:
                    place = transition.offered, parameter.name
                    arguments[place] = (*arguments.get(place, ()), *parameter.labels)
            _LABELLED[machine.digest] = _Labelled(
                fields={(e.name, f.name): f.labels for e in machine.entities for f in e.fields if f.labels},
                arguments={place: labels for place, labels in arguments.items() if labels},
                memory={slot.name: slot.labels for slot in machine.memory if slot.labels},
                claims={claim.name: claim.labels for claim in machine.claims if claim.labels},
            )
        return _LABELLED[machine.digest]

    def found(self, content: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
        """Yield the labels of each labelled thing that the content names, sealed or not, known or not."""
        candidate = content.get("candidate")
        if self.arguments and isinstance(candidate, dict) and isinstance(candidate["transition"], str):
            offered = candidate["transition"]
            yield from (self.arguments.get((offered, name), ()) for name in candidate["arguments"])
        if self.fields:
            instances = [*content.get("facts", ()), *(one for one in (content.get("instance"),) if one is not None)]
            instances += [one for step in content.get("effects", ()) for one in step.get("after", ())]
            yield from (self.fields.get((one["entity"], name), ()) for one in instances for name in one["fields"])
        if self.memory:
            standing = (content.get(name) for name in ("case", "after"))
            yield from (self.memory.get(name, ()) for one in standing if one is not None for name in one["memory"])
        if self.claims:
            yield from (self.claims.get(one["name"], ()) for one in content.get("attestations", ()))


def labels_in(machine: Machine, content: Mapping[str, Any]) -> list[canonical.Data]:
    """Return the labels that anything in a record's content carries, sorted.

    What a record holds besides was computed from what they are on: what clauses read, arguments of effects, what a
    query returns. Raises `KeyError` or `TypeError` for contents that this version doesn't write.
    """
    found = _Labelled.of(machine).found(content)
    return list(sorted({label for labels in found for label in labels}))


def stamped(machine: Machine, content: Mapping[str, canonical.Part]) -> dict[str, canonical.Part]:
    """Return a record's content with both. Raises as `labels_in`."""
    return {**content, "kernel": kernel_stamp(), "labels": labels_in(machine, content)}


class Stamps:
    """Follows both through a ledger, for its replay."""

    def __init__(self, configuration: Configuration) -> None:
        """Begin with none; `configuration` holds the documents of the records taken so far."""
        self.kernels: dict[Kernel, int] = {}  # which have decided, and how many records
        self._configuration = configuration

    def take(self, content: Mapping[str, Any]) -> list[Pair]:
        """Count which kernel decided a record, and return which labels it must tell of, if it is one that does."""
        kernel = Kernel.of(content)
        if kernel is not None:
            self.kernels[kernel] = self.kernels.get(kernel, 0) + 1
        if "labels" not in content:
            return []
        machine = self._configuration.machine(content["machine"])
        return [Pair("labels", content["labels"], labels_in(machine, content))]
