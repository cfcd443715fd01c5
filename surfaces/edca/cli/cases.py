"""How a case is named on the command line: by its key."""

import json

from edca.cli.errors import CLIError
from edca.kernel.facts import Key
from edca.kernel.machine import Machine
from edca.kernel.values import ValueProblem
from edca.runtime.cases import key_from_raw


def case_key(machine: Machine, entity: str, text: str) -> Key:
    """Return the key that `text` is, one of several parts as a JSON list. Raises `CLIError` for any other text."""
    declared = machine.index.entities.get(entity)
    if declared is None:
        raise CLIError(f"the machine has no entity `{entity}`", f"it has {', '.join(machine.index.entities)}")
    try:
        raw = json.loads(text) if text.startswith("[") else [text]
        return key_from_raw(machine, entity, raw)
    except (ValueError, ValueProblem, RecursionError) as error:
        parts = ", ".join(part.name for part in declared.key)
        raise CLIError(f"`--case {text}` is no key of `{entity}`, which is ({parts})") from error
