"""A `Toolset` as a toolset of Pydantic AI: needs `edca[pydantic-ai]`.

```python
agent = Agent(model, toolsets=[KernelToolset(Toolset(kernel, caller, cases=[("order", ("o1",))]))])
```
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from edca.api.failing import nothing_internal

try:
    from pydantic_ai.tools import ToolDefinition
    from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
except ImportError as error:  # pragma: no cover -- tested in a process without it
    raise ImportError("this toolset needs `pydantic-ai-slim`: pip install 'edca[pydantic-ai]'") from error

if TYPE_CHECKING:
    from pydantic_ai import RunContext

    from edca.api import Toolset


class _AsWritten:
    """The kernel reads what was written, and says what is wrong with it: a text stays the very text of the model.

    Read here, a member that stands twice would be there once, and what is no JSON would end the run with no record.
    """

    def validate_json(self, input: str | bytes | bytearray, **_: Any) -> Any:
        return input if isinstance(input, str) else bytes(input).decode("utf-8", "surrogateescape")

    def validate_python(self, input: Any, **_: Any) -> Any:
        return input


class KernelToolset(AbstractToolset[Any]):
    """What is legal is asked anew for each step of a run."""

    def __init__(self, toolset: Toolset, *, id: str = "edca") -> None:
        """Offer what `toolset` offers."""
        self._toolset = toolset
        self._id = id

    @property
    def id(self) -> str:
        """The name by which an agent tells its toolsets apart."""
        return self._id

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return the tools that are legal now."""
        with nothing_internal():
            tools = await asyncio.to_thread(self._toolset.tools)
        return {
            tool.name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters)
                ),
                max_retries=0,
                args_validator=_AsWritten(),
            )
            for tool in tools
        }

    async def call_tool(self, name: str, tool_args: Any, ctx: RunContext[Any], tool: ToolsetTool[Any]) -> Any:
        """Submit what was called, and return what the model may be told."""
        answer = await asyncio.to_thread(self._toolset.call_in_library, name, tool_args)
        return answer.to_raw()
