"""A `Toolset` as tools of LangChain and LangGraph: needs `edca[langchain]`.

```python
tools = langchain_tools(Toolset(kernel, caller))
model = model.bind_tools(tools)          # or: langgraph's ToolNode(tools)
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

try:
    from langchain_core.tools import BaseTool
    from pydantic import PrivateAttr
except ImportError as error:  # pragma: no cover -- tested in a process without it
    raise ImportError("LangChain tools need the package `langchain-core`: pip install 'edca[langchain]'") from error

if TYPE_CHECKING:
    from edca.api import Tool, Toolset


class KernelTool(BaseTool):
    """One tool of a toolset. It returns what a model may be told; the message's `artifact` is the same, as data."""

    _toolset: Any = PrivateAttr()

    def __init__(self, toolset: Toolset, tool: Tool) -> None:
        """Offer `tool`; calling it submits a candidate in the name of the toolset's caller."""
        super().__init__(
            name=tool.name,
            description=tool.description,
            args_schema=dict(tool.parameters),
            response_format="content_and_artifact",
        )
        self._toolset = toolset

    def _run(self, /, **given: Any) -> tuple[str, dict[str, Any]]:
        answer = self._toolset.call_in_library(self.name, given)
        return answer.text(), answer.to_raw()


def langchain_tools(toolset: Toolset) -> list[BaseTool]:
    """Return the tools that are legal now.

    Take them anew for each turn, or make the toolset without cases, so that the list holds all that the caller may
    propose about some case or other; either way it is the kernel that decides each call.
    """
    return [KernelTool(toolset, tool) for tool in toolset.tools()]
