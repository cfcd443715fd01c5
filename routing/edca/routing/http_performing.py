"""Performing effects by requests: what an answer's status, or the lack of one, means for the effect."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.values import ValueProblem
from edca.routing.codec import UnwritableError
from edca.routing.http import BadAnswerError, NoAnswerError, NotSentError, Service
from edca.routing.model_documents import IDEMPOTENCY_KEY
from edca.routing.sending import body_of, scope_of
from edca.routing.templates import filled
from edca.runtime.ports import Performed, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edca.kernel.machine import Entity
    from edca.routing.model_documents import RequestRoute
    from edca.runtime.ports import Permit

_HAPPENED, _NOT_HAPPENED = 200, 404


@dataclass(frozen=True, slots=True)
class Requester:
    """Performs one effect by its route. `entities` are the machine's, by name."""

    route: RequestRoute
    service: Service
    entities: Mapping[str, Entity]

    def perform(self, permit: Permit) -> Report:
        """Send the request under the permit's key; never raises for what a service does."""
        route = self.route
        try:
            scope = scope_of(route.parameters, permit, self.entities)
            path = filled(route.path, scope)
            content = None if route.body is None else body_of(route.body, scope)
        except (ValueProblem, KeyError, UnwritableError) as problem:
            return Report(Performed.FAILED, f"the arguments aren't those of the effect: {problem}")
        if path is None:
            return Report(Performed.FAILED, "a value can't stand in the request's address")
        body = None if content is None else json.dumps(content, separators=(",", ":")).encode("utf-8")
        try:
            status = self.service.send(route.method, path, body, permit.key)
        except NotSentError as error:
            return Report(Performed.TRANSIENT, f"no connection: {error}")
        except NoAnswerError as error:
            return Report(Performed.UNKNOWN, f"no answer: {error}")
        return Report(self._meaning(status), f"status {status}")

    def performed(self, permit: Permit) -> Performed:
        """Tell whether the effect of the permit has happened.

        Without a way to ask nobody can tell. Nor can "no" be believed of a service without idempotency keys: the
        request may still be under way, and would count beside the next one.
        """
        if self.route.asked is None:
            return Performed.UNKNOWN
        try:
            scope = scope_of(self.route.parameters, permit, self.entities)
            path = filled(self.route.asked, {**scope, IDEMPOTENCY_KEY: permit.key})
            status = None if path is None else self.service.get(path).status
        except (ValueProblem, KeyError, UnwritableError, NotSentError, NoAnswerError, BadAnswerError):
            return Performed.UNKNOWN
        if status == _HAPPENED:
            return Performed.DONE
        if status == _NOT_HAPPENED and self.service.source.idempotency is not None:
            return Performed.FAILED
        return Performed.UNKNOWN

    def _meaning(self, status: int) -> Performed:
        route = self.route
        if status in route.done:
            return Performed.DONE
        if status in route.lost:
            return Performed.PRECONDITION_LOST
        if status in route.transient:
            return Performed.TRANSIENT
        # Whatever nobody has spoken of may have happened: a service that fails may fail at the very end.
        return Performed.FAILED if status in route.failed else Performed.UNKNOWN
