"""The check of declared sources: databases, HTTP services and Python functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edca.routing import tree
from edca.routing.model import AppliedRoute, SourceRoute
from edca.routing.model_documents import ANSWER_BYTES, TIMEOUT_S, Auth, AuthKind, HTTPSource, PythonSource

if TYPE_CHECKING:
    from edca.routing.context import Context

_TIMEOUT_S_MAX = 600
_ANSWER_BYTES_MAX = 100_000_000
_REDIRECTS_MAX = 5
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")  # RFC 9110 §5.6.2
# These are the client's own, or would change what the exchange is.
_TAKEN_HEADERS = (
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
    "accept",
    "accept-encoding",
    "connection",
)


def check_source(context: Context, node: tree.Source | tree.HTTPSource | tree.PythonSource) -> None:
    """Keep a declared source, or report what is wrong with it."""
    name = node.name.text
    if name in context.sources:
        context.report("R002", f"the source `{name}` is declared twice", node.name.span)
        return
    match node:
        case tree.Source(env=env, applied=applied):
            found = None
            if applied is not None:
                for column in (applied.key, applied.body):
                    context.identifier(name, applied.table, column)
                context.identifier(name, applied.table)
                found = AppliedRoute(applied.table.text, applied.key.text, applied.body.text)
            context.sources[name] = SourceRoute(name, env.value, found)
        case tree.PythonSource():
            context.sources[name] = PythonSource(name)
        case tree.HTTPSource():
            context.sources[name] = _service(context, node)


def _service(context: Context, node: tree.HTTPSource) -> HTTPSource:
    options: dict[str, tree.Option] = {}
    for option in node.options:
        about = _ABOUT.get(option.word, option.word)
        if about in options:
            message = f"`{about}` is said twice"
            context.report("R002", message, option.span, before=options[about].span)
        options.setdefault(about, option)

    def number(word: str, usual: int, low: int, high: int) -> int:
        option = options.get(word)
        if option is None:
            return usual
        (value,) = option.numbers
        if not low <= value <= high:
            context.report("R013", f"`{word}` is {low} to {high}", option.span)
        return value

    transient = options["transient"].numbers if "transient" in options else ()
    for code in transient:
        if not 400 <= code <= 599:
            context.report("R013", f"{code} is no status of a fault", options["transient"].span, "400 to 599 are")
    rule = options.get("idempotency")
    if rule is None:
        context.undecided.add(node.name.text)
    idempotency = rule.texts[0].value if rule is not None and rule.texts else None
    if rule is not None and idempotency is not None:
        _check_header(context, idempotency, rule)
    return HTTPSource(
        name=node.name.text,
        env=node.env.value,
        auth=_auth(context, options.get("auth")),
        timeout_s=number("timeout", TIMEOUT_S, 1, _TIMEOUT_S_MAX),
        answer_bytes=number("answers", ANSWER_BYTES, 1, _ANSWER_BYTES_MAX),
        redirects=number("redirects", 0, 0, _REDIRECTS_MAX),
        transient=tuple(sorted(set(transient))),
        idempotency=idempotency,
        openapi=options["openapi"].texts[0].value if "openapi" in options else None,
        unencrypted="unencrypted" in options,
    )


_ABOUT = {"auth_bearer": "auth", "auth_basic": "auth", "auth_header": "auth", "no_idempotency": "idempotency"}


def _auth(context: Context, option: tree.Option | None) -> Auth | None:
    if option is None:
        return None
    *header, env = (text.value for text in option.texts)
    for name in header:
        _check_header(context, name, option)
    kind = AuthKind(option.word.removeprefix("auth_"))
    return Auth(kind, header[0] if header else "Authorization", env)


def _check_header(context: Context, name: str, option: tree.Option) -> None:
    if not name or not set(name) <= _TOKEN or name.lower() in _TAKEN_HEADERS:
        context.report("R013", f"`{name}` can't be the name of this header", option.span)
