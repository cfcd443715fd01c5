"""The artefact's page lists exactly the parts that a machine is made of, with exactly their fields."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import os
import re
from pathlib import Path
from types import ModuleType

import pytest

from edca.kernel import expression, machine, types

DERIVED = {"Index"}  # computed from a machine, never written


def _rows(module: ModuleType) -> list[str]:
    found: list[str] = []
    for name, item in vars(module).items():
        if not isinstance(item, type) or item.__module__ != module.__name__ or name in DERIVED:
            continue
        meaning = (inspect.getdoc(item) or "").split("\n", maxsplit=1)[0].replace("|", "\\|")
        if issubclass(item, enum.Enum):
            holds = f"`is`: one of {', '.join(f'`{member.value}`' for member in item)}"
        else:
            holds = ", ".join(f"`{field.name}`" for field in dataclasses.fields(item) if field.init) or "nothing"
        found.append(f"| `{name}` | {holds} | {meaning} |")
    return found


@pytest.mark.parametrize("module", [machine, types, expression], ids=lambda module: module.__name__)
def test_the_page_lists_every_part(repository: Path, module: ModuleType) -> None:
    path = repository / "docs" / "reference" / "artefact.md"
    page = path.read_text("utf-8")
    heading = f"<!-- parts of {module.__name__} -->"
    table = "\n".join(["| part | holds | meaning |", "|---|---|---|", *_rows(module)])
    pattern = re.compile(re.escape(heading) + r"\n\n(.*?)\n\n", re.DOTALL)
    found = pattern.search(page)
    assert found is not None, f"{path} has no table behind {heading}"
    if os.environ.get("EDCA_UPDATE_GOLDEN") == "1":
        path.write_text(pattern.sub(lambda _: f"{heading}\n\n{table}\n\n", page), "utf-8")
    else:
        assert found[1] == table, "run the test with EDCA_UPDATE_GOLDEN=1 and read what changed"
