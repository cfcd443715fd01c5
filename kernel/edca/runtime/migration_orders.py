"""Orders to migrate: who may have cases moved, and how it is known that it was they. Asked again in a replay."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from edca.kernel import canonical
from edca.kernel.inputs import Authenticated
from edca.kernel.machine import RoleKind
from edca.runtime.modes import REASON_LENGTH_MAX
from edca.runtime.signatures import is_signed

if TYPE_CHECKING:
    from edca.kernel.machine import Machine
    from edca.kernel.roster import Roster

_SIGNED_PREFIX: Final = b"edca/migration\x00"


class MigrationError(ValueError):
    """The cases can't be moved; the message says why. Nothing is recorded, unless it is `MigrationStoppedError`."""


class Stop(enum.Enum):
    """What ends a run that has moved cases, before it is through."""

    ROSTER_CHANGED = "roster_changed"  # another roster was adopted
    ORDER_ENDED = "order_ended"  # whoever ordered it may not by now
    OTHER_RUN = "other_run"  # somebody else has begun a run since


class MigrationStoppedError(MigrationError):
    """The order no longer holds: what has moved by it stays moved, the others stand where they stood.

    `code` says what has come in between, the message how to go on. Migrating again goes on with what is left.
    """

    def __init__(self, code: Stop, message: str) -> None:
        """Keep the code."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Ordered:
    """Who has cases moved, and why. `signature` (64 bytes) is over `message`, by a key that the roster has of them."""

    by: str
    role: str
    reason: str
    signature: bytes | None = None


def message(tenant: str, migration: bytes, reason: str) -> bytes:
    """Return the bytes that whoever orders a migration signs; `migration` is the map's digest."""
    return _SIGNED_PREFIX + canonical.encode({"tenant": tenant, "migration": migration, "reason": reason})


def reason_of(ordered: Ordered) -> str:
    """Return the reason as it is recorded and signed: long ones are cut."""
    return ordered.reason[:REASON_LENGTH_MAX]


def check_order(
    roster: Roster, machine: Machine, tenant: str, migration: bytes, ordered: Ordered, at: int
) -> Authenticated:
    """Return how it is known who orders the migration. Raises `MigrationError` for somebody who may not.

    It is for people who hold, at that time, a role that answers for transitions of the new version, and who sign where
    the roster has a key of theirs.
    """
    principal, role = roster.find(ordered.by), machine.index.roles.get(ordered.role)
    is_person = principal is not None and principal.model is None and principal.is_valid(at)
    held = principal is not None and ordered.role in principal.roles
    if not (is_person and held) or role is None or role.kind is not RoleKind.HUMAN:
        raise MigrationError(f"`{ordered.by}` is no person in role `{ordered.role}` on the roster at this time")
    answering = {transition.answers for transition in machine.transitions}
    if ordered.role not in answering:
        raise MigrationError(f"role `{ordered.role}` answers for no transition of the new version")
    if not ordered.reason.strip():
        raise MigrationError("a migration needs a reason")
    keys = roster.keys(ordered.by, at)
    if not keys and ordered.signature is None:
        return Authenticated.ASSERTED
    signed = message(tenant, migration, reason_of(ordered))
    if ordered.signature is None:
        raise MigrationError(f"the roster has a key of `{ordered.by}`, and the migration is not signed")
    if not is_signed(keys, ordered.signature, signed):
        raise MigrationError("the signature is for something else, or by another key than the roster has")
    return Authenticated.SIGNED
