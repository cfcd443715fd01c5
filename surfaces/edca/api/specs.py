"""Reading what users hand in as a file: text, and the machine of a spec."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edca.api.errors import PolicyError
from edca.api.imports import reader
from edca.diagnostics import Source
from edca.kernel.machine import Machine
from edca.semantic.compile import compile_spec, without_machine

if TYPE_CHECKING:
    from edca.dsl import tree


def read_source(file: str | os.PathLike[str]) -> Source:
    """Return a text file as a source. Raises `OSError`, and `ValueError` for what is no text."""
    return Source(os.fspath(file), Path(file).read_text("utf-8-sig"))  # some editors put a mark before the text


def compiled_machine(spec: str | os.PathLike[str] | Source | Machine) -> tuple[Machine, tree.Spec | None]:
    """Return the machine of a spec, with its syntax tree where there is a text. Raises `PolicyError` for a mistake."""
    if isinstance(spec, Machine):
        return spec, None
    source = spec if isinstance(spec, Source) else read_source(spec)
    compiled = compile_spec(source, reader(source.name))
    if compiled.machine is None:
        raise PolicyError((*compiled.diagnostics, *without_machine(compiled)))
    return compiled.machine, compiled.spec
