"""Where the vocabulary files come from that a spec imports: its own folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edca.diagnostics import Source

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE_MAX = 4 << 20  # bytes; the language's own bound is lower, and is reported with its code


def reader(spec: str) -> Callable[[str], Source | None]:
    """Return what reads the files that the spec at this path imports.

    It takes a path from the spec's folder, and returns null where no text file is there, or where the path, with its
    links followed, leads out of that folder.
    """
    folder = Path(spec).parent

    def read(path: str) -> Source | None:
        try:
            file = (folder / path).resolve(strict=True)
            if not file.is_relative_to(folder.resolve()) or not file.is_file():
                return None
            with file.open("rb") as opened:
                content = opened.read(_SIZE_MAX + 1)
            if len(content) > _SIZE_MAX:
                return None
            return Source((folder / path).as_posix(), content.decode("utf-8-sig"))
        except (OSError, ValueError):  # what can't be read, or isn't text, is not there to be imported
            return None

    return read
