"""The engines that a replay can decide with: the compiled kernel, and the reference interpreter of the specs."""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edca.cli.errors import CLIError
from edca.cli.loading import load_policy
from edca.cli.telling_configuration import Kept
from edca.kernel.candidate import Candidate, Malformed
from edca.kernel.decide import decide
from edca.kernel.inputs import Case, Inputs
from edca.kernel.inquiry import Inquiry, QueryVerdict
from edca.kernel.machine import Machine
from edca.kernel.verdict import Verdict
from edca.ledger.opening import AnyLedger
from edca.runtime.replay import replay
from edca.runtime.replayed import Replayed

if TYPE_CHECKING:
    from edca.reference.judge import Reference

_LIBRARY: Final = "transitions"  # what the reference interpreter needs and a bare install has not


class Engine(StrEnum):
    """Which engine decides anew."""

    COMPILED = "compiled"
    REFERENCE = "reference"
    BOTH = "both"  # each on its own, and each compared with the record


def replays_with(
    engine: Engine, ledger: AnyLedger, specs: Sequence[Path], progress: Callable[[int, int], None]
) -> dict[str, Replayed]:
    """Replay a ledger with each engine asked for; return what was found by the engine's name.

    Raises `CLIError` where the reference interpreter lacks its library or a machine's spec, or where a spec is that of
    none of the ledger's machines; and what reading the ledger raises.
    """
    if engine is Engine.COMPILED and specs:
        raise CLIError("`--spec` is for the reference interpreter", "add `--engine reference` or `--engine both`")
    # Whatever can't be done is said before anything is.
    references = {} if engine is Engine.COMPILED else _references(ledger, specs)
    found: dict[str, Replayed] = {}
    if engine is not Engine.REFERENCE:
        found[Engine.COMPILED.value] = replay(ledger, progress, decide)
    if engine is not Engine.COMPILED:
        found[Engine.REFERENCE.value] = _with_reference(ledger, progress, references)
    return found


def _with_reference(
    ledger: AnyLedger, progress: Callable[[int, int], None], references: "Mapping[bytes, Reference]"
) -> Replayed:
    from edca.reference.judge import essence  # noqa: PLC0415  # an extra: `_references` has told where it is missing
    from edca.reference.queries import answer  # noqa: PLC0415  # the same

    def judge(machine: Machine, case: Case | None, candidate: Candidate | Malformed, inputs: Inputs) -> Verdict:
        return references[machine.digest].judge(case, candidate, inputs)

    def look_up(machine: Machine, inquiry: Inquiry | Malformed, inputs: Inputs) -> QueryVerdict:
        return answer(references[machine.digest], inquiry, inputs)

    return replay(ledger, progress, judge, essence, look_up)


def _references(ledger: AnyLedger, specs: Sequence[Path]) -> "dict[bytes, Reference]":
    """Return the reference interpreter of each of the ledger's machines, by digest."""
    try:
        from edca.reference.judge import Reference  # noqa: PLC0415  # an extra
    except ModuleNotFoundError as error:
        if error.name != _LIBRARY:
            raise
        message = f"the reference interpreter needs the library `{_LIBRARY}`, which is not installed"
        raise CLIError(message, "run `pip install 'edca[reference]'`") from error
    recorded = {machine.digest: machine for machine in Kept(ledger).machines()}
    references: dict[bytes, Any] = {}
    for path in specs:
        policy = load_policy(path)
        if policy.machine.digest not in recorded:
            raise CLIError(f"`{path}` is not the spec of any machine in the ledger", _told(policy.machine, recorded))
        references[policy.machine.digest] = Reference(policy.checked, policy.machine.digest)
    missing = [machine for digest, machine in recorded.items() if digest not in references]
    if missing:
        message = f"the reference interpreter needs the spec of {_name(missing[0])}"
        raise CLIError(message, "give it with `--spec FILE`, as it was when those records were made")
    return references


def _told(machine: Machine, recorded: Mapping[bytes, Machine]) -> str:
    names = ", ".join(_name(other) for other in recorded.values())
    return f"it compiles to {_name(machine)}; the ledger has {names or 'none'}"


def _name(machine: Machine) -> str:
    return f"{machine.name} {machine.version} (digest {machine.digest.hex()[:16]}…)"
