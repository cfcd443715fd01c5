"""Imports: a spec and the vocabulary files behind it become one tree."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

from edca.dsl.parse import parse
from edca.semantic.problems import Problems

if TYPE_CHECKING:
    from edca.diagnostics.diagnostic import Diagnostic
    from edca.diagnostics.source import Source
    from edca.dsl import tree

SUFFIX = ".edca"
FILES_MAX = 100


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    """A file within the spec's folder; `path` is its own place there, whatever links led to it."""

    path: str
    source: Source


Read = Callable[[str], "File | None"]
"""Returns the file at a `/`-separated path from the spec's folder; null where there is none within that folder."""


@dataclasses.dataclass(slots=True)
class Gathered:
    """A spec with the declarations of all it imports before its own; `whole` is false where a file could not be had."""

    spec: tree.Spec
    diagnostics: list[Diagnostic]
    problems: Problems
    lost: frozenset[str]
    whole: bool


@dataclasses.dataclass(slots=True)
class _Gatherer:
    read: Read | None
    diagnostics: list[Diagnostic]
    problems: Problems
    lost: set[str]
    tried: set[str] = dataclasses.field(default_factory=set)  # paths as they are written
    done: set[str] = dataclasses.field(default_factory=set)  # files, by their own paths
    missing: bool = False
    declarations: list[tree.Declaration] = dataclasses.field(default_factory=list)

    def follow(self, spec: tree.Spec, folder: str, way: tuple[str, ...]) -> None:
        """Gather what a file imports; `way` are the files that led here, the nearest last."""
        for node in spec.imports:
            written = self._path(node, folder)
            if written is None or self._is_cycle(node, written, way) or written in self.tried:
                continue
            self.tried.add(written)
            file = self._file(node, written)
            # A file may be reached by several paths, through links, and is one file all the same.
            if file is None or self._is_cycle(node, file.path, way) or file.path in self.done:
                continue
            self.done.add(file.path)
            found = self._vocabulary(node, file)
            if found is not None:
                self.follow(found, file.path.rpartition("/")[0], (*way, file.path))
                self.declarations += found.declarations

    def _is_cycle(self, node: tree.Import, path: str, way: tuple[str, ...]) -> bool:
        """Tell whether the file is one of those that led here, with a finding."""
        if path not in way:
            return False
        through = " → ".join(f"`{step}`" for step in (*way[way.index(path) :], path))
        self._add("N018", node, f"this file imports itself: {through}", "put what both need into a third file")
        return True

    def _path(self, node: tree.Import, folder: str) -> str | None:
        """Return the path from the spec's folder, or null with a finding."""
        written = node.path.value
        parts = written.split("/")
        if not written.endswith(SUFFIX) or parts[-1] == SUFFIX:
            self._add("N019", node, "an import names a vocabulary file", f"its name ends in `{SUFFIX}`")
            return None
        if any(part in ("", ".", "..") for part in parts) or "\\" in written or ":" in written:
            message = f"`{written}` is no path below this file's folder"
            self._add("N019", node, message, "write folders and file with `/` between them: `words/money.edca`")
            return None
        return f"{folder}/{written}" if folder else written

    def _file(self, node: tree.Import, path: str) -> File | None:
        """Return the file, or null with a finding."""
        if len(self.tried) > FILES_MAX:
            self._add("P006", node, f"a spec imports at most {FILES_MAX} files", "put several of them into one")
            return None
        if self.read is None:
            self._add(
                "N017", node, f"`{path}` can't be had: this spec was given without a folder", "name it by its path"
            )
            return None
        file = self.read(path)
        if file is None:
            help_ = "check the path: it starts from the folder of the file that imports, and stays below the spec's"
            self._add("N017", node, f"there is no file `{path}` to import", help_)
        return file

    def _vocabulary(self, node: tree.Import, file: File) -> tree.Spec | None:
        """Return the parsed file, or null with a finding."""
        parsed = parse(file.source)
        self.diagnostics += parsed.diagnostics
        self.lost |= parsed.lost
        self.missing = self.missing or bool(parsed.diagnostics)
        if parsed.spec is None:
            return None
        if parsed.spec.header.version is not None:
            message = f"`{file.path}` is a machine, and only vocabularies can be imported"
            self._add("N020", node, message, "move what both use into a file that begins with `vocabulary NAME`")
            return None
        return parsed.spec

    def _add(self, code: str, node: tree.Import, message: str, help_: str) -> None:
        self.missing = True
        self.problems.add(code, node.path.span, message, help=help_)


def gather(spec: tree.Spec, name: str, lost: frozenset[str], read: Read | None) -> Gathered:
    """Return the spec with everything it imports, each file once; `name` is the spec's own file name."""
    gatherer = _Gatherer(read, [], Problems(), set(lost))
    gatherer.follow(spec, "", (name,))
    whole = dataclasses.replace(spec, declarations=(*gatherer.declarations, *spec.declarations))
    return Gathered(whole, gatherer.diagnostics, gatherer.problems, frozenset(gatherer.lost), not gatherer.missing)
