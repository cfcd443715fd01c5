"""`Toolset`: what one caller may propose now, as tools, and the one way in which calling one of them is answered.

Every surface and adapter that hands tools to a model goes through it. A list of tools is a courtesy: whatever name is
called, with whatever input, becomes a candidate or is malformed, and the kernel decides. A tool that was listed a
moment ago and is legal no more is refused there, on record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from edca.api.failing import nothing_internal
from edca.runtime.answers import Answer
from edca.semantic.candidate import SIZE_MAX, malformed
from edca.semantic.candidates import from_mcp, from_openai
from edca.semantic.tools import tools_of
from edca.semantic.unpublished import is_published
from edca.semantic.view import View, meaning_of, role_view, showable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from edca.api.kernel import Kernel
    from edca.api.session import Session
    from edca.kernel.candidate import Caller, Candidate, Malformed
    from edca.kernel.inputs import Attestation
    from edca.kernel.machine import Machine
    from edca.runtime.asking import QueryAnswer
    from edca.semantic.explain import Told
    from edca.semantic.explain_query import QueryTold
    from edca.semantic.tools import Tool
    from edca.semantic.view import Offer

    Vouch: TypeAlias = "Callable[[Candidate | Malformed], Sequence[Attestation]]"

Case: TypeAlias = "tuple[str, tuple[object, ...]]"
"""A case by what it is about: the entity's name, and its key in raw form, part by part."""


