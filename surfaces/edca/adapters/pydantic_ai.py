"""A `Toolset` as a toolset of Pydantic AI: needs `edca[pydantic-ai]`.

```python
agent = Agent(model, toolsets=[KernelToolset(Toolset(kernel, caller, cases=[("order", ("o1",))]))])
```
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

try:
    from pydantic_ai.tools import ToolDefinition
    from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
    from pydantic_core import SchemaValidator, core_schema
except ImportError as error:  # pragma: no cover -- tested in a process without it
    raise ImportError("this toolset needs `pydantic-ai-slim`: pip install 'edca[pydantic-ai]'") from error

if TYPE_CHECKING:
    from pydantic_ai import RunContext

    from edca.api import Toolset

_ANYTHING = SchemaValidator(
    core_schema.any_schema()
)  # the kernel reads what was written, and says what is wrong with it


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
        tools = await asyncio.to_thread(self._toolset.tools)
        return {
            tool.name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=tool.name, description=tool.description, parameters_json_schema=dict(tool.parameters)
                ),
                max_retries=0,
                args_validator=_ANYTHING,
            )
            for tool in tools
        }

    async def call_tool(self, name: str, tool_args: Any, ctx: RunContext[Any], tool: ToolsetTool[Any]) -> Any:
        """Submit what was called, and return what the model may be told."""
        answer = await asyncio.to_thread(self._toolset.call, name, tool_args)
        return answer.to_raw()
