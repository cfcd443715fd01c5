"""Templates: addresses of requests, with slots in braces, where values of the key or of parameters come in."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from edca.dsl.tree import Name
from edca.routing import tree
from edca.routing.codec import UnwritableError, write
from edca.routing.model import Fixed, Given
from edca.routing.model_documents import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from edca.dsl.tree import Text
    from edca.kernel.values import Value
    from edca.routing.context import Context
    from edca.routing.model import Codec, Operand, Stored

_SLOT = re.compile(r"\{([^{}]*)\}")
_WRITTEN = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)(?: as (\w+))?")
# What may stand in an address as it is: RFC 3986's unreserved and reserved characters and `%`, without the fragment.
_LITERAL = re.compile(r"[A-Za-z0-9\-._~:/?@!$&'()*+,;=%\[\]]*")
_LENGTH_MAX = 500


def check_template(
    context: Context,
    text: Text,
    operand: Callable[[tuple[str, ...], str | None], Operand | None],
    *,
    is_path: bool = True,
) -> Template | None:
    """Return a template, or null where something about it was reported (R013).

    `operand` gives the value for a slot's names and its encoding, or reports why there is none.
    """
    written = text.value
    parts: list[str | Operand] = []
    count = len(context.found)
    end = 0
    for slot in _SLOT.finditer(written):
        parts.append(written[end : slot.start()])
        end = slot.end()
        named = _WRITTEN.fullmatch(slot.group(1))
        if named is None:
            message = f"`{slot.group()}` is no slot"
            context.report("R013", message, text.span, "write `{name}`, `{name.part}` or `{name as units}`")
            continue
        found = operand(tuple(named.group(1).split(".")), named.group(2))
        if found is not None:
            parts.append(found)
    parts.append(written[end:])
    literals = [part for part in parts if isinstance(part, str)]
    if not all(_LITERAL.fullmatch(literal) for literal in literals) or len(written) > _LENGTH_MAX:
        message = "an address holds only what RFC 3986 lets stand in it, and at most 500 characters"
        context.report("R013", message, text.span, "percent-encode anything else: `%20` for a space")
    if is_path and not written.startswith("/"):
        context.report("R013", "the address doesn't begin with `/`", text.span, "write the path behind the base URL")
    return Template(tuple(part for part in parts if part)) if len(context.found) == count else None


def check_pointer(names: tuple[Name, ...]) -> str:
    """Return the JSON Pointer (RFC 6901) of nested members."""
    return "".join(pointer_step(name.text) for name in names)


def pointer_step(name: str) -> str:
    """Return one step of a JSON Pointer."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def pointer_names(pointer: str) -> tuple[str, ...]:
    """Return the members that a JSON Pointer leads through."""
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:])


def filled(template: Template, scope: Mapping[str, Value]) -> str | None:
    """Return the address, or null for a value that can't stand in it without changing where it leads.

    Every value is percent-encoded whole. Empty ones, `.` and `..` would lead elsewhere all the same (RFC 3986 §5.2.4),
    and servers differ on encoded slashes and control characters; none of them is sent.
    """
    parts: list[str] = []
    for part in template.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        try:
            stored = stored_of(part, scope)
        except UnwritableError:
            return None
        text = _text(stored)
        if text in ("", ".", "..") or any(character in "/\\" or character < " " for character in text):
            return None
        parts.append(quote(text, safe=""))
    return "".join(parts)


def stored_of(operand: Operand, scope: Mapping[str, Value]) -> Stored:
    """Return what a source is given for an operand. Raises `UnwritableError` where it can't hold the value."""
    match operand:
        case Fixed(value):
            return value
        case Given(name, steps, codec):
            return write(codec, led(scope, name, steps))


def led(scope: Mapping[str, Value], name: str, steps: tuple[int, ...]) -> Value:
    """Return the part of a value that the steps lead to; a part of nothing is nothing."""
    value = scope[name]
    for step in steps:
        if value is None:
            return None
        if not isinstance(value, tuple):
            raise UnwritableError("a part was promised")
        value = value[step]
    return value


def _text(stored: Stored) -> str:
    match stored:
        case bool():
            return "true" if stored else "false"
        case None:
            return ""
        case _:
            return str(stored)


def key_operand(
    context: Context, text: Text, parts: tuple[str, ...], codecs: tuple[Codec, ...], seen: set[str]
) -> Callable[[tuple[str, ...], str | None], Operand | None]:
    """Return what finds the operands of a template over an entity's key; `seen` collects the parts it uses."""

    def operand(names: tuple[str, ...], encoding: str | None) -> Operand | None:
        name = ".".join(names)
        if name not in parts:
            message = f"`{name}` is no part of the key ({', '.join(parts)})"
            context.report("R013", message, text.span)
            return None
        if encoding is not None:
            context.report("R013", "how a part of the key is written stands in `key (…)`", text.span)
            return None
        seen.add(name)
        index = parts.index(name)
        return Given("key", (index,), codecs[index])

    return operand


def as_tree(name: str, text: Text) -> tree.AsEncoding:
    """Return `as NAME` inside a template as the tree that it would be elsewhere."""
    return tree.AsEncoding(tree_name(name, text), text.span)


def tree_name(name: str, text: Text) -> Name:
    """Return a name inside a template, placed at the template."""
    return Name(name, text.span)