_AS_TEXT: dict[str, Any] = {"type": "function_call"}
_AS_OBJECT: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What became of one call: the answer, for the host alone, and what the model is told of it."""

    answer: Answer | QueryAnswer
    told: Told | QueryTold

    def to_raw(self) -> dict[str, Any]:
        """Return what the model is told, as JSON data. `effects` is there once effects were to be carried out."""
        told: dict[str, Any] = dict(self.told.to_raw())
        outcome = self.answer.outcome if isinstance(self.answer, Answer) else None
        return told if outcome is None else told | {"effects": outcome.value}

    def text(self) -> str:
        """Return it as one text."""
        return json.dumps(self.to_raw(), ensure_ascii=False, sort_keys=True)


class Toolset:
    """The tools of one caller. It holds the kernel, so hand a model its tools, never the set. Threads may share it."""

    def __init__(
        self,
        kernel: Kernel,
        caller: Caller,
        *,
        cases: Sequence[Case] | None = None,
        vouch: Vouch | None = None,
        secret: bytes | None = None,
    ) -> None:
        """Offer what `caller`, as you authenticated them, may propose.

        `cases` are those that the tools are about: a tool is listed while it is legal in one of them, or creates a new
        one. Without them a tool is listed while it would be legal about some case or other. `vouch` returns what you
        attest with a candidate, which it gets as the model wrote it; a client attests nothing. `secret` is that of the
        session whose handles are shown (32 bytes): see `Kernel.session`.

        Raises `ValueError` for an entity the machine does not have, and for a secret that is none.
        """
        for entity, _ in cases or ():
            if entity not in kernel.machine.index.entities:
                raise ValueError(f"the machine has no entity `{entity}`")
        self._kernel = kernel
        self._vouch = vouch
        self._secret = kernel.session(caller, secret=secret).secret
        self._citable = showable(kernel.machine, caller.role)
        self.caller = caller
        self.cases = None if cases is None else tuple((entity, tuple(key)) for entity, key in cases)

    @property
    def machine(self) -> Machine:
        """The machine in force."""
        return self._kernel.machine

    def tools(self) -> tuple[Tool, ...]:
        """Return the tools that are legal now, in order of the spec."""
        return tools_of(self._seen())

    def all_tools(self) -> tuple[Tool, ...]:
        """Return what the caller may propose about some case or other, whichever cases they are here about."""
        return tools_of(self._role_view())

    def view(self, case: tuple[str, Sequence[object] | str] | None = None) -> View:
        """Return what the caller may see of a case, by its key or its handle; null: what creates one.

        Raises as `Session.view` does.
        """
        session = self._session()
        return session.creation_view() if case is None else session.view(*case)

    def named(self, case: Case) -> tuple[object, ...]:
        """Return how the caller may name a case: by its key, or by its handle where that isn't published."""
        entity, key = case
        if is_published(self.machine.index.entities, entity):
            return key
        return (self._session().handle(entity, key),)

    def call(self, name: str, given: object, *, key: str = "") -> ToolAnswer:
        """Take a call of the tool `name` with the input `given` all the way, and return what became of it.

        `given` is best the very text that the model wrote; what a library has made of it will do. `key` is the
        idempotency key, which the host gives. Raises what `Kernel.submit` raises, and nothing for what a model or a
        client has done.
        """
        read = self._read(name, given, key)
        return self._answered(name, read, self._vouched(name, read))

    def call_in_library(self, name: str, given: object, *, key: str = "") -> ToolAnswer:
        """Take a call as `call` does, for a library that may show the model what is raised: for adapters.

        Raises what `vouch` raises, which may be the library's own way to ask somebody first, and `ToolFailedError` for
        whatever else goes wrong.
        """
        with nothing_internal():
            read = self._read(name, given, key)
        vouched = self._vouched(name, read)
        with nothing_internal():
            return self._answered(name, read, vouched)

    def meanings(self) -> dict[str, Any]:
        """Return what the states of the machine mean. It is the same for everybody: a spec's text is public."""
        machine = self._kernel.machine
        states = {name: meaning_of(machine, name) for name in machine.index.states}
        return {"machine": machine.name, "version": machine.version, "means": machine.text, "states": states}

    def _vouched(self, name: str, read: Candidate | Malformed) -> Sequence[Attestation]:
        return () if self._vouch is None or name in self.machine.index.queries else self._vouch(read)

    def _answered(self, name: str, read: Candidate | Malformed, vouched: Sequence[Attestation]) -> ToolAnswer:
        session = self._session()
        if name in self.machine.index.queries:
            looked = session.query(read)
            return ToolAnswer(looked.answer, looked.told)
        # Nobody knows when the client looked, so what is cited must be what a view can show, at whatever time.
        came = session.submit(read, attestations=vouched, citable=self._citable)
        return ToolAnswer(came.answer, came.told)

    def _session(self) -> Session:
        """Return a session anew: it is what threads can't share, and the handles are those of its secret."""
        return self._kernel.session(self.caller, secret=self._secret)

    def _read(self, name: str, given: object, key: str) -> Candidate | Malformed:
        read, call_of = (from_openai, _AS_TEXT) if isinstance(given, str) else (from_mcp, _AS_OBJECT)
        try:
            call = json.dumps(call_of | {"name": name, "arguments": given}, separators=(",", ":")).encode("ascii")
        except (TypeError, ValueError, RecursionError):
            return malformed("holds something that JSON can't hold", b"", self.caller)
        if len(call) > SIZE_MAX:
            return malformed(f"larger than {SIZE_MAX} bytes", call, self.caller)
        return read(call, self.caller, key=key)

    def _role_view(self) -> View:
        return role_view(self.machine, self.caller, self._kernel.mode, self._session().handles)

    def _seen(self) -> View:
        """Return the views of all cases in one, as far as tools need them."""
        machine = self._kernel.machine
        if self.cases is None:
            return self._role_view()
        views = [*(self.view(case) for case in self.cases), self.view()]
        offers: dict[str, Offer] = {}
        for view in views:
            for offer in view.offers:
                offers.setdefault(offer.name, offer)
        ordered = tuple(offers[name] for name in machine.index.offered if name in offers)
        facts = {name: value for view in views for name, value in view.facts.items()}
        memory = {name: value for view in views for name, value in view.memory.items()}
        queries = views[-1].queries  # the same whatever the case
        return View(machine.name, None, machine.text, None, memory, facts, ordered, queries=queries)
