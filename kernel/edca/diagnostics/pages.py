"""The long explanation of each code: the pages of `docs/errors`, which are the only place where they are written.

The wheel carries them inside this package (`pyproject.toml`, `sources`); a checkout reads them where they stand.
"""

from importlib.resources import files
from pathlib import Path
from typing import Final

from edca.diagnostics.codes import Code

_IN_WHEEL: Final = files("edca.diagnostics").joinpath("pages")
_IN_CHECKOUT: Final = Path(__file__).resolve().parents[3] / "docs" / "errors"


def page(code: Code) -> str | None:
    """The Markdown page that explains `code`, or nothing where none is written yet."""
    for folder in (_IN_WHEEL, _IN_CHECKOUT):
        path = folder.joinpath(f"{code.id}.md")
        if path.is_file():
            return path.read_text(encoding="utf-8")
    return None
