"""Moving running cases to a new version of their machine, from a kernel or from the ledger alone."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Self

from edca.api.errors import PolicyError
from edca.api.operating import LedgerOperator
from edca.api.specs import compiled_machine, read_source
from edca.diagnostics import Source
from edca.dsl.parse_migration import parse_map
from edca.ledger.ed25519 import sign
from edca.ledger.record import parse
from edca.runtime import migrating
from edca.runtime.config import CHAIN, Configuration
from edca.runtime.migration_orders import MigrationError, Ordered, message, reason_of
from edca.semantic.migration import compile_map

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from edca.kernel.machine import Machine
    from edca.kernel.migration import Migration
    from edca.runtime.context import Context
    from edca.runtime.loop import Runtime
    from edca.runtime.migrating import CaseFate, Migrated
    from edca.runtime.ports import Clock, Store

    File: TypeAlias = "str | os.PathLike[str]"
    Progress: TypeAlias = "Callable[[int, int], None]"


class Migrating:
    """The part of a kernel that moves cases of an earlier version to the machine in force."""

    _runtime: Runtime

    def plan_migration(
        self, map: File | Source, *, old: File | Source | Machine | None = None, progress: Progress | None = None
    ) -> tuple[CaseFate, ...]:
        """Return what would become of every case of the old version. Nothing is recorded.

        `old` is that version's spec; without it, the version that the map names is taken from the ledger. Raises
        `PolicyError` for a map that leaves something out, `MigrationError` where the ledger doesn't fit it.
        """
        before, migration, _ = read_map(self._runtime.context, map, old)
        return self._runtime.plan_migration(before, migration, progress)

    def migrate(
        self,
        map: File | Source,
        *,
        by: str,
        role: str,
        reason: str,
        old: File | Source | Machine | None = None,
        key: bytes | None = None,
        progress: Progress | None = None,
    ) -> Migrated:
        """Move every case of the old version that the map lets move, each on record; calling again goes on.

        `by` is a person on the roster in `role`, which answers for transitions of the new version; `key`, their private
        key, signs for them, and has to where the roster has one of theirs. Raises as `plan_migration` does, and
        `MigrationError` for somebody who may not.
        """
        before, migration, text = read_map(self._runtime.context, map, old)
        order = ordered(self._runtime.context.tenant, migration, by, role, reason, key)
        return self._runtime.migrate(before, migration, text, order, progress)


class LedgerMigrator:
    """Moves the cases of a ledger that no kernel has open; the roster is the one in force for the tenant.

    Use it as a context manager or call `close`.
    """

    def __init__(self, operator: LedgerOperator, new: Machine) -> None:
        """Use `open`."""
        self._operator = operator
        self.context = dataclasses.replace(operator.context, machine=new)

    @classmethod
    def open(cls, ledger: File, new: Machine, *, tenant: str = "", clock: Clock | None = None) -> Self:
        """Open a ledger that is there, to move cases to `new`. Raises as `LedgerOperator.open` does."""
        return cls(LedgerOperator.open(ledger, machine=new.name, tenant=tenant, clock=clock), new)

    def plan(self, old: Machine, migration: Migration, progress: Progress | None = None) -> tuple[CaseFate, ...]:
        """Return what would become of every case of the old version: see `edca.runtime.migrating.plan`."""
        return migrating.plan(self.context, old, migration, progress)

    def migrate(
        self, old: Machine, migration: Migration, text: str, order: Ordered, progress: Progress | None = None
    ) -> Migrated:
        """Move the cases of the old version: see `edca.runtime.migrating.migrate`."""
        return migrating.migrate(self.context, old, migration, text, order, progress)

    def close(self) -> None:
        """Close the ledger. Calling it again does nothing."""
        self._operator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ordered(tenant: str, migration: Migration, by: str, role: str, reason: str, key: bytes | None) -> Ordered:
    """Return an order to migrate, signed where a private key is given."""
    order = Ordered(by, role, reason)
    if key is None:
        return order
    return dataclasses.replace(order, signature=sign(key, message(tenant, migration.digest, reason_of(order))))


def read_map(
    context: Context, map: File | Source, old: File | Source | Machine | None
) -> tuple[Machine, Migration, str]:
    """Return the old version, the checked map from it to the machine in force, and the map's text.

    Raises `PolicyError` for a map with a mistake, and `MigrationError` where the ledger doesn't hold what it names.
    """
    source = map if isinstance(map, Source) else read_source(map)
    before = machine_held(context.store, source, context.machine) if old is None else compiled_machine(old)[0]
    compiled = compile_map(source, before, context.machine)
    if compiled.migration is None:
        raise PolicyError(compiled.diagnostics)
    return before, compiled.migration, source.text


def machine_held(store: Store, map: Source, new: Machine) -> Machine:
    """Return the version that a map moves cases from, as the ledger holds it.

    Raises `PolicyError` for a map whose header can't be read, and `MigrationError` where the ledger holds no such
    version or several.
    """
    parsed = parse_map(map)
    if parsed.map is None:
        raise PolicyError(parsed.diagnostics)
    configuration, digests = Configuration(), dict[bytes, None]()
    for stored in store.records(chain=CHAIN):
        content: Any = parse(stored.body).content
        configuration.take(content)
        if content["what"] == "machine":
            digests[content["digest"]] = None
    version = parsed.map.header.source.value
    found = [configuration.machine(digest) for digest in digests if digest != new.digest]
    named = [machine for machine in found if (machine.name, machine.version) == (new.name, version)]
    if len(named) != 1:
        how_many = "no machine" if not named else "several machines called"
        raise MigrationError(f"the ledger holds {how_many} {new.name} {version}: name the spec of the old version")
    return named[0]
