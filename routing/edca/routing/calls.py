"""The check of effects that are calls: one request to an HTTP service, or one call of a Python function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.kernel.types import IdType
from edca.routing import tree
from edca.routing.model import Codec, Encoding, Given, Identifier
from edca.routing.model_documents import (
    IDEMPOTENCY_KEY,
    ArrayRoute,
    HTTPSource,
    InvokeRoute,
    ObjectRoute,
    PythonSource,
    RequestRoute,
    SentMember,
    shown,
)
from edca.routing.templates import as_tree, check_template, tree_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from edca.diagnostics import Span
    from edca.dsl.tree import Text
    from edca.kernel.machine import EffectDeclaration
    from edca.routing.context import Context
    from edca.routing.model import Operand
    from edca.routing.model_documents import BodyRoute, Template
    from edca.routing.operands import Operands, Scope

DONE = (200, 201, 204)
LOST = (412,)
# Never performed, whoever the service is: it said no before it did anything (RFC 9110 §15.5, RFC 6585 §5).
FAILED = (400, 401, 403, 404, 405, 406, 410, 411, 413, 414, 415, 417, 421, 422, 426, 428, 431, 451)


@dataclass(frozen=True, slots=True)
class CallCheck:
    """Checks the one statement of an effect that a service or a function makes."""

    context: Context
    effect: EffectDeclaration
    node: tree.Effect
    operands: Operands
    scope: Scope

    def check(self, source: HTTPSource | PythonSource) -> RequestRoute | InvokeRoute | None:
        """Return the effect's route, or null where something about it was reported."""
        context, node = self.context, self.node
        count = len(context.found)
        if isinstance(source, HTTPSource) and source.name in context.undecided:
            message = f"nothing says how an effect of `{source.name}` is kept from happening twice"
            repair = 'write `idempotency "Idempotency-Key"` behind the source, or `idempotency none`'
            context.report("R014", message, node.source.span, repair)
        if len(node.statements) != 1:
            message = "an effect of a service or a function is one call: half of several could happen"
            context.report("R015", message, node.name.span)
            return None
        (statement,) = node.statements
        route: RequestRoute | InvokeRoute | None = None
        match statement:
            case tree.Request() if isinstance(source, HTTPSource):
                route = self._request(statement, source)
            case tree.Invoke() if isinstance(source, PythonSource):
                route = self._invoke(statement)
            case _:
                wanted = '`post "/PATH"`' if isinstance(source, HTTPSource) else '`call "FUNCTION"`'
                context.report("R015", f"`{source.name}` can't do this", statement.span, f"write {wanted}")
        return route if len(context.found) == count else None

    def _request(self, node: tree.Request, source: HTTPSource) -> RequestRoute | None:
        told: dict[str, tuple[int, ...]] = {}
        seen: dict[int, Span] = {}
        for status in node.statuses:
            for code in status.codes:
                if not 200 <= code <= 599:
                    self.context.report("R013", f"{code} is no status of an answer", status.span, "200 to 599 are")
                if code in seen:
                    self.context.report("R002", f"{code} has two meanings", status.span, before=seen[code])
                seen[code] = status.span
            told[status.word] = (*told.get(status.word, ()), *status.codes)

        def codes(word: str, usual: tuple[int, ...]) -> tuple[int, ...]:
            return tuple(sorted(told[word] if word in told else (code for code in usual if code not in seen)))

        path = check_template(self.context, node.template, self._operand(node.template))
        asked = None
        if node.asked is not None:
            if node.asked.word != "get":
                self.context.report("R015", "a service is asked by `get`", node.asked.text.span)
            asked = check_template(self.context, node.asked.text, self._operand(node.asked.text, with_key=True))
            self._holds_key(asked, node.asked.text)
        if path is None:
            return None
        self._named(f"{node.method.text.upper()} {shown(path)}", node.template)
        if asked is not None and node.asked is not None:
            self._named(f"GET {shown(asked)}", node.asked.text)
        return RequestRoute(
            name=self.effect.name,
            source=source.name,
            parameters=self.effect.parameters,
            method=node.method.text.upper(),
            path=path,
            body=None if node.send is None else self._object(node.send.parts, self.scope),
            done=codes("done", DONE),
            lost=codes("lost", LOST),
            failed=codes("failed", FAILED),
            transient=codes("transient", source.transient),
            asked=asked,
        )

    def _named(self, name: str, text: Text) -> None:
        """Remember an operation or a function, and where it stands."""
        self.context.identifiers.append(Identifier(self.node.source.text, name, None, text.span, is_call=True))

    def _invoke(self, node: tree.Invoke) -> InvokeRoute:
        asked = None
        if node.asked is not None:
            if node.asked.word != "call":
                self.context.report("R015", "a function is asked by `call`", node.asked.text.span)
            asked = node.asked.text.value
            self._named(asked, node.asked.text)
        self._named(node.function.value, node.function)
        body = None if node.send is None else self._object(node.send.parts, self.scope)
        return InvokeRoute(
            self.effect.name, self.node.source.text, self.effect.parameters, node.function.value, body, asked
        )

    def _holds_key(self, asked: Template | None, text: Text) -> None:
        slots = () if asked is None else tuple(part for part in asked.parts if isinstance(part, Given))
        if asked is not None and not any(slot.name == IDEMPOTENCY_KEY for slot in slots):
            message = "without the effect's key the answer could be about another one"
            self.context.report("R013", message, text.span, "write `{key}` where it belongs")

    # --- what is sent ---

    def _object(self, parts: tuple[tree.Sent, ...], scope: Scope) -> ObjectRoute:
        self.context.distinct([part.name for part in parts], "the member")
        members = [SentMember(part.name.text, body) for part in parts if (body := self._body(part.body, scope))]
        return ObjectRoute(tuple(members))

    def _body(self, node: tree.Body, scope: Scope) -> BodyRoute | None:
        match node:
            case tree.ObjectBody(parts):
                return self._object(parts, scope)
            case tree.ListBody(variable, over, parts):
                found = self.operands.elements(variable, over, scope)
                if found is None:
                    return None
                steps, inside = found
                return ArrayRoute(variable.text, over.names[0].text, steps, self._object(parts, inside).members)
            case _:
                return self.operands.operand(node, scope)

    def _operand(
        self, text: Text, *, with_key: bool = False
    ) -> Callable[[tuple[str, ...], str | None], Operand | None]:
        def operand(names: tuple[str, ...], encoding: str | None) -> Operand | None:
            if with_key and names == (IDEMPOTENCY_KEY,):
                if IDEMPOTENCY_KEY in self.scope:
                    message = "`key` is the effect's own key here, and a parameter as well"
                    self.context.report("N003", message, text.span, "give the parameter another name")
                return Given(IDEMPOTENCY_KEY, (), Codec(IdType(), False, Encoding.PLAIN))
            path = tree.Path(tuple(tree_name(name, text) for name in names), text.span)
            as_ = None if encoding is None else as_tree(encoding, text)
            return self.operands.operand(tree.PathValue(path, as_, text.span), self.scope)

        return operand
