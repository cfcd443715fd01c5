"""A `Toolset` as tools of the OpenAI Agents SDK: needs `edca[openai-agents]`.

```python
agent = Agent(name="desk", tools=agents_tools(Toolset(kernel, caller, cases=[("order", ("o1",))])))
```
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from edca.api import as_openai
from edca.api.failing import nothing_internal

try:
    from agents import FunctionTool
except ImportError as error:  # pragma: no cover -- tested in a process without it
    raise ImportError("tools for agents need `openai-agents`: pip install 'edca[openai-agents]'") from error

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents.tool_context import ToolContext

    from edca.api import Toolset


def agents_tools(toolset: Toolset) -> list[FunctionTool]:
    """Return a tool for everything that the caller may propose, each enabled while it is legal.

    What a model writes is read strictly, from its own text. Raises `ToolError` for parameters that strict mode doesn't
    take.
    """
    return [_tool(toolset, told) for told in as_openai(toolset.all_tools())]


def _tool(toolset: Toolset, told: dict[str, Any]) -> FunctionTool:
    name: str = told["name"]

    async def invoke(_: ToolContext[Any], written: str) -> str:
        answer = await asyncio.to_thread(toolset.call_in_library, name, written)
        return answer.text()

    async def is_legal(*_: object) -> bool:
        with nothing_internal():
            tools = await asyncio.to_thread(toolset.tools)
        return name in {tool.name for tool in tools}

    enabled: Callable[..., Any] = is_legal
    return FunctionTool(
        name=name,
        description=told["description"],
        params_json_schema=told["parameters"],
        on_invoke_tool=invoke,
        strict_json_schema=True,
        is_enabled=enabled,
    )
