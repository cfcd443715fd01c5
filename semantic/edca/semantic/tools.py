"""Tools: what a view offers, in the shape in which each kind of client asks for it. Pure data, nothing to call.

One tool stands for one transition that may be proposed now, or for one query, which takes `arguments` alone. The
members of a transition's parameters are those of a candidate (`edca.semantic.candidate`) without `transition`, which is
the tool's name:

```json
{"arguments": {"order_id": "o1", "amount": "20.00"}, "confidence": 0.91, "evidence": ["order.status"], "rationale": "…"}
```

So no argument, whatever its name, can be taken for what the proposer says of itself. What comes back is read by
`edca.semantic.candidates`, and nothing is trusted because it fitted a schema.
"""

from __future__ import annotations

import enum
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edca.semantic.candidate import EVIDENCE_MAX, RATIONALE_MAX
from edca.semantic.tools_openai import DESCRIPTION_MAX, strict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edca.kernel.canonical import Data
    from edca.semantic.view import Offer, OfferedQuery, View

# What every provider's interface takes as the name of a tool.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}", re.ASCII)


class ToolKind(enum.Enum):
    """What calling a tool asks for."""

    TRANSITION = "transition"  # a move of the case: a proposal, never the move itself
    QUERY = "query"  # something to look up; it changes nothing


class ToolError(ValueError):
    """A view that can't be told as tools: a name or text is longer than a provider's interface takes."""


@dataclass(frozen=True, slots=True)
class Tool:
    """Something that may be proposed or asked now; `parameters` is a JSON Schema (draft 2020-12) of one object."""

    name: str
    description: str
    kind: ToolKind
    parameters: dict[str, Data]


def tools_of(view: View) -> tuple[Tool, ...]:
    """Return one tool for each transition and then each query that the view offers, in the view's order.

    Raises `ToolError` for a name that providers' interfaces don't take.
    """
    cited: list[Data] = [*citable(view)]
    transitions = tuple(_tool(offer, ToolKind.TRANSITION, cited) for offer in view.offers)
    return (*transitions, *map(_query_tool, view.queries))


def citable(view: View) -> tuple[str, ...]:
    """Return what a candidate may cite as evidence: the names of the facts and memory that the view shows, sorted."""
    return tuple(sorted({*view.facts, *view.memory}))


def _query_tool(query: OfferedQuery) -> Tool:
    """Return the tool for a query, which needs nothing but its arguments."""
    _check_name(query.name)
    parameters: dict[str, Data] = {
        "type": "object",
        "properties": {"arguments": query.arguments},
        "required": ["arguments"],
        "additionalProperties": False,
    }
    return Tool(query.name, query.means, ToolKind.QUERY, parameters)


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise ToolError(f"`{name}` is longer than the 64 characters that the name of a tool may have")


def _tool(offer: Offer, kind: ToolKind, cited: list[Data]) -> Tool:
    _check_name(offer.name)
    properties: dict[str, Data] = {
        "arguments": offer.arguments,
        "confidence": {
            "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, {"type": "null"}],
            "description": "how sure you are that this is right, from 0 to 1",
        },
        "evidence": {
            "type": "array",
            # No enumeration is empty, so where nothing can be cited it is the list that must be.
            "items": {"type": "string", "enum": cited} if cited else {"type": "string"},
            "maxItems": EVIDENCE_MAX if cited else 0,
            "description": "the names of the values you have seen that speak for it",
        },
        "rationale": {
            "type": "string",
            "maxLength": RATIONALE_MAX,
            "description": "why, in a sentence; it is kept and decides nothing",
        },
    }
    return Tool(
        name=offer.name,
        description=offer.means,
        kind=kind,
        parameters={
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        },
    )


def as_openai(tools: Sequence[Tool]) -> list[dict[str, Data]]:
    """Return the tools as the Responses interface of OpenAI takes them, with strict parameters.

    Raises `ToolError` for a description of more than 1,024 characters, which that interface refuses, and for
    parameters beyond what its strict mode takes (see `tools_openai`).
    """
    return [{"type": "function", **_function(tool)} for tool in tools]


def as_openai_chat(tools: Sequence[Tool]) -> list[dict[str, Data]]:
    """Return the tools as the Chat Completions interface takes them. Raises as `as_openai`."""
    return [{"type": "function", "function": _function(tool)} for tool in tools]


def _function(tool: Tool) -> dict[str, Data]:
    if len(tool.description) > DESCRIPTION_MAX:
        raise ToolError(f"`{tool.name}` means more than the {DESCRIPTION_MAX} characters that a description may have")
    try:
        parameters = strict(tool.parameters)
    except ValueError as error:
        raise ToolError(f"`{tool.name}`: {error}") from None
    return {"name": tool.name, "description": tool.description, "parameters": parameters, "strict": True}


def as_anthropic(tools: Sequence[Tool]) -> list[dict[str, Data]]:
    """Return the tools as the Messages interface of Anthropic takes them.

    Not in its strict mode: that one knows no bounds of numbers, texts and lists, and refuses a set of tools whose
    schemas are large together. Candidates are read as strictly either way.
    """
    return [
        {"name": tool.name, "description": tool.description, "input_schema": dict(tool.parameters)} for tool in tools
    ]


def as_mcp(tools: Sequence[Tool]) -> list[dict[str, Data]]:
    """Return the tools as an MCP server lists them (`tools/list`, revision 2025-06-18).

    Of the hints only the one that follows from the kind is given: a query changes nothing.
    """
    return [
        {
            "name": tool.name,
            "description": tool.description,
            "inputSchema": dict(tool.parameters),
            "annotations": {"readOnlyHint": tool.kind is ToolKind.QUERY},
        }
        for tool in tools
    ]


def as_text(view: View) -> str:
    """Return the view as plain text, for a model that is given no tools: it answers with one JSON object.

    Every value stands as JSON, so no text that somebody else wrote can end the line it is on.
    """
    state = "" if view.state is None else f"State `{view.state}`: "
    lines = [f"{view.machine}. {state}{view.meaning}"]
    if view.revision is not None:
        lines.append(f"Revision {view.revision}.")
    known = {**view.memory, **view.facts}
    if known:
        lines += ["", "Known:", *(f"- {name} = {_json(known[name])}" for name in citable(view))]
    if view.last is not None:
        lines += ["", f"Your last proposal was {view.last.outcome}.", *(f"- {text}" for text in view.last.texts)]
    tools = tools_of(view)
    asked = [tool for tool in tools if tool.kind is ToolKind.QUERY]
    if asked:
        lines += ["", "You may look one of these up, by its name in place of a transition's; nothing changes by it."]
        lines += [line for tool in asked for line in _text_of(tool)]
    if len(asked) == len(tools):
        lines += ["", "There is nothing that you may propose now."]
    else:
        lines += ["", "You may propose one of these; whether it happens is decided elsewhere."]
        lines += [line for tool in tools if tool.kind is ToolKind.TRANSITION for line in _text_of(tool)]
    return "\n".join([*lines, *(["", HOW_TO_ANSWER] if tools else []), ""])


HOW_TO_ANSWER = (
    'Answer with one JSON object and nothing else: {"transition": one of these names, and the members of its schema}.'
)


def _text_of(tool: Tool) -> tuple[str, str]:
    return f"- {tool.name}: {tool.description}", f"  {_json(tool.parameters)}"


def _json(value: Data) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
