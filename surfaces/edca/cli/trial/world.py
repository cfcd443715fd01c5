"""The world module of a trial: what it must offer, and loading it from beside the spec.

A world holds one world in two shapes: the *data* (the public JSON that the recorded tools worked on) and the *internal
database* that only routes know. What a kernel changes, it changes in the database; what the recorded tools did, the
world applies to the data, to the database, or to both alike.
"""

import importlib.util
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias, cast

from edca.cli.errors import CLIError

Data: TypeAlias = "dict[str, Any]"
Dialogue: TypeAlias = "Sequence[tuple[str, str]]"  # ("user" | "agent", text), in order

_NAMES: Final = ("WRITE_TOOLS", "read_data", "branch", "load", "fresh", "project", "apply_call", "follow", "claims")


class World(Protocol):
    """What a world module offers; all of it is deterministic."""

    @property
    def WRITE_TOOLS(self) -> tuple[str, ...]:
        """The recorded tools that change the world, each the name of a transition."""

    def read_data(self, folder: Path) -> Data:
        """Return the data of a folder."""

    def branch(self, data: Mapping[str, Any]) -> Data:
        """Return a copy that calls may change without touching the original."""

    def load(self, data: Mapping[str, Any], connection: sqlite3.Connection) -> None:
        """Create the internal tables in an empty database and fill them."""

    def fresh(self, source: sqlite3.Connection) -> sqlite3.Connection:
        """Return a copy of an internal database, in memory."""

    def project(self, connection: sqlite3.Connection, base: Mapping[str, Any]) -> Data:
        """Return an internal database in the shape of the data it was loaded from."""

    def apply_call(self, data: Data, name: str, args: Mapping[str, Any]) -> str:
        """Apply one recorded call to the data, by the recorded tool's own rules; return the tool's answer."""

    def follow(
        self, connection: sqlite3.Connection, data: Data, name: str, args: Mapping[str, Any]
    ) -> tuple[str, Data]:
        """Apply one recorded call to the data and to the internal database alike."""

    def claims(self, dialogue: Dialogue, call_name: str) -> dict[str, object]:
        """Return what the user's words before a call seem to claim: values in raw form by name."""


def load_world(path: Path) -> World:
    """Import the world module at `path`; this runs its code. Raises `CLIError` where it is none."""
    name = f"edca_trial_world_{path.parent.name}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise CLIError(f"`{path}` is no world module", 'name a Python file in trial.toml: `world = "world.py"`')
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise CLIError(f"the world module `{path}` can't be imported: {type(error).__name__}: {error}") from error
    missing = [name for name in _NAMES if not hasattr(module, name)]
    if missing:
        raise CLIError(f"the world module `{path}` lacks `{missing[0]}`", "see docs/how-to/run-a-trial.md")
    return cast("World", module)
