"""`--attest NAME=VALUE:PRINCIPAL:ROLE`: what somebody vouched for, as the operator at the command line tells it."""

import json
from collections.abc import Iterable
from typing import Final

from edca.cli.errors import CLIError
from edca.kernel.inputs import Attestation
from edca.kernel.machine import Machine
from edca.kernel.values import Value, ValueProblem, from_raw
from edca.runtime.waiting import SOURCE as INBOX

OPERATOR_SOURCE: Final = "operator"
"""The source of an attestation that nothing but the command line tells."""

_RESERVED_PREFIX: Final = "trial-"
_FORM: Final = "write NAME=VALUE:PRINCIPAL:ROLE, for example `agreed=true:carla:customer`"


def check_source(source: str) -> None:
    """Raise `CLIError` for a source that no attestation on record may have: those of trials, where nobody was asked."""
    if source.startswith(_RESERVED_PREFIX):
        message = f"`{source}` is a source of trials, where nobody was asked; it is accepted nowhere else"
        raise CLIError(message, "name who really attested it")
    if source == INBOX:
        raise CLIError("answers to open questions are no attestations", "use `edca approve` or `edca decline`")
    if not (source.isprintable() and 0 < len(source) <= 128):
        raise CLIError("a source is 1 to 128 printable characters")


def attestations(given: Iterable[str], source: str, machine: Machine, at: int) -> tuple[Attestation, ...]:
    """Return the attestations given, each at the time `at` (microseconds since the epoch, UTC).

    Raises `CLIError` for one that has another form, or a value that is not of its type.
    """
    check_source(source)
    return tuple(_attestation(text, source, machine, at) for text in given)


def _attestation(text: str, source: str, machine: Machine, at: int) -> Attestation:
    name, equals, rest = text.partition("=")
    # From the right, because a value may hold colons.
    parts = rest.rsplit(":", 2)
    if not (name and equals and len(parts) == 3 and all(parts)):
        raise CLIError(f"`--attest {text}` can't be read", _FORM)
    value, by, role = parts
    if role not in machine.index.roles:
        raise CLIError(f"`--attest {text}`: the machine has no role `{role}`", _FORM)
    return Attestation(name, _value(name, value, machine), by, role, source, at)


def _value(name: str, text: str, machine: Machine) -> Value:
    claim = machine.index.claims.get(name)
    if claim is None:
        if text not in ("true", "false"):
            raise CLIError(f"`{name}` is no claim, so what is attested must be `true` or `false`, not `{text}`")
        return text == "true"
    try:
        return from_raw(claim.type, text, machine.index.entities)
    except ValueProblem as problem:
        # Not as it stands; numbers, truth values and lists are written as in JSON.
        try:
            return from_raw(claim.type, json.loads(text), machine.index.entities)
        except (ValueProblem, ValueError, RecursionError):
            raise CLIError(f"what is attested for `{name}` is not of its type: {problem.problem}") from problem
