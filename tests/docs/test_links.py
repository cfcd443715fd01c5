"""Goal: no link of the documentation leads nowhere."""

import re
from pathlib import Path

import pages
import pytest

FILES = sorted(pages.DOCS.rglob("*.md"))
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(pages.DOCS)))
def test_every_relative_link_leads_to_a_file(path: Path) -> None:
    # What stands in backticks or fences is no link.
    text = re.sub(r"```.*?```|`[^`\n]*`", "", path.read_text("utf-8"), flags=re.DOTALL)
    targets = [link.partition("#")[0] for link in _LINK.findall(text) if "://" not in link]
    assert [target for target in targets if target and not (path.parent / target).exists()] == []


@pytest.mark.parametrize("folder", ["tutorial", "how-to", "explanation"])
def test_every_page_is_listed_in_its_folder(folder: str) -> None:
    listed = _LINK.findall((pages.DOCS / folder / "README.md").read_text("utf-8"))
    missing = {page.name for page in (pages.DOCS / folder).glob("*.md")} - {"README.md", *listed}
    assert missing == set()
