"""Where the vocabulary files come from that a spec imports: its own folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edca.diagnostics import Source
from edca.semantic.imports import File

if TYPE_CHECKING:
    from collections.abc import Callable

_SIZE_MAX = 4 << 20  # bytes; the language's own bound is lower, and is reported with its code


def reader(spec: str) -> Callable[[str], File | None]:
    """Return what reads the files that the spec at this path imports.

    It takes a path from the spec's folder, and returns null where no text file is there, or where the path, with its
    links followed, leads out of that folder. A file that several links lead to is always given under its own path.
    """
    folder = Path(spec).parent

    def read(path: str) -> File | None:
        try:
            file, root = (folder / path).resolve(strict=True), folder.resolve()
            if not file.is_relative_to(root) or not file.is_file():
                return None
            own = Path(spec).name if file == Path(spec).resolve() else file.relative_to(root).as_posix()
            with file.open("rb") as opened:
                content = opened.read(_SIZE_MAX + 1)
            if len(content) > _SIZE_MAX:
                return None
            return File(own, Source((folder / own).as_posix(), content.decode("utf-8-sig")))
        except (OSError, ValueError):  # what can't be read, or isn't text, is not there to be imported
            return None

    return read
