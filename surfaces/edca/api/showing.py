"""What proposers are shown: views of cases, sessions with handles, and what they may look up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edca.api.payloads import candidate_bytes
from edca.kernel.candidate import Malformed
from edca.kernel.inquiry import Inquiry
from edca.kernel.values import ValueProblem
from edca.runtime.cases import key_from_raw
from edca.semantic.inquiry import admit_inquiry
from edca.semantic.view import creation_view, view, view_evidence, view_wants
from edca.semantic.view_size import bounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edca.kernel.candidate import Caller
    from edca.kernel.facts import Key
    from edca.runtime.asking import QueryAnswer
    from edca.runtime.loop import Runtime
    from edca.semantic.handles import Handles
    from edca.semantic.view import View


class Showing:
    """The part of a kernel for whoever looks before proposing. Nothing here moves a case."""

    _runtime: Runtime

    def query(self, inquiry: Mapping[str, Any] | str | bytes | Inquiry | Malformed, *, caller: Caller) -> QueryAnswer:
        """Look something up, and return what came of it once it is on record: see `Runtime.query`.

        `{"query": "order_of", "arguments": {"order_id": "o1"}}`, as a mapping or as text, is admitted as strictly as
        bytes are; what is no inquiry is refused as `malformed`.
        """
        if not isinstance(inquiry, Inquiry | Malformed):
            inquiry = admit_inquiry(candidate_bytes(inquiry), caller)
        return self._runtime.query(inquiry, caller)

    def view(self, entity: str, key: Sequence[object], *, caller: Caller, handles: Handles | None = None) -> View:
        """Return what `caller` may see of the case about that instance; `key` is in raw form, part by part.

        `handles` are a session's: see `session`. Raises `ValueError` for an entity the machine does not have, and
        `ViewTooLargeError`. A key that names nothing gives the view of nothing.
        """
        machine, mode = self._runtime.context.machine, self._runtime.mode()
        found = self._key(entity, key)
        if found is None:
            return view(machine, None, {}, caller, 0, mode, handles)
        case, facts, now = self._runtime.look(
            entity,
            found,
            lambda case, known, now: view_wants(machine, case, known, caller, now),
            view_evidence(machine, entity, caller),
        )
        return bounded(view(machine, case, facts, caller, now, mode, handles))

    def creation_view(self, *, caller: Caller, handles: Handles | None = None) -> View:
        """Return what `caller` may propose where there is no case yet. Raises `ViewTooLargeError`."""
        return bounded(creation_view(self._runtime.context.machine, caller, self._runtime.mode(), handles))

    def _key(self, entity: str, key: Sequence[object]) -> Key | None:
        machine = self._runtime.context.machine
        if entity not in machine.index.entities:
            raise ValueError(f"the machine has no entity `{entity}`")
        try:
            return key_from_raw(machine, entity, list(key))
        except (ValueProblem, ValueError):
            return None
